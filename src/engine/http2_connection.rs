//! One HTTP/2 connection at work: requests go side by side, each as a stream of its own.
//!
//! No more are begun than the server allows at a time, so that none waits inside of the library with
//! its clock running: what finds no room waits in the backlog, from its due time on, like any other.

use super::connection::{End, Quota};
use super::opening::Opener;
use super::pool::SlotId;
use super::world::{Again, Shared, World};
use crate::clock::RunClock;
use crate::measure::ErrorKind;
use crate::script::ScriptError;
use crate::transport::Http2Link;
use crate::units::Nanos;
use crate::wire::Collected;
use futures_util::stream::{FuturesUnordered, StreamExt};
use h2::Reason;
use h2::client::ResponseFuture;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// What became of the stream with this number.
type Outcome = (u64, Result<Answer, Unanswered>);

/// A reply that has been read to its end.
struct Answer {
    first_byte: Nanos,
    done: Nanos,
    status: u16,
    /// Of the body; heads are compressed together with those before them.
    bytes: u64,
    collected: Collected,
}

/// Why there is no reply.
enum Unanswered {
    Broken(h2::Error),
    /// `--abort-after` was over.
    Aborted,
}

/// A stream in flight.
struct Begun {
    /// Streams are numbered in the order of their beginning.
    number: u64,
    /// Its request, as it was written.
    text: Vec<u8>,
    refusals: u32,
}

/// How often a request may be refused unseen before that is its failure.
const PATIENCE: u32 = 10;

/// What holds for every connection of a worker.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Requests that it carries before it is closed.
    pub quota: Quota,
    /// How long a request may take before it is given up.
    pub abort_after: Option<Nanos>,
}

/// An open HTTP/2 connection and what is under way on it.
pub struct Http2Connection {
    opener: Rc<Opener>,
    world: Shared,
    id: SlotId,
    link: Box<Http2Link>,
    replies: FuturesUnordered<Pin<Box<dyn Future<Output = Outcome>>>>,
    /// The streams in flight, in the order of the slot's list.
    streams: VecDeque<Begun>,
    begun: u64,
    terms: Terms,
    collect: bool,
    /// The server takes no more.
    is_leaving: bool,
    /// Another one has its place in the pool.
    is_replaced: bool,
    has_answered: bool,
}

impl Http2Connection {
    /// A connection for a slot of this world; `opener` replaces it once it takes no more.
    pub fn new(
        opener: Rc<Opener>,
        world: Shared,
        id: SlotId,
        link: Box<Http2Link>,
        terms: Terms,
    ) -> Http2Connection {
        let collect = world.borrow().source.wants_response();
        Http2Connection {
            opener,
            world,
            id,
            link,
            replies: FuturesUnordered::new(),
            streams: VecDeque::new(),
            begun: 0,
            terms,
            collect,
            is_leaving: false,
            is_replaced: false,
            has_answered: false,
        }
    }

    /// Works until the connection ends.
    pub async fn work(mut self) -> End {
        let shared = self.world.clone();
        std::future::poll_fn(move |cx| self.poll(cx, &mut shared.borrow_mut())).await
    }

    fn poll(&mut self, cx: &mut Context<'_>, world: &mut World) -> Poll<End> {
        world.turns += 1;
        loop {
            let ended = Pin::new(&mut self.link.connection).poll(cx);
            let now = world.clock.now();
            world.count_bytes(now, self.link.take_read());
            let delivered = self.poll_replies(cx, world);
            self.look_for_room(cx, world);
            if let Poll::Ready(ended) = ended {
                self.close(world, ended);
                return Poll::Ready(self.end(End::lost(self.has_answered)));
            }
            let took = self.take_work(cx, world);
            if let Some(end) = self.takes_no_more(world) {
                if self.streams.is_empty() {
                    return Poll::Ready(self.end(end));
                }
                // A reply that takes long would keep the place of a connection that takes requests.
                if !self.is_replaced {
                    self.is_replaced = true;
                    self.opener.replace(world, end);
                }
            }
            if !delivered && !took {
                break;
            }
        }
        let slot = world.pool.slot(self.id);
        slot.abort = false;
        slot.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// How it will end, once it takes no more requests.
    fn takes_no_more(&self, world: &mut World) -> Option<End> {
        let is_used_up = self.terms.quota.is_used_up(world.pool.slot(self.id));
        match self.is_leaving {
            true => Some(End::lost(self.has_answered)),
            false => is_used_up.then_some(End::Planned),
        }
    }

    fn end(&self, end: End) -> End {
        match self.is_replaced {
            true => End::Replaced,
            false => end,
        }
    }

    /// Whether any reply has come, or will not come any more.
    fn poll_replies(&mut self, cx: &mut Context<'_>, world: &mut World) -> bool {
        let mut any = false;
        while let Poll::Ready(Some((number, outcome))) = self.replies.poll_next_unpin(cx) {
            any = true;
            let at = self
                .streams
                .binary_search_by_key(&number, |begun| begun.number);
            if let Ok(at) = at
                && let Some(begun) = self.streams.remove(at)
            {
                match outcome {
                    Ok(answer) => self.deliver(world, at, &answer),
                    Err(unanswered) => self.fail(world, at, begun, &unanswered),
                }
            }
        }
        any
    }

    fn deliver(&mut self, world: &mut World, at: usize, answer: &Answer) {
        self.has_answered = true;
        if let Some(request) = world.pool.slot(self.id).in_flight.get_mut(at) {
            request.first_byte = Some(answer.first_byte);
            request.bytes = answer.bytes;
        }
        world.deliver(self.id, at, answer.status, answer.done, &answer.collected);
    }

    /// A request that the server has not looked at is sent again, on its own time; anything else is a
    /// failure.
    fn fail(&mut self, world: &mut World, at: usize, begun: Begun, unanswered: &Unanswered) {
        if let Unanswered::Broken(error) = unanswered {
            if error.is_reset() && error.is_remote() {
                world.recorder.stream_reset();
            }
            self.count_leave(error, world);
        }
        if !unanswered.is_unseen() || begun.refusals == PATIENCE {
            let (kind, why) = explain(unanswered);
            return world.fail_one(self.id, at, kind, why);
        }
        world.recorder.refused();
        let now = world.clock.now();
        if let Some(mut request) = world.take_off(self.id, at, now) {
            request.sending.free = now;
            world.send_again(Again {
                text: begun.text,
                request,
                refusals: begun.refusals + 1,
            });
        }
    }

    /// The connection is over, for whatever reason.
    fn close(&mut self, world: &mut World, ended: Result<(), h2::Error>) {
        let why = match ended {
            Ok(()) => "the server closed the connection before it replied".to_owned(),
            Err(error) => {
                self.count_leave(&error, world);
                explain(&Unanswered::Broken(error)).1
            }
        };
        world.lose(self.id, ErrorKind::Read, &why);
    }

    /// How many streams the server allows may change at any time.
    fn look_for_room(&mut self, cx: &mut Context<'_>, world: &mut World) {
        let limit = match self.link.send.poll_ready(cx) {
            Poll::Ready(Ok(())) => self.link.send.current_max_send_streams(),
            // What was begun last still waits to be let out.
            Poll::Pending => return self.pause(world),
            Poll::Ready(Err(error)) => {
                self.count_leave(&error, world);
                self.is_leaving = true;
                0
            }
        };
        if !self.is_leaving {
            world.narrowest = world.narrowest.min(limit);
        }
        let was_full = world.pool.is_full(self.id);
        let is_used_up = self.terms.quota.is_used_up(world.pool.slot(self.id));
        world.pool.slot(self.id).limit = if is_used_up { 0 } else { limit };
        match (was_full, world.pool.is_full(self.id)) {
            (_, true) => world.give_back(self.id),
            // The server has made room that there was not.
            (true, false) => world.pool.slot(self.id).free_since = world.clock.now(),
            (false, false) => {}
        }
    }

    fn pause(&self, world: &mut World) {
        world.pool.slot(self.id).limit = 0;
        world.give_back(self.id);
    }

    fn count_leave(&mut self, error: &h2::Error, world: &mut World) {
        if error.is_go_away() && error.is_remote() && !self.is_leaving {
            self.is_leaving = true;
            world.recorder.goaway();
            world.close_to_arrivals(self.id);
        }
    }

    /// Takes what is due while there is room; else lets the dispatcher know of the room.
    fn take_work(&mut self, cx: &mut Context<'_>, world: &mut World) -> bool {
        let mut any = false;
        while !world.pool.is_full(self.id) {
            let (text, refusals) = match world.again.pop_front() {
                Some(again) => self.take_up(world, again),
                None => match self.write_next(world) {
                    Some(text) => (text, 0),
                    None => break,
                },
            };
            self.terms.quota.use_up(1);
            self.begin(world, text, refusals);
            any = true;
            self.look_for_room(cx, world);
        }
        any
    }

    /// Puts a request that was refused elsewhere on the wire's list.
    fn take_up(&self, world: &mut World, again: Again) -> (Vec<u8>, u32) {
        let Again {
            text,
            mut request,
            refusals,
        } = again;
        // The detour was the server's: until now nothing was free for this request.
        let free_since = world.pool.slot(self.id).free_since;
        request.sending.free = request.sending.free.max(free_since);
        request.sending.sent = world.clock.now();
        request.first_byte = None;
        world.pool.withdraw(self.id);
        let slot = world.pool.slot(self.id);
        slot.in_flight.push_back(request);
        slot.batches += 1;
        (text, refusals)
    }

    /// The request of the next arrival, if one is due.
    fn write_next(&self, world: &mut World) -> Option<Vec<u8>> {
        let Some(arrival) = world.next_arrival(self.id) else {
            if world.pool.has_room(self.id) && !world.pool.is_queued(self.id) {
                world.offer(self.id);
            }
            return None;
        };
        world.pool.withdraw(self.id);
        let mut text = Vec::new();
        world.generate(self.id, arrival, &mut text)?;
        Some(text)
    }

    /// Begins a stream for the last request of the slot's list.
    fn begin(&mut self, world: &mut World, text: Vec<u8>, refusals: u32) {
        let at = self.streams.len();
        let (request, body) = match world.translator.translate(&text) {
            Ok(translated) => translated,
            Err(bad) => {
                world.fail_one(self.id, at, ErrorKind::Script, bad.to_string());
                world.break_off(ScriptError::new(format!("request(): {bad}")));
                return;
            }
        };
        let sent = self.link.send.send_request(request, body.is_empty());
        let sent = sent.and_then(|(reply, mut stream)| {
            if !body.is_empty() {
                // What the server's window has no room for waits in the stream.
                stream.send_data(body, true)?;
            }
            Ok(reply)
        });
        let reply = match sent {
            Ok(reply) => reply,
            Err(error) => {
                let why = explain(&Unanswered::Broken(error)).1;
                return world.fail_one(self.id, at, ErrorKind::Write, why);
            }
        };
        self.begun += 1;
        let (number, clock) = (self.begun, world.clock);
        let (collect, limit) = (self.collect, self.terms.abort_after);
        self.streams.push_back(Begun {
            number,
            text,
            refusals,
        });
        self.replies.push(Box::pin(async move {
            (number, read_within(limit, reply, clock, collect).await)
        }));
    }
}

async fn read_within(
    limit: Option<Nanos>,
    reply: ResponseFuture,
    clock: RunClock,
    collect: bool,
) -> Result<Answer, Unanswered> {
    let read = read(reply, clock, collect);
    let read = match limit {
        // Dropped in the middle, a stream is reset with CANCEL.
        Some(limit) => tokio::time::timeout(limit.to_duration(), read).await,
        None => Ok(read.await),
    };
    match read {
        Ok(read) => read.map_err(Unanswered::Broken),
        Err(_) => Err(Unanswered::Aborted),
    }
}

async fn read(reply: ResponseFuture, clock: RunClock, collect: bool) -> Result<Answer, h2::Error> {
    let (head, mut body) = reply.await?.into_parts();
    let first_byte = clock.now();
    let mut bytes = 0;
    let mut collected = Collected::default();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        bytes += piece.len() as u64;
        body.flow_control().release_capacity(piece.len())?;
        if collect {
            collected.body.extend_from_slice(&piece);
        }
    }
    body.trailers().await?;
    if collect {
        let headers = head.headers.iter();
        let owned = headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
        collected.headers.extend(owned);
    }
    Ok(Answer {
        first_byte,
        done: clock.now(),
        status: head.status.as_u16(),
        bytes,
        collected,
    })
}

impl Unanswered {
    /// Whether the server has promised that it did nothing with the request (RFC 9113 section 8.7).
    fn is_unseen(&self) -> bool {
        let Unanswered::Broken(error) = self else {
            return false;
        };
        let is_refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
        error.is_remote() && (is_refused || error.is_go_away())
    }
}

fn explain(unanswered: &Unanswered) -> (ErrorKind, String) {
    let error = match unanswered {
        Unanswered::Aborted => {
            let why = "given up after --abort-after".to_owned();
            return (ErrorKind::Aborted, why);
        }
        Unanswered::Broken(error) => error,
    };
    let reason = error.reason().map_or_else(
        || error.to_string(),
        |reason| reason.description().to_owned(),
    );
    match (error.is_remote(), error.is_reset(), error.is_go_away()) {
        (true, true, _) => (
            ErrorKind::Read,
            format!("the server reset the stream (RST_STREAM: {reason})"),
        ),
        (true, _, true) => (
            ErrorKind::Read,
            format!("the server ended the connection before it replied (GOAWAY: {reason})"),
        ),
        _ if error.is_io() => (ErrorKind::Read, error.to_string()),
        _ => (ErrorKind::Parse, error.to_string()),
    }
}

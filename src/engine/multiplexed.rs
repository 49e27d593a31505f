//! One HTTP/2 connection at work: requests go side by side, each as a stream of its own.
//!
//! No more are begun than the server allows at a time, so that none waits inside of the library with
//! its clock running: what finds no room waits in the backlog, from its due time on, like any other.

use super::connection::{Lost, Quota};
use super::pool::SlotId;
use super::world::{Shared, World};
use crate::clock::RunClock;
use crate::measure::ErrorKind;
use crate::script::ScriptError;
use crate::transport::Multiplex;
use crate::units::Nanos;
use crate::wire::Collected;
use futures_util::stream::{FuturesUnordered, StreamExt};
use h2::client::ResponseFuture;
use std::collections::VecDeque;
use std::pin::Pin;
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

/// What holds for every connection of a worker.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Requests that it carries before it is closed.
    pub quota: Quota,
    /// How long a request may take before it is given up.
    pub abort_after: Option<Nanos>,
}

/// An open HTTP/2 connection and what is under way on it.
pub struct Multiplexed {
    world: Shared,
    id: SlotId,
    link: Box<Multiplex>,
    replies: FuturesUnordered<Pin<Box<dyn Future<Output = Outcome>>>>,
    /// Numbers of the streams in flight, in the order of the slot's list.
    numbers: VecDeque<u64>,
    begun: u64,
    terms: Terms,
    collect: bool,
    /// The server takes no more, and has been counted for it.
    is_leaving: bool,
    text: Vec<u8>,
}

impl Multiplexed {
    /// A connection for a slot of this world.
    pub fn new(world: Shared, id: SlotId, link: Box<Multiplex>, terms: Terms) -> Multiplexed {
        let collect = world.borrow().source.wants_response();
        Multiplexed {
            world,
            id,
            link,
            replies: FuturesUnordered::new(),
            numbers: VecDeque::new(),
            begun: 0,
            terms,
            collect,
            is_leaving: false,
            text: Vec::new(),
        }
    }

    /// Works until the connection is lost.
    pub async fn work(mut self) -> Lost {
        let shared = self.world.clone();
        std::future::poll_fn(move |cx| self.poll(cx, &mut shared.borrow_mut())).await
    }

    fn poll(&mut self, cx: &mut Context<'_>, world: &mut World) -> Poll<Lost> {
        world.turns += 1;
        loop {
            let ended = Pin::new(&mut self.link.connection).poll(cx);
            let now = world.clock.now();
            world.recorder.bytes(now, self.link.take_read());
            let delivered = self.poll_replies(cx, world);
            if let Poll::Ready(ended) = ended {
                return Poll::Ready(self.close(world, ended));
            }
            self.look_for_room(cx, world);
            let took = self.take_work(world);
            let is_used_up = self.terms.quota.is_used_up(world.pool.slot(self.id));
            if (is_used_up || self.is_leaving) && self.numbers.is_empty() {
                return Poll::Ready(Lost);
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

    /// Whether any reply has come, or will not come any more.
    fn poll_replies(&mut self, cx: &mut Context<'_>, world: &mut World) -> bool {
        let mut any = false;
        while let Poll::Ready(Some((number, outcome))) = self.replies.poll_next_unpin(cx) {
            any = true;
            let Ok(at) = self.numbers.binary_search(&number) else {
                continue;
            };
            self.numbers.remove(at);
            match outcome {
                Ok(answer) => {
                    if let Some(request) = world.pool.slot(self.id).in_flight.get_mut(at) {
                        request.first_byte = Some(answer.first_byte);
                        request.bytes = answer.bytes;
                    }
                    let Answer {
                        status,
                        done,
                        collected,
                        ..
                    } = answer;
                    world.deliver(self.id, at, status, done, &collected);
                }
                Err(unanswered) => {
                    if unanswered.is_reset() {
                        world.recorder.stream_reset();
                    }
                    let (kind, why) = explain(&unanswered);
                    world.fail_one(self.id, at, kind, why);
                }
            }
        }
        any
    }

    /// The connection is over, for whatever reason.
    fn close(&mut self, world: &mut World, ended: Result<(), h2::Error>) -> Lost {
        let why = match ended {
            Ok(()) => "the server closed the connection before it replied".to_owned(),
            Err(error) => {
                self.count_leave(&error, world);
                explain(&Unanswered::Broken(error)).1
            }
        };
        world.lose(self.id, ErrorKind::Read, &why);
        Lost
    }

    /// How many streams the server allows may change at any time.
    fn look_for_room(&mut self, cx: &mut Context<'_>, world: &mut World) {
        let limit = match self.link.send.poll_ready(cx) {
            Poll::Ready(Ok(())) => self.link.send.current_max_send_streams(),
            // What was begun last still waits for room: there is less than there was.
            Poll::Pending => 0,
            Poll::Ready(Err(error)) => {
                self.count_leave(&error, world);
                self.is_leaving = true;
                0
            }
        };
        world.narrowest = world.narrowest.min(limit.max(1));
        let is_used_up = self.terms.quota.is_used_up(world.pool.slot(self.id));
        world.pool.slot(self.id).limit = if is_used_up { 0 } else { limit };
        if world.pool.is_full(self.id) {
            world.give_back(self.id);
        }
    }

    fn count_leave(&mut self, error: &h2::Error, world: &mut World) {
        if error.is_go_away() && error.is_remote() && !self.is_leaving {
            self.is_leaving = true;
            world.recorder.sent_away();
        }
    }

    /// Takes what is due while there is room; else lets the dispatcher know of the room.
    fn take_work(&mut self, world: &mut World) -> bool {
        let mut any = false;
        while !world.pool.is_full(self.id) {
            let Some(arrival) = world.next_arrival(self.id) else {
                if world.pool.has_room(self.id) && !world.pool.is_queued(self.id) {
                    world.offer(self.id);
                }
                break;
            };
            world.pool.withdraw(self.id);
            self.text.clear();
            let Some(count) = world.generate(self.id, arrival, &mut self.text) else {
                break;
            };
            self.terms.quota.use_up(count);
            self.begin(world);
            any = true;
            if self.terms.quota.is_used_up(world.pool.slot(self.id)) {
                world.close_to_arrivals(self.id);
            }
        }
        any
    }

    /// Begins a stream for the request that was written last.
    fn begin(&mut self, world: &mut World) {
        self.begun += 1;
        self.numbers.push_back(self.begun);
        let at = self.numbers.len() - 1;
        let translated = world.translator.translate(&self.text);
        let (request, body) = match translated {
            Ok(translated) => translated,
            Err(bad) => {
                self.numbers.pop_back();
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
        match sent {
            Ok(reply) => {
                let (number, clock) = (self.begun, world.clock);
                let (collect, limit) = (self.collect, self.terms.abort_after);
                self.replies.push(Box::pin(async move {
                    (number, read_within(limit, reply, clock, collect).await)
                }));
            }
            Err(error) => {
                self.numbers.pop_back();
                let why = explain(&Unanswered::Broken(error)).1;
                world.fail_one(self.id, at, ErrorKind::Write, why);
            }
        }
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
    fn is_reset(&self) -> bool {
        matches!(self, Unanswered::Broken(error) if error.is_reset() && error.is_remote())
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

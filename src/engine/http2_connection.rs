//! One HTTP/2 connection: requests go side by side, each as a stream of its own.
//!
//! A connection begins no more streams than the server allows at a time. A stream beyond that would
//! wait inside the h2 library although it counts as sent; here its arrival waits in the backlog, like
//! any other arrival that finds no room.

use super::in_flight::{Http2Stream, InFlight};
use super::lifecycle::{ConnectionPolicy, End};
use super::pool::SlotId;
use super::requests::Requests;
use super::worker_state::{Shared, WorkerState};
use crate::clock::RunClock;
use crate::measure::ErrorKind;
use crate::script::ScriptError;
use crate::transport::Http2Link;
use crate::units::Nanos;
use crate::wire::CollectedReply;
use futures_util::stream::{FuturesUnordered, StreamExt};
use h2::Reason;
use h2::client::ResponseFuture;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The outcome of the stream with this number.
type Outcome = (u64, Result<Answer, Unanswered>);

/// A reply that has been read to its end.
struct Answer {
    first_byte: Nanos,
    done: Nanos,
    status: u16,
    /// Size of the body. Headers are not counted: they are compressed with a state that all streams
    /// share.
    bytes: u64,
    collected: CollectedReply,
}

/// Why there is no reply.
enum Unanswered {
    Broken(h2::Error),
    /// The time of `--abort-after` ran out.
    Aborted,
}

/// How often a request may be refused without being processed before it counts as failed.
const MAX_REFUSALS: u32 = 10;

/// Called once when a connection takes no more requests but still waits for replies.
pub type OnDraining = Box<dyn Fn(&mut WorkerState, End)>;

/// An open HTTP/2 connection with the requests that it has in flight.
pub struct Http2Connection {
    state: Shared,
    id: SlotId,
    link: Box<Http2Link>,
    replies: FuturesUnordered<Pin<Box<dyn Future<Output = Outcome>>>>,
    requests: Requests<Http2Stream>,
    /// Number of the stream that began last.
    last_number: u64,
    policy: ConnectionPolicy,
    /// Whether a script wants to see headers and bodies.
    collect: bool,
    /// Whether the server has announced that it takes no more requests.
    is_leaving: bool,
    /// Whether another connection has taken this one's place.
    is_replaced: bool,
    has_answered: bool,
    on_draining: OnDraining,
}

impl Http2Connection {
    /// Takes over a freshly opened link for a slot of the pool.
    pub fn new(
        state: Shared,
        id: SlotId,
        link: Box<Http2Link>,
        policy: ConnectionPolicy,
        on_draining: OnDraining,
    ) -> Http2Connection {
        let collect = state.borrow().source.wants_response();
        Http2Connection {
            requests: Requests::new(state.clone(), id),
            state,
            id,
            link,
            replies: FuturesUnordered::new(),
            last_number: 0,
            policy,
            collect,
            is_leaving: false,
            is_replaced: false,
            has_answered: false,
            on_draining,
        }
    }

    /// Works until the connection ends.
    pub async fn work(mut self) -> End {
        let shared = self.state.clone();
        std::future::poll_fn(move |cx| self.poll(cx, &mut shared.borrow_mut())).await
    }

    fn poll(&mut self, cx: &mut Context<'_>, state: &mut WorkerState) -> Poll<End> {
        state.turns += 1;
        loop {
            let ended = Pin::new(&mut self.link.connection).poll(cx);
            let now = state.clock.now();
            state.count_bytes(now, self.link.take_read());
            let delivered = self.poll_replies(cx, state);
            self.update_room(cx, state);
            if let Poll::Ready(ended) = ended {
                self.close(state, ended);
                return Poll::Ready(self.end(End::lost(self.has_answered)));
            }
            let took = self.take_work(cx, state);
            if let Some(end) = self.is_draining(state) {
                if self.requests.is_empty() {
                    return Poll::Ready(self.end(end));
                }
                // A slow reply must not keep the place of a connection that could take requests.
                if !self.is_replaced {
                    self.is_replaced = true;
                    (self.on_draining)(state, end);
                }
            }
            if !delivered && !took {
                break;
            }
        }
        let slot = state.pool.slot(self.id);
        slot.abort = false;
        slot.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// How the connection will end, if it takes no more requests.
    fn is_draining(&self, state: &mut WorkerState) -> Option<End> {
        match self.is_leaving {
            true => Some(End::lost(self.has_answered)),
            false => self.is_used_up(state).then_some(End::Planned),
        }
    }

    fn is_used_up(&self, state: &mut WorkerState) -> bool {
        self.policy.budget.is_used_up() || state.pool.slot(self.id).has_moved
    }

    fn end(&self, end: End) -> End {
        match self.is_replaced {
            true => End::Replaced,
            false => end,
        }
    }

    /// Handles streams that have ended; returns whether there were any.
    fn poll_replies(&mut self, cx: &mut Context<'_>, state: &mut WorkerState) -> bool {
        let mut any = false;
        while let Poll::Ready(Some((number, outcome))) = self.replies.poll_next_unpin(cx) {
            any = true;
            let position = self
                .requests
                .position(number, |request| request.stream.number);
            if let Some(position) = position {
                match outcome {
                    Ok(answer) => self.deliver(state, position, &answer),
                    Err(unanswered) => self.fail(state, position, &unanswered),
                }
            }
        }
        any
    }

    fn deliver(&mut self, state: &mut WorkerState, position: usize, answer: &Answer) {
        self.has_answered = true;
        if let Some(request) = self.requests.at(position) {
            request.first_byte = Some(answer.first_byte);
            request.bytes = answer.bytes;
        }
        let (status, done) = (answer.status, answer.done);
        self.requests
            .deliver(state, position, status, done, &answer.collected);
    }

    /// Sends a request again that the server has not processed; its due time stays. Any other missing
    /// reply is a failure.
    fn fail(&mut self, state: &mut WorkerState, position: usize, unanswered: &Unanswered) {
        if let Unanswered::Broken(error) = unanswered {
            if error.is_reset() && error.is_remote() {
                state.recorder.stream_reset();
            }
            self.note_goaway(error, state);
        }
        let request = self.requests.at(position);
        let refusals = request.map_or(MAX_REFUSALS, |request| request.stream.refusals);
        if !unanswered.is_unprocessed() || refusals == MAX_REFUSALS {
            let (kind, why) = explain(unanswered);
            return self.requests.fail_one(state, position, kind, &why);
        }
        state.recorder.refused();
        let now = state.clock.now();
        if let Some(mut request) = self.requests.remove(state, position, now) {
            // Until the refusal no connection counts as free for this request.
            request.sending.free = now;
            request.stream.refusals += 1;
            state.requeue(request);
        }
    }

    /// Records that the connection has ended.
    fn close(&mut self, state: &mut WorkerState, ended: Result<(), h2::Error>) {
        let why = match ended {
            Ok(()) => "the server closed the connection before it replied".to_owned(),
            Err(error) => {
                self.note_goaway(&error, state);
                explain(&Unanswered::Broken(error)).1
            }
        };
        self.requests.fail_connection(state, ErrorKind::Read, &why);
    }

    /// Updates how many streams the server allows, which may change at any time.
    fn update_room(&mut self, cx: &mut Context<'_>, state: &mut WorkerState) {
        let limit = match self.link.send.poll_ready(cx) {
            Poll::Ready(Ok(())) => self.link.send.current_max_send_streams(),
            // The h2 library still holds back the stream that was begun last.
            Poll::Pending => return state.close_to_arrivals(self.id),
            Poll::Ready(Err(error)) => {
                self.note_goaway(&error, state);
                self.is_leaving = true;
                0
            }
        };
        if !self.is_leaving {
            state.http2.fewest_streams = state.http2.fewest_streams.min(limit);
        }
        let was_full = state.pool.is_full(self.id);
        let is_used_up = self.is_used_up(state);
        state.pool.slot(self.id).limit = if is_used_up { 0 } else { limit };
        match (was_full, state.pool.is_full(self.id)) {
            (_, true) => state.release_assignment(self.id),
            // The server now allows more streams than before.
            (true, false) => state.pool.slot(self.id).free_since = state.clock.now(),
            (false, false) => {}
        }
    }

    fn note_goaway(&mut self, error: &h2::Error, state: &mut WorkerState) {
        if error.is_go_away() && error.is_remote() && !self.is_leaving {
            self.is_leaving = true;
            state.recorder.goaway();
            state.close_to_arrivals(self.id);
        }
    }

    /// Sends what is due while there is room, and then offers the remaining room to the dispatcher.
    /// Returns whether any stream was begun.
    fn take_work(&mut self, cx: &mut Context<'_>, state: &mut WorkerState) -> bool {
        let mut any = false;
        while !state.pool.is_full(self.id) {
            let is_queued = match state.http2.refused.pop_front() {
                Some(refused) => self.take_refused(state, refused),
                None => self.take_arrival(state),
            };
            if !is_queued {
                break;
            }
            self.policy.budget.spend(1);
            self.begin(state);
            any = true;
            self.update_room(cx, state);
        }
        any
    }

    /// Queues a request that another connection refused.
    fn take_refused(
        &mut self,
        state: &mut WorkerState,
        mut request: InFlight<Http2Stream>,
    ) -> bool {
        // The detour was the server's doing: the request was free to go only from the refusal on.
        let free_since = state.pool.slot(self.id).free_since;
        request.sending.free = request.sending.free.max(free_since);
        request.sending.sent = state.clock.now();
        request.first_byte = None;
        self.last_number += 1;
        request.stream.number = self.last_number;
        state.pool.withdraw(self.id);
        self.requests.requeue(state, request);
        true
    }

    /// Queues the request of the next arrival, if one is due.
    fn take_arrival(&mut self, state: &mut WorkerState) -> bool {
        let Some(arrival) = state.next_arrival(self.id) else {
            if state.pool.has_room(self.id) && !state.pool.is_queued(self.id) {
                state.offer(self.id);
            }
            return false;
        };
        state.pool.withdraw(self.id);
        let number = self.last_number + 1;
        let stream = |text: &mut Vec<u8>| Http2Stream {
            number,
            text: std::mem::take(text),
            refusals: 0,
        };
        let mut text = Vec::new();
        let generated = self.requests.generate(state, arrival, &mut text, stream);
        self.last_number += u64::from(generated.is_some());
        generated.is_some()
    }

    /// Begins a stream for the request that was queued last.
    fn begin(&mut self, state: &mut WorkerState) {
        let Some(request) = self.requests.newest() else {
            return;
        };
        let number = request.stream.number;
        let (request, body) = match state.http2.translator.translate(&request.stream.text) {
            Ok(translated) => translated,
            Err(bad) => {
                let why = bad.to_string();
                self.requests.fail_newest(state, ErrorKind::Script, &why);
                state.abort_run(ScriptError::new(format!("request(): {bad}")));
                return;
            }
        };
        let sent = self.link.send.send_request(request, body.is_empty());
        let sent = sent.and_then(|(reply, mut stream)| {
            if !body.is_empty() {
                // The h2 library keeps what does not fit into the server's window.
                stream.send_data(body, true)?;
            }
            Ok(reply)
        });
        let reply = match sent {
            Ok(reply) => reply,
            Err(error) => {
                let why = explain(&Unanswered::Broken(error)).1;
                return self.requests.fail_newest(state, ErrorKind::Write, &why);
            }
        };
        let (clock, collect, limit) = (state.clock, self.collect, self.policy.abort_after);
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
        // When the future is dropped, h2 resets the stream with CANCEL.
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
    let mut collected = CollectedReply::default();
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
    /// Whether the server guarantees that it did not process the request (RFC 9113 section 8.7).
    fn is_unprocessed(&self) -> bool {
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

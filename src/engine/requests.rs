//! The requests of one connection. A connection owns what it has in flight; the pool only learns
//! how many batches these are and since when the oldest of them has been waiting.

use super::in_flight::{InFlight, Unanswered};
use super::pool::SlotId;
use super::worker_state::{Shared, WorkerState};
use crate::measure::{Delivery, ErrorKind, Failure};
use crate::schedule::Arrival;
use crate::units::Nanos;
use crate::wire::CollectedReply;
use std::collections::VecDeque;

/// Requests in flight on one connection, oldest first.
pub struct Requests<S> {
    state: Shared,
    id: SlotId,
    queue: VecDeque<InFlight<S>>,
}

impl<S> Requests<S> {
    /// No requests yet, for the connection of this slot.
    pub fn new(state: Shared, id: SlotId) -> Requests<S> {
        Requests {
            state,
            id,
            queue: VecDeque::new(),
        }
    }

    /// Whether every request has been answered or has failed.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The request whose reply comes next where replies keep the order of requests.
    #[inline]
    pub fn oldest(&mut self) -> Option<&mut InFlight<S>> {
        self.queue.front_mut()
    }

    /// The request that was sent last.
    pub fn newest(&self) -> Option<&InFlight<S>> {
        self.queue.back()
    }

    /// The request at a position of the queue.
    pub fn at(&mut self, position: usize) -> Option<&mut InFlight<S>> {
        self.queue.get_mut(position)
    }

    /// The position of the request with this key, by which the queue is ordered.
    pub fn position(&self, key: u64, key_of: impl Fn(&InFlight<S>) -> u64) -> Option<usize> {
        self.queue.binary_search_by_key(&key, key_of).ok()
    }

    /// Generates the batch of an arrival into `out` and queues its requests; returns their number.
    /// `None` when the script failed: the arrival then stays unsent. `stream` makes the protocol's
    /// part of each request and may take the text out of `out`.
    #[inline]
    pub fn generate(
        &mut self,
        state: &mut WorkerState,
        arrival: Arrival,
        out: &mut Vec<u8>,
        mut stream: impl FnMut(&mut Vec<u8>) -> S,
    ) -> Option<u64> {
        let sending = state.generate(self.id, arrival, out)?;
        let batch = state.source.batch();
        for prepared in batch {
            self.queue.push_back(InFlight {
                sending,
                prepared: *prepared,
                first_byte: None,
                bytes: 0,
                stream: stream(out),
            });
        }
        let count = batch.len() as u64;
        self.count_batch(state, sending.sent);
        Some(count)
    }

    /// Queues a request that another connection refused.
    pub fn requeue(&mut self, state: &mut WorkerState, request: InFlight<S>) {
        let sent = request.sending.sent;
        self.queue.push_back(request);
        self.count_batch(state, sent);
    }

    fn count_batch(&self, state: &mut WorkerState, sent: Nanos) {
        let slot = state.pool.slot(self.id);
        slot.load += 1;
        slot.oldest_sent.get_or_insert(sent);
    }

    /// Removes the request at this position.
    #[inline]
    pub fn remove(
        &mut self,
        state: &mut WorkerState,
        position: usize,
        now: Nanos,
    ) -> Option<InFlight<S>> {
        let request = self.queue.remove(position)?;
        let was_full = state.pool.is_full(self.id);
        let slot = state.pool.slot(self.id);
        slot.oldest_sent = self.queue.front().map(|oldest| oldest.sending.sent);
        if request.prepared.ends_batch {
            slot.load -= 1;
            if was_full {
                slot.free_since = now;
            }
        }
        Some(request)
    }

    /// Records that the reply to the request at this position was read to its end. A script with a
    /// `response` function sees `collected` and may turn the reply into a failure.
    #[inline]
    pub fn deliver(
        &mut self,
        state: &mut WorkerState,
        position: usize,
        status: u16,
        done: Nanos,
        collected: &CollectedReply,
    ) {
        let Some(request) = self.remove(state, position, done) else {
            return;
        };
        if !state.source.wants_response() {
            return self.record_delivery(state, &request, status, done);
        }
        match state.source.response(status, collected) {
            Ok(None) => self.record_delivery(state, &request, status, done),
            Ok(Some(reason)) => {
                self.record_failure(state, &request, done, ErrorKind::Script, &reason);
            }
            Err(error) => {
                let why = "an error in response()";
                self.record_failure(state, &request, done, ErrorKind::Script, why);
                state.abort_run(error);
            }
        }
        state.apply_script_stop(done);
    }

    /// Records that the request at this position failed; the connection goes on.
    pub fn fail_one(
        &mut self,
        state: &mut WorkerState,
        position: usize,
        kind: ErrorKind,
        why: &str,
    ) {
        let now = state.clock.now();
        if let Some(request) = self.remove(state, position, now) {
            self.record_failure(state, &request, now, kind, why);
        }
    }

    /// Records that the newest request failed; the connection goes on.
    pub fn fail_newest(&mut self, state: &mut WorkerState, kind: ErrorKind, why: &str) {
        self.fail_one(state, self.queue.len().saturating_sub(1), kind, why);
    }

    /// Records that the connection broke: the oldest request failed with this kind of error, and the
    /// replies to those behind it cannot be read.
    pub fn fail_connection(&mut self, state: &mut WorkerState, kind: ErrorKind, why: &str) {
        let at = state.clock.now();
        let slot = state.pool.slot(self.id);
        slot.load = 0;
        slot.oldest_sent = None;
        slot.abort = false;
        let mut kind = kind;
        for request in std::mem::take(&mut self.queue) {
            self.record_failure(state, &request, at, kind, why);
            if kind != ErrorKind::Write {
                kind = ErrorKind::Read;
            }
        }
        state.close_to_arrivals(self.id);
    }

    fn record_delivery(
        &self,
        state: &mut WorkerState,
        request: &InFlight<S>,
        status: u16,
        done: Nanos,
    ) {
        let connection = state.connection_number(self.id);
        state.recorder.delivered(&Delivery {
            sending: request.sending,
            first_byte: request.first_byte.unwrap_or(done),
            done,
            status,
            bytes: request.bytes,
            route: request.prepared.route,
            ends_batch: request.prepared.ends_batch,
            connection,
        });
    }

    fn record_failure(
        &self,
        state: &mut WorkerState,
        request: &InFlight<S>,
        at: Nanos,
        kind: ErrorKind,
        why: &str,
    ) {
        state.keep_first_error(kind, || why.to_owned());
        let connection = state.connection_number(self.id);
        state.recorder.failed(&Failure {
            sending: request.sending,
            at,
            kind,
            route: request.prepared.route,
            connection,
        });
    }
}

/// At the end of the load connections are dropped with their requests still in flight; the worker
/// records these as unfinished.
impl<S> Drop for Requests<S> {
    fn drop(&mut self) {
        if self.queue.is_empty() {
            return;
        }
        // A connection is never dropped while its worker's state is in use.
        if let Ok(mut state) = self.state.try_borrow_mut() {
            let unanswered = self.queue.drain(..).map(|request| Unanswered {
                id: self.id,
                sending: request.sending,
                route: request.prepared.route,
            });
            state.unanswered.extend(unanswered);
        }
    }
}

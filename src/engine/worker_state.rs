//! What the tasks of a worker share. They run on one thread, so one `RefCell` does without locks.

use super::arrival_queue::ArrivalQueue;
use super::in_flight::{Http2Stream, InFlight, Unanswered};
use super::pool::{Pool, SlotId};
use super::source::Source;
use crate::clock::RunClock;
use crate::measure::{ErrorKind, Recorder, Sending};
use crate::schedule::Arrival;
use crate::script::ScriptError;
use crate::transport::Address;
use crate::units::Nanos;
use crate::wire::Translator;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Waker;

/// A worker's state as its tasks hold it.
pub type Shared = Rc<RefCell<WorkerState>>;

/// What all HTTP/2 connections of a worker share.
pub struct Http2State {
    /// Turns requests into HTTP/2 form.
    pub translator: Translator,
    /// Requests that a server refused without processing them. Another connection sends them.
    pub refused: VecDeque<InFlight<Http2Stream>>,
    /// The smallest number of streams that a server has allowed on a connection.
    pub fewest_streams: usize,
}

/// The shared state of one worker.
pub struct WorkerState {
    /// Time since the load began. While connections are opened it is another clock.
    pub clock: RunClock,
    /// Whether the load has begun.
    pub is_on: bool,
    /// Whether arrivals have due times (`-R RATE`), as opposed to `-R max`.
    pub is_open_loop: bool,
    pub arrivals: ArrivalQueue,
    pub pool: Pool,
    pub source: Source,
    pub recorder: Recorder,
    pub http2: Http2State,
    /// The target's addresses; connections are spread over them.
    pub addresses: Vec<Address>,
    /// Lent to the connection that is reading.
    pub read_buffer: Vec<u8>,
    /// Wakes the dispatcher when a connection has room.
    pub waiting_for_free: Option<Waker>,
    /// How often connections were polled; the pacer compares it to see whether a spin was idle.
    pub turns: u64,
    /// An error in the script; it ends the run.
    pub script_error: Option<ScriptError>,
    /// Wakes the task that waits for a script error.
    pub watching_for_error: Option<Waker>,
    /// The text of the first error of each kind.
    pub first_errors: Vec<(ErrorKind, String)>,
    /// Whether a script moved due times or sent batches. The schedule alone then does not say how many
    /// requests were due in the window.
    pub has_moved_arrivals: bool,
    /// When the script stopped this worker (`thread:stop()`).
    pub stopped: Option<Nanos>,
    /// Requests that were in flight at the end of the load.
    pub unanswered: Vec<Unanswered>,
    /// Index of this worker within its target.
    pub worker: usize,
    /// Number of workers of the target.
    pub workers: usize,
}

impl WorkerState {
    /// The next arrival for a connection with room: the one that the dispatcher assigned to it, or
    /// one from the backlog.
    #[inline]
    pub fn next_arrival(&mut self, id: SlotId) -> Option<Arrival> {
        if !self.is_on || self.script_error.is_some() {
            return None;
        }
        if let Some(arrival) = self.pool.slot(id).assigned.take() {
            return Some(arrival);
        }
        let now = self.clock.now();
        self.take_due(now)
    }

    /// Assigns what is due to a connection that is still to be opened; `false` when nothing is due.
    pub fn claim(&mut self, id: SlotId) -> bool {
        let Some(arrival) = self.next_arrival(id) else {
            return false;
        };
        self.pool.withdraw(id);
        self.pool.slot(id).assigned = Some(arrival);
        true
    }

    /// Takes an arrival that is due, after applying the script's `delay()`.
    pub fn take_due(&mut self, now: Nanos) -> Option<Arrival> {
        loop {
            let (arrival, is_fresh) = self.arrivals.take(now)?;
            if !is_fresh || !self.source.has_delay() {
                return Some(arrival);
            }
            match self.source.delay() {
                Ok(delay) if delay.is_zero() => return Some(arrival),
                Ok(delay) => {
                    self.has_moved_arrivals = true;
                    self.arrivals.postpone(arrival, arrival.due + delay);
                }
                Err(error) => {
                    self.arrivals.postpone(arrival, arrival.due);
                    self.abort_run(error);
                    return None;
                }
            }
        }
    }

    /// Writes the requests of an arrival to `out`; the source keeps what is known of each of them.
    /// `None` when the script failed: the arrival then stays among the unsent ones.
    #[inline]
    pub fn generate(&mut self, id: SlotId, arrival: Arrival, out: &mut Vec<u8>) -> Option<Sending> {
        if let Err(error) = self.source.generate(out, &mut self.recorder) {
            out.clear();
            self.arrivals.postpone(arrival, arrival.due);
            self.abort_run(error);
            return None;
        }
        let sent = self.clock.now();
        let sending = Sending {
            // In a closed loop a request is due when it is sent.
            due: if self.is_open_loop { arrival.due } else { sent },
            free: self.pool.slot(id).free_since,
            sent,
        };
        let count = self.source.batch().len() as u64;
        self.recorder.sent(sending, count);
        if count > 1 {
            self.has_moved_arrivals = true;
            self.arrivals.skip(count - 1);
        }
        self.apply_script_stop(sent);
        Some(sending)
    }

    /// Counts bytes that were read. Those read before the load, on another clock, do not belong to it.
    #[inline]
    pub fn count_bytes(&mut self, now: Nanos, count: u64) {
        if self.is_on && count > 0 {
            self.recorder.bytes(now, count);
        }
    }

    /// Tells the dispatcher that a connection has room and nothing to do.
    pub fn offer(&mut self, id: SlotId) {
        self.pool.offer(id);
        if let Some(waker) = self.waiting_for_free.take() {
            waker.wake();
        }
    }

    /// Gives an arrival to the longest-idle connection. With none free the arrival goes back into the
    /// backlog with its due time, and the answer is `false`.
    pub fn assign(&mut self, arrival: Arrival) -> bool {
        let Some(id) = self.pool.take_free() else {
            self.arrivals.postpone(arrival, arrival.due);
            return false;
        };
        let slot = self.pool.slot(id);
        slot.assigned = Some(arrival);
        if let Some(waker) = &slot.waker {
            waker.wake_by_ref();
        }
        true
    }

    /// Takes a connection out of the choice from now on.
    pub fn close_to_arrivals(&mut self, id: SlotId) {
        self.pool.slot(id).limit = 0;
        self.release_assignment(id);
    }

    /// Gives the arrival that was assigned to a connection without room to another one.
    pub fn release_assignment(&mut self, id: SlotId) {
        self.pool.withdraw(id);
        if let Some(arrival) = self.pool.slot(id).assigned.take() {
            self.assign(arrival);
        }
        // This connection may have been the one that was woken for a refused request.
        self.wake_for_refused();
    }

    /// Keeps a refused request to be sent again, and wakes a connection with room for it.
    pub fn requeue(&mut self, request: InFlight<Http2Stream>) {
        self.http2.refused.push_back(request);
        self.wake_for_refused();
    }

    fn wake_for_refused(&mut self) {
        if !self.http2.refused.is_empty()
            && let Some(id) = self.pool.take_free()
            && let Some(waker) = &self.pool.slot(id).waker
        {
            waker.wake_by_ref();
        }
    }

    /// Uses these addresses for new connections. Connections to other ones close between two requests.
    pub fn move_to(&mut self, addresses: Vec<Address>) {
        for slot in self.pool.slots() {
            let is_current = |address: &Address| addresses.contains(address);
            slot.has_moved = !slot.address.as_ref().is_none_or(is_current);
            if let Some(waker) = slot.waker.as_ref().filter(|_| slot.has_moved) {
                waker.wake_by_ref();
            }
        }
        self.addresses = addresses;
    }

    /// Asks connections whose oldest request has been in flight for longer than `limit` to abort.
    pub fn abort_older_than(&mut self, limit: Nanos) {
        let now = self.clock.now();
        for slot in self.pool.slots() {
            if slot.oldest_sent.is_some_and(|sent| now - sent > limit) {
                slot.abort = true;
                if let Some(waker) = slot.waker.take() {
                    waker.wake();
                }
            }
        }
    }

    /// The number of a slot's connection among the connections of all workers of the target.
    pub fn connection_number(&self, id: SlotId) -> u32 {
        (id * self.workers + self.worker) as u32
    }

    /// Keeps the text of the first error of each kind.
    pub fn keep_first_error(&mut self, kind: ErrorKind, why: impl FnOnce() -> String) {
        if !self.first_errors.iter().any(|(known, _)| *known == kind) {
            self.first_errors.push((kind, why()));
        }
    }

    /// Ends the run because the script failed.
    pub fn abort_run(&mut self, error: ScriptError) {
        self.script_error.get_or_insert(error);
        if let Some(waker) = self.watching_for_error.take() {
            waker.wake();
        }
    }

    /// Applies `thread:stop()`: arrivals that are due from `now` on are not scheduled for this worker.
    pub fn apply_script_stop(&mut self, now: Nanos) {
        if self.stopped.is_none() && self.source.stopped() {
            self.stopped = Some(now);
            self.arrivals.end_at(now);
        }
    }
}

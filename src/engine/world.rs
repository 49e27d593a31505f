//! A worker's world: everything that its tasks share. One thread, so one `RefCell` and no locks.

use super::feed::Feed;
use super::pool::{InFlight, Pool, SlotId};
use super::source::Source;
use crate::clock::RunClock;
use crate::measure::{Delivery, ErrorKind, Failure, Recorder, Sending};
use crate::schedule::Arrival;
use crate::script::ScriptError;
use crate::transport::Address;
use crate::units::Nanos;
use crate::wire::{Collected, Translator};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Waker;

/// How the tasks of a worker hold their world.
pub type Shared = Rc<RefCell<World>>;

/// A request that is to be sent again, as the one that it was.
pub struct Again {
    /// As it was written.
    pub text: Vec<u8>,
    /// Due when it was.
    pub request: InFlight,
    /// How often it has been refused.
    pub refusals: u32,
}

/// What the tasks of a worker share.
pub struct World {
    /// Time since the load began.
    pub clock: RunClock,
    /// Whether the load has begun.
    pub is_on: bool,
    /// What is to be sent.
    pub feed: Feed,
    /// Over what.
    pub pool: Pool,
    /// Where the bytes come from.
    pub source: Source,
    /// What happened.
    pub recorder: Recorder,
    /// Whether due times exist.
    pub is_open_loop: bool,
    /// Where connections lead, in turn.
    pub addresses: Vec<Address>,
    /// Turns requests into those of HTTP/2.
    pub translator: Translator,
    /// Requests that a server refused unseen, to be sent over another connection.
    pub again: VecDeque<Again>,
    /// The fewest streams that a server has allowed on a connection.
    pub narrowest: usize,
    /// Lent to whichever connection reads.
    pub read_buffer: Vec<u8>,
    /// Wakes the dispatcher when a connection becomes free.
    pub waiting_for_free: Option<Waker>,
    /// Counts turns of connections, so that a spin with work in between can be told from an idle one.
    pub turns: u64,
    /// An error in the script, which ends the run.
    pub script_error: Option<ScriptError>,
    /// Wakes whoever watches for such an error.
    pub watching_for_error: Option<Waker>,
    /// The first error of each kind, in words.
    pub complaints: Vec<(ErrorKind, String)>,
    /// Whether a script has moved due times or batched requests, so that the schedule alone does
    /// not tell how many requests were due in the window.
    pub has_moved_arrivals: bool,
    /// When the script stopped this worker.
    pub stopped: Option<Nanos>,
    /// Its number among the workers of its target,
    pub worker: usize,
    /// and how many these are.
    pub workers: usize,
}

impl World {
    /// The next arrival for a connection that has room: the one the dispatcher gave it, or one
    /// from the backlog.
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

    /// Bytes were read; those from before the load, whose clock is another one, are none of it.
    #[inline]
    pub fn count_bytes(&mut self, now: Nanos, count: u64) {
        if self.is_on && count > 0 {
            self.recorder.bytes(now, count);
        }
    }

    /// Takes what is due for a connection that is still to be opened; `false` when nothing is.
    pub fn claim(&mut self, id: SlotId) -> bool {
        let Some(arrival) = self.next_arrival(id) else {
            return false;
        };
        self.pool.withdraw(id);
        self.pool.slot(id).assigned = Some(arrival);
        true
    }

    /// An arrival that is due, after the script's `delay` has had its say.
    pub fn take_due(&mut self, now: Nanos) -> Option<Arrival> {
        loop {
            let (arrival, is_fresh) = self.feed.take(now)?;
            if !is_fresh || !self.source.has_delay() {
                return Some(arrival);
            }
            match self.source.delay() {
                Ok(delay) if delay.is_zero() => return Some(arrival),
                Ok(delay) => {
                    self.has_moved_arrivals = true;
                    self.feed.postpone(arrival, arrival.due + delay);
                }
                Err(error) => {
                    self.feed.postpone(arrival, arrival.due);
                    self.break_off(error);
                    return None;
                }
            }
        }
    }

    /// A connection with room has nothing to do: the dispatcher may have it.
    pub fn offer(&mut self, id: SlotId) {
        self.pool.offer(id);
        if let Some(waker) = self.waiting_for_free.take() {
            waker.wake();
        }
    }

    /// Generates the requests of an arrival into `out`, puts them on the wire's list, and says how many
    /// they are; `None` when the script failed.
    #[inline]
    pub fn generate(&mut self, id: SlotId, arrival: Arrival, out: &mut Vec<u8>) -> Option<u64> {
        let slot = self.pool.slot(id);
        let before = slot.in_flight.len();
        let placeholder = Sending {
            due: arrival.due,
            free: slot.free_since,
            sent: arrival.due,
        };
        let generated = self
            .source
            .next(out, placeholder, &mut slot.in_flight, &mut self.recorder);
        if let Err(error) = generated {
            slot.in_flight.truncate(before);
            out.clear();
            // It was due and could not be made: it stays among the unsent.
            self.feed.postpone(arrival, arrival.due);
            self.break_off(error);
            return None;
        }
        slot.batches += 1;
        let sent = self.clock.now();
        // In a closed loop a request is due when it is sent.
        let due = if self.is_open_loop { arrival.due } else { sent };
        let sending = Sending {
            due,
            sent,
            ..placeholder
        };
        for request in slot.in_flight.range_mut(before..) {
            request.sending = sending;
        }
        let count = (slot.in_flight.len() - before) as u64;
        self.recorder.sent(sending, count);
        if count > 1 {
            self.has_moved_arrivals = true;
            self.feed.skip(count - 1);
        }
        self.obey_stop(sent);
        Some(count)
    }

    /// The reply to the request at this place of the wire's list has been read to its end; `collected` is
    /// of interest when the script wants to see it.
    #[inline]
    pub fn deliver(
        &mut self,
        id: SlotId,
        at: usize,
        status: u16,
        done: Nanos,
        collected: &Collected,
    ) {
        let connection = self.connection(id);
        let Some(request) = self.take_off(id, at, done) else {
            return;
        };
        let verdict = match self.source.wants_response() {
            true => self.source.response(status, collected),
            false => Ok(None),
        };
        match verdict {
            Ok(None) => self.recorder.delivered(&Delivery {
                sending: request.sending,
                first_byte: request.first_byte.unwrap_or(done),
                done,
                status,
                bytes: request.bytes,
                route: request.route,
                ends_batch: request.ends_batch,
                connection,
            }),
            Ok(Some(reason)) => self.fail(id, request, done, ErrorKind::Script, reason),
            Err(error) => {
                self.fail(
                    id,
                    request,
                    done,
                    ErrorKind::Script,
                    "an error in response()".into(),
                );
                self.break_off(error);
            }
        }
        if self.source.wants_response() {
            self.obey_stop(done);
        }
    }

    /// The request at this place failed, and its connection goes on.
    pub fn fail_one(&mut self, id: SlotId, at: usize, kind: ErrorKind, why: String) {
        let now = self.clock.now();
        if let Some(request) = self.take_off(id, at, now) {
            self.fail(id, request, now, kind, why);
        }
    }

    /// A request is to be sent again: a connection with room is woken for it.
    pub fn send_again(&mut self, again: Again) {
        self.again.push_back(again);
        self.wake_for_again();
    }

    fn wake_for_again(&mut self) {
        if !self.again.is_empty()
            && let Some(id) = self.pool.take_free()
            && let Some(waker) = &self.pool.slot(id).waker
        {
            waker.wake_by_ref();
        }
    }

    /// Takes a request off the wire's list.
    #[inline]
    pub fn take_off(&mut self, id: SlotId, at: usize, now: Nanos) -> Option<InFlight> {
        let was_full = self.pool.is_full(id);
        let slot = self.pool.slot(id);
        let request = slot.in_flight.remove(at)?;
        if request.ends_batch {
            slot.batches -= 1;
            if was_full {
                slot.free_since = now;
            }
        }
        Some(request)
    }

    /// The connection is lost: the oldest request in flight failed in this way, and those behind
    /// it could not be read.
    pub fn lose(&mut self, id: SlotId, kind: ErrorKind, why: &str) {
        let at = self.clock.now();
        let slot = self.pool.slot(id);
        slot.batches = 0;
        slot.abort = false;
        let lost = std::mem::take(&mut slot.in_flight);
        let mut kind = kind;
        for request in lost {
            self.fail(id, request, at, kind, why.to_owned());
            if kind != ErrorKind::Write {
                kind = ErrorKind::Read;
            }
        }
        self.close_to_arrivals(id);
    }

    /// The connection takes no more from now on.
    pub fn close_to_arrivals(&mut self, id: SlotId) {
        self.pool.slot(id).limit = 0;
        self.give_back(id);
    }

    /// The connection has no room: an arrival that it was to send goes to another one.
    pub fn give_back(&mut self, id: SlotId) {
        self.pool.withdraw(id);
        if let Some(arrival) = self.pool.slot(id).assigned.take() {
            self.assign(arrival);
        }
        // It may have been the one that was woken.
        self.wake_for_again();
    }

    /// Connections lead to these addresses from now on; those to others end between two requests.
    pub fn move_to(&mut self, addresses: Vec<Address>) {
        for slot in self.pool.slots() {
            let leads_there = |address: &Address| addresses.contains(address);
            slot.has_moved = !slot.address.as_ref().is_none_or(leads_there);
            if let Some(waker) = slot.waker.as_ref().filter(|_| slot.has_moved) {
                waker.wake_by_ref();
            }
        }
        self.addresses = addresses;
    }

    /// Gives an arrival to the longest-idle connection; with none free it goes back into the
    /// backlog, due when it was, and `false` says so.
    pub fn assign(&mut self, arrival: Arrival) -> bool {
        let Some(id) = self.pool.take_free() else {
            self.feed.postpone(arrival, arrival.due);
            return false;
        };
        let slot = self.pool.slot(id);
        slot.assigned = Some(arrival);
        if let Some(waker) = &slot.waker {
            waker.wake_by_ref();
        }
        true
    }

    fn fail(&mut self, id: SlotId, request: InFlight, at: Nanos, kind: ErrorKind, why: String) {
        self.complain(kind, || why);
        self.recorder.failed(&Failure {
            sending: request.sending,
            at,
            kind,
            route: request.route,
            connection: self.connection(id),
        });
    }

    /// The number of a slot's connection among those of all workers of the target.
    fn connection(&self, id: SlotId) -> u32 {
        (id * self.workers + self.worker) as u32
    }

    /// Keeps the words of the first error of each kind.
    pub fn complain(&mut self, kind: ErrorKind, why: impl FnOnce() -> String) {
        if !self.complaints.iter().any(|(known, _)| *known == kind) {
            self.complaints.push((kind, why()));
        }
    }

    /// The script has failed: the run ends.
    pub fn break_off(&mut self, error: ScriptError) {
        self.script_error.get_or_insert(error);
        if let Some(waker) = self.watching_for_error.take() {
            waker.wake();
        }
    }

    /// `thread:stop()`: what is due later is not scheduled for this worker.
    pub fn obey_stop(&mut self, now: Nanos) {
        if self.stopped.is_none() && self.source.stopped() {
            self.stopped = Some(now);
            self.feed.end_at(now);
        }
    }

    /// Marks connections whose oldest request has been in flight for longer than `limit`.
    pub fn abort_older_than(&mut self, limit: Nanos) {
        let now = self.clock.now();
        for slot in self.pool.slots() {
            let is_old = |request: &InFlight| now - request.sending.sent > limit;
            if slot.in_flight.front().is_some_and(is_old) {
                slot.abort = true;
                if let Some(waker) = slot.waker.take() {
                    waker.wake();
                }
            }
        }
    }
}

//! Opens connections: before the load begins, again when one is lost, and more when the pool may grow.

use super::connection::Connection;
use super::http2_connection::Http2Connection;
use super::lifecycle::{ConnectionPolicy, End};
use super::pool::SlotId;
use super::worker_state::{Shared, WorkerState};
use crate::measure::ErrorKind;
use crate::transport::{Dialer, Link};
use crate::units::Nanos;
use std::cell::Cell;
use std::rc::Rc;
use std::task::{Poll, Waker};
use tokio::sync::Semaphore;

/// TLS handshakes that a worker makes at a time before the load: a server that is given hundreds at once
/// finishes none in time. During the load nothing is held back.
const HANDSHAKES: usize = 32;
/// The first back-off after a failed attempt; it doubles with each further failure.
const FIRST_BACK_OFF: Nanos = Nanos::from_millis(10);
/// The longest back-off between two attempts.
const LONGEST_BACK_OFF: Nanos = Nanos::from_millis(500);

/// Opens and reopens the connections of one worker, to the addresses of its target in turn.
pub struct ConnectionManager {
    state: Shared,
    dialer: Dialer,
    policy: ConnectionPolicy,
    /// Limits how many TLS handshakes are made at a time before the load.
    handshakes: Semaphore,
    /// Index of this worker's first connection among those of all workers of the target, so that
    /// together they spread evenly over the addresses.
    offset: usize,
    /// First attempts that are still under way.
    pending: Cell<usize>,
    /// Wakes the task that waits for the first attempts.
    waiting: Cell<Option<Waker>>,
    /// First attempts that succeeded.
    opened: Cell<usize>,
}

impl ConnectionManager {
    /// The manager of one worker's connections; `offset` is the index of the first one among those of
    /// all workers of the target.
    pub fn new(
        state: Shared,
        dialer: Dialer,
        policy: ConnectionPolicy,
        offset: usize,
    ) -> Rc<ConnectionManager> {
        Rc::new(ConnectionManager {
            state,
            dialer,
            policy,
            handshakes: Semaphore::new(HANDSHAKES),
            offset,
            pending: Cell::new(0),
            waiting: Cell::new(None),
            opened: Cell::new(0),
        })
    }

    /// Starts the task of one more connection, which lives as long as the worker.
    pub fn spawn(self: &Rc<ConnectionManager>) {
        let id = self.state.borrow_mut().pool.add();
        self.pending.set(self.pending.get() + 1);
        tokio::task::spawn_local(self.clone().open_first(id));
    }

    /// Waits until every connection spawned so far has been tried once; returns how many opened.
    pub async fn all_tried(&self) -> usize {
        std::future::poll_fn(|cx| {
            if self.pending.get() == 0 {
                return Poll::Ready(());
            }
            self.waiting.set(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await;
        self.opened.get()
    }

    /// Opens another connection in place of one that takes no more requests and only waits for its
    /// last replies.
    fn replace(self: &Rc<ConnectionManager>, state: &mut WorkerState, end: End) {
        let id = state.pool.add();
        let manager = self.clone();
        tokio::task::spawn_local(async move {
            if end == End::Fruitless {
                manager.back_off(1).await;
            }
            manager.wait_for_need(id).await;
            let was_lost = end != End::Planned;
            let link = manager.attempt(id, 0, was_lost).await;
            manager.keep_open(id, link, was_lost).await;
        });
    }

    async fn open_first(self: Rc<ConnectionManager>, id: SlotId) {
        let mut link = self.attempt(id, 0, false).await;
        self.pending.set(self.pending.get() - 1);
        self.opened
            .set(self.opened.get() + usize::from(link.is_some()));
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
        let is_opening = !self.state.borrow().is_on;
        if link.is_some() && is_opening && self.is_for_single_requests() {
            // The attempt has shown that connections can be opened; each request gets one of its own.
            drop(link);
            self.wait_for_need(id).await;
            link = self.attempt(id, 0, false).await;
        }
        self.keep_open(id, link, false).await;
    }

    /// Runs a connection and, after its end, its successors, until another task takes its place.
    async fn keep_open(
        self: &Rc<ConnectionManager>,
        id: SlotId,
        mut link: Option<Link>,
        mut was_lost: bool,
    ) {
        let mut failures = 0;
        loop {
            let end = match link {
                Some(link) => Some(self.work(id, link).await),
                None => None,
            };
            was_lost =
                matches!(end, Some(End::Lost | End::Fruitless)) || (was_lost && end.is_none());
            match end {
                Some(End::Replaced) => return self.state.borrow_mut().pool.retire(id),
                Some(End::Lost | End::Planned) => failures = 0,
                // Back off: the server closes every new connection, or refuses it.
                Some(End::Fruitless) | None => {
                    failures += 1;
                    self.state.borrow_mut().release_assignment(id);
                    self.back_off(failures).await;
                }
            }
            self.wait_for_need(id).await;
            link = self.attempt(id, failures as usize, was_lost).await;
        }
    }

    /// Whether each request has a connection of its own, which is opened when the request is due.
    fn is_for_single_requests(&self) -> bool {
        self.policy.budget.0 == Some(1) && self.state.borrow().is_open_loop
    }

    async fn work(self: &Rc<ConnectionManager>, id: SlotId, link: Link) -> End {
        let state = self.state.clone();
        match link {
            Link::Bytes(stream) => {
                let connection = Connection::new(state, id, stream, self.policy.budget);
                connection.work().await
            }
            Link::Http2(link) => {
                let manager = self.clone();
                let on_draining = move |state: &mut WorkerState, end| manager.replace(state, end);
                let on_draining = Box::new(on_draining);
                let connection = Http2Connection::new(state, id, link, self.policy, on_draining);
                connection.work().await
            }
        }
    }

    /// Waits until the slot needs a connection. With a request budget in an open loop that is when a
    /// request is due, so that opening the connection counts into the request's latency; otherwise it
    /// is at once.
    async fn wait_for_need(&self, id: SlotId) {
        let is_lazy = self.policy.budget.0.is_some() && self.state.borrow().is_open_loop;
        if !is_lazy {
            return;
        }
        std::future::poll_fn(|cx| {
            let mut state = self.state.borrow_mut();
            // What is due is claimed here, or a second connection would be opened for it.
            if state.claim(id) || !state.http2.refused.is_empty() {
                return Poll::Ready(());
            }
            if !state.pool.is_queued(id) {
                state.offer(id);
            }
            state.pool.slot(id).waker = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Tries once to open a connection. After failures the next attempt goes to the next address.
    async fn attempt(&self, id: SlotId, failures: usize, again: bool) -> Option<Link> {
        let number = self.offset + id;
        let (clock, address) = {
            let state = self.state.borrow();
            let index = (number + failures) % state.addresses.len();
            (state.clock, state.addresses[index].clone())
        };
        let is_limited = self.dialer.is_tls() && !self.state.borrow().is_on;
        let _permit = match is_limited {
            true => self.handshakes.acquire().await.ok(),
            false => None,
        };
        let before = clock.now();
        let mut connected = before;
        let mut handshake = None;
        let outcome = async {
            // The local address changes with each round over the addresses, so that every pair of
            // local address and server address is used.
            let round = number / self.state.borrow().addresses.len();
            let socket = self.dialer.connect(&address, round).await?;
            connected = clock.now();
            let stream = self.dialer.secure(socket).await?;
            if self.dialer.is_tls() {
                handshake = Some((clock.now() - connected, stream.is_resumed()));
            }
            self.dialer.begin(stream).await
        };
        let outcome = outcome.await;
        let mut state = self.state.borrow_mut();
        match outcome {
            Ok(link) => {
                state.recorder.connected(connected - before, again);
                if let Some((time, resumed)) = handshake {
                    state.recorder.handshake_done(time, resumed);
                }
                // The clock of the run may have replaced the earlier one in the meantime.
                let now = state.clock.now();
                let has_moved = !state.addresses.contains(&address);
                let slot = state.pool.slot(id);
                slot.free_since = now;
                slot.address = Some(address);
                slot.has_moved = has_moved;
                Some(link)
            }
            Err(error) => {
                state.recorder.connect_failed();
                state.keep_first_error(ErrorKind::Connect, || format!("{address}: {error}"));
                None
            }
        }
    }

    async fn back_off(&self, failures: u32) {
        let doubled = FIRST_BACK_OFF.0 << (failures - 1).min(10);
        let clock = self.state.borrow().clock;
        clock
            .coarse_wait(clock.now() + Nanos(doubled).min(LONGEST_BACK_OFF))
            .await;
    }
}

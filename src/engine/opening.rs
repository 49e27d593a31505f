//! Opening connections: before the load begins, again when one is lost, and more when the pool may grow.

use super::connection::{Connection, Lost};
use super::multiplexed::{Multiplexed, Terms};
use super::pool::SlotId;
use super::world::Shared;
use crate::measure::ErrorKind;
use crate::transport::{Dialer, Link};
use crate::units::Nanos;
use std::cell::Cell;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// Pauses between attempts grow from this one, doubling,
const SHORTEST_PAUSE: Nanos = Nanos::from_millis(10);
/// to this one.
const LONGEST_PAUSE: Nanos = Nanos::from_millis(500);

/// Opens connections to the addresses of one target in turn.
pub struct Opener {
    world: Shared,
    dialer: Dialer,
    terms: Terms,
    /// Number of this worker's first connection among all, so that workers together spread evenly.
    offset: usize,
    /// Attempts of the first opening that are still under way.
    pending: Cell<usize>,
    waiting: Cell<Option<Waker>>,
    /// Connections of the first opening that stand.
    pub opened: Cell<usize>,
}

impl Opener {
    /// For the connections of one worker.
    pub fn new(world: Shared, dialer: Dialer, terms: Terms, offset: usize) -> Rc<Opener> {
        Rc::new(Opener {
            world,
            dialer,
            terms,
            offset,
            pending: Cell::new(0),
            waiting: Cell::new(None),
            opened: Cell::new(0),
        })
    }

    /// Starts the task of one more connection, which lives as long as the worker.
    pub fn spawn(self: &Rc<Opener>) {
        let id = self.world.borrow_mut().pool.add();
        self.pending.set(self.pending.get() + 1);
        tokio::task::spawn_local(self.clone().keep_open(id));
    }

    /// Returns when every connection spawned so far has been tried once.
    pub async fn all_tried(&self) {
        std::future::poll_fn(|cx| {
            if self.pending.get() == 0 {
                return Poll::Ready(());
            }
            self.waiting.set(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    async fn keep_open(self: Rc<Opener>, id: SlotId) {
        let mut failures = 0;
        let mut is_first = true;
        loop {
            let mut link = self.attempt(id, failures as usize, !is_first).await;
            if is_first {
                self.pending.set(self.pending.get() - 1);
                self.opened
                    .set(self.opened.get() + usize::from(link.is_some()));
                is_first = false;
                if let Some(waker) = self.waiting.take() {
                    waker.wake();
                }
                if self.terms.quota.is_for_one() && link.take().is_some() {
                    // It has shown that connections can be opened; each request opens its own.
                    self.a_need(id).await;
                    continue;
                }
            }
            match link {
                Some(link) => {
                    failures = 0;
                    self.work(id, link).await;
                    self.a_need(id).await;
                }
                None => {
                    failures += 1;
                    self.pause(failures).await;
                }
            }
        }
    }

    async fn work(&self, id: SlotId, link: Link) -> Lost {
        let world = self.world.clone();
        match link {
            Link::Bytes(stream) => {
                let connection = Connection::new(world, id, stream, self.terms.quota);
                connection.work().await
            }
            Link::Multiplex(multiplex) => {
                let connection = Multiplexed::new(world, id, multiplex, self.terms);
                connection.work().await
            }
        }
    }

    /// Where connections last for a number of requests, the next one is opened when a request is due on
    /// it, and so on that request's time; in a closed loop, and otherwise, at once.
    async fn a_need(&self, id: SlotId) {
        let is_lazy = self.terms.quota.0.is_some() && self.world.borrow().is_open_loop;
        if !is_lazy {
            return;
        }
        self.world.borrow_mut().offer(id);
        std::future::poll_fn(|cx| {
            let mut world = self.world.borrow_mut();
            let slot = world.pool.slot(id);
            if slot.assigned.is_some() {
                return Poll::Ready(());
            }
            slot.waker = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// One attempt; a failing address is followed by the next one at the next attempt.
    async fn attempt(&self, id: SlotId, failures: usize, again: bool) -> Option<Link> {
        let number = self.offset + id;
        let (clock, address) = {
            let world = self.world.borrow();
            let index = (number + failures) % world.addresses.len();
            (world.clock, world.addresses[index].clone())
        };
        let before = clock.now();
        let mut connected = before;
        let mut secured = before;
        let outcome = async {
            let socket = self.dialer.connect(&address, number).await?;
            connected = clock.now();
            let stream = self.dialer.secure(socket).await?;
            secured = clock.now();
            self.dialer.begin(stream).await
        };
        let outcome = outcome.await;
        let mut world = self.world.borrow_mut();
        match outcome {
            Ok(link) => {
                world.recorder.connected(connected - before, again);
                if self.dialer.is_tls() {
                    world.recorder.secured(secured - connected);
                }
                // The run's clock may have replaced the one of the opening meanwhile.
                let now = world.clock.now();
                let slot = world.pool.slot(id);
                slot.free_since = now;
                slot.address = Some(address);
                slot.has_moved = false;
                Some(link)
            }
            Err(error) => {
                world.recorder.connect_failed();
                world.complain(ErrorKind::Connect, || format!("{address}: {error}"));
                None
            }
        }
    }

    async fn pause(&self, failures: u32) {
        let doubled = SHORTEST_PAUSE.0 << (failures - 1).min(10);
        let clock = self.world.borrow().clock;
        clock
            .coarse_wait(clock.now() + Nanos(doubled).min(LONGEST_PAUSE))
            .await;
    }
}

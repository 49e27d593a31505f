//! Opening connections: before the load begins, again when one is lost, and more when the pool may grow.

use super::connection::{Connection, End};
use super::http2_connection::{Http2Connection, Terms};
use super::pool::SlotId;
use super::world::{Shared, World};
use crate::measure::ErrorKind;
use crate::transport::{Dialer, Link};
use crate::units::Nanos;
use std::cell::Cell;
use std::rc::Rc;
use std::task::{Poll, Waker};
use tokio::sync::Semaphore;

/// TLS handshakes that a worker makes at a time before the load: a server that is given hundreds finishes
/// none in time. During the load nothing is held back.
const HANDSHAKES: usize = 32;
/// Pauses between attempts grow from this one, doubling,
const SHORTEST_PAUSE: Nanos = Nanos::from_millis(10);
/// to this one.
const LONGEST_PAUSE: Nanos = Nanos::from_millis(500);

/// Opens connections to the addresses of one target in turn.
pub struct Opener {
    world: Shared,
    dialer: Dialer,
    terms: Terms,
    /// Places for those who shake hands.
    handshakes: Semaphore,
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
            handshakes: Semaphore::new(HANDSHAKES),
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
        tokio::task::spawn_local(self.clone().open_first(id));
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

    /// Opens another connection in the place of one that takes no more and is still waited for.
    pub fn replace(self: &Rc<Opener>, world: &mut World, end: End) {
        let id = world.pool.add();
        let opener = self.clone();
        tokio::task::spawn_local(async move {
            if end == End::Fruitless {
                opener.pause(1).await;
            }
            opener.a_need(id).await;
            let was_lost = end != End::Planned;
            let link = opener.attempt(id, 0, was_lost).await;
            opener.keep_open(id, link, was_lost).await;
        });
    }

    async fn open_first(self: Rc<Opener>, id: SlotId) {
        let mut link = self.attempt(id, 0, false).await;
        self.pending.set(self.pending.get() - 1);
        self.opened
            .set(self.opened.get() + usize::from(link.is_some()));
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
        let is_opening = !self.world.borrow().is_on;
        if link.is_some() && is_opening && self.is_for_single_requests() {
            // It has shown that connections can be opened; each request has one of its own.
            drop(link);
            self.a_need(id).await;
            link = self.attempt(id, 0, false).await;
        }
        self.keep_open(id, link, false).await;
    }

    /// Works over a connection, and over those that follow it.
    async fn keep_open(self: &Rc<Opener>, id: SlotId, mut link: Option<Link>, mut was_lost: bool) {
        let mut failures = 0;
        loop {
            let end = match link {
                Some(link) => Some(self.work(id, link).await),
                None => None,
            };
            was_lost =
                matches!(end, Some(End::Lost | End::Fruitless)) || (was_lost && end.is_none());
            match end {
                Some(End::Replaced) => return self.world.borrow_mut().pool.retire(id),
                Some(End::Lost | End::Planned) => failures = 0,
                // A server that hangs up on everybody is not to be stormed.
                Some(End::Fruitless) | None => {
                    failures += 1;
                    // What was to go over it goes over another one meanwhile.
                    self.world.borrow_mut().give_back(id);
                    self.pause(failures).await;
                }
            }
            self.a_need(id).await;
            link = self.attempt(id, failures as usize, was_lost).await;
        }
    }

    /// Whether each request has a connection of its own, which is opened for it.
    fn is_for_single_requests(&self) -> bool {
        self.terms.quota.0 == Some(1) && self.world.borrow().is_open_loop
    }

    async fn work(self: &Rc<Opener>, id: SlotId, link: Link) -> End {
        let world = self.world.clone();
        match link {
            Link::Bytes(stream) => {
                let connection = Connection::new(world, id, stream, self.terms.quota);
                connection.work().await
            }
            Link::Http2(link) => {
                let connection = Http2Connection::new(self.clone(), world, id, link, self.terms);
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
        std::future::poll_fn(|cx| {
            let mut world = self.world.borrow_mut();
            // What was assigned when a connection could not be opened waits in the backlog. It is taken
            // here, or another connection would be opened for it, too.
            if world.claim(id) || !world.again.is_empty() {
                return Poll::Ready(());
            }
            if !world.pool.is_queued(id) {
                world.offer(id);
            }
            world.pool.slot(id).waker = Some(cx.waker().clone());
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
        let is_opening = !self.world.borrow().is_on;
        let _turn = match self.dialer.is_tls() && is_opening {
            true => self.handshakes.acquire().await.ok(),
            false => None,
        };
        let before = clock.now();
        let mut connected = before;
        let mut handshake = None;
        let outcome = async {
            // By rounds over the addresses, so that each of them meets each address of this machine.
            let round = number / self.world.borrow().addresses.len();
            let socket = self.dialer.connect(&address, round).await?;
            connected = clock.now();
            let stream = self.dialer.secure(socket).await?;
            if self.dialer.is_tls() {
                handshake = Some((clock.now() - connected, stream.is_resumed()));
            }
            self.dialer.begin(stream).await
        };
        let outcome = outcome.await;
        let mut world = self.world.borrow_mut();
        match outcome {
            Ok(link) => {
                world.recorder.connected(connected - before, again);
                if let Some((time, resumed)) = handshake {
                    world.recorder.handshake_done(time, resumed);
                }
                // The run's clock may have replaced the one of the opening meanwhile.
                let now = world.clock.now();
                let has_moved = !world.addresses.contains(&address);
                let slot = world.pool.slot(id);
                slot.free_since = now;
                slot.address = Some(address);
                slot.has_moved = has_moved;
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

//! Opening connections: before the load begins, again when one is lost, and more when the pool may grow.

use super::connection::Connection;
use super::pool::SlotId;
use super::world::Shared;
use crate::measure::ErrorKind;
use crate::transport::{Stream, TlsClient, connect, secure};
use crate::units::Nanos;
use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::task::{Poll, Waker};

/// How long one attempt may take.
const CONNECT_LIMIT: Nanos = Nanos::from_secs(5);
/// Pauses between attempts grow from this one, doubling,
const SHORTEST_PAUSE: Nanos = Nanos::from_millis(10);
/// to this one.
const LONGEST_PAUSE: Nanos = Nanos::from_millis(500);

/// Opens connections to the addresses of one target in turn.
pub struct Opener {
    world: Shared,
    addresses: Vec<SocketAddr>,
    /// Addresses of this machine to connect from, in turn; none: whichever the kernel takes.
    locals: Vec<IpAddr>,
    tls: Option<TlsClient>,
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
    pub fn new(
        world: Shared,
        addresses: Vec<SocketAddr>,
        locals: Vec<IpAddr>,
        tls: Option<TlsClient>,
        offset: usize,
    ) -> Rc<Opener> {
        Rc::new(Opener {
            world,
            addresses,
            locals,
            tls,
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
            let stream = self.attempt(id, failures as usize, !is_first).await;
            if is_first {
                self.pending.set(self.pending.get() - 1);
                self.opened
                    .set(self.opened.get() + usize::from(stream.is_some()));
                is_first = false;
                if let Some(waker) = self.waiting.take() {
                    waker.wake();
                }
            }
            match stream {
                Some(stream) => {
                    failures = 0;
                    let connection = Connection::new(self.world.clone(), id, stream);
                    let _lost = connection.work().await;
                }
                None => {
                    failures += 1;
                    self.pause(failures).await;
                }
            }
        }
    }

    /// One attempt; a failing address is followed by the next one at the next attempt.
    async fn attempt(&self, id: SlotId, failures: usize, again: bool) -> Option<Stream> {
        let number = self.offset + id;
        let index = (number + failures) % self.addresses.len();
        let local = number.checked_rem(self.locals.len());
        let local = local.map(|at| self.locals[at]);
        let clock = self.world.borrow().clock;
        let before = clock.now();
        let outcome = connect(self.addresses[index], local, CONNECT_LIMIT).await;
        let connected = clock.now();
        let outcome = match outcome {
            Ok(stream) => secure(stream, self.tls.as_ref(), CONNECT_LIMIT).await,
            Err(error) => Err(error),
        };
        let mut world = self.world.borrow_mut();
        // The run's clock may have replaced the one of the opening meanwhile; a time is taken on one.
        let after = clock.now();
        match outcome {
            Ok(stream) => {
                world.recorder.connected(connected - before, again);
                if self.tls.is_some() {
                    world.recorder.secured(after - connected);
                }
                world.pool.slot(id).free_since = world.clock.now();
                Some(stream)
            }
            Err(error) => {
                world.recorder.connect_failed();
                world.complain(ErrorKind::Connect, || {
                    format!("{}: {error}", self.addresses[index])
                });
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

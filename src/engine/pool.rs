//! The pool: which connection takes the next arrival.
//!
//! Slots with room are kept in queues by how many batches they have in flight, so that the
//! longest-idle connection comes first and all connections are used.

use crate::measure::{RouteId, Sending};
use crate::schedule::Arrival;
use crate::transport::Address;
use crate::units::Nanos;
use std::collections::VecDeque;
use std::task::Waker;

/// A connection's number within its worker.
pub type SlotId = usize;

/// A request on the wire.
#[derive(Debug, Clone, Copy)]
pub struct InFlight {
    /// Its moments.
    pub sending: Sending,
    /// Its route.
    pub route: RouteId,
    /// Whether it is a HEAD request.
    pub is_head: bool,
    /// Whether it is the last of its batch.
    pub ends_batch: bool,
    /// When the first byte of its reply came.
    pub first_byte: Option<Nanos>,
    /// Bytes of its reply so far.
    pub bytes: u64,
}

/// What is known of one connection outside its own task.
#[derive(Debug, Default)]
pub struct Slot {
    /// Wakes its task.
    pub waker: Option<Waker>,
    /// An arrival that it is to send.
    pub assigned: Option<Arrival>,
    /// Requests on the wire, oldest first.
    pub in_flight: VecDeque<InFlight>,
    /// Batches on the wire.
    pub batches: usize,
    /// Batches that its connection takes, up to the pool's depth; 0 while there is none, or none that
    /// takes any more.
    pub limit: usize,
    /// Where its connection leads.
    pub address: Option<Address>,
    /// Whether its connection is to be closed between two requests: its server has moved.
    pub has_moved: bool,
    /// Since when it has had room.
    pub free_since: Nanos,
    /// Whether it is to give up what is in flight.
    pub abort: bool,
    /// Its valid entry in a queue: the ticket, and the load it was queued at.
    queued_as: Option<(u64, usize)>,
}

/// All connections of a worker.
#[derive(Debug)]
pub struct Pool {
    slots: Vec<Slot>,
    by_load: Vec<VecDeque<(SlotId, u64)>>,
    tickets: u64,
    free: usize,
    /// Slots without a task, for the next ones that are needed.
    retired: Vec<SlotId>,
}

impl Pool {
    /// A pool of connections that may each carry `depth` batches.
    pub fn new(depth: usize) -> Pool {
        Pool {
            slots: Vec::new(),
            by_load: vec![VecDeque::new(); depth.max(1)],
            tickets: 0,
            free: 0,
            retired: Vec::new(),
        }
    }

    /// A slot for another connection, not yet open to arrivals.
    pub fn add(&mut self) -> SlotId {
        self.retired.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() - 1
        })
    }

    /// The slot's task is over: another one has its place.
    pub fn retire(&mut self, id: SlotId) {
        self.withdraw(id);
        self.slots[id].waker = None;
        self.retired.push(id);
    }

    /// A slot.
    #[inline]
    pub fn slot(&mut self, id: SlotId) -> &mut Slot {
        &mut self.slots[id]
    }

    /// All slots.
    pub fn slots(&mut self) -> impl Iterator<Item = &mut Slot> {
        self.slots.iter_mut()
    }

    /// How many slots there are, connected or not.
    pub fn len(&self) -> usize {
        self.slots.len() - self.retired.len()
    }

    /// Whether the slot's connection may carry one more batch.
    #[inline]
    pub fn has_room(&self, id: SlotId) -> bool {
        let slot = &self.slots[id];
        slot.assigned.is_none() && slot.batches < slot.limit.min(self.by_load.len())
    }

    /// Queues a slot that has room; queueing it again only updates its place.
    pub fn offer(&mut self, id: SlotId) {
        let load = self.slots[id].batches;
        self.withdraw(id);
        self.tickets += 1;
        self.slots[id].queued_as = Some((self.tickets, load));
        self.free += 1;
        let (slots, queue) = (&self.slots, &mut self.by_load[load]);
        queue.push_back((id, self.tickets));
        // Entries that are passed over would pile up in a queue that is never taken from.
        if queue.len() > 2 * slots.len() + 8 {
            queue.retain(|(id, ticket)| slots[*id].queued_as == Some((*ticket, load)));
        }
    }

    /// Whether the slot's connection carries all that it may.
    #[inline]
    pub fn is_full(&self, id: SlotId) -> bool {
        let slot = &self.slots[id];
        slot.batches >= slot.limit.min(self.by_load.len())
    }

    /// Whether the slot waits to be taken, at the load that it has now: one that has become idle
    /// since must be queued anew, or requests would go to busy connections beside it.
    pub fn is_queued(&self, id: SlotId) -> bool {
        let slot = &self.slots[id];
        slot.queued_as.is_some_and(|(_, load)| load == slot.batches)
    }

    /// Takes a slot out of its queue: its connection is gone, or it has found work by itself. The
    /// queue's entry stays behind and is passed over when its turn comes.
    pub fn withdraw(&mut self, id: SlotId) {
        if self.slots[id].queued_as.take().is_some() {
            self.free -= 1;
        }
    }

    /// Whether any connection has room.
    pub fn has_free(&self) -> bool {
        self.free > 0
    }

    /// Takes the longest-waiting among the least loaded connections.
    pub fn take_free(&mut self) -> Option<SlotId> {
        for (load, queue) in self.by_load.iter_mut().enumerate() {
            while let Some((id, ticket)) = queue.pop_front() {
                if self.slots[id].queued_as == Some((ticket, load)) {
                    self.slots[id].queued_as = None;
                    self.free -= 1;
                    return Some(id);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_idle_connection_comes_first() {
        let mut pool = Pool::new(1);
        for _ in 0..3 {
            let id = pool.add();
            pool.offer(id);
        }
        assert_eq!([pool.take_free(), pool.take_free()], [Some(0), Some(1)]);
        pool.offer(0);
        assert_eq!(
            [pool.take_free(), pool.take_free(), pool.take_free()],
            [Some(2), Some(0), None]
        );
        assert!(!pool.has_free());
    }

    #[test]
    fn a_lost_connection_is_passed_over() {
        let mut pool = Pool::new(1);
        for _ in 0..2 {
            let id = pool.add();
            pool.offer(id);
        }
        pool.withdraw(0);
        assert_eq!([pool.take_free(), pool.take_free()], [Some(1), None]);
    }

    #[test]
    fn with_pipelining_an_empty_connection_comes_before_a_busy_one() {
        let mut pool = Pool::new(2);
        for _ in 0..2 {
            let id = pool.add();
            pool.offer(id);
        }
        let first = pool.take_free().expect("free");
        pool.slot(first).batches = 1;
        pool.offer(first);
        assert_eq!([pool.take_free(), pool.take_free()], [Some(1), Some(0)]);
    }

    #[test]
    fn a_connection_that_has_become_idle_is_queued_anew() {
        let mut pool = Pool::new(2);
        let id = pool.add();
        pool.slot(id).batches = 1;
        pool.offer(id);
        assert!(pool.is_queued(id));
        pool.slot(id).batches = 0;
        assert!(!pool.is_queued(id));
        pool.offer(id);
        assert_eq!([pool.take_free(), pool.take_free()], [Some(id), None]);
    }

    #[test]
    fn queues_do_not_grow_with_what_is_passed_over() {
        let mut pool = Pool::new(2);
        let id = pool.add();
        for round in 0..10_000 {
            pool.slot(id).batches = round % 2;
            pool.offer(id);
        }
        assert!(pool.by_load.iter().all(|queue| queue.len() < 20));
    }

    #[test]
    fn queueing_again_does_not_let_a_connection_be_taken_twice() {
        let mut pool = Pool::new(1);
        let id = pool.add();
        pool.offer(id);
        pool.offer(id);
        assert_eq!([pool.take_free(), pool.take_free()], [Some(0), None]);
    }
}

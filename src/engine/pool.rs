//! The pool chooses which connection takes the next arrival.
//!
//! Slots with room are queued by how many batches they have in flight, so that the longest-idle
//! connection comes first and all connections are used.

use crate::schedule::Arrival;
use crate::transport::Address;
use crate::units::Nanos;
use std::collections::VecDeque;
use std::task::Waker;

/// A connection's number within its worker.
pub type SlotId = usize;

/// What the rest of the worker knows of one connection, and asks of it.
#[derive(Debug, Default)]
pub struct Slot {
    /// Wakes the connection's task.
    pub waker: Option<Waker>,
    /// The arrival that the connection is to send next.
    pub assigned: Option<Arrival>,
    /// Batches in flight.
    pub load: usize,
    /// Batches that the connection accepts at a time, besides the pool's depth; 0 while there is no
    /// connection, and while it accepts none.
    pub limit: usize,
    /// When the oldest request in flight was sent.
    pub oldest_sent: Option<Nanos>,
    /// Where the connection leads.
    pub address: Option<Address>,
    /// Asks the connection to close between two requests, because its server has moved.
    pub has_moved: bool,
    /// Since when the connection has had room.
    pub free_since: Nanos,
    /// Asks the connection to give up what is in flight.
    pub abort: bool,
    queued_as: Option<Ticket>,
}

/// The valid entry of a slot in a queue. Other entries of the slot are out of date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ticket {
    number: u64,
    load: usize,
}

/// All connections of a worker.
#[derive(Debug)]
pub struct Pool {
    slots: Vec<Slot>,
    by_load: Vec<VecDeque<(SlotId, u64)>>,
    tickets: u64,
    free: usize,
    /// Slots whose task has ended, to be used again.
    retired: Vec<SlotId>,
}

impl Pool {
    /// A pool of connections that may each carry `depth` batches at a time.
    pub fn new(depth: usize) -> Pool {
        Pool {
            slots: Vec::new(),
            by_load: vec![VecDeque::new(); depth.max(1)],
            tickets: 0,
            free: 0,
            retired: Vec::new(),
        }
    }

    /// A slot for one more connection. It gets no arrivals until it is offered.
    pub fn add(&mut self) -> SlotId {
        self.retired.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() - 1
        })
    }

    /// Frees a slot whose task ends because another connection took its place.
    pub fn retire(&mut self, id: SlotId) {
        self.withdraw(id);
        self.slots[id].waker = None;
        self.retired.push(id);
    }

    /// The slot with this number.
    #[inline]
    pub fn slot(&mut self, id: SlotId) -> &mut Slot {
        &mut self.slots[id]
    }

    /// All slots, in the order of their numbers.
    pub fn slots(&mut self) -> impl Iterator<Item = &mut Slot> {
        self.slots.iter_mut()
    }

    /// How many slots are in use, connected or not.
    pub fn len(&self) -> usize {
        self.slots.len() - self.retired.len()
    }

    /// Whether the connection may be given one more batch.
    #[inline]
    pub fn has_room(&self, id: SlotId) -> bool {
        self.slots[id].assigned.is_none() && !self.is_full(id)
    }

    /// Whether the connection carries as many batches as it may.
    #[inline]
    pub fn is_full(&self, id: SlotId) -> bool {
        let slot = &self.slots[id];
        slot.load >= slot.limit.min(self.by_load.len())
    }

    /// Queues a slot that has room. Queueing it again only updates its place.
    pub fn offer(&mut self, id: SlotId) {
        let load = self.slots[id].load;
        self.withdraw(id);
        self.tickets += 1;
        let number = self.tickets;
        self.slots[id].queued_as = Some(Ticket { number, load });
        self.free += 1;
        let (slots, queue) = (&self.slots, &mut self.by_load[load]);
        queue.push_back((id, number));
        // Outdated entries would pile up in a queue that is never taken from.
        if queue.len() > 2 * slots.len() + 8 {
            queue.retain(|(id, number)| {
                let ticket = Ticket {
                    number: *number,
                    load,
                };
                slots[*id].queued_as == Some(ticket)
            });
        }
    }

    /// Whether the slot is queued at its present load. A connection that has become less busy must be
    /// queued anew, or requests would go to busier connections before it.
    pub fn is_queued(&self, id: SlotId) -> bool {
        let slot = &self.slots[id];
        slot.queued_as
            .is_some_and(|ticket| ticket.load == slot.load)
    }

    /// Takes a slot out of its queue, because its connection is gone or has found work by itself. The
    /// entry stays in the queue and is skipped later.
    pub fn withdraw(&mut self, id: SlotId) {
        if self.slots[id].queued_as.take().is_some() {
            self.free -= 1;
        }
    }

    /// Whether any connection has room.
    pub fn has_free(&self) -> bool {
        self.free > 0
    }

    /// Takes the longest-waiting slot among the least loaded ones.
    pub fn take_free(&mut self) -> Option<SlotId> {
        for (load, queue) in self.by_load.iter_mut().enumerate() {
            while let Some((id, number)) = queue.pop_front() {
                if self.slots[id].queued_as == Some(Ticket { number, load }) {
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
        pool.slot(first).load = 1;
        pool.offer(first);
        assert_eq!([pool.take_free(), pool.take_free()], [Some(1), Some(0)]);
    }

    #[test]
    fn a_connection_that_has_become_idle_is_queued_anew() {
        let mut pool = Pool::new(2);
        let id = pool.add();
        pool.slot(id).load = 1;
        pool.offer(id);
        assert!(pool.is_queued(id));
        pool.slot(id).load = 0;
        assert!(!pool.is_queued(id));
        pool.offer(id);
        assert_eq!([pool.take_free(), pool.take_free()], [Some(id), None]);
    }

    #[test]
    fn queues_do_not_grow_with_what_is_passed_over() {
        let mut pool = Pool::new(2);
        let id = pool.add();
        for round in 0..10_000 {
            pool.slot(id).load = round % 2;
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

//! The arrivals that a worker still has to send, as a cursor on its part of the schedule.
//!
//! The backlog takes no memory: an arrival that is due and has not been taken is still ahead of the
//! cursor, however long the overload lasts.

use crate::schedule::{Arrival, Arrivals, Schedule, Stripe};
use crate::units::Nanos;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::iter::Peekable;

/// Arrivals of one worker, in the order of their due times.
#[derive(Debug)]
pub struct ArrivalQueue {
    arrivals: Option<Peekable<Arrivals>>,
    postponed: BinaryHeap<Reverse<(Nanos, u64)>>,
    end: Nanos,
}

impl ArrivalQueue {
    /// The worker's arrivals that are due before `end`. Without a schedule, in a closed loop, an arrival
    /// is due whenever one is taken.
    pub fn new(schedule: Option<&Schedule>, stripe: Stripe, end: Nanos) -> ArrivalQueue {
        ArrivalQueue {
            arrivals: schedule.map(|schedule| schedule.stripe(stripe).peekable()),
            postponed: BinaryHeap::new(),
            end,
        }
    }

    /// When the next arrival is due; `None` when no more follow, and in a closed loop.
    #[inline]
    pub fn next_due(&mut self) -> Option<Nanos> {
        let scheduled = self.peek_scheduled();
        let postponed = self.postponed.peek().map(|Reverse((due, _))| *due);
        scheduled.into_iter().chain(postponed).min()
    }

    #[inline]
    fn peek_scheduled(&mut self) -> Option<Nanos> {
        let arrivals = self.arrivals.as_mut()?;
        arrivals
            .peek()
            .map(|next| next.due)
            .filter(|due| *due < self.end)
    }

    /// Takes an arrival that is due by `now`. `true` beside it: it comes from the schedule and has not
    /// been postponed.
    #[inline]
    pub fn take(&mut self, now: Nanos) -> Option<(Arrival, bool)> {
        if self.arrivals.is_none() {
            let arrival = Arrival { seq: 0, due: now };
            return (now < self.end).then_some((arrival, true));
        }
        let is_due = |due: &Nanos| *due <= now;
        let scheduled = self.peek_scheduled().filter(is_due);
        let postponed = self
            .postponed
            .peek()
            .map(|Reverse((due, _))| *due)
            .filter(is_due);
        match (scheduled, postponed) {
            (None, None) => None,
            (Some(due), other) if other.is_none_or(|other| due <= other) => {
                let arrival = self.arrivals.as_mut().and_then(Iterator::next)?;
                Some((arrival, true))
            }
            _ => {
                let Reverse((due, seq)) = self.postponed.pop()?;
                Some((Arrival { seq, due }, false))
            }
        }
    }

    /// Puts an arrival back with a due time, which a script's `delay()` may have changed. An arrival
    /// that is not due before the end is dropped.
    pub fn postpone(&mut self, arrival: Arrival, due: Nanos) {
        if due < self.end {
            self.postponed.push(Reverse((due, arrival.seq)));
        }
    }

    /// Skips `count` arrivals, for which a batch has already sent requests.
    pub fn skip(&mut self, count: u64) {
        for _ in 0..count {
            if self.peek_scheduled().is_none() {
                return;
            }
            self.arrivals.as_mut().and_then(Iterator::next);
        }
    }

    /// Drops all arrivals that are due at `at` or later.
    pub fn end_at(&mut self, at: Nanos) {
        self.end = self.end.min(at);
        self.postponed.retain(|Reverse((due, _))| *due < at);
    }

    /// The time before which arrivals are due.
    pub fn end(&self) -> Nanos {
        self.end
    }

    /// The due times of arrivals that were never taken.
    pub fn remaining(&mut self) -> impl Iterator<Item = Nanos> {
        std::iter::from_fn(|| {
            let due = self.next_due().filter(|due| *due < self.end)?;
            self.take(due).map(|(arrival, _)| arrival.due)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{ArrivalProcess, Profile};
    use crate::units::Rate;

    fn queue() -> ArrivalQueue {
        let schedule = Schedule {
            process: ArrivalProcess::Fixed,
            profile: Profile::Constant(Rate::per_second(1000.0).expect("a rate")),
            seed: 0,
        };
        ArrivalQueue::new(Some(&schedule), Stripe::whole(), Nanos::from_millis(10))
    }

    fn dues(queue: &mut ArrivalQueue, now: u64) -> Vec<u64> {
        std::iter::from_fn(|| queue.take(Nanos::from_millis(now)))
            .map(|(arrival, _)| arrival.due.0 / 1_000_000)
            .collect()
    }

    #[test]
    fn what_is_due_comes_with_its_own_due_time_however_late() {
        let mut queue = queue();
        assert_eq!(dues(&mut queue, 3), [0, 1, 2, 3]);
        assert_eq!(queue.next_due(), Some(Nanos::from_millis(4)));
        assert_eq!(dues(&mut queue, 500), [4, 5, 6, 7, 8, 9]);
        assert_eq!(queue.next_due(), None);
    }

    #[test]
    fn postponed_arrivals_come_back_in_order_of_their_new_due_times() {
        let mut queue = queue();
        let (first, _) = queue.take(Nanos::ZERO).expect("due");
        queue.postpone(first, Nanos::from_micros(2_500));
        assert_eq!(dues(&mut queue, 2), [1, 2]);
        assert_eq!(
            queue
                .take(Nanos::from_millis(3))
                .map(|(arrival, fresh)| (arrival.seq, fresh)),
            Some((0, false))
        );
        assert_eq!(dues(&mut queue, 4), [3, 4]);
    }

    #[test]
    fn a_batch_uses_up_arrivals_and_the_rest_is_remembered() {
        let mut queue = queue();
        queue.take(Nanos::ZERO);
        queue.skip(4);
        assert_eq!(queue.next_due(), Some(Nanos::from_millis(5)));
        queue.end_at(Nanos::from_millis(8));
        let left: Vec<_> = queue.remaining().map(|due| due.0 / 1_000_000).collect();
        assert_eq!(left, [5, 6, 7]);
    }
}

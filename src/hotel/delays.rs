//! Many precise waits at once, on one timer.
//!
//! tokio's timers have steps of a millisecond, and a timerfd for each request would take a file
//! descriptor each. So all deadlines are kept in one heap, and one task waits for the first of them.

use crate::clock::{RunClock, Sleeper};
use crate::units::Nanos;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::convert::Infallible;
use std::io;
use tokio::sync::{Notify, oneshot};

/// The waits of one thread. They end only while [`Delays::drive`] runs.
pub(super) struct Delays {
    clock: RunClock,
    sleeper: Sleeper,
    waits: RefCell<Waits>,
    /// Wakes the driver when the first deadline changes.
    sooner: Notify,
}

/// All waits, by deadline; without a timer of its own.
#[derive(Default)]
struct Waits {
    heap: BinaryHeap<Wait>,
    begun: u64,
}

struct Wait {
    until: Nanos,
    /// Equal deadlines end in the order in which they were set.
    order: u64,
    end: oneshot::Sender<()>,
}

impl Delays {
    /// No waits yet. Must be called inside a tokio runtime with I/O enabled.
    ///
    /// # Errors
    /// When the kernel refuses a timer.
    pub(super) fn new(clock: RunClock) -> io::Result<Delays> {
        Ok(Delays {
            clock,
            sleeper: Sleeper::new(clock)?,
            waits: RefCell::default(),
            sooner: Notify::new(),
        })
    }

    /// Returns at `until`, within some tens of microseconds unless the thread is busy.
    pub(super) async fn wait_until(&self, until: Nanos) {
        let (end, ended) = oneshot::channel();
        if self.waits.borrow_mut().begin(until, end) {
            self.sooner.notify_one();
        }
        // The sender is dropped unused only when the whole server goes, and this task with it.
        let _ = ended.await;
    }

    /// Ends the waits when they are due, for as long as it is polled.
    ///
    /// # Errors
    /// When the timer fails; not seen on Linux.
    pub(super) async fn drive(&self) -> io::Result<Infallible> {
        loop {
            let first = self.waits.borrow_mut().end_due(self.clock.now());
            match first {
                None => self.sooner.notified().await,
                Some(first) => tokio::select! {
                    biased;
                    waited = self.sleeper.wait_until(first) => waited?,
                    () = self.sooner.notified() => {}
                },
            }
        }
    }
}

impl Waits {
    /// Adds a wait. Returns whether its deadline comes before all others.
    fn begin(&mut self, until: Nanos, end: oneshot::Sender<()>) -> bool {
        let is_first = self.heap.peek().is_none_or(|first| until < first.until);
        let order = self.begun;
        self.begun += 1;
        self.heap.push(Wait { until, order, end });
        is_first
    }

    /// Ends all waits that are due and returns the next deadline.
    fn end_due(&mut self, now: Nanos) -> Option<Nanos> {
        while let Some(first) = self.heap.peek() {
            if first.until > now {
                return Some(first.until);
            }
            if let Some(wait) = self.heap.pop() {
                // Nobody listens when the connection has gone in the meantime.
                let _ = wait.end.send(());
            }
        }
        None
    }
}

impl Ord for Wait {
    /// The earliest is the greatest, because a `BinaryHeap` has its greatest on top.
    fn cmp(&self, other: &Wait) -> Ordering {
        (other.until, other.order).cmp(&(self.until, self.order))
    }
}

impl PartialOrd for Wait {
    fn partial_cmp(&self, other: &Wait) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Wait {
    fn eq(&self, other: &Wait) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Wait {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn waits_end_in_the_order_of_their_deadlines_and_equal_ones_first_come_first_served() {
        let mut waits = Waits::default();
        let mut listeners = Vec::new();
        for until in [30, 10, 20, 10] {
            let (end, ended) = oneshot::channel();
            waits.begin(Nanos(until), end);
            listeners.push(ended);
        }
        let mut ended = |listener: usize| listeners[listener].try_recv().is_ok();
        assert_eq!(waits.end_due(Nanos(9)), Some(Nanos(10)));
        assert!(!ended(1));
        assert_eq!(waits.end_due(Nanos(10)), Some(Nanos(20)));
        assert!(ended(1) && ended(3) && !ended(2));
        assert_eq!(waits.end_due(Nanos(99)), None);
        assert!(ended(2) && ended(0));
    }

    #[test]
    fn only_a_new_first_deadline_disturbs_the_driver() {
        let mut waits = Waits::default();
        let mut begin = |until| waits.begin(Nanos(until), oneshot::channel().0);
        assert!(begin(20));
        assert!(!begin(20));
        assert!(!begin(30));
        assert!(begin(10));
    }

    #[test]
    fn real_waits_end_in_order_and_never_early() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build_local(Default::default())
            .unwrap();
        let ends = runtime.block_on(async {
            let clock = RunClock::start();
            let delays = Rc::new(Delays::new(clock).unwrap());
            let ends = Rc::new(RefCell::new(Vec::new()));
            let tasks: Vec<_> = [9_000u64, 3_000, 6_000, 3_300]
                .map(|micros| {
                    let (delays, ends) = (delays.clone(), ends.clone());
                    tokio::task::spawn_local(async move {
                        let until = Nanos::from_micros(micros);
                        delays.wait_until(until).await;
                        assert!(clock.now() >= until);
                        ends.borrow_mut().push(micros);
                    })
                })
                .into();
            let all = async {
                for task in tasks {
                    task.await.unwrap();
                }
            };
            tokio::select! {
                _ = delays.drive() => panic!("the timer failed"),
                () = all => ends.take(),
            }
        });
        assert_eq!(ends, [3_000, 3_300, 6_000, 9_000]);
    }
}

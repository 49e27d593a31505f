//! A clock that stands still until it is advanced, so that tests of waiting code need not wait.
//!
//! The code under test and its counterpart (a server that a test plays) share one [`AdvancedClock`].
//! The test advances it from one awaited moment to the next, and only while the code under test is at
//! rest: its loop waits for a later moment, and nothing that it began is still under way. So the
//! results do not depend on how fast the machine is.

use crate::units::Nanos;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// How long, in real time, an advance waits for the code under test to come to rest. Reaching it
/// means a defect of the test, whose assertions then fail.
const PATIENCE: Duration = Duration::from_secs(20);

/// The wall clock at the origin: a fixed moment, with a fraction of a second, as real clocks have.
const UNIX_ORIGIN: Nanos = Nanos(1_800_000_000_137_000_000);

/// A clock that is advanced by hand; clones show the same time.
#[derive(Debug, Clone, Default)]
pub struct AdvancedClock {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    now: Nanos,
    waits: BTreeMap<u64, Wait>,
    next_wait: u64,
    counts: Counts,
}

/// How many [`Hold`]s of each kind there are.
#[derive(Debug, Default)]
struct Counts {
    loops: usize,
    busy: usize,
    stalled: usize,
}

#[derive(Debug)]
struct Wait {
    until: Nanos,
    waker: Waker,
    /// A loop's own wait, not the deadline of something that it began.
    is_of_loop: bool,
}

/// What holds the clock, or lets it go on.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A loop runs: time goes on only while it waits.
    Loop,
    /// Something is under way: time stands still until it is done.
    Busy,
    /// Something that is under way will not end by itself: time does not stand still for it.
    Stalled,
}

/// Counts for as long as it lives.
#[derive(Debug)]
pub struct Hold {
    shared: Arc<Shared>,
    kind: Kind,
}

impl AdvancedClock {
    /// Time since the origin.
    pub fn now(&self) -> Nanos {
        self.shared.lock().now
    }

    /// Nanoseconds since 1970.
    pub fn unix(&self) -> Nanos {
        UNIX_ORIGIN + self.now()
    }

    /// Advances the clock to `at` nanoseconds after its origin, stopping at every moment in between
    /// that is waited for. Returns when the code under test is at rest again.
    pub fn advance_to(&self, at: Nanos) {
        let mut state = self.shared.rest(self.shared.lock());
        while state.now < at {
            let ahead = state.waits.values().map(|wait| wait.until);
            let next = ahead.filter(|until| *until > state.now).min();
            state.now = next.unwrap_or(at).min(at);
            let due = |wait: &&Wait| wait.until <= state.now;
            let wakers: Vec<Waker> = state
                .waits
                .values()
                .filter(due)
                .map(|wait| wait.waker.clone())
                .collect();
            drop(state);
            wakers.into_iter().for_each(Waker::wake);
            state = self.shared.rest(self.shared.lock());
        }
    }

    /// Time stands still while this lives.
    pub fn busy(&self) -> Hold {
        self.hold(Kind::Busy)
    }

    /// Something that is busy will not end by itself while this lives: a server that hangs.
    pub fn stalled(&self) -> Hold {
        self.hold(Kind::Stalled)
    }

    /// A loop runs while this lives.
    pub(super) fn running_loop(&self) -> Hold {
        self.hold(Kind::Loop)
    }

    fn hold(&self, kind: Kind) -> Hold {
        *self.shared.lock().counts.of(kind) += 1;
        self.shared.changed.notify_all();
        Hold {
            shared: self.shared.clone(),
            kind,
        }
    }

    /// Completes when the clock reaches `until`.
    pub(super) fn wait(&self, until: Nanos, is_of_loop: bool) -> impl Future<Output = ()> + use<> {
        Waiting {
            shared: self.shared.clone(),
            until,
            is_of_loop,
            id: None,
        }
    }
}

impl Counts {
    fn of(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Loop => &mut self.loops,
            Kind::Busy => &mut self.busy,
            Kind::Stalled => &mut self.stalled,
        }
    }
}

impl State {
    fn is_at_rest(&self) -> bool {
        let ahead = |wait: &&Wait| wait.is_of_loop && wait.until > self.now;
        let resting = self.waits.values().filter(ahead).count();
        resting >= self.counts.loops && self.counts.busy <= self.counts.stalled
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rest<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let at_rest = self
            .changed
            .wait_timeout_while(state, PATIENCE, |state| !state.is_at_rest());
        at_rest.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        *self.shared.lock().counts.of(self.kind) -= 1;
        self.shared.changed.notify_all();
    }
}

struct Waiting {
    shared: Arc<Shared>,
    until: Nanos,
    is_of_loop: bool,
    id: Option<u64>,
}

impl Future for Waiting {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let shared = self.shared.clone();
        let mut state = shared.lock();
        if state.now >= self.until {
            return Poll::Ready(());
        }
        let id = *self.id.get_or_insert_with(|| {
            state.next_wait += 1;
            state.next_wait
        });
        let wait = Wait {
            until: self.until,
            waker: context.waker().clone(),
            is_of_loop: self.is_of_loop,
        };
        state.waits.insert(id, wait);
        drop(state);
        shared.changed.notify_all();
        Poll::Pending
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.shared.lock().waits.remove(&id);
            self.shared.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_loop_is_woken_at_every_moment_that_it_waits_for_and_at_no_other() {
        let clock = AdvancedClock::default();
        let (tell, told) = mpsc::channel();
        let ticking = clock.clone();
        let running = clock.running_loop();
        let thread = std::thread::spawn(move || {
            let _running = running;
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            runtime.expect("a runtime").block_on(async {
                for tick in 1..=5 {
                    ticking.wait(Nanos::from_secs(tick), true).await;
                    let _ = tell.send(ticking.now());
                }
            });
        });
        clock.advance_to(Nanos::from_millis(2500));
        let seconds: Vec<Nanos> = told.try_iter().collect();
        assert_eq!(seconds, [Nanos::from_secs(1), Nanos::from_secs(2)]);
        assert_eq!(clock.now(), Nanos::from_millis(2500));
        clock.advance_to(Nanos::from_secs(9));
        assert_eq!(told.try_iter().count(), 3);
        thread.join().expect("it ended");
    }

    #[test]
    fn time_stands_still_while_something_is_under_way_unless_it_is_stalled() {
        let clock = AdvancedClock::default();
        let busy = clock.busy();
        let waiting = clock.clone();
        let advance = std::thread::spawn(move || waiting.advance_to(Nanos::SECOND));
        super::super::block_for(Nanos::from_millis(20));
        assert_eq!(clock.now(), Nanos::ZERO);
        let stalled = clock.stalled();
        advance.join().expect("it advances");
        assert_eq!(clock.now(), Nanos::SECOND);
        drop((busy, stalled));
    }
}

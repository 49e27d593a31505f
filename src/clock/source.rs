//! Where code that waits takes its time from.

use super::RunClock;
use super::advanced::{AdvancedClock, Hold};
use crate::units::Nanos;

/// The time that something goes by: that of the machine, or one that a test advances.
#[derive(Debug, Clone)]
pub enum TimeSource {
    /// The machine's clock.
    Machine(RunClock),
    /// A clock that stands still until it is advanced.
    Advanced(AdvancedClock),
}

impl TimeSource {
    /// The machine's clock, with its origin now.
    pub fn machine() -> TimeSource {
        TimeSource::Machine(RunClock::start())
    }

    /// Time since the origin.
    pub fn now(&self) -> Nanos {
        match self {
            TimeSource::Machine(clock) => clock.now(),
            TimeSource::Advanced(clock) => clock.now(),
        }
    }

    /// Nanoseconds since 1970: what the wall clock said at the origin, and the time since.
    pub fn unix(&self) -> Nanos {
        match self {
            TimeSource::Machine(clock) => clock.unix(),
            TimeSource::Advanced(clock) => clock.unix(),
        }
    }

    /// Nanoseconds since 1970 by this time source at the origin of `clock`. An advanced clock has
    /// no relation to the machine's clocks and answers with its own present.
    pub fn origin_of(&self, clock: &RunClock) -> Nanos {
        match self {
            TimeSource::Machine(own) => clock.origin_on(own),
            TimeSource::Advanced(own) => own.unix(),
        }
    }

    /// Waits until `at` nanoseconds after the origin, up to 2 ms late; see [`RunClock::coarse_wait`].
    pub async fn coarse_wait(&self, at: Nanos) {
        match self {
            TimeSource::Machine(clock) => clock.coarse_wait(at).await,
            TimeSource::Advanced(clock) => clock.wait(at, false).await,
        }
    }

    /// As [`TimeSource::coarse_wait`], for a loop that holds [`TimeSource::running_loop`]: while it
    /// waits here it is at rest, and an advanced clock may go on.
    pub async fn rest_until(&self, at: Nanos) {
        match self {
            TimeSource::Machine(clock) => clock.coarse_wait(at).await,
            TimeSource::Advanced(clock) => clock.wait(at, true).await,
        }
    }

    /// Tells an advanced clock that a loop runs, until the answer is dropped.
    pub fn running_loop(&self) -> Option<Hold> {
        match self {
            TimeSource::Machine(_) => None,
            TimeSource::Advanced(clock) => Some(clock.running_loop()),
        }
    }

    /// Tells an advanced clock that work is under way, until the answer is dropped.
    pub fn busy(&self) -> Option<Hold> {
        match self {
            TimeSource::Machine(_) => None,
            TimeSource::Advanced(clock) => Some(clock.busy()),
        }
    }

    /// Tells an advanced clock that work which is under way will not end by itself, until the answer
    /// is dropped.
    pub fn stalled(&self) -> Option<Hold> {
        match self {
            TimeSource::Machine(_) => None,
            TimeSource::Advanced(clock) => Some(clock.stalled()),
        }
    }
}

//! The only place that reads the system's clocks and waits for a time precisely.
//!
//! All other code is given numbers: nanoseconds since the origin of a [`RunClock`]. One origin,
//! taken from the monotonic and the wall clock at the same moment, serves the load and the
//! collector, so that their figures share an axis. [`Sleeper`] waits for a point on that axis with
//! the kernel's high resolution timer, because tokio's timer wheel has steps of a millisecond.
#![allow(clippy::disallowed_methods)] // clocks may be read in this file only

mod advanced;
mod source;

pub use advanced::{AdvancedClock, Hold};
pub use source::TimeSource;

use crate::units::Nanos;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The monotonic clock, counted from an origin whose wall-clock time is known.
#[derive(Debug, Clone, Copy)]
pub struct RunClock {
    origin: Instant,
    unix_origin: Nanos,
}

impl RunClock {
    /// A clock whose origin is now.
    pub fn start() -> RunClock {
        RunClock {
            origin: Instant::now(),
            unix_origin: unix_now(),
        }
    }

    /// A clock whose origin lies `ahead` in the future; until then it reads zero.
    pub fn starting_in(ahead: Nanos) -> RunClock {
        RunClock {
            origin: Instant::now() + ahead.to_duration(),
            unix_origin: unix_now() + ahead,
        }
    }

    /// The same clock with its origin `by` earlier, for waiting until an origin that lies ahead.
    pub fn rewound(&self, by: Nanos) -> RunClock {
        let origin = self.origin.checked_sub(by.to_duration());
        RunClock {
            origin: origin.unwrap_or(self.origin),
            unix_origin: self.unix_origin - by,
        }
    }

    /// Time since the origin.
    #[inline]
    pub fn now(&self) -> Nanos {
        Nanos(
            Instant::now()
                .saturating_duration_since(self.origin)
                .as_nanos() as u64,
        )
    }

    /// The wall-clock time of the origin, in nanoseconds since 1970.
    pub fn unix_origin(&self) -> Nanos {
        self.unix_origin
    }

    /// This clock's origin as a wall-clock time of `other`. Both follow the same monotonic clock, so a
    /// wall clock that is set in between makes no difference.
    pub fn origin_on(&self, other: &RunClock) -> Nanos {
        match self.origin.checked_duration_since(other.origin) {
            Some(after) => other.unix_origin + after.into(),
            None => other.unix_origin - other.origin.duration_since(self.origin).into(),
        }
    }

    /// The wall-clock time of the origin plus the time since.
    pub fn unix(&self) -> Nanos {
        self.unix_origin + self.now()
    }

    fn instant(&self, at: Nanos) -> Option<Instant> {
        self.origin.checked_add(at.to_duration())
    }

    /// Waits until `at` with tokio's timer, which is up to 2 ms late: good enough for the ends of phases,
    /// but not for sending.
    pub async fn coarse_wait(&self, at: Nanos) {
        match self.instant(at) {
            Some(instant) => tokio::time::sleep_until(instant.into()).await,
            None => std::future::pending().await,
        }
    }
}

/// Nanoseconds since 1970 on the wall clock.
pub fn unix_now() -> Nanos {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(Nanos::ZERO, Nanos::from)
}

/// CPU time that the calling thread has used so far.
pub fn thread_cpu() -> Nanos {
    cpu_time(rustix::time::ClockId::ThreadCPUTime)
}

/// CPU time that the whole process has used so far.
pub fn process_cpu() -> Nanos {
    cpu_time(rustix::time::ClockId::ProcessCPUTime)
}

fn cpu_time(clock: rustix::time::ClockId) -> Nanos {
    let time = rustix::time::clock_gettime(clock);
    Nanos(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// Blocks the calling thread for at least this long; the kernel may add some 60 us.
pub fn block_for(length: Nanos) {
    std::thread::sleep(length.to_duration());
}

/// Waits for points in time with a timerfd, which wakes within tens of microseconds rather than
/// milliseconds.
///
/// A sleeper serves one task at a time; a new wait replaces the one before.
pub struct Sleeper {
    timer: AsyncFd<OwnedFd>,
    clock: RunClock,
}

impl Sleeper {
    /// A sleeper on this clock. Must be called inside a tokio runtime with I/O enabled.
    ///
    /// # Errors
    /// When the kernel refuses a timerfd (out of file descriptors).
    pub fn new(clock: RunClock) -> io::Result<Sleeper> {
        let timer = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
        )?;
        // SAFETY: an OwnedFd is open and stays the same descriptor until it is dropped, and this
        // AsyncFd alone owns it.
        #[allow(unsafe_code)]
        let timer = unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE) }?;
        Ok(Sleeper { timer, clock })
    }

    /// Counts from the origin of this clock from now on.
    pub fn set_clock(&mut self, clock: RunClock) {
        self.clock = clock;
    }

    /// Returns at `at` or a little later; at once when `at` has passed.
    ///
    /// # Errors
    /// When the kernel refuses to arm the timer; not seen on Linux.
    pub async fn wait_until(&self, at: Nanos) -> io::Result<()> {
        loop {
            let now = self.clock.now();
            if now >= at {
                return Ok(());
            }
            // A wait that was given up may have left readiness behind; it is cleared before the timer
            // is armed. The descriptor is edge-triggered, so the expiry itself need not be read.
            self.forget_expiry();
            self.arm(at - now)?;
            self.timer.readable().await?.clear_ready();
        }
    }

    fn forget_expiry(&self) {
        use std::task::{Context, Poll, Waker};
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(Ok(mut guard)) = self.timer.poll_read_ready(&mut context) {
            guard.clear_ready();
        }
    }

    fn arm(&self, delay: Nanos) -> io::Result<()> {
        let delay = delay.0.max(1);
        let spec = Itimerspec {
            it_interval: Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
            it_value: Timespec {
                tv_sec: (delay / 1_000_000_000) as i64,
                tv_nsec: (delay % 1_000_000_000) as i64,
            },
        };
        timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::empty(), &spec)?;
        Ok(())
    }
}

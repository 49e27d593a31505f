//! The pacer waits for due times as precisely as its budget allows.

use super::worker_state::Shared;
use crate::clock::{RunClock, Sleeper};
use crate::spec::Pacing;
use crate::units::Nanos;
use std::io;

/// The share of a thread's time that `--pacing auto` may spend spinning.
const SPIN_BUDGET: f64 = 0.25;
/// Waits from which the timer's usual lateness is measured.
const CALIBRATION_ROUNDS: usize = 21;
/// Bounds of the lead, and the unit by which it adapts.
const SHORTEST_LEAD: Nanos = Nanos::from_micros(30);
const LEAD_STEP: Nanos = Nanos(500);
const LONGEST_LEAD: Nanos = Nanos::from_micros(300);

/// Waits for due times by timer, by spinning, or by timer and then spinning.
pub struct Pacer {
    clock: RunClock,
    sleeper: Sleeper,
    method: Method,
    lead: Nanos,
    spun: Nanos,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Timer,
    TimerThenSpin,
    Spin,
}

impl Pacer {
    /// A pacer with this method. `auto` chooses by how many `threads` run on how many `cores`.
    ///
    /// # Errors
    /// When the kernel has no timer left to give.
    pub async fn calibrated(pacing: Pacing, threads: usize, cores: usize) -> io::Result<Pacer> {
        let clock = RunClock::start();
        let method = match pacing {
            Pacing::Timer => Method::Timer,
            Pacing::Spin => Method::Spin,
            Pacing::Auto if cores >= 2 * threads => Method::Spin,
            Pacing::Auto => Method::TimerThenSpin,
        };
        let mut pacer = Pacer {
            clock,
            sleeper: Sleeper::new(clock)?,
            method,
            lead: Nanos::ZERO,
            spun: Nanos::ZERO,
        };
        if method == Method::TimerThenSpin {
            pacer.lead = pacer.measure_lead().await?;
        }
        Ok(pacer)
    }

    /// Measures how late the timer wakes this thread, as a 90th percentile. The timer is then set that
    /// much earlier, and the thread spins for the rest.
    async fn measure_lead(&self) -> io::Result<Nanos> {
        let mut lateness = Vec::with_capacity(CALIBRATION_ROUNDS);
        for _ in 0..CALIBRATION_ROUNDS {
            let due = self.clock.now() + Nanos::from_micros(400);
            self.sleeper.wait_until(due).await?;
            lateness.push(self.clock.now() - due);
        }
        lateness.sort_unstable();
        let usual = lateness[CALIBRATION_ROUNDS * 9 / 10];
        Ok((usual + Nanos::from_micros(20)).clamp(SHORTEST_LEAD, LONGEST_LEAD))
    }

    /// Counts from the origin of this clock from now on.
    pub fn set_clock(&mut self, clock: RunClock) {
        self.clock = clock;
        self.sleeper.set_clock(clock);
    }

    /// How long before a due time the timer goes off.
    pub fn lead(&self) -> Nanos {
        self.lead
    }

    /// Time spent spinning with nothing else to do.
    pub fn spun(&self) -> Nanos {
        self.spun
    }

    /// Starts the spinning budget again.
    pub fn forget_spin(&mut self) {
        self.spun = Nanos::ZERO;
    }

    /// Returns at `due` or as soon after it as possible; I/O goes on meanwhile.
    ///
    /// # Errors
    /// When the kernel refuses to arm the timer; not seen on Linux.
    pub async fn wait_until(&mut self, due: Nanos, state: &Shared) -> io::Result<()> {
        let now = self.clock.now();
        if now >= due {
            return Ok(());
        }
        if self.method != Method::Spin {
            let lead = self.affordable_lead(now);
            if due - now > lead {
                self.sleeper.wait_until(due - lead).await?;
                self.adapt_lead(due, lead);
            }
        }
        self.spin_until(due, state).await;
        Ok(())
    }

    /// Adapts the lead to the timer's lateness, which depends on how deeply the processor sleeps. Steps
    /// of 19 up and 1 down settle where one wait in twenty wakes too late to spin.
    fn adapt_lead(&mut self, due: Nanos, lead: Nanos) {
        if lead.is_zero() {
            return;
        }
        let next = match self.clock.now() >= due {
            true => self.lead + Nanos(19 * LEAD_STEP.0),
            false => self.lead - LEAD_STEP,
        };
        self.lead = next.clamp(SHORTEST_LEAD, LONGEST_LEAD);
    }

    fn affordable_lead(&self, now: Nanos) -> Nanos {
        let is_over_budget = self.spun.0 as f64 > now.0 as f64 * SPIN_BUDGET;
        if is_over_budget {
            Nanos::ZERO
        } else {
            self.lead
        }
    }

    /// Yields again and again, which polls I/O. Turns in which a connection had something to do do not
    /// count as spinning.
    async fn spin_until(&mut self, due: Nanos, state: &Shared) {
        let mut now = self.clock.now();
        while now < due {
            let turns = state.borrow().turns;
            tokio::task::yield_now().await;
            let after = self.clock.now();
            if state.borrow().turns == turns {
                self.spun += after - now;
            }
            now = after;
        }
    }
}

//! SIGINT, SIGTERM and SIGHUP: the first ends the run with a partial result, the second ends the program.

use crate::clock::{RunClock, block_for};
use crate::exit::Exit;
use crate::units::Nanos;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The signals that the process has received.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    interrupted: Arc<AtomicBool>,
    terminated: Arc<AtomicBool>,
    hung_up: Arc<AtomicBool>,
    at_once: Arc<AtomicBool>,
}

impl Signals {
    /// Registers the handlers.
    ///
    /// # Errors
    /// The operating system's, when a handler cannot be registered.
    pub fn listen() -> io::Result<Signals> {
        let signals = Signals::default();
        for (signal, flag, exit) in [
            (SIGINT, &signals.interrupted, Exit::Interrupted),
            (SIGTERM, &signals.terminated, Exit::Terminated),
            (SIGHUP, &signals.hung_up, Exit::HungUp),
        ] {
            if signal == SIGHUP && ignores_hang_up() {
                continue;
            }
            // A conditional shutdown is registered before the flag is set, so that the first signal does not
            // already end the process.
            signal_hook::flag::register_conditional_shutdown(signal, exit as i32, flag.clone())?;
            let at_once = signals.at_once.clone();
            signal_hook::flag::register_conditional_shutdown(signal, exit as i32, at_once)?;
            signal_hook::flag::register(signal, flag.clone())?;
        }
        Ok(signals)
    }

    /// Makes the next signal end the program, even if it is the first.
    pub fn end_at_once(&self) {
        self.at_once.store(true, Ordering::Relaxed);
    }

    /// How the process exits because of a signal; `None` when no signal has come.
    pub fn received(&self) -> Option<Exit> {
        if self.interrupted.load(Ordering::Relaxed) {
            Some(Exit::Interrupted)
        } else if self.terminated.load(Ordering::Relaxed) {
            Some(Exit::Terminated)
        } else if self.hung_up.load(Ordering::Relaxed) {
            Some(Exit::HungUp)
        } else {
            None
        }
    }
}

/// Interval at which a wait checks its condition and the signals.
const POLL: Nanos = Nanos::from_millis(20);

impl Signals {
    /// Blocks until `is_over` holds or a signal has come. True when a signal has come.
    pub fn wait_until(&self, mut is_over: impl FnMut() -> bool) -> bool {
        loop {
            if self.received().is_some() {
                return true;
            }
            if is_over() {
                return false;
            }
            block_for(POLL);
        }
    }

    /// Blocks for this long, or until a signal has come. True when a signal has come.
    pub fn pause(&self, length: Nanos) -> bool {
        let clock = RunClock::start();
        self.wait_until(|| clock.now() >= length)
    }
}

/// Whether SIGHUP is ignored, as `nohup` arranges it, so that the program outlives its terminal.
fn ignores_hang_up() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & (1 << (SIGHUP - 1)) != 0)
}

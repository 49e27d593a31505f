//! SIGINT and SIGTERM: the first ends the run with a partial result, the second ends the program.

use crate::exit::Exit;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Which signals have come.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    interrupted: Arc<AtomicBool>,
    terminated: Arc<AtomicBool>,
    at_once: Arc<AtomicBool>,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the operating system does not let it.
    pub fn listen() -> io::Result<Signals> {
        let signals = Signals::default();
        for (signal, flag, exit) in [
            (SIGINT, &signals.interrupted, Exit::Interrupted),
            (SIGTERM, &signals.terminated, Exit::Terminated),
        ] {
            // Registered first, so that it sees the flag of an earlier signal and not its own.
            signal_hook::flag::register_conditional_shutdown(signal, exit as i32, flag.clone())?;
            let at_once = signals.at_once.clone();
            signal_hook::flag::register_conditional_shutdown(signal, exit as i32, at_once)?;
            signal_hook::flag::register(signal, flag.clone())?;
        }
        Ok(signals)
    }

    /// From now on the first signal ends the program.
    pub fn end_at_once(&self) {
        self.at_once.store(true, Ordering::Relaxed);
    }

    /// How to end because of a signal, if one has come.
    pub fn received(&self) -> Option<Exit> {
        if self.interrupted.load(Ordering::Relaxed) {
            Some(Exit::Interrupted)
        } else if self.terminated.load(Ordering::Relaxed) {
            Some(Exit::Terminated)
        } else {
            None
        }
    }
}

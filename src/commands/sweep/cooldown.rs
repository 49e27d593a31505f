//! The rest between two steps: until the application is as idle as it was before the first.

use super::super::signals::Signals;
use crate::clock::{block_for, unix_now};
use crate::collect::Collector;
use crate::spec::CollectSpec;
use crate::units::Nanos;

/// The study's rule: at least this long,
pub const SHORTEST: Nanos = Nanos::from_secs(10);
/// at most this long,
const LONGEST: Nanos = Nanos::from_secs(120);
/// and looking so often,
const EVERY: Nanos = Nanos::from_secs(5);
/// until so many looks in a row
const IN_A_ROW: usize = 2;
/// find at most this many times the CPU of before the sweep.
const QUIET: f64 = 1.2;
/// In thousandths of a core: where the idle use is next to nothing, this is no use either.
const NOTHING: f64 = 10.0;
/// How far back a look looks; a kubelet's figures are up to 20 s old.
const BACK: Nanos = Nanos::from_secs(20);
const LOOK: Nanos = Nanos::from_millis(20);

/// Waits, unless a signal comes.
pub fn wait(length: Nanos, signals: &Signals) {
    let until = unix_now() + length;
    while unix_now() < until && signals.received().is_none() {
        block_for(LOOK);
    }
}

/// The application's CPU without load, in thousandths of a core; `None` when nobody can tell within
/// the longest rest.
pub fn idle_cpu(spec: &CollectSpec, signals: &Signals) -> Option<f64> {
    let collector = Collector::start(spec).ok()??;
    let since = unix_now();
    loop {
        wait(EVERY, signals);
        let cpu = collector.recent_application_cpu(since, BACK);
        if cpu.is_some() || unix_now() - since > LONGEST || signals.received().is_some() {
            return cpu;
        }
    }
}

/// Rests until the CPU is idle again; says how that went.
pub fn cool_down(spec: &CollectSpec, idle: f64, signals: &Signals) -> String {
    let since = unix_now();
    let collector = match Collector::start(spec) {
        Ok(Some(collector)) => collector,
        _ => {
            wait(SHORTEST, signals);
            return format!("{SHORTEST}; the collector could not be started");
        }
    };
    let limit = (QUIET * idle).max(idle + NOTHING);
    let (mut quiet, mut last) = (0, None);
    loop {
        wait(EVERY, signals);
        let rested = unix_now() - since;
        last = collector.recent_application_cpu(since, BACK).or(last);
        let is_quiet = last.is_some_and(|cpu| cpu <= limit);
        quiet = if is_quiet { quiet + 1 } else { 0 };
        let cpu = last.map_or("not known".to_owned(), |cpu| format!("{cpu:.0}m"));
        let seconds = rested.as_secs_f64();
        if quiet >= IN_A_ROW && rested >= SHORTEST {
            return format!(
                "{seconds:.0}s; the application's CPU is {cpu}, idle it was {idle:.0}m"
            );
        }
        if rested >= LONGEST || signals.received().is_some() {
            return format!(
                "{seconds:.0}s, and the application is not yet idle: its CPU is {cpu}, idle it was {idle:.0}m"
            );
        }
    }
}

//! The rest between two steps: until the application is as idle as it was before the first step. The rule
//! and its numbers are those of the study that meshload's sweeps repeat.

use super::super::signals::Signals;
use crate::clock::unix_now;
use crate::collect::Collector;
use crate::spec::CollectSpec;
use crate::units::Nanos;

/// The shortest rest.
pub const SHORTEST: Nanos = Nanos::from_secs(10);
/// The longest rest.
pub const LONGEST: Nanos = Nanos::from_secs(120);
/// The time between two checks of the application's CPU.
const CHECK_INTERVAL: Nanos = Nanos::from_secs(5);
/// The number of consecutive checks that must find the application idle.
const IDLE_CHECKS: usize = 2;
/// The application counts as idle up to this multiple of its CPU before the sweep.
pub const IDLE_FACTOR: f64 = 1.2;
/// The application also counts as idle up to this much above its CPU before the sweep, in thousandths of a
/// core. Without it an application that uses next to nothing would never be idle again.
const IDLE_MARGIN: f64 = 10.0;
/// How far back a check takes samples: a kubelet's are up to 20 s old.
const SAMPLE_AGE: Nanos = Nanos::from_secs(20);

/// The application's CPU without load, in thousandths of a core; `None` when there is no figure within the
/// longest rest.
pub fn idle_cpu(spec: &CollectSpec, signals: &Signals) -> Option<f64> {
    let collector = Collector::start(spec).ok()??;
    let since = unix_now();
    loop {
        let is_interrupted = signals.pause(CHECK_INTERVAL);
        let cpu = collector.recent_application_cpu(since, SAMPLE_AGE);
        if cpu.is_some() || unix_now() - since > LONGEST || is_interrupted {
            return cpu;
        }
    }
}

/// Rests until the application's CPU is back at `idle` thousandths of a core; returns a note on the rest.
pub fn cool_down(spec: &CollectSpec, idle: f64, signals: &Signals) -> String {
    let since = unix_now();
    let collector = match Collector::start(spec) {
        Ok(Some(collector)) => collector,
        _ => {
            signals.pause(SHORTEST);
            return format!("{SHORTEST}; the collector could not be started");
        }
    };
    let limit = (IDLE_FACTOR * idle).max(idle + IDLE_MARGIN);
    let (mut idle_checks, mut last) = (0, None);
    loop {
        let is_interrupted = signals.pause(CHECK_INTERVAL);
        let rested = unix_now() - since;
        last = collector.recent_application_cpu(since, SAMPLE_AGE).or(last);
        let is_idle = last.is_some_and(|cpu| cpu <= limit);
        idle_checks = if is_idle { idle_checks + 1 } else { 0 };
        let cpu = last.map_or("not known".to_owned(), |cpu| format!("{cpu:.0}m"));
        let seconds = rested.as_secs_f64();
        if idle_checks >= IDLE_CHECKS && rested >= SHORTEST {
            return format!(
                "{seconds:.0}s; the application's CPU is {cpu}, idle it was {idle:.0}m"
            );
        }
        if rested >= LONGEST || is_interrupted {
            return format!(
                "{seconds:.0}s, and the application is not yet idle: its CPU is {cpu}, idle it was {idle:.0}m"
            );
        }
    }
}

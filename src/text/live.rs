//! The live line, which shows the last second while a run is under way.

use crate::measure::Interval;
use crate::spec::Phase;
use crate::units::{Nanos, show_count, show_ns};

/// The line of an interval. `elapsed` is the time since the start of the load, out of `total`.
pub fn live_line(interval: &Interval, elapsed: Nanos, total: Nanos) -> String {
    let seconds = interval.duration.as_secs_f64().max(1e-9);
    let times = interval.latency.as_ref().or(interval.service.as_ref());
    let show = |nanos: u64| show_ns(nanos as f64);
    let (p50, p99) = times.map_or(("-".into(), "-".into()), |t| (show(t.p50), show(t.p99)));
    let late = interval
        .late
        .as_ref()
        .map_or("-".into(), |late| show(late.p99));
    let phase = match interval.phase {
        Phase::Warmup => "warm-up",
        Phase::Window => "measure",
        Phase::Guard => "guard",
    };
    format!(
        "{} {:.0}/{:.0}s  {}/s  p50 {p50}  p99 {p99}  errors {}  backlog {}  late p99 {late}",
        phase,
        elapsed.as_secs_f64(),
        total.as_secs_f64(),
        show_count(interval.completed as f64 / seconds),
        interval.failed,
        interval.backlog.unwrap_or_default(),
    )
}

//! Whether the system held the rate that was offered to it.
//!
//! Below capacity, latencies and CPU show what a request costs. Above capacity, queues grow for as long as
//! the run lasts, so latencies depend on its length; such steps are used for estimates of capacity only.

use super::{Level, Reason, Verdict};
use crate::measure::{Interval, RunResult, Tally};
use crate::spec::Phase;
use serde::{Deserialize, Serialize};

/// The share of the scheduled requests that may be missing from the finished ones.
const SHORTFALL: f64 = 0.01;
/// The number of requests that may be missing in any run: in a short run one request is more than the share.
const A_FEW: f64 = 3.0;
/// The largest share of failed requests that does not count as dropped by the system.
const DROPPED: f64 = 0.001;
const DROPPED_CODE: &str = "dropped";

/// Whether a rate was held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Stability {
    /// The system kept up with the rate.
    Held,
    /// The system did not keep up.
    NotHeld {
        /// The signs of it, in the order shortfall, backlog, dropped.
        reasons: Vec<Reason>,
    },
    /// Not known: the generator failed, the loop was closed, or nothing was due.
    Unknown { reason: String },
}

impl Stability {
    /// The spelling in files.
    pub fn name(&self) -> &'static str {
        match self {
            Stability::Held => "held",
            Stability::NotHeld { .. } => "not_held",
            Stability::Unknown { .. } => "unknown",
        }
    }

    /// Whether more was offered than the system could take: too little was finished, or the backlog grew.
    /// Dropped requests alone are no sign of that.
    pub fn is_overloaded(&self) -> bool {
        match self {
            Stability::NotHeld { reasons } => reasons.iter().any(|one| one.code != DROPPED_CODE),
            Stability::Held | Stability::Unknown { .. } => false,
        }
    }

    /// Whether the rate was held; `None` where it is not known.
    pub fn is_held(&self) -> Option<bool> {
        match self {
            Stability::Held => Some(true),
            Stability::NotHeld { .. } => Some(false),
            Stability::Unknown { .. } => None,
        }
    }
}

/// Judges whether the system held the rate of a run that has this verdict: the scheduled requests were
/// finished, the backlog did not grow, and none were dropped.
pub fn stability(result: &RunResult, verdict: &Verdict) -> Stability {
    let unknown = |reason: &str| Stability::Unknown {
        reason: reason.to_owned(),
    };
    if verdict.level == Level::Invalid {
        return unknown("the generator did not offer the rate");
    }
    if !result.is_open_loop() {
        return unknown("a closed loop offers what the system takes");
    }
    let tally = result.overall();
    if tally.scheduled == 0 {
        return unknown("no request was due in the measured window");
    }
    let intervals = result.targets.iter().flat_map(|target| &target.intervals);
    let intervals: Vec<&Interval> = intervals
        .filter(|interval| interval.phase == Phase::Window)
        .collect();
    let reasons: Vec<Reason> = [
        shortfall(tally, &intervals),
        growth(tally, &intervals),
        drops(tally),
    ]
    .into_iter()
    .flatten()
    .collect();
    if reasons.is_empty() {
        Stability::Held
    } else {
        Stability::NotHeld { reasons }
    }
}

fn reason(code: &str, message: String) -> Option<Reason> {
    let code = code.to_owned();
    Some(Reason { code, message })
}

/// Too few requests were finished. Those in flight at the end of the window are allowed for, because some
/// are in flight at any rate.
fn shortfall(tally: &Tally, intervals: &[&Interval]) -> Option<Reason> {
    let on_the_wire = intervals.last().map_or(0, |last| last.in_flight);
    let room = (SHORTFALL * tally.scheduled as f64).max(A_FEW) + on_the_wire as f64;
    let missing = tally.scheduled as f64 - tally.finished_in_window as f64;
    if missing <= room {
        return None;
    }
    reason(
        "shortfall",
        format!(
            "{:.1} % of what was offered was finished in the window",
            tally.finished_in_window as f64 / tally.scheduled as f64 * 100.0
        ),
    )
}

/// The backlog grew, from the first quarter of the window to the last, scaled to the whole window. Means of
/// quarters are compared, because short queues come and go at any rate.
fn growth(tally: &Tally, intervals: &[&Interval]) -> Option<Reason> {
    let quarter = intervals.len() / 4;
    if quarter == 0 {
        return None;
    }
    let mean = |part: &[&Interval]| {
        let backlog = part.iter().filter_map(|interval| interval.backlog);
        backlog.sum::<u64>() as f64 / part.len() as f64
    };
    let first = mean(&intervals[..quarter]);
    let last = mean(&intervals[intervals.len() - quarter..]);
    let apart = (intervals.len() - quarter) as f64 / intervals.len() as f64;
    let grown = (last - first) / apart;
    if grown <= (SHORTFALL * tally.scheduled as f64).max(A_FEW) {
        return None;
    }
    reason(
        "backlog",
        format!("the backlog grew by {grown:.0} requests over the window"),
    )
}

fn drops(tally: &Tally) -> Option<Reason> {
    let share = tally.failed as f64 / tally.scheduled as f64;
    if share <= DROPPED {
        return None;
    }
    reason(
        DROPPED_CODE,
        format!("{} of {} requests failed", tally.failed, tally.scheduled),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Tally, sample};
    use crate::units::Nanos;
    use crate::verdict::verdict;

    /// A run of 100/s over 40 s whose backlog at the end of each second is given.
    fn run(backlog: impl Fn(u64) -> u64, finished: u64, failed: u64) -> RunResult {
        let mut result = sample::ordinary().result;
        let interval = |second: u64| Interval {
            start: Nanos::from_secs(second),
            duration: Nanos::SECOND,
            phase: Phase::Window,
            scheduled: Some(100),
            completed: 100,
            failed: 0,
            bytes_read: 0,
            backlog: Some(backlog(second)),
            in_flight: 10,
            latency: None,
            service: None,
            late: None,
        };
        let target = &mut result.targets[0];
        target.intervals = (0..40).map(interval).collect();
        target.tally = Tally {
            scheduled: 4_000,
            completed: 4_000 - failed,
            failed,
            finished_in_window: finished,
            ..Tally::default()
        };
        target.scheduled_by_ledger = None;
        result
    }

    fn codes(result: &RunResult) -> Vec<String> {
        match stability(result, &verdict(result)) {
            Stability::NotHeld { reasons } => reasons.into_iter().map(|one| one.code).collect(),
            Stability::Held => Vec::new(),
            Stability::Unknown { reason } => panic!("{reason}"),
        }
    }

    #[test]
    fn a_system_that_keeps_up_holds_its_rate() {
        assert_eq!(codes(&run(|_| 0, 4_000, 0)), [""; 0]);
        // A queue that comes and goes is no growth, and what is on the wire is not missing.
        assert_eq!(codes(&run(|second| (second % 7) * 20, 3_955, 4)), [""; 0]);
    }

    #[test]
    fn what_is_not_finished_what_piles_up_and_what_is_dropped_each_speak_against_it() {
        assert_eq!(codes(&run(|_| 0, 3_900, 0)), ["shortfall"]);
        assert_eq!(codes(&run(|second| second * 2, 4_000, 0)), ["backlog"]);
        assert_eq!(codes(&run(|_| 0, 4_000, 5)), ["dropped"]);
        let all = run(|second| second * 5, 3_800, 40);
        assert_eq!(codes(&all), ["shortfall", "backlog", "dropped"]);
    }

    #[test]
    fn an_old_backlog_that_stays_the_same_is_no_growth() {
        assert_eq!(codes(&run(|_| 5_000, 4_000, 0)), [""; 0]);
    }

    #[test]
    fn nobody_can_tell_where_the_generator_failed_or_the_loop_was_closed() {
        for sample in [sample::closed_loop(), sample::empty()] {
            let judged = verdict(&sample.result);
            assert_eq!(stability(&sample.result, &judged).is_held(), None);
        }
        let result = run(|_| 0, 4_000, 0);
        let invalid = Verdict {
            level: Level::Invalid,
            reasons: Vec::new(),
        };
        assert_eq!(stability(&result, &invalid).is_held(), None);
    }
}

//! The verdict on the generator as a measuring instrument: whether it offered the load that was asked for
//! and accounted for every request. The server is not judged: neither its saturation nor its status codes
//! are a reason against a run.

use crate::measure::{Distribution, RunResult, Tally, are_few, distance_beyond};
use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// The degree to which the numbers of a run can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// Without a reason against the numbers.
    Valid,
    /// Usable, with the reasons in mind.
    Suspect,
    /// Not usable: the generator failed, so the numbers describe it and not the server.
    Invalid,
}

impl Level {
    /// The spelling in files and on the terminal.
    pub fn name(self) -> &'static str {
        match self {
            Level::Valid => "VALID",
            Level::Suspect => "SUSPECT",
            Level::Invalid => "INVALID",
        }
    }
}

/// A reason against the numbers of a run, or against its stability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Reason {
    /// The stable name of the reason, for programs.
    pub code: String,
    /// The reason with its figures and, where there is one, the cure, for people.
    pub message: String,
}

/// The verdict on a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verdict {
    /// The level of the worst reason.
    pub level: Level,
    /// All reasons, the worst first.
    pub reasons: Vec<Reason>,
}

/// The generator has failed where its lateness is above this limit and above a tenth of the latency.
const LATE_LIMIT: Nanos = Nanos::from_millis(1);
/// The smallest share of the schedule that must be sent while connections are idle.
const SENT_SHARE: f64 = 0.99;
/// A thread that works for a larger share of its time may be the bottleneck.
const BUSY_SHARE: f64 = 0.8;
/// The largest share of unfinished and failed requests without a warning.
const LOSS_SHARE: f64 = 0.01;
/// The largest Kolmogorov-Smirnov distance between the due gaps and the sent gaps without a warning.
const GAP_DISTANCE: f64 = 0.05;
/// Two gaps count as equal where they differ by less than this, or than a tenth of the mean gap.
const GAP_TOLERANCE: Nanos = Nanos::from_micros(50);

/// Judges the generator in a run.
pub fn verdict(result: &RunResult) -> Verdict {
    let tally = result.overall();
    let mut reasons = Vec::new();
    if result.is_open_loop() {
        reasons.extend(late(tally));
        reasons.extend(sendable_not_sent(tally));
        reasons.extend(
            result
                .targets
                .iter()
                .filter_map(|target| ledger(target.scheduled_by_ledger?, &target.tally)),
        );
        reasons.extend(departing_gaps(tally));
        reasons.extend(few_samples(tally));
    }
    reasons.extend(nothing_measured(tally));
    reasons.extend(unbalanced(tally));
    reasons.extend(losses(tally));
    reasons.extend(busy_threads(result));
    reasons.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
    Verdict {
        level: reasons
            .iter()
            .map(|(level, _)| *level)
            .max()
            .unwrap_or(Level::Valid),
        reasons: reasons.into_iter().map(|(_, reason)| reason).collect(),
    }
}

type Finding = Option<(Level, Reason)>;

fn finding(level: Level, code: &str, message: String) -> Finding {
    let code = code.to_owned();
    Some((level, Reason { code, message }))
}

fn late(tally: &Tally) -> Finding {
    let late = Distribution::of(&tally.late)?.p99;
    let limit = late_limit(tally);
    if late <= limit {
        return None;
    }
    let message = format!(
        "the generator sent late: 99th percentile {:.2} ms, limit {:.2} ms; use more threads (-t), \
         fewer other programs on this machine, or --pacing spin",
        late as f64 / 1e6,
        limit as f64 / 1e6
    );
    finding(Level::Invalid, "generator_late", message)
}

/// The lateness in nanoseconds that a run may have: a millisecond, or a tenth of the latency where that is
/// more.
fn late_limit(tally: &Tally) -> u64 {
    let latency = Distribution::of(&tally.latency_with_censored()).map_or(0, |latency| latency.p99);
    LATE_LIMIT.0.max(latency / 10)
}

fn sendable_not_sent(tally: &Tally) -> Finding {
    let share = tally.sendable_not_sent as f64 / tally.scheduled.max(1) as f64;
    if share <= 1.0 - SENT_SHARE {
        return None;
    }
    let message = format!(
        "{} of {} requests were not sent although connections stood idle",
        tally.sendable_not_sent, tally.scheduled
    );
    finding(Level::Invalid, "not_sent", message)
}

fn ledger(by_schedule: u64, tally: &Tally) -> Finding {
    if by_schedule == tally.scheduled {
        return None;
    }
    let message = format!(
        "the schedule holds {by_schedule} requests for the window and the workers accounted for {}",
        tally.scheduled
    );
    finding(Level::Invalid, "accounting", message)
}

fn nothing_measured(tally: &Tally) -> Finding {
    if tally.scheduled > 0 {
        return None;
    }
    let message = "no request was due in the measured window".to_owned();
    finding(Level::Suspect, "nothing_measured", message)
}

fn unbalanced(tally: &Tally) -> Finding {
    let ended = tally.completed + tally.failed + tally.unfinished;
    if ended == tally.scheduled {
        return None;
    }
    let message = format!(
        "{} requests were scheduled and {ended} accounted for",
        tally.scheduled
    );
    finding(Level::Invalid, "accounting", message)
}

fn losses(tally: &Tally) -> Finding {
    let lost = tally.failed + tally.unfinished;
    let share = lost as f64 / tally.scheduled.max(1) as f64;
    if share <= LOSS_SHARE {
        return None;
    }
    let message = format!(
        "{:.1} % of the requests did not complete ({} failed, {} unfinished)",
        share * 100.0,
        tally.failed,
        tally.unfinished
    );
    finding(Level::Suspect, "incomplete", message)
}

fn departing_gaps(tally: &Tally) -> Finding {
    let mean_gap = tally.due_gaps.mean();
    let tolerance = GAP_TOLERANCE.max(Nanos((mean_gap / 10.0) as u64));
    let distance = distance_beyond(tolerance, &tally.due_gaps, &tally.sent_gaps);
    if distance <= GAP_DISTANCE {
        return None;
    }
    let message = format!(
        "the gaps between requests depart from the arrival process that was asked for: \
         Kolmogorov-Smirnov distance {distance:.2}, limit {GAP_DISTANCE}"
    );
    finding(Level::Suspect, "arrivals", message)
}

/// Counts the samples for percentiles up to p99 only. The finer ones are marked one by one where they are
/// shown; hardly any run has enough samples for them.
fn few_samples(tally: &Tally) -> Finding {
    let percentiles = tally.latency_percentiles();
    let first = percentiles
        .iter()
        .filter(|percentile| !percentile.name.contains('.'))
        .find(|percentile| are_few(percentile.beyond))?;
    let message = format!(
        "only {} samples lie beyond {}; measure longer for it and what is above",
        first.beyond, first.name
    );
    finding(Level::Suspect, "few_samples", message)
}

fn busy_threads(result: &RunResult) -> Finding {
    let seconds = result.window.stop.as_secs_f64();
    let busiest = result
        .generator
        .threads
        .iter()
        .map(|thread| (thread.cpu_seconds - thread.spin_seconds) / seconds.max(1e-9))
        .fold(0.0, f64::max);
    // In a closed loop the generator is meant to be busy.
    if busiest <= BUSY_SHARE || !result.is_open_loop() {
        return None;
    }
    let worked = format!(
        "a generator thread worked for {:.0} % of the time",
        busiest * 100.0
    );
    // A busy thread leaves replies unread, and their connections look taken. Requests that waited for these
    // connections may have waited for the generator, not for the server.
    let tally = result.overall();
    let blocked = Distribution::of(&tally.blocked).map_or(0, |blocked| blocked.p99);
    if blocked > late_limit(tally) {
        let message = format!(
            "{worked} while requests waited for connections, so the generator may be the limit; use more threads (-t), or a script that does less for each request"
        );
        return finding(Level::Invalid, "generator_busy", message);
    }
    let message = format!("{worked}; use more threads (-t)");
    finding(Level::Suspect, "generator_busy", message)
}

#[cfg(test)]
mod tests;

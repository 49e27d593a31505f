//! Limits of a regression: how much worse than its baseline a build may be, and whether it is.
//!
//! ```text
//! METRIC=LIMIT[,METRIC=LIMIT...]      p99=10%,cpu=5%
//! ```
//!
//! The unit of replication is the run. A build fails when the whole interval of the ratio new / baseline
//! lies above its limit. Where the limit lies inside the interval, the runs cannot decide; that is called
//! "not resolved", because it is not the same as "no worse".

use super::BadThreshold;
use crate::compare::{Metric, Statistic, Step, StepFigures, Steps, TimeKind};
use crate::measure::Distribution;
use crate::resources::Part;
use crate::statistics::{
    BLOCKS_FOR_AN_INTERVAL, Estimate, Spread, difference_of_samples, ratio_of_samples,
    ratio_over_blocks,
};
use serde::Serialize;

/// How much larger than in the baseline a metric may be.
#[derive(Debug, Clone, PartialEq)]
pub struct MaxRegression {
    watched: Metric,
    /// The name as it was typed.
    pub metric: String,
    /// The allowed growth as a share: 0.1 is 10 %.
    pub limit: f64,
}

impl MaxRegression {
    /// Reads a list such as `p99=10%,cpu=5%`.
    ///
    /// # Errors
    /// [`BadThreshold`] with the column, and what is expected there.
    pub fn parse_list(typed: &str) -> Result<Vec<MaxRegression>, BadThreshold> {
        let mut at = 0;
        let mut limits = Vec::new();
        for part in typed.split(',') {
            limits.push(one(part).map_err(|(column, reason)| BadThreshold {
                typed: typed.to_owned(),
                column: typed[..at + column].chars().count() + 1,
                reason,
            })?);
            at += part.len() + 1;
        }
        Ok(limits)
    }

    /// Whether only a collector can measure the metric.
    pub fn needs_collector(&self) -> bool {
        self.watched.needs_collector()
    }

    /// Whether a step has a value above 0, so that a ratio can be made.
    pub fn is_known(&self, step: &StepFigures) -> bool {
        self.watched.of(step).is_some_and(|value| value > 0.0)
    }
}

/// The names of the metrics that a limit may be about, as they are typed.
fn watched_names() -> String {
    let percentiles = 0..Distribution::PERCENTILES.len();
    let percentiles =
        percentiles.map(|at| Metric::Time(TimeKind::Latency, Statistic::Percentile(at)));
    let others = Metric::COMPARED.into_iter();
    let others = others.filter(|metric| is_watched(*metric) && !matches!(metric, Metric::Time(..)));
    let all = percentiles.chain([Metric::MEAN]).chain(others);
    let names: Vec<String> = all.map(Metric::typed_name).collect();
    names.join(" ")
}

/// Whether a limit may be about a metric: steps must have values of it, and larger ones must be worse.
/// Errors are not among them, because they are always compared, by a rule of their own.
fn is_watched(metric: Metric) -> bool {
    match metric {
        Metric::Time(kind, statistic) => kind == TimeKind::Latency && statistic != Statistic::Max,
        Metric::Cpu(_)
        | Metric::CpuPerRequest
        | Metric::Memory(Part::Total)
        | Metric::NetworkRx
        | Metric::NetworkTx => true,
        _ => false,
    }
}

/// Reads one limit. An error has its place in bytes from the beginning of the limit.
fn one(part: &str) -> Result<MaxRegression, (usize, String)> {
    let start = part.len() - part.trim_start().len();
    let Some((name, limit)) = part.split_once('=') else {
        let example = "here should be a metric and its limit, such as p99=10%";
        return Err((start, example.to_owned()));
    };
    let metric = Metric::parse(name.trim()).ok();
    let Some(watched) = metric.filter(|metric| is_watched(*metric)) else {
        let reason = format!("here should be one of {}", watched_names());
        return Err((start, reason));
    };
    let number = limit.trim().strip_suffix('%').and_then(|number| {
        let number: Option<f64> = number.trim().parse().ok();
        number.filter(|number| number.is_finite() && *number > 0.0)
    });
    let Some(percent) = number else {
        let at = name.len() + 1 + limit.len() - limit.trim_start().len();
        let reason = "here should be a limit above 0, such as 10%";
        return Err((at, reason.to_owned()));
    };
    Ok(MaxRegression {
        watched,
        metric: name.trim().to_owned(),
        limit: percent / 100.0,
    })
}

/// The relation in time between the runs of both sides. It decides which statistics apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// Both sides took turns: each repetition is a block of one run of each.
    Blocks,
    /// The baseline was measured at another time.
    Apart,
}

impl Pairing {
    /// The smallest number of new runs that could resolve anything, beside a baseline of `base` runs.
    pub fn runs_needed(self, base: usize) -> usize {
        match self {
            Pairing::Blocks => BLOCKS_FOR_AN_INTERVAL,
            Pairing::Apart => (BLOCKS_FOR_AN_INTERVAL + 1).saturating_sub(base).max(1),
        }
    }

    /// Whether the runs of a baseline and of a new build are enough to tell a regression from chance.
    pub fn are_enough(self, base: &Steps<'_>, new: &Steps<'_>) -> bool {
        let runs = match self {
            Pairing::Blocks => {
                let has_partner = |step: &&&Step| base.in_block_of(step).is_some();
                new.iter().filter(has_partner).count()
            }
            Pairing::Apart => new.len(),
        };
        !base.is_empty() && runs >= self.runs_needed(base.len())
    }
}

/// The answer to whether a limit was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The whole interval lies above the limit.
    Regression,
    /// The whole interval lies at or below the limit.
    NoRegression,
    /// The runs cannot decide.
    NotResolved,
}

/// The outcome of one limit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RegressionOutcome {
    /// The metric as it was typed; `rate` for the question whether the rate is still held, `errors` for the
    /// question whether more requests fail.
    pub metric: String,
    /// The allowed growth as a share; absent for `rate` and `errors`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// New over baseline; absent where one of the two has no figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Estimate>,
    pub resolution: Resolution,
    /// The reason for the resolution, for people; empty where the ratio alone decides.
    pub why: String,
}

impl RegressionOutcome {
    /// One line for people: the change against the baseline, the allowed change, and the reason.
    pub fn in_words(&self) -> String {
        let percent = |ratio: f64| format!("{:+.1} %", (ratio - 1.0) * 100.0);
        let change = self.ratio.map(|ratio| match ratio.spread {
            Spread::Interval => format!(
                "{} ({} to {})",
                percent(ratio.value),
                percent(ratio.low),
                percent(ratio.high)
            ),
            Spread::Range | Spread::Unknown => percent(ratio.value),
        });
        let allowed = self
            .limit
            .map(|limit| format!("allowed {} %", (limit * 1e6).round() / 1e4));
        let why = (!self.why.is_empty()).then(|| self.why.clone());
        let parts: Vec<String> = [change, allowed, why].into_iter().flatten().collect();
        parts.join(", ")
    }
}

/// Compares runs with those of a baseline, all at one rate. The first two outcomes are `rate` and `errors`,
/// over all runs that are not INVALID; then each limit follows, over the runs that held the rate.
pub fn regressions(
    limits: &[MaxRegression],
    base: &Steps<'_>,
    new: &Steps<'_>,
    pairing: Pairing,
) -> Vec<RegressionOutcome> {
    let (base, new) = (base.valid(), new.valid());
    let (base_held, new_held) = (base.held(), new.held());
    let rate = rate_outcome(&base, &new, pairing);
    let errors = errors_outcome(&base, &new);
    let outcomes = limits
        .iter()
        .map(|limit| limit_outcome(limit, &base_held, &new_held, pairing));
    [rate, errors].into_iter().chain(outcomes).collect()
}

/// A build that no longer holds the rate is a regression, although it has no latencies to compare.
fn rate_outcome(base: &Steps<'_>, new: &Steps<'_>, pairing: Pairing) -> RegressionOutcome {
    let (base_held, new_held) = (base.held().len(), new.held().len());
    let are_enough = new.len() >= pairing.runs_needed(base.len());
    let resolution = match (base.are_mostly_held(), new.are_mostly_held()) {
        _ if !are_enough => Resolution::NotResolved,
        (_, true) => Resolution::NoRegression,
        // A single run that lost the rate may have been disturbed from outside.
        (true, false) if new.len() - new_held > 1 => Resolution::Regression,
        (_, false) => Resolution::NotResolved,
    };
    RegressionOutcome {
        metric: "rate".to_owned(),
        limit: None,
        ratio: None,
        resolution,
        why: format!(
            "held in {new_held} of {} runs, in the baseline in {base_held} of {}",
            new.len(),
            base.len()
        ),
    }
}

/// The allowed growth of the error rate, as a share of all requests. Errors are quick replies, so a build
/// with many of them would otherwise pass for a faster one.
const MORE_ERRORS: f64 = 0.01;

/// Whether more requests fail, or are answered with statuses above 399.
fn errors_outcome(base: &Steps<'_>, new: &Steps<'_>) -> RegressionOutcome {
    let rates = |steps: &Steps<'_>| steps.values(|step| step.error_rate);
    let found = difference_of_samples(&rates(base), &rates(new));
    let percent = |share: f64| format!("{:+.2}", share * 100.0);
    let (resolution, why) = match found {
        Some(found) if found.spread == Spread::Interval => {
            let resolution = match () {
                () if found.low > MORE_ERRORS => Resolution::Regression,
                () if found.high > MORE_ERRORS => Resolution::NotResolved,
                () => Resolution::NoRegression,
            };
            let why = format!(
                "{} percentage points ({} to {}), allowed {}",
                percent(found.value),
                percent(found.low),
                percent(found.high),
                percent(MORE_ERRORS)
            );
            (resolution, why)
        }
        _ => (
            Resolution::NotResolved,
            "too few runs for an interval".to_owned(),
        ),
    };
    RegressionOutcome {
        metric: "errors".to_owned(),
        limit: None,
        ratio: None,
        resolution,
        why,
    }
}

fn limit_outcome(
    limit: &MaxRegression,
    base: &Steps<'_>,
    new: &Steps<'_>,
    pairing: Pairing,
) -> RegressionOutcome {
    let ratio = ratio(limit.watched, base, new, pairing);
    let (resolution, why) = match &ratio {
        None => (
            Resolution::NotResolved,
            "the runs that held the rate have no figure above 0 for it in both".to_owned(),
        ),
        Some(ratio) => resolved(limit, ratio, base, new),
    };
    RegressionOutcome {
        metric: limit.metric.clone(),
        limit: Some(limit.limit),
        ratio,
        resolution,
        why,
    }
}

fn resolved(
    limit: &MaxRegression,
    ratio: &Estimate,
    base: &Steps<'_>,
    new: &Steps<'_>,
) -> (Resolution, String) {
    let most = 1.0 + limit.limit;
    let is_bound = |steps: &Steps<'_>| {
        let mut steps = steps.iter();
        steps.any(|step| {
            let latency = limit.watched.latency_of(step);
            latency.is_some_and(|latency| latency.is_lower_bound)
        })
    };
    let not_resolved = |why: &str| (Resolution::NotResolved, why.to_owned());
    match () {
        () if ratio.spread != Spread::Interval => not_resolved("too few runs for an interval"),
        () if ratio.low > most && is_bound(base) => not_resolved(
            "unfinished requests could raise it in the baseline; make that again with a longer --guard",
        ),
        () if ratio.low > most => (Resolution::Regression, String::new()),
        () if ratio.high > most => not_resolved("the interval has the limit inside"),
        () if is_bound(new) => {
            not_resolved("unfinished requests could raise it; use a longer --guard")
        }
        () => (Resolution::NoRegression, String::new()),
    }
}

fn ratio(watched: Metric, base: &Steps<'_>, new: &Steps<'_>, pairing: Pairing) -> Option<Estimate> {
    match pairing {
        Pairing::Apart => {
            let values = |steps: &Steps<'_>| steps.values(|step| watched.of(step));
            ratio_of_samples(&values(base), &values(new))
        }
        Pairing::Blocks => {
            let pairs = base.pairs(new).into_iter();
            let pairs =
                pairs.filter_map(|(one, other)| Some((watched.of(one)?, watched.of(other)?)));
            ratio_over_blocks(&pairs.collect::<Vec<_>>())
        }
    }
}

/// Whether no more runs are needed: no interval is wide enough to contain both "unchanged" and its limit.
/// Only widths decide; a rule that looked at the answers would bias them.
pub fn are_narrow(outcomes: &[RegressionOutcome]) -> bool {
    outcomes.iter().all(|one| match (&one.ratio, one.limit) {
        (_, None) => true,
        (Some(ratio), Some(limit)) => {
            ratio.spread == Spread::Interval && ratio.high / ratio.low <= 1.0 + limit
        }
        (None, Some(_)) => false,
    })
}

#[cfg(test)]
mod tests;

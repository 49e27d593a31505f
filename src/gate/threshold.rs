//! Thresholds: conditions, written by people, under which a build fails.
//!
//! ```text
//! SUBJECT OPERATOR LIMIT      p99 > 50ms      route("GET /hotels").error_rate >= 1%
//! ```
//!
//! The build fails when the condition is true. It also fails when the condition cannot be evaluated, because
//! a missing figure does not show that the condition is false.

use super::subject::{Found, Subject};
use crate::compare::{Metric, MetricUnit, Misread};
use crate::measure::RunResult;
use crate::units::parse_duration;
use serde::{Deserialize, Serialize};

/// A threshold that cannot be parsed: the place, the reason, and what is expected there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column} of `{typed}`: {reason}")]
pub struct BadThreshold {
    pub typed: String,
    /// The place of the error in characters, from 1.
    pub column: usize,
    /// What is wrong, and what is expected.
    pub reason: String,
}

/// The comparison of a value with its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Above,
    AtLeast,
    Below,
    AtMost,
}

impl Operator {
    /// The longer operators come first, because `>=` begins with `>`.
    const ALL: [(&'static str, Operator); 4] = [
        (">=", Operator::AtLeast),
        ("<=", Operator::AtMost),
        (">", Operator::Above),
        ("<", Operator::Below),
    ];

    fn is_true(self, value: f64, limit: f64) -> bool {
        match self {
            Operator::Above => value > limit,
            Operator::AtLeast => value >= limit,
            Operator::Below => value < limit,
            Operator::AtMost => value <= limit,
        }
    }

    /// Whether larger values make the condition true.
    fn fails_above(self) -> bool {
        matches!(self, Operator::Above | Operator::AtLeast)
    }
}

/// A condition under which a build fails.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Threshold {
    subject: Subject,
    operator: Operator,
    limit: f64,
    /// Whether the limit of a count is a share of all.
    is_share: bool,
    typed: String,
}

impl std::str::FromStr for Threshold {
    type Err = BadThreshold;

    fn from_str(typed: &str) -> Result<Threshold, BadThreshold> {
        let bad = |at: usize, reason: String| BadThreshold {
            typed: typed.to_owned(),
            column: typed[..at].chars().count() + 1,
            reason,
        };
        let start = typed.len() - typed.trim_start().len();
        let (subject, length) = Subject::parse(&typed[start..])
            .map_err(|Misread { at, reason }| bad(start + at, reason))?;
        let rest = &typed[start + length..];
        let at = typed.len() - rest.trim_start().len();
        let found = Operator::ALL
            .iter()
            .find(|(sign, _)| typed[at..].starts_with(sign));
        let Some((sign, operator)) = found else {
            return Err(bad(at, "here should be one of > >= < <=".to_owned()));
        };
        let after = &typed[at + sign.len()..];
        let at = typed.len() - after.trim_start().len();
        let (limit, is_share) = limit(subject.metric.unit(), typed[at..].trim_end())
            .map_err(|reason| bad(at, reason))?;
        Ok(Threshold {
            subject,
            operator: *operator,
            limit,
            is_share,
            typed: typed.trim().to_owned(),
        })
    }
}

/// What a limit in a unit looks like.
fn example(unit: MetricUnit) -> &'static str {
    match unit {
        MetricUnit::Nanoseconds => "time: 50ms, 1.5s",
        MetricUnit::Share => "share: 1%, 0.01",
        MetricUnit::Count => "number or share: 10, 1%",
        MetricUnit::Millicores => "amount of CPU: 250m, 1.5",
        MetricUnit::Bytes => "amount of memory: 64Mi, 1.5GB",
        MetricUnit::CpuMilliseconds | MetricUnit::BytesPerSecond => "number: 1.5",
    }
}

/// Reads a limit: its value in the metric's unit, and whether it is a share of all.
fn limit(unit: MetricUnit, typed: &str) -> Result<(f64, bool), String> {
    let number = |text: &str| {
        let number: Option<f64> = text.trim().parse().ok();
        number.filter(|number| number.is_finite() && *number >= 0.0)
    };
    let share = typed
        .strip_suffix('%')
        .and_then(number)
        .map(|percent| percent / 100.0);
    let found = match unit {
        MetricUnit::Nanoseconds => {
            return parse_duration(typed)
                .map(|time| (time.0 as f64, false))
                .map_err(|bad| bad.to_string());
        }
        MetricUnit::Share => share.or_else(|| number(typed)).map(|share| (share, true)),
        MetricUnit::Count => share
            .map(|share| (share, true))
            .or_else(|| Some((number(typed)?, false))),
        MetricUnit::Millicores => match typed.strip_suffix('m') {
            Some(thousandths) => number(thousandths),
            None => number(typed).map(|cores| cores * 1e3),
        }
        .map(|thousandths| (thousandths, false)),
        MetricUnit::Bytes => bytes(typed, number).map(|bytes| (bytes, false)),
        MetricUnit::CpuMilliseconds | MetricUnit::BytesPerSecond => {
            number(typed).map(|number| (number, false))
        }
    };
    found.ok_or_else(|| format!("`{typed}` is no {}", example(unit)))
}

fn bytes(typed: &str, number: impl Fn(&str) -> Option<f64>) -> Option<f64> {
    const UNITS: [(&str, f64); 9] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("KB", 1024.0),
        ("MB", 1_048_576.0),
        ("GB", 1_073_741_824.0),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
    ];
    let unit = UNITS
        .iter()
        .find_map(|(unit, scale)| Some((typed.strip_suffix(unit)?, scale)));
    match unit {
        Some((amount, scale)) => Some(number(amount)? * scale),
        None => number(typed),
    }
}

impl TryFrom<String> for Threshold {
    type Error = BadThreshold;

    fn try_from(typed: String) -> Result<Threshold, BadThreshold> {
        typed.parse()
    }
}

impl From<Threshold> for String {
    fn from(threshold: Threshold) -> String {
        threshold.typed
    }
}

impl std::fmt::Display for Threshold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.typed)
    }
}

/// The outcome of one threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The threshold as it was typed.
    pub threshold: String,
    /// The measured value, in nanoseconds, thousandths of a core, bytes, as a count or as a share; absent
    /// where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The value with its unit, for people; `-` where it is not known.
    pub shown: String,
    /// Whether the threshold fails the build.
    pub fails: bool,
    /// The reason for which the threshold cannot be evaluated, where it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
}

impl Outcome {
    /// The measured value for people, with the reason where the threshold cannot be evaluated.
    pub fn in_words(&self) -> String {
        let shown = &self.shown;
        match &self.unknown {
            Some(why) => format!("{shown} (cannot be told: {why})"),
            None => shown.clone(),
        }
    }
}

impl Threshold {
    /// Makes a threshold of an objective such as `p99<100ms`. The threshold fails where the objective does not
    /// hold.
    ///
    /// # Errors
    /// The reason for people, without the objective itself.
    pub(super) fn of_objective(typed: &str) -> Result<Threshold, String> {
        let (name, limit) = typed.split_once('<').ok_or("it has no `<`")?;
        let limit = limit.strip_prefix('=').unwrap_or(limit);
        let above = format!("{} > {}", name.trim(), limit.trim());
        let threshold: Threshold = above.parse().map_err(|bad: BadThreshold| bad.reason)?;
        if threshold.subject.metric == Metric::ErrorRate && threshold.limit > 1.0 {
            return Err(format!("`{}` is more than all requests", limit.trim()));
        }
        Ok(threshold)
    }

    /// For a threshold that was made of an objective: the reason for which a run does not meet it, `None`
    /// where it does.
    pub(super) fn missed(&self, result: &RunResult) -> Option<String> {
        let name = self.typed.split(" > ").next().unwrap_or_default();
        let subject = self.subject.in_loop_of(result);
        match subject.value(result, self.is_share) {
            Found::Exact(value) | Found::AtLeast(value) if value <= self.limit => None,
            Found::Exact(value) | Found::AtLeast(value) => Some(format!(
                "{name} is {}, the objective {}",
                self.show(value),
                self.show(self.limit)
            )),
            Found::Unknown(why) => Some(format!("{name} is not known: {why}")),
        }
    }

    /// Whether only a collector can measure the metric.
    pub fn needs_collector(&self) -> bool {
        self.subject.metric.needs_collector()
    }

    /// Evaluates the threshold on a run.
    pub fn judge(&self, result: &RunResult) -> Outcome {
        let outcome = |value: Option<f64>, fails, unknown| Outcome {
            threshold: self.typed.clone(),
            value,
            shown: value.map_or("-".to_owned(), |value| self.show(value)),
            fails,
            unknown,
        };
        match self.subject.value(result, self.is_share) {
            Found::Exact(value) => {
                outcome(Some(value), self.operator.is_true(value, self.limit), None)
            }
            // A lower bound above the limit decides; any other lower bound leaves the answer open. Both fail.
            Found::AtLeast(value) => {
                let is_known =
                    self.operator.fails_above() && self.operator.is_true(value, self.limit);
                let why = "unfinished requests could raise it".to_owned();
                outcome(Some(value), true, (!is_known).then_some(why))
            }
            Found::Unknown(why) => outcome(None, true, Some(why)),
        }
    }

    /// One outcome for several runs. A share or a count is judged by its mean over the runs, so that events
    /// that are rare in each run add up. Any other threshold fails when it fails in more than half of the
    /// runs. Without a run the threshold cannot be evaluated, and fails.
    pub fn over(&self, runs: &[Outcome]) -> Outcome {
        if let [only] = runs {
            return only.clone();
        }
        let failing = runs.iter().filter(|one| one.fails).count();
        let values: Option<Vec<f64>> = runs.iter().map(|one| one.value).collect();
        let values = values.filter(|values| !values.is_empty());
        let is_counted = matches!(
            self.subject.metric.unit(),
            MetricUnit::Share | MetricUnit::Count
        );
        let mean = values
            .as_ref()
            .map(|values| values.iter().sum::<f64>() / values.len() as f64);
        let fails = match mean {
            Some(mean) if is_counted => self.operator.is_true(mean, self.limit),
            _ => failing * 2 > runs.len() || runs.is_empty(),
        };
        let unknown = runs.iter().find_map(|one| one.unknown.clone());
        let unknown = match runs.is_empty() {
            true => Some("there is no run that can be believed".to_owned()),
            false => unknown.filter(|_| fails && values.is_none()),
        };
        let mean = mean.filter(|_| is_counted);
        let shown = values.map_or("-".to_owned(), |values| self.show_all(&values, mean));
        Outcome {
            threshold: self.typed.clone(),
            value: mean,
            shown: format!("{shown}, fails in {failing} of {} runs", runs.len()),
            fails,
            unknown,
        }
    }

    /// The mean, where there is one, and the range of the values of several runs.
    fn show_all(&self, values: &[f64], mean: Option<f64>) -> String {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mean = mean.map_or(String::new(), |mean| {
            format!("{} on average, ", self.show(mean))
        });
        format!("{mean}{} to {}", self.show(least), self.show(most))
    }

    fn show(&self, value: f64) -> String {
        // A threshold on a count may be typed as a share, and its value is then one.
        let unit = match self.subject.metric.unit() {
            MetricUnit::Count if self.is_share => MetricUnit::Share,
            unit => unit,
        };
        unit.show(value)
    }
}

#[cfg(test)]
mod tests;

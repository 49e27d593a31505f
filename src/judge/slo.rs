//! Service level objectives: what a run has to be better than, as people write it.

use crate::measure::{Distribution, RunResult};
use crate::units::parse_duration;
use serde::{Deserialize, Serialize};

/// An objective that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{typed}` is not an objective: {reason}; write p99<100ms, mean<5ms or errors<1%, several with commas between"
)]
pub struct BadSlo {
    /// What was typed.
    pub typed: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    /// A percentile of the latency, by its place in [`Distribution::PERCENTILES`].
    Percentile(usize),
    /// The mean latency.
    Mean,
    /// The largest latency.
    Max,
    /// Failed requests and replies with a status above 399, as a share of all.
    Errors,
}

/// All of these must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slo {
    bounds: Vec<(Measure, f64)>,
    typed: String,
}

impl std::str::FromStr for Slo {
    type Err = BadSlo;

    fn from_str(typed: &str) -> Result<Slo, BadSlo> {
        let bounds = typed.split(',').map(|one| bound(one.trim()));
        Ok(Slo {
            bounds: bounds.collect::<Result<_, _>>()?,
            typed: typed.to_owned(),
        })
    }
}

impl TryFrom<String> for Slo {
    type Error = BadSlo;

    fn try_from(typed: String) -> Result<Slo, BadSlo> {
        typed.parse()
    }
}

impl From<Slo> for String {
    fn from(slo: Slo) -> String {
        slo.typed
    }
}

impl std::fmt::Display for Slo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.typed)
    }
}

fn bound(typed: &str) -> Result<(Measure, f64), BadSlo> {
    let bad = |reason: String| BadSlo {
        typed: typed.to_owned(),
        reason,
    };
    let (name, limit) = typed
        .split_once('<')
        .ok_or_else(|| bad("it has no `<`".to_owned()))?;
    let limit = limit.strip_prefix('=').unwrap_or(limit).trim();
    let measure =
        measure(name.trim()).ok_or_else(|| bad(format!("`{}` is not known", name.trim())))?;
    let limit = match measure {
        Measure::Errors => share(limit).ok_or_else(|| bad(format!("`{limit}` is no share")))?,
        _ => {
            let limit = parse_duration(limit).map_err(|error| bad(error.to_string()))?;
            limit.0 as f64
        }
    };
    Ok((measure, limit))
}

fn measure(name: &str) -> Option<Measure> {
    let percentile = Distribution::PERCENTILES
        .iter()
        .position(|(known, _)| *known == name);
    match name {
        "mean" => Some(Measure::Mean),
        "max" => Some(Measure::Max),
        "errors" => Some(Measure::Errors),
        _ => percentile.map(Measure::Percentile),
    }
}

fn share(typed: &str) -> Option<f64> {
    let (number, scale) = match typed.strip_suffix('%') {
        Some(number) => (number.trim(), 0.01),
        None => (typed, 1.0),
    };
    let share: f64 = number.parse().ok()?;
    (0.0..=1.0)
        .contains(&(share * scale))
        .then_some(share * scale)
}

impl Slo {
    /// What of it a run did not meet, in words; empty when it met everything. A percentile that is
    /// only known from below counts with what is known of it.
    pub fn missed(&self, result: &RunResult) -> Vec<String> {
        let missed = self.bounds.iter().filter_map(|bound| miss(bound, result));
        missed.collect()
    }
}

fn miss((measure, limit): &(Measure, f64), result: &RunResult) -> Option<String> {
    let tally = result.overall();
    let latency = Distribution::of(&tally.response_times(result.is_open_loop()));
    let time = |name: &str, value: Option<f64>| match value {
        Some(value) if value <= *limit => None,
        Some(value) => Some(format!(
            "{name} is {:.3} ms, the objective {:.3} ms",
            value / 1e6,
            limit / 1e6
        )),
        None => Some(format!("{name} is not known: nothing was completed")),
    };
    match measure {
        Measure::Percentile(at) => {
            let (name, _) = Distribution::PERCENTILES[*at];
            let percentiles = tally.latency_percentiles();
            let value = if result.is_open_loop() {
                percentiles.get(*at).map(|one| one.value as f64)
            } else {
                latency.map(|latency| latency.percentiles()[*at] as f64)
            };
            time(name, value)
        }
        Measure::Mean => time("mean", latency.map(|latency| latency.mean)),
        Measure::Max => time("max", latency.map(|latency| latency.max as f64)),
        Measure::Errors => {
            let errors = tally.failed + tally.status.bad();
            let share = errors as f64 / (tally.completed + tally.failed).max(1) as f64;
            (share > *limit).then(|| {
                format!(
                    "errors are {:.3} %, the objective {:.3} %",
                    share * 100.0,
                    limit * 100.0
                )
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::sample;
    use crate::units::Nanos;

    fn slo(typed: &str) -> Slo {
        typed.parse().expect("an objective")
    }

    #[test]
    fn objectives_are_met_or_say_by_how_much_they_are_missed() {
        let result = sample::ordinary().result;
        let tally = result.overall();
        let p99 = tally.latency_percentiles()[4].value;
        assert!(
            slo(&format!("p99<{}", Nanos(p99)))
                .missed(&result)
                .is_empty()
        );
        let missed = slo(&format!("p99<{},max<1h", Nanos(p99 - 1))).missed(&result);
        assert!(
            missed.len() == 1 && missed[0].starts_with("p99 is "),
            "{missed:?}"
        );
        assert!(slo("p50<=1h, errors<100%").missed(&result).is_empty());
        let troubled = sample::troubled().result;
        let missed = slo("errors<0.01%").missed(&troubled);
        assert!(
            missed.len() == 1 && missed[0].contains("errors"),
            "{missed:?}"
        );
        let empty = sample::empty().result;
        assert!(slo("mean<1h").missed(&empty)[0].contains("nothing was completed"));
    }

    #[test]
    fn what_cannot_be_understood_is_named_with_the_cure() {
        for typed in [
            "",
            "p99",
            "p98<1s",
            "p99<fast",
            "errors<2",
            "errors<-1%",
            "p99<1s,",
        ] {
            let error = typed.parse::<Slo>().expect_err(typed);
            assert!(error.to_string().contains("p99<100ms"), "{error}");
        }
    }

    #[test]
    fn it_is_written_as_it_was_read() {
        let typed = "p99<100ms,errors<1%";
        let json = serde_json::to_string(&slo(typed)).expect("JSON");
        assert_eq!(json, format!("\"{typed}\""));
        assert_eq!(
            serde_json::from_str::<Slo>(&json).expect("an objective"),
            slo(typed)
        );
    }
}

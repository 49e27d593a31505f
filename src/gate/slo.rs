//! Service level objectives, which a run has to meet. An objective is a negated threshold.

use super::Threshold;
use crate::measure::RunResult;
use serde::{Deserialize, Serialize};

/// An objective that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{typed}` is not an objective: {reason}; write p99<100ms, mean<5ms or errors<1%, several with commas between"
)]
pub struct BadSlo {
    pub typed: String,
    pub reason: String,
}

/// Objectives that a run must meet, all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slo {
    /// Each fails where its objective does not hold.
    bounds: Vec<Threshold>,
    typed: String,
}

impl std::str::FromStr for Slo {
    type Err = BadSlo;

    fn from_str(typed: &str) -> Result<Slo, BadSlo> {
        let bound = |one: &str| {
            Threshold::of_objective(one.trim()).map_err(|reason| BadSlo {
                typed: one.trim().to_owned(),
                reason,
            })
        };
        Ok(Slo {
            bounds: typed.split(',').map(bound).collect::<Result<_, _>>()?,
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

impl Slo {
    /// The objectives that a run did not meet, each with its value and limit for people; empty when all are
    /// met. A percentile that unfinished requests could raise counts with its lower bound. In a closed loop
    /// service times take the place of latencies. An objective that cannot be evaluated is not met.
    pub fn missed(&self, result: &RunResult) -> Vec<String> {
        let missed = self.bounds.iter().filter_map(|one| one.missed(result));
        missed.collect()
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
        assert!(slo("errors<1%").missed(&empty)[0].contains("no request ended"));
        assert!(slo("mean<1h").missed(&empty)[0].contains("no request was completed"));
    }

    #[test]
    fn whatever_fails_a_build_can_be_an_objective() {
        let result = sample::ordinary().result;
        assert!(
            slo("error_rate < 1%, service.p99<1h")
                .missed(&result)
                .is_empty()
        );
        let missed = slo("cpu.app<1").missed(&result);
        assert!(missed[0].contains("--collect"), "{missed:?}");
        let closed = sample::closed_loop().result;
        assert!(slo("p99<1h,mean<1h").missed(&closed).is_empty());
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

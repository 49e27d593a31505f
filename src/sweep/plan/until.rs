//! The rule of a plan whose repetitions end when enough is known.

use crate::gate::{MaxRegression, Trial};
use crate::spec::Load;
use serde::{Deserialize, Serialize};

/// The rule by which enough repetitions were made. The arm `new` is compared with the arm `baseline`, if the
/// plan has one. The seed of each repetition follows that of the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// The number of repetitions, not counting INVALID ones, from which on a difference can be resolved.
    pub needed: usize,
    /// The number of repetitions, not counting INVALID ones, after which the trial ends in any case.
    pub most: usize,
    /// The folder or URL with which the runs are compared; absent without a comparison.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub baseline: Option<String>,
    /// The largest regressions that pass, such as `p99=10%`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub max_regression: Vec<String>,
    /// Whether the user chose the seed: a script's own `math.randomseed` then does nothing.
    #[serde(default)]
    pub seed_pinned: bool,
    /// Whether the user chose the guard. Otherwise runs that collect from a cluster get a longer one. Folders
    /// of earlier versions call it `guard_is_given`.
    #[serde(default, alias = "guard_is_given")]
    pub guard_pinned: bool,
}

impl Until {
    /// The rule of a trial whose runs have this load, against the baseline of this name.
    pub fn of(trial: &Trial, baseline: Option<&str>, load: &Load) -> Until {
        let limit = |one: &MaxRegression| format!("{}={}%", one.metric, one.limit * 100.0);
        Until {
            needed: trial.needed,
            most: trial.most,
            baseline: baseline.map(str::to_owned),
            max_regression: trial.limits.iter().map(limit).collect(),
            seed_pinned: load.seed_pinned,
            guard_pinned: load.guard_pinned,
        }
    }
}

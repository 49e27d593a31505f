//! The rule of a plan whose repetitions end as soon as enough is known.

use crate::gate::{MaxRegression, Trial};
use serde::{Deserialize, Serialize};

/// When enough repetitions were made. The arm `new` is judged, and `baseline`, where there is such an
/// arm, is what it is held against; each repetition has a seed that follows that of the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// From this many believable repetitions on something can be resolved.
    pub needed: usize,
    /// This many believable repetitions are enough in any case.
    pub most: usize,
    /// The folder or URL that the runs are held against; absent where they are held against nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub baseline: Option<String>,
    /// By how much the runs may be worse, such as `p99=10%`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub max_regression: Vec<String>,
    /// Whether the user chose the seed: a script's own `math.randomseed` then does nothing.
    #[serde(default)]
    pub seed_pinned: bool,
    /// Whether the user chose the guard: if not, runs that collect from a cluster get a longer one.
    #[serde(default)]
    pub guard_is_given: bool,
}

impl Until {
    /// The rule of a trial against the baseline of this name, with a seed and a guard that were left to
    /// the program.
    pub fn of(trial: &Trial, baseline: Option<&str>) -> Until {
        let limit = |one: &MaxRegression| format!("{}={}%", one.metric, one.limit * 100.0);
        Until {
            needed: trial.needed,
            most: trial.most,
            baseline: baseline.map(str::to_owned),
            max_regression: trial.limits.iter().map(limit).collect(),
            seed_pinned: false,
            guard_is_given: false,
        }
    }
}

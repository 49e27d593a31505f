//! The plan of a sweep, as users write it in TOML.

mod arm;
mod bad;
mod differences;
mod order;
mod run_spec;
mod until;
mod validate;

pub use arm::{Arm, Patch};
pub use bad::BadPlan;
pub use order::{BlockUnit, Order};
pub use until::Until;

use crate::gate::{Slo, Threshold};
use crate::spec::{
    ClusterOptions, HttpOptions, LoadOptions, ReachOptions, RecordingOptions, TlsOptions,
};
use crate::units::text::{self, serde_as_text};
use crate::units::{Nanos, Rate};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A sweep: rates x arms x repetitions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SweepPlan {
    /// The first part of the result folder's name, which the time of the beginning follows.
    pub name: String,
    /// The rates that are measured, in requests per second.
    pub rates: Vec<Rate>,
    /// The number of steps for each rate in each arm.
    pub repetitions: u32,
    pub order: Order,
    /// The unit after which the arm changes: a rate, or a pass over all rates. `None` means a pass where
    /// changing the arm changes the system, and otherwise a rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<BlockUnit>,
    /// The seed of the order and of the schedules of all steps. Steps of one block get the same schedule.
    pub seed: u64,
    /// The length of the load before a step's measured window.
    #[serde(with = "text")]
    pub warmup: Nanos,
    /// The length of a step's measured window.
    #[serde(with = "text")]
    pub measure: Nanos,
    /// The length of the load after the measured window.
    #[serde(with = "text")]
    pub guard: Nanos,
    /// Whether target, script and cluster are checked when an arm is set up.
    pub verify: bool,
    /// Whether the memcached pods are emptied before each step.
    pub cache_flush: bool,
    /// The rest after each step.
    pub cooldown: Cooldown,
    /// The condition under which the higher rates of an arm are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_when: Option<StopWhen>,
    /// Whether meshload itself moves the namespace into the mesh and out of it between arms.
    pub switch: bool,
    /// The load before the first step of an arm that was just set up, which warms caches up.
    pub warm_up_first: WarmUpFirst,
    /// The search for the highest rate that meets an objective. Without it every rate is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub find_capacity: Option<CapacitySearch>,
    /// The rule by which repetitions are made until enough is known, as `meshload run --repeat` and
    /// `--baseline` do. Without it their number is `repetitions`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Until>,
    pub load: LoadOptions,
    pub http: HttpOptions,
    pub reach: ReachOptions,
    pub tls: TlsOptions,
    /// The files that each step's folder has beyond the usual ones.
    pub recording: RecordingOptions,
    /// The collector's options, and the way to the cluster.
    pub cluster: ClusterOptions,
    /// The variants of the system.
    #[serde(rename = "arm")]
    pub arms: Vec<Arm>,
    /// Thresholds on steps. One that is crossed fails the sweep.
    #[serde(rename = "threshold", skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<StepThreshold>,
}

/// A threshold on the steps of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepThreshold {
    pub fail_if: Threshold,
    /// The arm to whose steps the threshold applies; `None` for all arms.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub arm: Option<String>,
    /// The rate to whose steps the threshold applies; `None` for all rates.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rate: Option<Rate>,
}

impl StepThreshold {
    /// Whether the threshold applies to the steps of this arm at this rate.
    pub fn is_about(&self, arm: &str, rate: Rate) -> bool {
        self.is_about_arm(arm) && self.rate.is_none_or(|one| one == rate)
    }

    /// Whether the threshold applies to steps of this arm.
    pub fn is_about_arm(&self, arm: &str) -> bool {
        self.arm.as_ref().is_none_or(|name| name == arm)
    }
}

impl Default for SweepPlan {
    fn default() -> SweepPlan {
        let rates = [200, 400, 600, 700, 800, 1000];
        SweepPlan {
            name: "sweep".to_owned(),
            rates: rates
                .iter()
                .filter_map(|rate| Rate::from_micro(rate * 1_000_000))
                .collect(),
            repetitions: 1,
            order: Order::Sequential,
            block: None,
            seed: 1,
            warmup: Nanos::from_secs(15),
            measure: Nanos::from_secs(60),
            guard: Nanos::from_secs(20),
            verify: true,
            cache_flush: true,
            cooldown: Cooldown::Adaptive,
            stop_when: None,
            switch: false,
            warm_up_first: WarmUpFirst::default(),
            find_capacity: None,
            until: None,
            load: LoadOptions::of_sweep(),
            http: HttpOptions::default(),
            reach: ReachOptions::default(),
            tls: TlsOptions::default(),
            recording: RecordingOptions::of_sweep(),
            cluster: ClusterOptions::of_sweep(),
            arms: Vec::new(),
            thresholds: Vec::new(),
        }
    }
}

/// The rest between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cooldown {
    /// The rest ends when the application's CPU use is back near that before the sweep. How near, and how
    /// long the rest takes at least and at most, is up to whoever carries the plan out.
    Adaptive,
    /// The rest has this length.
    Fixed(Nanos),
}

impl FromStr for Cooldown {
    type Err = String;

    fn from_str(typed: &str) -> Result<Cooldown, String> {
        if typed == "adaptive" {
            return Ok(Cooldown::Adaptive);
        }
        let length: Result<Nanos, _> = typed.parse();
        length
            .map(Cooldown::Fixed)
            .map_err(|bad| format!("{bad}, or adaptive"))
    }
}

impl fmt::Display for Cooldown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cooldown::Adaptive => f.write_str("adaptive"),
            Cooldown::Fixed(length) => length.fmt(f),
        }
    }
}

serde_as_text!(Cooldown);

/// The condition under which the higher rates of an arm are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StopWhen {
    /// After a rate that the system did not hold, twice
    Unstable,
}

/// A load that warms caches up and is not measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WarmUpFirst {
    /// The rate in requests per second.
    pub rate: Rate,
    /// The length of the load; 0 for no such load.
    #[serde(with = "text")]
    pub length: Nanos,
    /// The rest after the load.
    #[serde(with = "text")]
    pub rest: Nanos,
}

impl Default for WarmUpFirst {
    fn default() -> WarmUpFirst {
        WarmUpFirst {
            rate: Rate::from_micro(500_000_000).expect("in range"),
            length: Nanos::from_secs(30),
            rest: Nanos::from_secs(10),
        }
    }
}

impl WarmUpFirst {
    /// The setting for no such load.
    pub fn none() -> WarmUpFirst {
        WarmUpFirst {
            length: Nanos::ZERO,
            rest: Nanos::ZERO,
            ..WarmUpFirst::default()
        }
    }
}

/// The search for an arm's capacity, the highest rate that it holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapacitySearch {
    /// The objective that must be met besides holding the rate.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub slo: Option<Slo>,
    /// The largest difference between the highest rate that is held and the lowest one that is not, at
    /// which the search ends; a share (0.001..=1) of the former.
    #[serde(default = "default_precision")]
    pub precision: f64,
}

/// The default precision, which five or six bisections of a usual range reach.
fn default_precision() -> f64 {
    0.05
}

impl SweepPlan {
    /// Reads a plan from TOML and validates it.
    ///
    /// # Errors
    /// [`BadPlan`] with the line or the place in the plan, and the cure.
    pub fn from_toml(typed: &str) -> Result<SweepPlan, BadPlan> {
        let plan: Result<SweepPlan, _> = toml::from_str(typed);
        let plan = plan.map_err(|error| BadPlan::Plan(error.to_string()))?;
        plan.validate().map_err(|bad| bad.of_text(typed))?;
        Ok(plan)
    }

    /// The plan as TOML. Settings that were left to their defaults are written, too.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_else(|error| format!("# {error}\n"))
    }

    /// The arm of this name; `None` where the plan has none.
    pub fn arm(&self, name: &str) -> Option<&Arm> {
        self.arms.iter().find(|arm| arm.name == name)
    }

    /// All paths of the plan, so that the caller can make them absolute.
    pub fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let tls = &mut self.tls;
        let own = [
            &mut self.load.script,
            &mut self.cluster.kubeconfig,
            &mut tls.ca,
            &mut tls.cert,
            &mut tls.key,
        ];
        let manifests = self.arms.iter_mut().flat_map(|arm| &mut arm.apply);
        own.into_iter().flatten().chain(manifests)
    }
}

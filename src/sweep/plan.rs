//! The plan of a sweep: what people write as TOML, and the runs that it means.

mod bad;
mod differences;
mod order;
mod until;
mod validate;

pub use bad::BadPlan;
pub use order::{Block, Order};
pub use until::Until;

use crate::gate::{Slo, Threshold};
use crate::spec::{
    ClusterOptions, CollectFrom, HttpOptions, LoadOptions, Offered, Options, ReachOptions,
    RecordingOptions, RunSpec, StepKey, Target, TlsOptions,
};
use crate::units::text::{self, serde_as_text};
use crate::units::{Nanos, Rate};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A sweep: rates x arms x repetitions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SweepPlan {
    /// The first part of the result folder's name; the time of its beginning follows.
    pub name: String,
    /// Requests per second, one step each.
    pub rates: Vec<Rate>,
    /// How often each rate is measured in each arm.
    pub repetitions: u32,
    /// The order of the steps.
    pub order: Order,
    /// After what the arms change: after each rate, or after a pass over all rates. Where it is left
    /// out, it is a pass when changing the arm changes the system, else a rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<Block>,
    /// Seeds the order and the schedules of all steps; steps of one block get the same schedule.
    pub seed: u64,
    /// Load before a step's measured window.
    #[serde(with = "text")]
    pub warmup: Nanos,
    /// Length of a step's measured window.
    #[serde(with = "text")]
    pub measure: Nanos,
    /// Load after the measured window.
    #[serde(with = "text")]
    pub guard: Nanos,
    /// Look at target, script and cluster when an arm is set up.
    pub verify: bool,
    /// Empty the memcached pods before each step.
    pub cache_flush: bool,
    /// Rest after each step.
    pub cooldown: Cooldown,
    /// When an arm's higher rates are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_when: Option<StopWhen>,
    /// Whether meshload itself puts the namespace into the mesh and takes it out.
    pub switch: bool,
    /// Load before the first step of an arm that was just set up, so that caches are warm.
    pub warm_up_first: WarmUpFirst,
    /// The search for the highest rate that meets an objective, in place of measuring every rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub find_capacity: Option<CapacitySearch>,
    /// Make repetitions until enough is known, as `meshload run --repeat` and `--baseline` do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Until>,
    /// How the load is made; the same in every step.
    pub load: LoadOptions,
    /// Which HTTP is spoken, and how long a connection is kept.
    pub http: HttpOptions,
    /// How connections find their way.
    pub reach: ReachOptions,
    /// How `https://` targets are spoken to.
    pub tls: TlsOptions,
    /// What each step's folder has beyond the usual.
    pub recording: RecordingOptions,
    /// From where figures of resources are collected, and how the cluster is reached.
    pub cluster: ClusterOptions,
    /// The variants of the system.
    #[serde(rename = "arm")]
    pub arms: Vec<Arm>,
    /// Thresholds on steps; one that is crossed fails the sweep.
    #[serde(rename = "threshold", skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<StepThreshold>,
}

/// A threshold on the steps of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepThreshold {
    /// The threshold that fails a step.
    pub fail_if: Threshold,
    /// The arm whose steps it is about; all arms where it is left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub arm: Option<String>,
    /// The rate that it is about; all rates where it is left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rate: Option<Rate>,
}

impl StepThreshold {
    /// Whether the threshold is about the steps of this arm at this rate.
    pub fn is_about(&self, arm: &str, rate: Rate) -> bool {
        self.arm.as_ref().is_none_or(|name| name == arm) && self.rate.is_none_or(|one| one == rate)
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

/// Rest between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cooldown {
    /// Until the application's CPU is at most 120 % of what it was before the sweep, two looks in a
    /// row; at least 10 s and at most 120 s.
    Adaptive,
    /// For this long.
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

/// When an arm's higher rates are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StopWhen {
    /// After a rate that the system did not hold, twice
    Unstable,
}

/// Load that warms caches up and is not measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WarmUpFirst {
    /// Requests per second.
    pub rate: Rate,
    /// How long the load is on; 0 for no such load.
    #[serde(with = "text")]
    pub length: Nanos,
    /// Rest after the load.
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
    /// No warming up.
    pub fn none() -> WarmUpFirst {
        WarmUpFirst {
            length: Nanos::ZERO,
            rest: Nanos::ZERO,
            ..WarmUpFirst::default()
        }
    }
}

/// The search for the highest rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapacitySearch {
    /// The objective that must be met besides holding the rate.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub slo: Option<Slo>,
    /// How far apart the highest rate that is held and the lowest that is not may stay, as a share.
    #[serde(default = "default_precision")]
    pub precision: f64,
}

/// Reached by halving the plan's range five or six times.
fn default_precision() -> f64 {
    0.05
}

/// A variant of the system.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Arm {
    /// The name that stands in every table.
    pub name: String,
    /// The URL that the load goes to.
    pub url: String,
    /// Further URLs, each of which gets the whole load, too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub more_urls: Vec<String>,
    /// The application's namespace, in place of those of the plan's `[cluster]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// `true`: every application pod must be in the mesh; `false`: none may be; left out: not looked
    /// at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meshed: Option<bool>,
    /// From where figures are collected, in place of the plan's `[cluster]`; such as
    /// `process:name=frontend`.
    #[serde(skip_serializing_if = "Option::is_none", with = "text::optional")]
    pub collect: Option<CollectFrom>,
    /// Labels that the namespace must carry.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Commands that set the arm up, such as `istioctl install -y`. They are run by `sh -c` with
    /// MESHLOAD_ARM, MESHLOAD_URL and MESHLOAD_NAMESPACE in their environment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// Commands that undo what `before` has done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// Commands before each step of the arm, which also have MESHLOAD_RATE and MESHLOAD_REPETITION
    /// in their environment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reset: Vec<String>,
    /// Commands that must succeed once the arm is set up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verify: Vec<String>,
    /// Manifests that the arm needs; what they change is restored afterwards.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub apply: Vec<PathBuf>,
    /// Changes to objects that exist; they are restored afterwards.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub patch: Vec<Patch>,
}

/// A change to an object of the cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// Group and version of the object's kind, such as `apps/v1`.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// Kind of the object, such as `Deployment`.
    pub kind: String,
    /// Name of the object.
    pub name: String,
    /// Namespace of the object; without it the arm's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub namespace: Option<String>,
    /// A JSON merge patch (RFC 7396): a table, or a text with JSON or YAML in it.
    pub merge: serde_json::Value,
}

impl Arm {
    /// Whether setting the arm up changes the system.
    pub fn changes_something(&self, switch: bool) -> bool {
        let commands = [&self.before, &self.after];
        commands.iter().any(|list| !list.is_empty())
            || !self.apply.is_empty()
            || !self.patch.is_empty()
            || (switch && self.meshed.is_some())
    }
}

impl SweepPlan {
    /// Reads a plan from TOML.
    ///
    /// # Errors
    /// [`BadPlan`] with the line, or the place, and the cure.
    pub fn from_toml(typed: &str) -> Result<SweepPlan, BadPlan> {
        let plan: Result<SweepPlan, _> = toml::from_str(typed);
        let plan = plan.map_err(|error| BadPlan::Plan(error.to_string()))?;
        plan.validate().map_err(|bad| bad.of_text(typed))?;
        Ok(plan)
    }

    /// The plan as TOML, with a value for every setting that has one.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_else(|error| format!("# {error}\n"))
    }

    /// The question that a step answers.
    ///
    /// # Errors
    /// [`BadPlan`] for a URL that cannot be understood.
    pub fn run_spec(&self, step: &StepKey) -> Result<RunSpec, BadPlan> {
        let no_arm = || BadPlan::new("arm", format!("there is no {}", step.arm), "add it");
        let arm = self.arm(&step.arm).ok_or_else(no_arm)?;
        let options = Options {
            load: self.load.clone(),
            http: self.http.clone(),
            reach: self.reach.clone(),
            tls: self.tls.clone(),
            recording: self.recording.clone(),
            cluster: self.cluster_of(arm),
        };
        let urls = std::iter::once(&arm.url).chain(&arm.more_urls);
        let targets: Result<Vec<Target>, _> = urls.map(|url| Target::parse(url)).collect();
        let targets = targets?;
        let mut spec = RunSpec::to(targets, Offered::Rate(step.rate), options);
        spec.load.seed = self.seed_of(step);
        spec.load.seed_pinned = self.until.as_ref().is_none_or(|until| until.seed_pinned);
        spec.load.warmup = self.warmup;
        spec.load.duration = self.measure;
        spec.load.guard = self.guard;
        spec.load.guard_pinned = self.until.as_ref().is_none_or(|until| until.guard_is_given);
        spec.step = Some(step.label());
        Ok(spec)
    }

    /// The arm of this name.
    pub fn arm(&self, name: &str) -> Option<&Arm> {
        self.arms.iter().find(|arm| arm.name == name)
    }

    /// The options of the collector while this arm is measured.
    pub fn cluster_of(&self, arm: &Arm) -> ClusterOptions {
        let mut options = self.cluster.clone();
        if let Some(from) = &arm.collect {
            options.collect = from.clone();
        }
        if let Some(namespace) = &arm.namespace {
            options.namespaces = vec![namespace.clone()];
        }
        options
    }

    /// How long the load of a step is on.
    pub fn load_time(&self) -> Nanos {
        self.warmup + self.measure + self.guard
    }

    /// All paths of the plan.
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

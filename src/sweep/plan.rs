//! The plan of a sweep: what people write as TOML, and what it means.

mod differences;
mod order;
mod validate;

pub use order::{Block, Order};

use crate::judge::{Slo, Threshold};
use crate::schedule::ArrivalProcess;
use crate::spec::{
    BadSpec, ClusterAccess, CollectFrom, CollectSpec, HttpSpec, KubeletRoute, Load, Offered,
    Pacing, Reach, Recording, RunSpec, ScriptRef, StepKey, Target, TlsSpec,
};
use crate::units::{Nanos, Rate, text};
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A plan that cannot be carried out: where, what is wrong, and the cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadPlan(pub String);

impl BadPlan {
    fn new(place: &str, message: impl std::fmt::Display, cure: &str) -> BadPlan {
        BadPlan(format!("{place}: {message}; {cure}"))
    }
}

impl From<BadSpec> for BadPlan {
    fn from(bad: BadSpec) -> BadPlan {
        BadPlan(bad.to_string())
    }
}

/// A sweep: rates x arms x repetitions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SweepPlan {
    /// What the result folder is called, before its time.
    pub name: String,
    /// Requests per second, one step each.
    pub rates: Vec<Rate>,
    /// How often each rate is measured in each arm.
    pub repetitions: u32,
    /// In which order.
    pub order: Order,
    /// What the arms take turns at; where it is left out, a rate, or a pass over all rates when
    /// changing the arm changes the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<Block>,
    /// Seeds the order and every step's schedule; steps of one block get the same schedule.
    pub seed: u64,
    /// Load before a step's measured window.
    #[serde(with = "text")]
    pub warmup: Nanos,
    /// The measured window.
    #[serde(with = "text")]
    pub measure: Nanos,
    /// Load after it.
    #[serde(with = "text")]
    pub guard: Nanos,
    /// Look at target and cluster before anything is measured.
    pub verify: bool,
    /// Empty the memcached pods before each step.
    pub cache_flush: bool,
    /// Rest after each step: `adaptive` or a duration.
    pub cooldown: Cooldown,
    /// Leave out the rates above one that was not held twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_when: Option<StopWhen>,
    /// Let meshload itself put the namespace into the mesh and take it out.
    pub switch: bool,
    /// Load before the first step of an arm that was just made, so that caches are warm.
    pub warm_up_first: WarmUpFirst,
    /// Look for the highest rate that meets an objective, in place of measuring every rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub find_capacity: Option<Capacity>,
    /// Connections, threads, arrivals, script.
    pub load: LoadPlan,
    /// Which HTTP is spoken, and how long a connection is kept.
    pub http: HttpSpec,
    /// How connections find their way.
    pub reach: Reach,
    /// How `https://` targets are spoken to.
    pub tls: TlsSpec,
    /// How the cluster is reached.
    pub cluster: ClusterPlan,
    /// The variants of the system.
    #[serde(rename = "arm")]
    pub arms: Vec<Arm>,
    /// What fails the sweep.
    #[serde(rename = "threshold", skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<StepThreshold>,
}

/// A threshold on the steps of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepThreshold {
    /// What fails a step.
    pub fail_if: Threshold,
    /// On the steps of this arm; of all where absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub arm: Option<String>,
    /// At this rate; at all where absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rate: Option<Rate>,
}

impl StepThreshold {
    /// Whether it is about steps like this one.
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
            load: LoadPlan::default(),
            http: HttpSpec::default(),
            reach: Reach::default(),
            tls: TlsSpec::default(),
            cluster: ClusterPlan::default(),
            arms: Vec::new(),
            thresholds: Vec::new(),
        }
    }
}

/// Rest between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Cooldown {
    /// Until the application's CPU is at most 120 % of what it was before the sweep, two looks in a
    /// row; at least 10 s and at most 120 s.
    Adaptive,
    /// So long.
    Fixed(Nanos),
}

impl TryFrom<String> for Cooldown {
    type Error = String;

    fn try_from(typed: String) -> Result<Cooldown, String> {
        if typed == "adaptive" {
            return Ok(Cooldown::Adaptive);
        }
        crate::units::parse_duration(&typed)
            .map(Cooldown::Fixed)
            .map_err(|bad| format!("{bad}, or adaptive"))
    }
}

impl From<Cooldown> for String {
    fn from(cooldown: Cooldown) -> String {
        match cooldown {
            Cooldown::Adaptive => "adaptive".to_owned(),
            Cooldown::Fixed(length) => length.to_string(),
        }
    }
}

/// When an arm's higher rates are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StopWhen {
    /// After a rate that the system did not hold, twice.
    Unstable,
}

/// Load that is not measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WarmUpFirst {
    /// Requests per second.
    pub rate: Rate,
    /// How long; 0 for none at all.
    #[serde(with = "text")]
    pub length: Nanos,
    /// Rest after it.
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
    /// No such load.
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
pub struct Capacity {
    /// What must be met besides holding the rate.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub slo: Option<Slo>,
    /// How far apart the highest rate that is held and the lowest that is not may stay, as a share.
    #[serde(default = "default_precision")]
    pub precision: f64,
}

/// Halving the plan's range five or six times.
fn default_precision() -> f64 {
    0.05
}

/// How the load is made; the same in every step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)] // as in Load
pub struct LoadPlan {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<PathBuf>,
    pub script_args: Vec<String>,
    pub headers: Vec<String>,
    pub process: ArrivalProcess,
    pub threads: usize,
    pub connections: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_connections: Option<usize>,
    pub pipeline: usize,
    pub pacing: Pacing,
    #[serde(with = "text")]
    pub timeout: Nanos,
}

impl Default for LoadPlan {
    fn default() -> LoadPlan {
        LoadPlan {
            script: None,
            script_args: Vec::new(),
            headers: Vec::new(),
            process: ArrivalProcess::Exp,
            threads: 4,
            connections: 100,
            max_connections: None,
            pipeline: 1,
            pacing: Pacing::Auto,
            timeout: Nanos::from_secs(2),
        }
    }
}

/// Whose use of resources is collected, and how the cluster is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)] // as in CollectSpec and ClusterAccess
pub struct ClusterPlan {
    pub collect: String,
    #[serde(with = "text")]
    pub interval: Nanos,
    pub namespaces: Vec<String>,
    pub all_namespaces: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kube_url: Option<String>,
    pub kubelet: KubeletRoute,
    pub exec: bool,
}

impl Default for ClusterPlan {
    fn default() -> ClusterPlan {
        let spec = CollectSpec::default();
        ClusterPlan {
            collect: CollectFrom::Auto.to_string(),
            interval: spec.interval,
            namespaces: Vec::new(),
            all_namespaces: false,
            kubeconfig: None,
            context: None,
            kube_url: None,
            kubelet: KubeletRoute::Proxy,
            exec: spec.exec,
        }
    }
}

/// A variant of the system.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Arm {
    /// Its name, as it stands in every table.
    pub name: String,
    /// Where the load goes.
    pub url: String,
    /// The application's namespace; without it the cluster's first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// `true`: every application pod must be in the mesh; `false`: none may be; left out: not looked
    /// at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meshed: Option<bool>,
    /// Collected from somewhere else than the other arms, such as `process:name=frontend`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collect: Option<String>,
    /// Labels that its namespace must carry.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Commands that make it, such as `istioctl install -y`; `sh -c`, with MESHLOAD_ARM,
    /// MESHLOAD_URL and MESHLOAD_NAMESPACE in their environment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// Commands that unmake it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// Commands before each of its steps, with MESHLOAD_RATE and MESHLOAD_REPETITION besides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reset: Vec<String>,
    /// Commands that must succeed once it is made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verify: Vec<String>,
    /// Manifests that it needs; what they change is put back afterwards.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub apply: Vec<PathBuf>,
    /// Changes to objects that are there; put back afterwards.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub patch: Vec<Patch>,
}

/// A change to an object of the cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// Such as `apps/v1`.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// Such as `Deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace; without it the arm's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub namespace: Option<String>,
    /// What is laid over it, as a JSON merge patch: a table, or a text with JSON or YAML in it.
    pub merge: serde_json::Value,
}

impl Arm {
    /// Whether making it changes the system.
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
        let plan: SweepPlan = toml::from_str(typed).map_err(|error| BadPlan(error.to_string()))?;
        plan.validate()?;
        Ok(plan)
    }

    /// The plan as TOML, every setting with its value.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_else(|error| format!("# {error}\n"))
    }

    /// The question that a step answers.
    ///
    /// # Errors
    /// [`BadPlan`] for a URL, header or source that cannot be understood.
    pub fn run_spec(&self, step: &StepKey) -> Result<RunSpec, BadPlan> {
        let no_arm = || BadPlan::new("arm", format!("there is no {}", step.arm), "add it");
        let arm = self.arm(&step.arm).ok_or_else(no_arm)?;
        let load = &self.load;
        Ok(RunSpec {
            targets: vec![Target::parse(&arm.url)?],
            load: Load {
                offered: Offered::Rate(step.rate),
                process: load.process,
                seed: self.seed_of(step),
                seed_pinned: true,
                connections: load.connections,
                max_connections: load.max_connections.unwrap_or(load.connections),
                threads: load.threads,
                pipeline: load.pipeline,
                pacing: load.pacing,
                warmup: self.warmup,
                duration: self.measure,
                guard: self.guard,
                timeout: load.timeout,
                abort_after: None,
            },
            http: self.http.clone(),
            reach: self.reach.clone(),
            tls: self.tls.clone(),
            headers: load.headers()?,
            script: load.script.clone().map(|path| ScriptRef {
                path,
                args: load.script_args.clone(),
            }),
            recording: Recording {
                spectrum: true,
                ..Recording::default()
            },
            collect: self.collect(arm)?,
            step: Some(step.label()),
        })
    }

    /// The arm of this name.
    pub fn arm(&self, name: &str) -> Option<&Arm> {
        self.arms.iter().find(|arm| arm.name == name)
    }

    /// From whom it is collected while this arm is measured.
    ///
    /// # Errors
    /// [`BadPlan`] for a source that cannot be understood.
    pub fn collect(&self, arm: &Arm) -> Result<CollectSpec, BadPlan> {
        let cluster = &self.cluster;
        let typed = arm.collect.as_ref().unwrap_or(&cluster.collect);
        let from = typed.parse();
        let from = from.map_err(|reason: String| BadPlan(format!("collect: {reason}")))?;
        let mut namespaces = cluster.namespaces.clone();
        if let Some(namespace) = &arm.namespace {
            namespaces = vec![namespace.clone()];
        }
        Ok(CollectSpec {
            from,
            interval: cluster.interval,
            access: ClusterAccess {
                kubeconfig: cluster.kubeconfig.clone(),
                context: cluster.context.clone(),
                url: cluster.kube_url.clone(),
                kubelet: cluster.kubelet,
            },
            namespaces,
            all_namespaces: cluster.all_namespaces,
            exec: cluster.exec,
        })
    }

    /// How long a step's load is on.
    pub fn load_time(&self) -> Nanos {
        self.warmup + self.measure + self.guard
    }

    /// Every path in it.
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

impl LoadPlan {
    fn headers(&self) -> Result<Vec<(String, String)>, BadPlan> {
        let split = |line: &String| {
            let bad = || {
                BadPlan::new(
                    "load.headers",
                    format!("`{}` is no header", line.escape_debug()),
                    "write it as 'Name: value'",
                )
            };
            let (name, value) = line.split_once(':').ok_or_else(bad)?;
            let (name, value) = (name.trim(), value.trim());
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
            HeaderValue::from_str(value).map_err(|_| bad())?;
            Ok((name.to_owned(), value.to_owned()))
        };
        self.headers.iter().map(split).collect()
    }
}

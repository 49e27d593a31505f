//! The runs that a plan asks for.

use super::{Arm, BadPlan, SweepPlan};
use crate::spec::{ClusterOptions, Offered, Options, RunSpec, StepKey, Target};
use crate::units::Nanos;

impl SweepPlan {
    /// The specification of a step's run.
    ///
    /// # Errors
    /// [`BadPlan`] for an arm that the plan does not have, or a URL that cannot be understood.
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
        // A sweep's plan says both; of repeated runs the flags may have left them open.
        let until = self.until.as_ref();
        spec.load.seed_pinned = until.is_none_or(|until| until.seed_pinned);
        spec.load.guard_pinned = until.is_none_or(|until| until.guard_pinned);
        spec.load.warmup = self.warmup;
        spec.load.duration = self.measure;
        spec.load.guard = self.guard;
        spec.step = Some(step.label());
        Ok(spec)
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

    /// The length of a step's load, with warm-up and guard.
    pub fn load_time(&self) -> Nanos {
        self.warmup + self.measure + self.guard
    }
}

//! What all steps of a sweep share: the plan, the script, the cluster, the signals.

use super::super::super::environment::environment;
use super::super::super::signals::Signals;
use super::super::arm_commands::ArmCommands;
use crate::engine::Job;
use crate::operate::Operator;
use crate::spec::{RunSpec, StepKey};
use crate::sweep::SweepPlan;
use crate::units::Rate;
use std::path::PathBuf;

/// The cluster in which arms are changed and caches are flushed.
pub enum Cluster {
    NotTried,
    None,
    Connected(Box<Operator>),
}

/// What all steps have in common.
pub struct Context<'a> {
    pub plan: &'a SweepPlan,
    pub script: Option<Vec<u8>>,
    pub signals: Signals,
    pub quiet: bool,
    pub cluster: Cluster,
    /// The file that receives the output of the user's commands.
    pub hook_log: PathBuf,
}

impl Context<'_> {
    /// The connection to the cluster, when the sweep has one.
    pub fn operator(&self) -> Option<&Operator> {
        match &self.cluster {
            Cluster::Connected(operator) => Some(operator),
            Cluster::NotTried | Cluster::None => None,
        }
    }

    /// Whether the sweep repeats one run until its comparison is resolved (`meshload run --repeat` and
    /// `--baseline`). Such a sweep changes no cluster.
    pub fn is_trial(&self) -> bool {
        self.plan.until.is_some()
    }

    /// Whether a signal has come.
    pub fn is_interrupted(&self) -> bool {
        self.signals.received().is_some()
    }

    /// The specification of an arm's runs at a rate.
    ///
    /// # Errors
    /// Why the arm's runs have no valid specification.
    pub fn spec(&self, arm: &str, rate: Rate) -> Result<RunSpec, String> {
        let step = StepKey {
            number: 1,
            arm: arm.to_owned(),
            rate,
            repetition: 1,
        };
        let spec = self.plan.run_spec(&step);
        spec.map_err(|bad| bad.to_string())
    }

    /// The commands of an arm.
    ///
    /// # Errors
    /// The plan has no such arm, or the arm's runs have no valid specification.
    pub fn commands(&self, arm: &str) -> Result<ArmCommands<'_>, String> {
        Ok(ArmCommands {
            plan: self.plan,
            spec: self.spec(arm, self.plan.rates[0])?,
            arm: self
                .plan
                .arm(arm)
                .ok_or_else(|| format!("the plan has no arm {arm}"))?,
            operator: self.operator(),
            script: self.script.as_deref(),
            log: &self.hook_log,
            signals: &self.signals,
        })
    }

    /// A run of the engine with the sweep's script.
    pub fn job(&self, spec: RunSpec) -> Job {
        Job {
            spec,
            script: self.script.clone(),
            prints_to_stderr: true,
            environment: environment(),
        }
    }

    /// Prints a note on stderr, unless `-q` asks for none.
    pub fn print_note(&self, text: &str) {
        if !self.quiet {
            status!("note: {text}");
        }
    }
}

//! What a sweep keeps of its steps for its end: figures, verdicts and the outcomes of the plan's
//! thresholds. Each step is judged while its run is in memory, so no run.json is read again.

use crate::compare::{Conditions, Step, Steps, add_conditions};
use crate::gate::{NEW_ARM, Outcome};
use crate::spec::StepKey;
use crate::sweep::SweepPlan;
use crate::verdict::{JudgedRun, Level, Verdict};

/// The outcome of a threshold in a step.
pub struct ThresholdInStep {
    /// The index of the threshold in the plan.
    pub threshold: usize,
    pub outcome: Outcome,
}

/// The verdict and the thresholds of a step.
pub struct StepRecord {
    pub key: StepKey,
    pub verdict: Verdict,
    /// The thresholds that are about the step.
    pub outcomes: Vec<ThresholdInStep>,
}

impl StepRecord {
    /// Whether the step describes the system: an INVALID run measured the generator.
    pub fn is_valid(&self) -> bool {
        self.verdict.level != Level::Invalid
    }
}

/// The steps of a sweep that were measured now or in an earlier session.
pub struct Account<'a> {
    plan: &'a SweepPlan,
    /// In the order in which they were found or measured.
    pub records: Vec<StepRecord>,
    steps: Vec<Step>,
    /// The conditions of the valid new runs of a trial.
    pub conditions: Conditions,
}

impl<'a> Account<'a> {
    /// An account without steps.
    pub fn of(plan: &'a SweepPlan) -> Account<'a> {
        Account {
            plan,
            records: Vec::new(),
            steps: Vec::new(),
            conditions: Conditions::new(),
        }
    }

    /// The figures of the steps.
    pub fn steps(&self) -> Steps<'_> {
        Steps::from(&self.steps)
    }

    /// Adds a step with its run.
    pub fn add(&mut self, key: &StepKey, run: &JudgedRun) {
        let thresholds = self.plan.thresholds.iter().enumerate();
        let about = thresholds.filter(|(_, one)| one.is_about(&key.arm, key.rate));
        let outcomes = about.map(|(threshold, one)| ThresholdInStep {
            threshold,
            outcome: one.fail_if.judge(&run.result),
        });
        let record = StepRecord {
            key: key.clone(),
            verdict: run.verdict.clone(),
            outcomes: outcomes.collect(),
        };
        if record.is_valid() && key.arm == NEW_ARM {
            add_conditions(&mut self.conditions, &run.result);
        }
        self.records.push(record);
        self.steps.push(Step::of(run));
    }
}

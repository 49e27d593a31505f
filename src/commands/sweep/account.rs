//! What is kept of the steps of a sweep for what is said at its end: figures, verdicts, and what came of
//! the plan's thresholds. Each step is judged when its run is at hand, so no run.json is read again.

use crate::compare::{Conditions, Step, Steps, add_conditions};
use crate::gate::{NEW_ARM, Outcome};
use crate::spec::StepKey;
use crate::sweep::SweepPlan;
use crate::verdict::{JudgedRun, Level, Verdict};

/// What came of a threshold in a step.
pub struct StepOutcome {
    /// The place of the threshold in the plan.
    pub threshold: usize,
    pub outcome: Outcome,
}

/// What is known of a step besides its figures.
pub struct StepRecord {
    pub key: StepKey,
    pub verdict: Verdict,
    /// The thresholds that are about the step.
    pub outcomes: Vec<StepOutcome>,
}

impl StepRecord {
    /// Whether the step says something of the system.
    pub fn is_valid(&self) -> bool {
        self.verdict.level != Level::Invalid
    }
}

/// The steps of a sweep, measured now or before.
pub struct Account<'a> {
    plan: &'a SweepPlan,
    /// In the order in which they were found or measured.
    pub records: Vec<StepRecord>,
    steps: Vec<Step>,
    /// The circumstances of the believable runs that are judged in a trial.
    pub conditions: Conditions,
}

impl<'a> Account<'a> {
    /// Of no step yet.
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
        let outcomes = about.map(|(threshold, one)| StepOutcome {
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

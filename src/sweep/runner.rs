//! Carries a plan out: the order of things, and what is written when. How a step is measured is the
//! driver's business.

use super::driver::{StepEnd, SweepDriver};
use super::folder::{SweepError, SweepFolder};
use super::journal::Event;
use super::next::{Progress, bracket, is_settled, next};
use super::plan::SweepPlan;
use super::tables::SweepTables;
use crate::compare::{Step, StepFigures};
use crate::gate::Trial;
use crate::measure::Distribution;
use crate::spec::StepKey;
use crate::store::StoreError;
use crate::verdict::JudgedRun;
use crate::version::VERSION;
use std::ops::ControlFlow;

/// So many failures in a row are no accident: the rest of the night is not worth wasting.
const FAILURES_IN_A_ROW: usize = 3;

/// How a sweep ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Every step was measured.
    Done,
    /// A signal came.
    Interrupted,
    /// Steps failed, for these reasons.
    Failures(Vec<String>),
    /// The system could not be brought into the state that an arm asks for, or could not be restored.
    Arm(String),
}

impl Ended {
    fn name(&self) -> &'static str {
        match self {
            Ended::Done => "done",
            Ended::Interrupted => "interrupted",
            Ended::Failures(_) => "failures",
            Ended::Arm(_) => "arm_failed",
        }
    }
}

/// What became of a step that was begun.
enum StepOutcome {
    Measured,
    Failed,
    Interrupted,
}

/// Whether the steps go on, or how the sweep ends.
type Flow = ControlFlow<Ended>;

struct Sweep<'a> {
    plan: &'a SweepPlan,
    trial: Option<&'a Trial>,
    folder: &'a SweepFolder,
    driver: &'a mut dyn SweepDriver,
    progress: Progress,
    tables: SweepTables,
    /// Why steps failed, in the order in which they did.
    failures: Vec<String>,
    /// The arm that is set up, or was half set up.
    arm: Option<String>,
}

/// Carries the plan out, or what is left of it, in its folder. With a trial, repetitions are made until
/// it has enough of them.
///
/// # Errors
/// [`SweepError`] when the folder can no longer be written; the system has then been restored.
pub fn run(
    plan: &SweepPlan,
    trial: Option<&Trial>,
    folder: &SweepFolder,
    driver: &mut dyn SweepDriver,
) -> Result<Ended, SweepError> {
    let mut sweep = Sweep {
        plan,
        trial,
        folder,
        driver,
        progress: Progress::default(),
        tables: SweepTables::default(),
        failures: Vec::new(),
        arm: None,
    };
    sweep.take_up()?;
    let ended = match sweep.restore_leftovers()? {
        ControlFlow::Continue(()) => sweep.steps(),
        ControlFlow::Break(ended) => Ok(ended),
    };
    let restored = sweep.tear_down()?;
    let ended = match restored {
        ControlFlow::Break(failed) if !matches!(ended, Ok(Ended::Arm(_))) => ended.and(Ok(failed)),
        _ => ended,
    }?;
    if ended == Ended::Done {
        sweep.note_left_out()?;
    }
    let ended = sweep.note_capacity(ended)?;
    sweep.note(Event::Ended {
        measured: sweep.progress.measured.len(),
        failed: sweep.progress.failed.len(),
        how: ended.name().to_owned(),
    })?;
    Ok(ended)
}

impl Sweep<'_> {
    fn note(&mut self, event: Event) -> Result<(), StoreError> {
        let left = self.left();
        self.driver.on_event(&event, left);
        self.folder.note(self.driver.now(), event)
    }

    /// Planned steps that are neither measured nor failed; an estimate where the plan adds or drops
    /// steps as it goes.
    fn left(&self) -> usize {
        let done = self.progress.measured.len() + self.progress.failed.len();
        self.plan.steps().len().saturating_sub(done)
    }

    /// Finds what was measured before, and moves what was begun out of the way.
    fn take_up(&mut self) -> Result<(), SweepError> {
        let folder = self.folder;
        let mut half = Vec::new();
        for name in folder.step_names()? {
            match folder.finished_step(self.plan, &name) {
                Some((key, run)) if !self.progress.is_done(&key) => {
                    self.driver.on_step_found(&key, &run);
                    self.learn(key, &run);
                }
                _ => half.push(name),
            }
        }
        self.note(Event::Began {
            meshload: VERSION.to_owned(),
            measured: self.progress.measured.len(),
        })?;
        for name in half {
            self.set_aside(name)?;
        }
        // A process that was killed may have left the tables a step behind.
        Ok(self.write_tables()?)
    }

    fn restore_leftovers(&mut self) -> Result<Flow, StoreError> {
        match self.driver.restore_leftovers() {
            Ok(false) => Ok(Flow::Continue(())),
            Ok(true) => {
                self.note(Event::PutBack)?;
                Ok(Flow::Continue(()))
            }
            Err(reason) => self.not_restored(reason),
        }
    }

    fn not_restored(&mut self, reason: String) -> Result<Flow, StoreError> {
        let event = Event::RestoreFailed {
            reason: reason.clone(),
        };
        self.note(event)?;
        Ok(Flow::Break(Ended::Arm(reason)))
    }

    fn set_aside(&mut self, folder: String) -> Result<(), StoreError> {
        match self.folder.set_aside(&folder)? {
            Some(to) => self.note(Event::SetAside { folder, to }),
            None => Ok(()),
        }
    }

    /// Keeps the figures of a step; the run itself with its histograms is let go.
    fn learn(&mut self, key: StepKey, run: &JudgedRun) {
        self.tables.add(run);
        let search = self.plan.find_capacity.as_ref();
        let slo = search.and_then(|search| search.slo.as_ref());
        if slo.is_some_and(|slo| !slo.missed(&run.result).is_empty()) {
            self.progress.missed.insert(key.clone());
        }
        let figures = StepFigures::of(run);
        self.progress.measured.push(Step { key, figures });
        self.progress.measured.sort_by_key(|step| step.key.number);
    }

    fn next(&self) -> Option<StepKey> {
        next(self.plan, &self.progress, self.trial)
    }

    /// Notes which planned steps were not made although the sweep is done.
    fn note_left_out(&mut self) -> Result<(), StoreError> {
        if self.plan.find_capacity.is_some() || self.trial.is_some() {
            return Ok(());
        }
        let planned = self.plan.steps().into_iter();
        let left_out = planned.filter(|step| !self.progress.is_done(step));
        let steps: Vec<String> = left_out.map(|step| step.folder()).collect();
        if steps.is_empty() {
            return Ok(());
        }
        self.note(Event::LeftOut { steps })
    }

    /// Notes what the search has found so far, arm by arm. A sweep whose search did not come to its
    /// end is not done.
    fn note_capacity(&mut self, ended: Ended) -> Result<Ended, StoreError> {
        let plan = self.plan;
        let Some(search) = &plan.find_capacity else {
            return Ok(ended);
        };
        let mut open = Vec::new();
        for arm in &plan.arms {
            let is_settled = is_settled(plan, &self.progress, &arm.name);
            if !is_settled {
                open.push(format!("{}: its capacity was not found", arm.name));
            }
            self.note(Event::Capacity {
                arm: arm.name.clone(),
                slo: search.slo.clone(),
                bracket: bracket(&self.progress, &arm.name),
                is_settled,
            })?;
        }
        Ok(match ended {
            Ended::Done if !open.is_empty() => Ended::Failures(open),
            ended => ended,
        })
    }

    /// So many failures in a row end the sweep. A run that cannot be made ends a trial at once: its
    /// user waits for an answer.
    fn failures_that_end(&self) -> usize {
        match self.trial {
            Some(_) => 1,
            None => FAILURES_IN_A_ROW,
        }
    }

    fn steps(&mut self) -> Result<Ended, SweepError> {
        let mut failures_in_a_row = 0;
        while let Some(step) = self.next() {
            if self.driver.is_interrupted() {
                return Ok(self.interrupted(None)?);
            }
            if let Flow::Break(ended) = self.change_arm(&step.arm)? {
                return Ok(ended);
            }
            match self.one(&step)? {
                StepOutcome::Measured => {
                    failures_in_a_row = 0;
                    self.write_tables()?;
                }
                StepOutcome::Interrupted => return Ok(Ended::Interrupted),
                StepOutcome::Failed => {
                    failures_in_a_row += 1;
                    self.progress.failed.push(step.clone());
                }
            }
            if failures_in_a_row >= self.failures_that_end() {
                break;
            }
            self.rest(step.number)?;
        }
        Ok(if self.failures.is_empty() {
            Ended::Done
        } else {
            Ended::Failures(self.failures.clone())
        })
    }

    /// Rests after a step, if another one follows.
    fn rest(&mut self, number: u32) -> Result<(), StoreError> {
        if self.next().is_none() || self.driver.is_interrupted() {
            return Ok(());
        }
        let note = self.driver.cool_down();
        // A rest that a signal cut short is none.
        if self.driver.is_interrupted() {
            return Ok(());
        }
        self.note(Event::CooledDown { number, note })
    }

    fn interrupted(&mut self, number: Option<u32>) -> Result<Ended, StoreError> {
        self.note(Event::Interrupted { number })?;
        Ok(Ended::Interrupted)
    }

    /// Tears the arm down that is there and sets the next one up.
    fn change_arm(&mut self, arm: &str) -> Result<Flow, StoreError> {
        if self.arm.as_deref() == Some(arm) {
            return Ok(Flow::Continue(()));
        }
        if let Flow::Break(ended) = self.tear_down()? {
            return Ok(Flow::Break(ended));
        }
        if self.driver.is_interrupted() {
            return self.interrupted(None).map(Flow::Break);
        }
        // What was half set up has to be torn down, too.
        self.arm = Some(arm.to_owned());
        let arm = arm.to_owned();
        match self.driver.set_up_arm(&arm) {
            Ok(notes) => {
                self.note(Event::ArmEntered { arm, notes })?;
                Ok(Flow::Continue(()))
            }
            Err(_) if self.driver.is_interrupted() => self.interrupted(None).map(Flow::Break),
            Err(reason) => {
                let event = Event::ArmFailed {
                    arm,
                    reason: reason.clone(),
                };
                self.note(event)?;
                Ok(Flow::Break(Ended::Arm(reason)))
            }
        }
    }

    /// Tears the arm down that is set up, if one is.
    fn tear_down(&mut self) -> Result<Flow, StoreError> {
        let Some(arm) = self.arm.take() else {
            return Ok(Flow::Continue(()));
        };
        match self.driver.tear_down_arm(&arm) {
            Ok(()) => {
                self.note(Event::ArmLeft { arm })?;
                Ok(Flow::Continue(()))
            }
            Err(reason) => self.not_restored(reason),
        }
    }

    fn one(&mut self, step: &StepKey) -> Result<StepOutcome, StoreError> {
        let (number, folder) = (step.number, step.folder());
        self.note(Event::StepBegan {
            number,
            folder: folder.clone(),
        })?;
        let outcome = match self.driver.prepare(step) {
            Ok(notes) => {
                if !notes.is_empty() {
                    self.note(Event::Prepared { number, notes })?;
                }
                let path = self.folder.step_path(&folder);
                self.driver.measure(step, path.as_deref())
            }
            Err(reason) => StepEnd::Failed(reason),
        };
        let reason = match outcome {
            StepEnd::Measured(run) if run.is_whole() => {
                self.note_finished(step, &run)?;
                self.learn(step.clone(), &run);
                return Ok(StepOutcome::Measured);
            }
            StepEnd::Interrupted => {
                self.interrupted(Some(number))?;
                return Ok(StepOutcome::Interrupted);
            }
            StepEnd::Failed(reason) => reason,
            StepEnd::Measured(_) => "not one request was completed".to_owned(),
        };
        self.failures.push(format!("{folder}: {reason}"));
        self.note(Event::StepFailed {
            number,
            folder: folder.clone(),
            reason,
        })?;
        self.set_aside(folder)?;
        Ok(StepOutcome::Failed)
    }

    fn note_finished(&mut self, step: &StepKey, run: &JudgedRun) -> Result<(), StoreError> {
        let result = &run.result;
        let tally = result.overall();
        let latency = Distribution::of(&tally.response_times(result.is_open_loop()));
        let event = Event::StepFinished {
            number: step.number,
            folder: step.folder(),
            achieved: result.rate_achieved(),
            p50_ns: latency.as_ref().map(|latency| latency.p50),
            p99_ns: latency.as_ref().map(|latency| latency.p99),
            verdict: run.verdict.level.name().to_owned(),
            stability: run.stability.name().to_owned(),
        };
        self.driver.on_step_finished(step, run);
        self.note(event)
    }

    /// Writes the tables over all steps, each whole or not at all.
    fn write_tables(&mut self) -> Result<(), StoreError> {
        if !self.folder.is_kept() {
            return Ok(());
        }
        for (name, bytes) in self.tables.files(&self.driver.metadata()) {
            self.folder.write(name, &bytes)?;
        }
        Ok(())
    }
}

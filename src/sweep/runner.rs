//! Carries out a plan: in which order arms are changed and steps made, and when journal and tables are
//! written. The driver does what touches the world.

use super::driver::{StepEnd, SweepDriver};
use super::folder::{SweepError, SweepFolder};
use super::journal::JournalEvent;
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

/// The number of steps failing in a row that end a sweep. The cause of that many is not likely to go away, and
/// a sweep may run for a whole night.
const FAILURES_IN_A_ROW: usize = 3;

/// How a sweep ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Every step was measured that the plan asks for.
    Done,
    /// A signal ended the sweep.
    Interrupted,
    /// Steps failed, or a search found nothing, for these reasons.
    Failures(Vec<String>),
    /// An arm could not be set up, or the system could not be restored, for this reason.
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

/// The outcome of a step, after the driver's [`StepEnd`] was written to folder and journal.
enum StepOutcome {
    Measured,
    Failed,
    Interrupted,
}

/// Whether the sweep goes on, or how it ends.
type Flow = ControlFlow<Ended>;

struct Sweep<'a> {
    plan: &'a SweepPlan,
    trial: Option<&'a Trial>,
    folder: &'a SweepFolder,
    driver: &'a mut dyn SweepDriver,
    progress: Progress,
    tables: SweepTables,
    /// The failures of steps, each with its reason, in the order in which they came.
    failures: Vec<String>,
    /// The arm that is set up, or whose setup failed half way.
    arm: Option<String>,
}

/// Carries out the plan, or the rest of it, in its folder. With a trial, repetitions are made until the trial
/// has enough of them.
///
/// # Errors
/// [`SweepError`] when the folder cannot be read or written. An arm that was set up has then been torn down.
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
    sweep.resume()?;
    let ended = match sweep.restore_leftovers()? {
        ControlFlow::Continue(()) => sweep.make_steps(),
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
    sweep.note(JournalEvent::Ended {
        measured: sweep.progress.measured.len(),
        failed: sweep.progress.failed.len(),
        how: ended.name().to_owned(),
    })?;
    Ok(ended)
}

impl Sweep<'_> {
    fn note(&mut self, event: JournalEvent) -> Result<(), StoreError> {
        let left = self.left();
        self.driver.on_event(&event, left);
        self.folder.note(self.driver.now(), event)
    }

    /// The number of planned steps that are neither measured nor failed. It is an estimate where steps
    /// are added or left out on the way.
    fn left(&self) -> usize {
        let done = self.progress.measured.len() + self.progress.failed.len();
        self.plan.steps().len().saturating_sub(done)
    }

    /// Finds the steps that earlier sessions have measured, and sets aside those that were not finished.
    fn resume(&mut self) -> Result<(), SweepError> {
        let folder = self.folder;
        let mut unfinished = Vec::new();
        for name in folder.step_names()? {
            match folder.finished_step(self.plan, &name) {
                Some((key, run)) if !self.progress.is_done(&key) => {
                    self.driver.on_step_found(&key, &run);
                    self.keep_figures(key, &run);
                }
                _ => unfinished.push(name),
            }
        }
        self.note(JournalEvent::Began {
            meshload: VERSION.to_owned(),
            measured: self.progress.measured.len(),
        })?;
        for name in unfinished {
            self.set_aside(name)?;
        }
        // The tables lack the last step if the process was killed before it had written them.
        Ok(self.write_tables()?)
    }

    fn restore_leftovers(&mut self) -> Result<Flow, StoreError> {
        match self.driver.restore_leftovers() {
            Ok(false) => Ok(Flow::Continue(())),
            Ok(true) => {
                self.note(JournalEvent::PutBack)?;
                Ok(Flow::Continue(()))
            }
            Err(reason) => self.not_restored(reason),
        }
    }

    fn not_restored(&mut self, reason: String) -> Result<Flow, StoreError> {
        let event = JournalEvent::RestoreFailed {
            reason: reason.clone(),
        };
        self.note(event)?;
        Ok(Flow::Break(Ended::Arm(reason)))
    }

    fn set_aside(&mut self, folder: String) -> Result<(), StoreError> {
        match self.folder.set_aside(&folder)? {
            Some(to) => self.note(JournalEvent::SetAside { folder, to }),
            None => Ok(()),
        }
    }

    /// Keeps the figures of a step. The run itself is not kept, because the histograms of a night's steps
    /// would need much memory.
    fn keep_figures(&mut self, key: StepKey, run: &JudgedRun) {
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

    /// Writes to the journal which planned steps were left out, once the sweep is done.
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
        self.note(JournalEvent::LeftOut { steps })
    }

    /// Writes to the journal what the search has found, arm by arm. A sweep whose search is not finished
    /// has failed.
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
            self.note(JournalEvent::Capacity {
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

    /// The number of failures in a row that end the sweep. A trial ends at the first one, because its user
    /// waits for the answer.
    fn failures_that_end(&self) -> usize {
        match self.trial {
            Some(_) => 1,
            None => FAILURES_IN_A_ROW,
        }
    }

    fn make_steps(&mut self) -> Result<Ended, SweepError> {
        let mut failures_in_a_row = 0;
        while let Some(step) = self.next() {
            if self.driver.is_interrupted() {
                return Ok(self.interrupted(None)?);
            }
            if let Flow::Break(ended) = self.change_arm(&step.arm)? {
                return Ok(ended);
            }
            match self.make_step(&step)? {
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
            self.cool_down(step.number)?;
        }
        Ok(if self.failures.is_empty() {
            Ended::Done
        } else {
            Ended::Failures(self.failures.clone())
        })
    }

    /// Waits after a step, if another one follows.
    fn cool_down(&mut self, number: u32) -> Result<(), StoreError> {
        if self.next().is_none() || self.driver.is_interrupted() {
            return Ok(());
        }
        let note = self.driver.cool_down();
        // A rest that a signal has cut short does not count as one.
        if self.driver.is_interrupted() {
            return Ok(());
        }
        self.note(JournalEvent::CooledDown { number, note })
    }

    fn interrupted(&mut self, number: Option<u32>) -> Result<Ended, StoreError> {
        self.note(JournalEvent::Interrupted { number })?;
        Ok(Ended::Interrupted)
    }

    /// Tears down the arm that is set up and sets up the next one.
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
        // The arm is kept before it is set up, so that it is torn down even if its setup fails half way.
        self.arm = Some(arm.to_owned());
        let arm = arm.to_owned();
        match self.driver.set_up_arm(&arm) {
            Ok(notes) => {
                self.note(JournalEvent::ArmEntered { arm, notes })?;
                Ok(Flow::Continue(()))
            }
            Err(_) if self.driver.is_interrupted() => self.interrupted(None).map(Flow::Break),
            Err(reason) => {
                let event = JournalEvent::ArmFailed {
                    arm,
                    reason: reason.clone(),
                };
                self.note(event)?;
                Ok(Flow::Break(Ended::Arm(reason)))
            }
        }
    }

    /// Tears down the arm that is set up, if there is one.
    fn tear_down(&mut self) -> Result<Flow, StoreError> {
        let Some(arm) = self.arm.take() else {
            return Ok(Flow::Continue(()));
        };
        match self.driver.tear_down_arm(&arm) {
            Ok(()) => {
                self.note(JournalEvent::ArmLeft { arm })?;
                Ok(Flow::Continue(()))
            }
            Err(reason) => self.not_restored(reason),
        }
    }

    /// Prepares and measures one step, and writes its outcome to the journal.
    fn make_step(&mut self, step: &StepKey) -> Result<StepOutcome, StoreError> {
        let (number, folder) = (step.number, step.folder());
        self.note(JournalEvent::StepBegan {
            number,
            folder: folder.clone(),
        })?;
        let outcome = match self.driver.prepare(step) {
            Ok(notes) => {
                if !notes.is_empty() {
                    self.note(JournalEvent::Prepared { number, notes })?;
                }
                let path = self.folder.step_path(&folder);
                self.driver.measure(step, path.as_deref())
            }
            Err(reason) => StepEnd::Failed(reason),
        };
        let reason = match outcome {
            StepEnd::Measured(run) if run.is_whole() => {
                self.note_finished(step, &run)?;
                self.keep_figures(step.clone(), &run);
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
        self.note(JournalEvent::StepFailed {
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
        let event = JournalEvent::StepFinished {
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
        if !self.folder.is_saved() {
            return Ok(());
        }
        for (name, bytes) in self.tables.files(&self.driver.metadata()) {
            self.folder.write(name, &bytes)?;
        }
        Ok(())
    }
}

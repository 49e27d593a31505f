//! Carries a plan out: the order of things, and what is written when. What a step is made of is in
//! the hands that it is given.

use super::folder::{SweepError, SweepFolder, is_whole};
use super::journal::Event;
use super::next::{Measured, bracket, is_settled, next};
use super::plan::{Step, SweepPlan};
use crate::formats::{StudyMetadata, SweepStep, sweep_tables};
use crate::judge::{Stability, Verdict, stability};
use crate::measure::{Distribution, RunResult};
use crate::store::StoreError;
use crate::units::Nanos;
use crate::version::VERSION;
use std::path::Path;

/// So many failures in a row are no accident: the rest of the night is not worth wasting.
const FAILURES_IN_A_ROW: usize = 3;

/// What became of a measurement.
pub enum StepEnd {
    /// It went to its end.
    Measured(Box<(RunResult, Verdict)>),
    /// A signal came; what there is has been written.
    Interrupted,
    /// It could not be made, or brought nothing home.
    Failed(String),
}

/// What a sweep is carried out with.
pub trait Hands {
    /// Wall clock, nanoseconds since 1970.
    fn now(&self) -> Nanos;
    /// Whether a signal has come.
    fn is_interrupted(&self) -> bool;
    /// Puts back what an earlier process has left changed; whether there was something.
    ///
    /// # Errors
    /// Why not, with the cure.
    fn put_back(&mut self) -> Result<bool, String>;
    /// Makes and verifies a variant of the system; says what was done and found.
    ///
    /// # Errors
    /// Why not, with the cure.
    fn enter(&mut self, arm: usize) -> Result<Vec<String>, String>;
    /// Puts the system back.
    ///
    /// # Errors
    /// Why not, with the cure.
    fn leave(&mut self, arm: usize) -> Result<(), String>;
    /// Resets and empties what a step must not inherit; says what was done.
    ///
    /// # Errors
    /// Why not, with the cure.
    fn prepare(&mut self, step: &Step) -> Result<Vec<String>, String>;
    /// Measures, and leaves the result in the folder.
    fn measure(&mut self, step: &Step, folder: &Path) -> StepEnd;
    /// Rests; says for how long and why.
    fn cool_down(&mut self) -> String;
    /// Hears what happened, as it goes into the journal; `left` steps are still to come.
    fn hear(&mut self, event: &Event, left: usize);
    /// Hears of a finished step, of which there are more figures than the journal has.
    fn finished(&mut self, step: &Step, result: &RunResult, verdict: &Verdict, held: &Stability);
    /// What metadata.json says besides the plan.
    fn metadata(&self) -> StudyMetadata;
}

/// How a sweep ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Every step was measured.
    Done,
    /// A signal came.
    Interrupted,
    /// Steps failed; these.
    Failures(Vec<String>),
    /// The system could not be brought into the state that an arm asks for, or not back.
    Arm(String),
}

/// A step with everything that is known of it.
struct Known {
    step: Step,
    result: RunResult,
    verdict: Verdict,
    stability: Stability,
}

struct Sweep<'a> {
    plan: &'a SweepPlan,
    folder: &'a SweepFolder,
    hands: &'a mut dyn Hands,
    known: Vec<Known>,
    failed: Vec<Step>,
    reasons: Vec<String>,
}

/// Carries the plan out, or what is left of it, in its folder.
///
/// # Errors
/// [`SweepError`] when the folder can no longer be written; the system has then been put back.
pub fn run(
    plan: &SweepPlan,
    folder: &SweepFolder,
    hands: &mut dyn Hands,
) -> Result<Ended, SweepError> {
    let mut sweep = Sweep {
        plan,
        folder,
        hands,
        known: Vec::new(),
        failed: Vec::new(),
        reasons: Vec::new(),
    };
    sweep.take_up()?;
    let mut entered = None;
    let ended = match sweep.put_back()? {
        None => sweep.steps(&mut entered),
        Some(reason) => Ok(Ended::Arm(reason)),
    };
    let left = entered.map_or(Ok(None), |arm| sweep.leave(arm));
    let ended = match (ended?, left?) {
        (Ended::Done | Ended::Interrupted | Ended::Failures(_), Some(reason)) => Ended::Arm(reason),
        (ended, _) => ended,
    };
    if ended == Ended::Done {
        sweep.tell_left_out()?;
    }
    let ended = sweep.tell_capacity(ended)?;
    sweep.note(Event::Ended {
        measured: sweep.known.len(),
        failed: sweep.failed.len(),
        how: match &ended {
            Ended::Done => "done",
            Ended::Interrupted => "interrupted",
            Ended::Failures(_) => "failures",
            Ended::Arm(_) => "arm_failed",
        }
        .to_owned(),
    })?;
    Ok(ended)
}

impl Sweep<'_> {
    fn note(&mut self, event: Event) -> Result<(), StoreError> {
        let left = self.left();
        self.hands.hear(&event, left);
        self.folder.note(self.hands.now(), event)
    }

    /// Planned steps that are neither measured nor failed; an estimate where the plan adds or drops
    /// steps as it goes.
    fn left(&self) -> usize {
        let done = self.known.len() + self.failed.len();
        self.plan.steps().len().saturating_sub(done)
    }

    /// Finds what was measured before, and moves what was begun out of the way.
    fn take_up(&mut self) -> Result<(), SweepError> {
        let contents = self.folder.contents(self.plan)?;
        for one in contents.measured {
            self.learn(one.step, one.result, one.verdict);
        }
        self.note(Event::Began {
            meshload: VERSION.to_owned(),
            measured: self.known.len(),
        })?;
        for name in contents.half {
            self.set_aside(name)?;
        }
        // A process that was killed may have left them a step behind.
        Ok(self.write_tables()?)
    }

    /// Gives the reason when the system could not be put back.
    fn put_back(&mut self) -> Result<Option<String>, StoreError> {
        match self.hands.put_back() {
            Ok(false) => Ok(None),
            Ok(true) => {
                self.note(Event::PutBack)?;
                Ok(None)
            }
            Err(reason) => {
                let event = Event::RestoreFailed {
                    reason: reason.clone(),
                };
                self.note(event)?;
                Ok(Some(reason))
            }
        }
    }

    fn set_aside(&mut self, folder: String) -> Result<(), StoreError> {
        let to = self.folder.set_aside(&folder)?;
        self.note(Event::SetAside { folder, to })
    }

    fn learn(&mut self, step: Step, result: RunResult, verdict: Verdict) {
        let stability = stability(&result, &verdict);
        self.known.push(Known {
            step,
            result,
            verdict,
            stability,
        });
    }

    /// What the plan decides by.
    fn measured(&self) -> Vec<Measured> {
        let search = self.plan.find_capacity.as_ref();
        let slo = search.and_then(|search| search.slo.as_ref());
        let is_met = |known: &Known| slo.is_none_or(|slo| slo.missed(&known.result).is_empty());
        let measured = self.known.iter().map(|known| Measured {
            step: known.step,
            is_good: known.stability.is_held().map(|held| held && is_met(known)),
        });
        measured.collect()
    }

    fn next(&self) -> Option<Step> {
        next(self.plan, &self.measured(), &self.failed)
    }

    /// Which planned steps were not made although the sweep is done.
    fn tell_left_out(&mut self) -> Result<(), StoreError> {
        let is_made = |step: &Step| self.known.iter().any(|one| one.step.number == step.number);
        let planned = self.plan.steps().into_iter();
        let left_out = planned.filter(|step| self.plan.find_capacity.is_none() && !is_made(step));
        let steps: Vec<String> = left_out.map(|step| step.folder(self.plan)).collect();
        if steps.is_empty() {
            return Ok(());
        }
        self.note(Event::LeftOut { steps })
    }

    /// What the search has found so far, arm by arm. A search that did not come to its end is no
    /// sweep that is done.
    fn tell_capacity(&mut self, ended: Ended) -> Result<Ended, StoreError> {
        let Some(search) = &self.plan.find_capacity else {
            return Ok(ended);
        };
        let measured = self.measured();
        let mut open = Vec::new();
        for (number, arm) in self.plan.arms.iter().enumerate() {
            let is_settled = is_settled(self.plan, &measured, number);
            if !is_settled {
                open.push(format!("{}: its capacity was not found", arm.name));
            }
            self.note(Event::Capacity {
                arm: arm.name.clone(),
                slo: search.slo.clone(),
                bracket: bracket(&measured, number),
                is_settled,
            })?;
        }
        Ok(match ended {
            Ended::Done if !open.is_empty() => Ended::Failures(open),
            ended => ended,
        })
    }

    fn steps(&mut self, entered: &mut Option<usize>) -> Result<Ended, SweepError> {
        let mut failures_in_a_row = 0;
        while let Some(step) = self.next() {
            if self.hands.is_interrupted() {
                return Ok(self.interrupted(None)?);
            }
            if let Some(ended) = self.change_arm(entered, step.arm)? {
                return Ok(ended);
            }
            match self.one(&step)? {
                None => {
                    failures_in_a_row = 0;
                    self.write_tables()?;
                }
                Some(Ended::Interrupted) => return Ok(Ended::Interrupted),
                Some(_) => {
                    failures_in_a_row += 1;
                    self.failed.push(step);
                }
            }
            if failures_in_a_row >= FAILURES_IN_A_ROW {
                break;
            }
            if self.next().is_some() && !self.hands.is_interrupted() {
                let note = self.hands.cool_down();
                let number = step.number;
                // A rest that a signal cut short is none.
                if !self.hands.is_interrupted() {
                    self.note(Event::CooledDown { number, note })?;
                }
            }
        }
        Ok(if self.reasons.is_empty() {
            Ended::Done
        } else {
            Ended::Failures(self.reasons.clone())
        })
    }

    fn interrupted(&mut self, number: Option<u32>) -> Result<Ended, StoreError> {
        self.note(Event::Interrupted { number })?;
        Ok(Ended::Interrupted)
    }

    /// Unmakes the arm that is there and makes the next; gives how the sweep ends where that did
    /// not work.
    fn change_arm(
        &mut self,
        entered: &mut Option<usize>,
        arm: usize,
    ) -> Result<Option<Ended>, StoreError> {
        if *entered == Some(arm) {
            return Ok(None);
        }
        if let Some(before) = entered.take()
            && let Some(reason) = self.leave(before)?
        {
            return Ok(Some(Ended::Arm(reason)));
        }
        if self.hands.is_interrupted() {
            return self.interrupted(None).map(Some);
        }
        // What was half made has to be unmade, too.
        *entered = Some(arm);
        let name = self.plan.arms[arm].name.clone();
        match self.hands.enter(arm) {
            Ok(notes) => {
                self.note(Event::ArmEntered { arm: name, notes })?;
                Ok(None)
            }
            Err(_) if self.hands.is_interrupted() => self.interrupted(None).map(Some),
            Err(reason) => {
                let event = Event::ArmFailed {
                    arm: name,
                    reason: reason.clone(),
                };
                self.note(event)?;
                Ok(Some(Ended::Arm(reason)))
            }
        }
    }

    fn leave(&mut self, arm: usize) -> Result<Option<String>, StoreError> {
        match self.hands.leave(arm) {
            Ok(()) => {
                let arm = self.plan.arms[arm].name.clone();
                self.note(Event::ArmLeft { arm })?;
                Ok(None)
            }
            Err(reason) => {
                let event = Event::RestoreFailed {
                    reason: reason.clone(),
                };
                self.note(event)?;
                Ok(Some(reason))
            }
        }
    }

    /// One step; `None` when it was measured.
    fn one(&mut self, step: &Step) -> Result<Option<Ended>, StoreError> {
        let (number, folder) = (step.number, step.folder(self.plan));
        self.note(Event::StepBegan {
            number,
            folder: folder.clone(),
        })?;
        let path = self.folder.step_path(&folder);
        let outcome = match self.hands.prepare(step) {
            Ok(notes) => {
                if !notes.is_empty() {
                    self.note(Event::Prepared { number, notes })?;
                }
                self.hands.measure(step, &path)
            }
            Err(reason) => StepEnd::Failed(reason),
        };
        let reason = match outcome {
            StepEnd::Measured(measured) if is_whole(&measured.0) => {
                let (result, verdict) = *measured;
                self.tell_finished(step, folder, &result, &verdict)?;
                self.learn(*step, result, verdict);
                return Ok(None);
            }
            StepEnd::Interrupted => {
                return self.interrupted(Some(number)).map(Some);
            }
            StepEnd::Failed(reason) => reason,
            StepEnd::Measured(_) => "not one request was completed".to_owned(),
        };
        self.reasons.push(format!("{folder}: {reason}"));
        let event = Event::StepFailed {
            number,
            folder: folder.clone(),
            reason,
        };
        self.note(event)?;
        if path.exists() {
            self.set_aside(folder)?;
        }
        Ok(Some(Ended::Failures(Vec::new())))
    }

    fn tell_finished(
        &mut self,
        step: &Step,
        folder: String,
        result: &RunResult,
        verdict: &Verdict,
    ) -> Result<(), StoreError> {
        let held = stability(result, verdict);
        let tally = result.overall();
        let latency = Distribution::of(&tally.response_times(result.is_open_loop()));
        let event = Event::StepFinished {
            number: step.number,
            folder,
            achieved: result.rate_achieved(),
            p50_ns: latency.as_ref().map(|latency| latency.p50),
            p99_ns: latency.as_ref().map(|latency| latency.p99),
            verdict: verdict.level.name().to_owned(),
            stability: held.name().to_owned(),
        };
        self.hands.finished(step, result, verdict, &held);
        self.note(event)
    }

    /// All tables over all steps, each whole or not at all.
    fn write_tables(&mut self) -> Result<(), StoreError> {
        self.known.sort_by_key(|known| known.step.number);
        let steps: Vec<SweepStep<'_>> = self
            .known
            .iter()
            .map(|known| SweepStep {
                result: &known.result,
                verdict: &known.verdict,
                stability: &known.stability,
            })
            .collect();
        let metadata = self.hands.metadata();
        for (name, bytes) in sweep_tables(&steps, &metadata) {
            self.folder.write(name, &bytes)?;
        }
        Ok(())
    }
}

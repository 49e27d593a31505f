//! The hands of a sweep: what a step is made of.

use super::super::environment::environment;
use super::super::live::Live;
use super::super::measurement::{NotMeasured, Setting, Written, measure};
use super::super::signals::Signals;
use super::arms::{Changes, Making};
use super::cooldown;
use super::metadata::metadata;
use crate::cli::Outputs;
use crate::clock::unix_now;
use crate::engine::{Job, launch};
use crate::formats::StudyMetadata;
use crate::judge::{Gate, Stability, Verdict};
use crate::measure::{Ending, RunResult};
use crate::operate::Operator;
use crate::render::{StepTitle, capacity_line, show_length, step_header, step_line};
use crate::spec::{CollectFrom, CollectSpec, RunSpec};
use crate::sweep::{Cooldown, Event, Hands, Step, StepEnd, SweepFolder, SweepPlan};
use crate::units::{Nanos, Rate};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Everything that steps have in common.
pub struct SweepHands<'a> {
    plan: &'a SweepPlan,
    folder: &'a SweepFolder,
    script: Option<Vec<u8>>,
    signals: Signals,
    quiet: bool,
    /// The cluster, once it was looked for; none when there is none to be had.
    operator: Option<Option<Operator>>,
    changes: Changes,
    /// What could not be read of an earlier process's changes.
    trouble: Option<String>,
    /// Arms that were verified and are warm.
    ready: BTreeSet<usize>,
    /// The arm that is there.
    arm: usize,
    /// The application's CPU without load, in thousandths of a core, once it was looked for.
    idle: Option<Option<f64>>,
    has_header: bool,
    left: usize,
}

impl<'a> SweepHands<'a> {
    /// For this plan in this folder, with this text as its script.
    pub fn new(
        plan: &'a SweepPlan,
        folder: &'a SweepFolder,
        script: Option<String>,
        signals: Signals,
        quiet: bool,
    ) -> SweepHands<'a> {
        let (changes, trouble) = match Changes::left_in(folder.path()) {
            Ok(changes) => (Some(changes), None),
            Err(trouble) => (None, Some(trouble)),
        };
        SweepHands {
            plan,
            folder,
            script: script.map(String::into_bytes),
            signals,
            quiet,
            operator: None,
            changes: changes.unwrap_or_else(|| Changes::none(folder.path())),
            trouble,
            ready: BTreeSet::new(),
            arm: 0,
            idle: None,
            has_header: false,
            left: 0,
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("hooks.log")
    }

    fn collect(&self, arm: usize) -> Result<CollectSpec, String> {
        let spec = self.plan.collect(&self.plan.arms[arm]);
        spec.map_err(|bad| bad.to_string())
    }

    fn title(&self, step: &Step) -> StepTitle<'a> {
        let planned = self.plan.steps().len();
        StepTitle {
            number: step.number,
            of: planned.max(step.number as usize),
            arm: &self.plan.arms[step.arm].name,
            rate: step.rate.as_f64(),
            repetition: step.repetition,
        }
    }

    fn say(&self, text: &str) {
        if !self.quiet {
            note!("note: {text}");
        }
    }

    /// The cluster, if the arm needs one or there is one.
    fn reach(&mut self, arm: usize) -> Result<(), String> {
        if self.operator.is_some() {
            return Ok(());
        }
        let collect = self.collect(arm)?;
        let needs = self.plan.arms.iter().any(|arm| {
            let changes = !arm.apply.is_empty() || !arm.patch.is_empty() || !arm.labels.is_empty();
            changes || (self.plan.switch && arm.meshed.is_some())
        }) || self.changes.is_of_cluster();
        let wants = matches!(collect.from, CollectFrom::Kube | CollectFrom::Auto);
        if !needs && !wants {
            self.operator = Some(None);
            return Ok(());
        }
        match Operator::connect(&collect.access) {
            Ok(operator) => self.operator = Some(Some(operator)),
            Err(error) if needs || collect.from == CollectFrom::Kube => {
                return Err(error.to_string());
            }
            Err(_) => self.operator = Some(None),
        }
        Ok(())
    }

    /// What an arm's steps ask, at this rate.
    fn spec(&self, arm: usize, rate: Rate) -> Result<RunSpec, String> {
        let step = Step {
            number: 1,
            arm,
            rate,
            repetition: 1,
        };
        let spec = self.plan.run_spec(&step);
        spec.map_err(|bad| bad.to_string())
    }

    fn making<'b>(&'b self, arm: usize, log: &'b Path) -> Result<Making<'b>, String> {
        Ok(Making {
            plan: self.plan,
            arm: &self.plan.arms[arm],
            spec: self.spec(arm, self.plan.rates[0])?,
            operator: self.operator.as_ref().and_then(Option::as_ref),
            script: self.script.as_deref(),
            log,
            signals: &self.signals,
        })
    }

    /// Load that is not measured, so that caches are as full as they will be.
    fn warm_up(&mut self, arm: usize) -> Result<Option<String>, String> {
        let first = &self.plan.warm_up_first;
        if first.length.is_zero() {
            return Ok(None);
        }
        let mut spec = self.spec(arm, first.rate)?;
        (spec.load.warmup, spec.load.guard) = (Nanos::ZERO, Nanos::ZERO);
        spec.load.duration = first.length;
        spec.collect.from = CollectFrom::None;
        let title = format!("warming up {} ", self.plan.arms[arm].name);
        let mut live = Live::new(title, first.length, self.quiet);
        let outcome = launch(&self.job(spec), &mut |event| live.observe(&event), &|| {
            self.signals.received().is_some()
        });
        live.finish();
        outcome.map_err(|error| format!("warming up: {error}"))?;
        cooldown::wait(first.rest, &self.signals);
        if self.signals.received().is_some() {
            return Err("interrupted while warming up".to_owned());
        }
        let note = format!("warmed up with {} at {}/s", first.length, first.rate);
        Ok(Some(note))
    }

    fn job(&self, spec: RunSpec) -> Job {
        Job {
            spec,
            script: self.script.clone(),
            prints_to_stderr: true,
            environment: environment(),
        }
    }

    /// The cluster as it was, and the arm's commands to unmake it; the second also when the first
    /// fails.
    fn restore(&mut self, arm: usize) -> Result<(), String> {
        let log = self.log();
        let mut changes = std::mem::replace(&mut self.changes, Changes::none(self.folder.path()));
        let outcome = match &self.operator {
            Some(Some(operator)) => changes.take_back(operator),
            _ => Ok(()),
        };
        let making = self.making(arm, &log);
        let unmade = making.and_then(|making| making.unmake(&mut changes));
        self.changes = changes;
        outcome.and(unmade)
    }

    fn look_how_idle(&mut self, collect: &CollectSpec) {
        if self.idle.is_some() || self.plan.cooldown != Cooldown::Adaptive {
            return;
        }
        let is_cluster = self.operator.as_ref().is_some_and(Option::is_some);
        let can_tell = match collect.from {
            CollectFrom::None => false,
            CollectFrom::Process(_) => true,
            CollectFrom::Kube | CollectFrom::Auto => is_cluster,
        };
        if can_tell {
            self.say("looking how much CPU the application uses without load");
        }
        let idle = can_tell.then(|| cooldown::idle_cpu(collect, &self.signals));
        self.idle = Some(idle.flatten());
    }

    fn measured(&mut self, spec: RunSpec, step: &Step, folder: &Path) -> Result<StepEnd, String> {
        let outputs = Outputs {
            folder: Some(folder.to_owned()),
            quiet: true,
            ..Outputs::default()
        };
        let setting = Setting {
            script: self.script.clone(),
            outputs: &outputs,
            guard_is_given: true,
            title: self.title(step).text() + " ",
            hides_progress: self.quiet,
            prints_to_stderr: true,
        };
        let measured = match measure(spec, &setting, &self.signals) {
            Ok(measured) => measured,
            Err(NotMeasured::Load(_)) if self.signals.received().is_some() => {
                return Ok(StepEnd::Interrupted);
            }
            Err(error) => return Err(error.to_string()),
        };
        let (mut finished, verdict, Written { errors, .. }) = measured.write(&Gate::default());
        if let Some(error) = errors.first() {
            return Err(error.to_string());
        }
        if let Some(error) = &finished.script_error {
            return Err(format!("the script failed: {error}"));
        }
        if let Err(error) = finished.done() {
            self.say(&format!("the script's done() failed: {error}"));
        }
        Ok(match finished.result.ending {
            Ending::Interrupted => StepEnd::Interrupted,
            _ => StepEnd::Measured(Box::new((finished.result, verdict))),
        })
    }
}

impl Hands for SweepHands<'_> {
    fn now(&self) -> Nanos {
        unix_now()
    }

    fn is_interrupted(&self) -> bool {
        self.signals.received().is_some()
    }

    fn put_back(&mut self) -> Result<bool, String> {
        if let Some(trouble) = self.trouble.take() {
            return Err(trouble);
        }
        let arm = self.changes.arm().map(str::to_owned);
        let arm = arm.and_then(|name| self.plan.arms.iter().position(|arm| arm.name == name));
        if arm.is_none() && !self.changes.is_of_cluster() {
            return Ok(false);
        }
        self.say("putting back what an earlier session has changed");
        let arm = arm.unwrap_or_default();
        self.reach(arm)?;
        self.restore(arm)?;
        Ok(true)
    }

    fn enter(&mut self, arm: usize) -> Result<Vec<String>, String> {
        self.reach(arm)?;
        let mut notes = Vec::new();
        self.arm = arm;
        let changes_something = self.plan.arms[arm].changes_something(self.plan.switch);
        if !changes_something && self.ready.contains(&arm) {
            // It is there, and was looked at.
            return Ok(notes);
        }
        if changes_something {
            self.ready.remove(&arm);
            self.say(&format!("making the arm {}", self.plan.arms[arm].name));
        }
        let (collect, log) = (self.collect(arm)?, self.log());
        let mut changes = std::mem::replace(&mut self.changes, Changes::none(self.folder.path()));
        let making = self.making(arm, &log);
        let made = making.and_then(|making| making.make(&mut changes));
        self.changes = changes;
        notes.extend(made?);
        for note in &notes {
            self.say(note);
        }
        self.look_how_idle(&collect);
        notes.extend(self.warm_up(arm)?);
        self.ready.insert(arm);
        Ok(notes)
    }

    fn leave(&mut self, arm: usize) -> Result<(), String> {
        if self.changes.is_of_cluster() {
            self.say("putting the cluster back as it was");
        }
        self.restore(arm)
    }

    fn prepare(&mut self, step: &Step) -> Result<Vec<String>, String> {
        let title = self.title(step);
        let each = self.plan.load_time();
        let whole = Nanos(each.0.saturating_mul(self.left as u64));
        self.say(&format!(
            "{} ({}; {} of load left in all)",
            title.text(),
            show_length(each),
            show_length(whole)
        ));
        let log = self.log();
        let making = self.making(step.arm, &log)?;
        let mut notes = making.reset(step)?;
        if let (true, Some(Some(operator))) = (self.plan.cache_flush, &self.operator) {
            let flushed = operator.flush_caches(&making.namespace());
            for pod in flushed.map_err(|error| error.to_string())? {
                if let Err(reason) = &pod {
                    self.say(reason);
                }
                notes.push(pod.unwrap_or_else(|reason| reason));
            }
        }
        Ok(notes)
    }

    fn measure(&mut self, step: &Step, folder: &Path) -> StepEnd {
        let spec = match self.plan.run_spec(step) {
            Ok(spec) => spec,
            Err(bad) => return StepEnd::Failed(bad.to_string()),
        };
        let measured = self.measured(spec, step, folder);
        measured.unwrap_or_else(StepEnd::Failed)
    }

    fn cool_down(&mut self) -> String {
        let fixed = match (self.plan.cooldown, self.idle.flatten()) {
            (Cooldown::Fixed(length), _) => {
                cooldown::wait(length, &self.signals);
                return length.to_string();
            }
            (Cooldown::Adaptive, Some(idle)) => match self.collect(self.arm) {
                Ok(collect) => return cooldown::cool_down(&collect, idle, &self.signals),
                Err(reason) => reason,
            },
            (Cooldown::Adaptive, None) => "there is no collector that could tell".to_owned(),
        };
        format!("skipped: {fixed}")
    }

    fn hear(&mut self, event: &Event, left: usize) {
        self.left = left;
        match event {
            Event::Began { measured, .. } if *measured > 0 => {
                self.say(&format!("{measured} steps are measured already"));
            }
            Event::SetAside { folder, to } => {
                self.say(&format!("{folder} was not finished; it is in {to} now"));
            }
            Event::StepFailed { folder, reason, .. } => {
                note!("meshload: {folder}: {reason}");
            }
            Event::CooledDown { note, .. } => self.say(&format!("rested {note}")),
            Event::LeftOut { steps } => {
                tell!(
                    "left out, above rates that were not held: {}",
                    steps.join(", ")
                );
            }
            Event::Capacity {
                arm,
                slo,
                bracket,
                is_settled,
            } => {
                let rates = [bracket.good, bracket.bad].map(|rate| rate.map(|rate| rate.as_f64()));
                tell!("{}", capacity_line(arm, slo.as_ref(), rates, *is_settled));
            }
            _ => {}
        }
    }

    fn finished(&mut self, step: &Step, result: &RunResult, verdict: &Verdict, held: &Stability) {
        if !self.has_header {
            tell!("{}", step_header());
            self.has_header = true;
        }
        tell!("{}", step_line(&self.title(step), result, verdict, held));
    }

    fn metadata(&self) -> StudyMetadata {
        metadata(self.plan, self.folder.begun, self.idle.flatten())
    }
}

//! What a sweep of this program is carried out with: cluster, commands, engine and terminal.

use super::super::environment::environment;
use super::super::live::Live;
use super::super::measurement::{NotMeasured, RunOptions, measure};
use super::super::run::{exit_of_nothing, no_answer};
use super::super::signals::Signals;
use super::account::Account;
use super::arms::{ArmCommands, UndoLog};
use super::cooldown;
use super::metadata::metadata;
use crate::cli::Outputs;
use crate::clock::unix_now;
use crate::engine::{Job, launch};
use crate::exit::Exit;
use crate::measure::Ending;
use crate::operate::Operator;
use crate::spec::{CollectFrom, CollectSpec, RunSpec, StepKey};
use crate::study::StudyMetadata;
use crate::sweep::{
    ArmSetup, Cooldown, Event, Measurer, Observer, StepEnd, SweepFolder, SweepPlan,
};
use crate::text::{capacity_line, show_length, step_header, step_line, step_title};
use crate::units::{Nanos, Rate};
use crate::verdict::JudgedRun;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The cluster that arms are changed in and caches are emptied in.
enum Cluster {
    NotLookedFor,
    None,
    Reached(Box<Operator>),
}

/// The application's CPU without load, in thousandths of a core.
#[derive(Clone, Copy)]
enum IdleCpu {
    NotLookedFor,
    Unknown,
    Known(f64),
}

/// What all steps have in common.
struct Common<'a> {
    plan: &'a SweepPlan,
    script: Option<Vec<u8>>,
    signals: Signals,
    quiet: bool,
    cluster: Cluster,
    /// Where the output of the user's commands goes.
    log: PathBuf,
}

/// Sets arms up, measures steps, and shows both.
pub struct Driver<'a> {
    common: Common<'a>,
    undo: UndoLog,
    /// What could not be read of an earlier process's changes.
    trouble: Option<String>,
    /// Arms that were verified and are warm.
    ready: BTreeSet<String>,
    /// The collector's options of the arm that is set up.
    collect: CollectSpec,
    idle: IdleCpu,
    has_header: bool,
    left: usize,
    begun: Nanos,
    /// What is known of the steps.
    pub account: Account<'a>,
    /// How the process ends where a run could not be made, or its script failed at the end.
    pub exit: Option<Exit>,
}

impl Common<'_> {
    fn operator(&self) -> Option<&Operator> {
        match &self.cluster {
            Cluster::Reached(operator) => Some(operator),
            Cluster::NotLookedFor | Cluster::None => None,
        }
    }

    /// The question that an arm's steps ask, at this rate.
    fn spec(&self, arm: &str, rate: Rate) -> Result<RunSpec, String> {
        let step = StepKey {
            number: 1,
            arm: arm.to_owned(),
            rate,
            repetition: 1,
        };
        let spec = self.plan.run_spec(&step);
        spec.map_err(|bad| bad.to_string())
    }

    fn commands(&self, arm: &str) -> Result<ArmCommands<'_>, String> {
        Ok(ArmCommands {
            plan: self.plan,
            spec: self.spec(arm, self.plan.rates[0])?,
            arm: self
                .plan
                .arm(arm)
                .ok_or_else(|| format!("the plan has no arm {arm}"))?,
            operator: self.operator(),
            script: self.script.as_deref(),
            log: &self.log,
            signals: &self.signals,
        })
    }

    fn say(&self, text: &str) {
        if !self.quiet {
            status!("note: {text}");
        }
    }

    fn job(&self, spec: RunSpec) -> Job {
        Job {
            spec,
            script: self.script.clone(),
            prints_to_stderr: true,
            environment: environment(),
        }
    }
}

impl<'a> Driver<'a> {
    /// For this plan in this folder, with this text as its script.
    pub fn new(
        plan: &'a SweepPlan,
        folder: &SweepFolder,
        script: Option<String>,
        signals: Signals,
        quiet: bool,
    ) -> Driver<'a> {
        let (undo, trouble) = match UndoLog::left_in(folder.path()) {
            Ok(undo) => (undo, None),
            Err(trouble) => (UndoLog::empty(folder.path()), Some(trouble)),
        };
        let log = folder.path().map(|path| path.join("hooks.log"));
        Driver {
            common: Common {
                plan,
                script: script.map(String::into_bytes),
                signals,
                quiet,
                cluster: Cluster::NotLookedFor,
                log: log.unwrap_or_else(|| PathBuf::from("/dev/null")),
            },
            undo,
            trouble,
            ready: BTreeSet::new(),
            collect: CollectSpec::default(),
            idle: IdleCpu::NotLookedFor,
            has_header: false,
            left: 0,
            begun: folder.begun,
            account: Account::of(plan),
            exit: None,
        }
    }

    fn title(&self, step: &StepKey) -> String {
        step_title(step, self.planned(step))
    }

    /// Of how many steps this is one, as far as is known.
    fn planned(&self, step: &StepKey) -> usize {
        self.common.plan.steps().len().max(step.number as usize)
    }

    fn is_trial(&self) -> bool {
        self.common.plan.until.is_some()
    }

    /// Looks for the cluster, if the plan needs one or the arm's figures come from one.
    fn reach_cluster(&mut self, arm: &str) -> Result<(), String> {
        let plan = self.common.plan;
        let spec = self.common.spec(arm, plan.rates[0])?;
        self.collect = spec.collect;
        if !matches!(self.common.cluster, Cluster::NotLookedFor) {
            return Ok(());
        }
        let needs = plan.arms.iter().any(|arm| {
            let changes = !arm.apply.is_empty() || !arm.patch.is_empty() || !arm.labels.is_empty();
            changes || (plan.switch && arm.meshed.is_some())
        }) || self.undo.is_of_cluster();
        let from = &self.collect.from;
        let wants = matches!(from, CollectFrom::Kube | CollectFrom::Auto) && !self.is_trial();
        self.common.cluster =
            match (needs || wants).then(|| Operator::connect(&self.collect.access)) {
                None => Cluster::None,
                Some(Ok(operator)) => Cluster::Reached(Box::new(operator)),
                Some(Err(error)) if needs || *from == CollectFrom::Kube => {
                    return Err(error.to_string());
                }
                Some(Err(_)) => Cluster::None,
            };
        Ok(())
    }

    /// Load that is not measured, so that caches are as full as they will be.
    fn warm_up(&mut self, arm: &str) -> Result<Option<String>, String> {
        let first = &self.common.plan.warm_up_first;
        if first.length.is_zero() {
            return Ok(None);
        }
        let mut spec = self.common.spec(arm, first.rate)?;
        (spec.load.warmup, spec.load.guard) = (Nanos::ZERO, Nanos::ZERO);
        spec.load.duration = first.length;
        spec.collect.from = CollectFrom::None;
        let title = format!("warming up {arm} ");
        let mut live = Live::new(title, first.length, self.common.quiet);
        let outcome = launch(
            &self.common.job(spec),
            &mut |event| live.observe(&event),
            &|| self.common.signals.received().is_some(),
        );
        live.finish();
        outcome.map_err(|error| format!("warming up: {error}"))?;
        cooldown::wait(first.rest, &self.common.signals);
        if self.common.signals.received().is_some() {
            return Err("interrupted while warming up".to_owned());
        }
        let note = format!("warmed up with {} at {}/s", first.length, first.rate);
        Ok(Some(note))
    }

    /// Restores the cluster, and runs the arm's commands that unmake it, also when the cluster could not
    /// be restored.
    fn restore(&mut self, arm: &str) -> Result<(), String> {
        let restored = match self.common.operator() {
            Some(operator) => self.undo.take_back(operator),
            None => Ok(()),
        };
        let commands = self.common.commands(arm);
        let unmade = commands.and_then(|commands| commands.unmake(&mut self.undo));
        restored.and(unmade)
    }

    fn look_how_idle(&mut self) {
        let is_looked_for = !matches!(self.idle, IdleCpu::NotLookedFor);
        if is_looked_for || self.common.plan.cooldown != Cooldown::Adaptive {
            return;
        }
        let can_tell = match self.collect.from {
            CollectFrom::None => false,
            CollectFrom::Process(_) => true,
            CollectFrom::Kube | CollectFrom::Auto => self.common.operator().is_some(),
        };
        if can_tell {
            let text = "looking how much CPU the application uses without load";
            self.common.say(text);
        }
        let idle = can_tell.then(|| cooldown::idle_cpu(&self.collect, &self.common.signals));
        self.idle = idle.flatten().map_or(IdleCpu::Unknown, IdleCpu::Known);
    }

    fn idle_cpu(&self) -> Option<f64> {
        match self.idle {
            IdleCpu::Known(cpu) => Some(cpu),
            IdleCpu::NotLookedFor | IdleCpu::Unknown => None,
        }
    }

    /// Makes the run of a step.
    fn measured(&mut self, step: &StepKey, folder: Option<&Path>) -> Result<StepEnd, String> {
        let spec = self.common.plan.run_spec(step);
        let spec = spec.map_err(|bad| bad.to_string())?;
        let until = self.common.plan.until.as_ref();
        let outputs = Outputs {
            folder: folder.map(Path::to_owned),
            // What there is to say of the collector is said once, and of a sweep's not at all.
            quiet: self.common.quiet || until.is_none() || self.has_header,
            ..Outputs::default()
        };
        let options = RunOptions {
            script: self.common.script.clone(),
            outputs: &outputs,
            guard_is_given: until.is_none_or(|until| until.guard_is_given),
            title: self.title(step) + " ",
            hides_progress: self.common.quiet,
            prints_to_stderr: true,
        };
        let measured = match measure(spec, &options, &self.common.signals) {
            Ok(measured) => measured,
            Err(NotMeasured::Load(_)) if self.is_interrupted() => {
                return Ok(StepEnd::Interrupted);
            }
            Err(error) => {
                self.exit = Some(exit_of_nothing(&error));
                return Err(error.to_string());
            }
        };
        let (written, mut script) = measured.write();
        if let Some(error) = written.errors.first() {
            return Err(error.to_string());
        }
        if let Some(error) = &script.error {
            return Err(format!("the script failed: {error}"));
        }
        let run = written.source.run;
        if run.result.ending == Ending::Interrupted {
            return Ok(StepEnd::Interrupted);
        }
        if let (true, Some(why)) = (self.is_trial(), no_answer(&run.result)) {
            return Err(why);
        }
        if let Err(error) = script.done(&run.result) {
            self.exit = Some(Exit::Failed);
            self.common
                .say(&format!("the script's done() failed: {error}"));
        }
        Ok(StepEnd::Measured(Box::new(run)))
    }
}

impl ArmSetup for Driver<'_> {
    fn restore_leftovers(&mut self) -> Result<bool, String> {
        if let Some(trouble) = self.trouble.take() {
            return Err(trouble);
        }
        let plan = self.common.plan;
        let arm = self.undo.arm().and_then(|name| plan.arm(name));
        if arm.is_none() && !self.undo.is_of_cluster() {
            return Ok(false);
        }
        self.common
            .say("putting back what an earlier session has changed");
        let Some(arm) = arm.or(plan.arms.first()) else {
            return Ok(false);
        };
        self.reach_cluster(&arm.name)?;
        self.restore(&arm.name)?;
        Ok(true)
    }

    fn set_up_arm(&mut self, arm: &str) -> Result<Vec<String>, String> {
        self.reach_cluster(arm)?;
        let plan = self.common.plan;
        let changes_something = plan
            .arm(arm)
            .is_some_and(|arm| arm.changes_something(plan.switch));
        if !changes_something && self.ready.contains(arm) {
            // The arm is there, and was looked at.
            return Ok(Vec::new());
        }
        if changes_something {
            self.ready.remove(arm);
            self.common.say(&format!("making the arm {arm}"));
        }
        let commands = self.common.commands(arm)?;
        let mut notes = commands.make(&mut self.undo)?;
        for note in &notes {
            self.common.say(note);
        }
        self.look_how_idle();
        notes.extend(self.warm_up(arm)?);
        self.ready.insert(arm.to_owned());
        Ok(notes)
    }

    fn tear_down_arm(&mut self, arm: &str) -> Result<(), String> {
        if self.undo.is_of_cluster() {
            self.common.say("putting the cluster back as it was");
        }
        self.restore(arm)
    }
}

impl Measurer for Driver<'_> {
    fn prepare(&mut self, step: &StepKey) -> Result<Vec<String>, String> {
        if self.is_trial() {
            return Ok(Vec::new());
        }
        let each = self.common.plan.load_time();
        let whole = Nanos(each.0.saturating_mul(self.left as u64));
        self.common.say(&format!(
            "{} ({}; {} of load left in all)",
            self.title(step),
            show_length(each),
            show_length(whole)
        ));
        let commands = self.common.commands(&step.arm)?;
        let mut notes = commands.reset(step)?;
        if let (true, Some(operator)) = (self.common.plan.cache_flush, self.common.operator()) {
            let flushed = operator.flush_caches(&commands.namespace());
            for pod in flushed.map_err(|error| error.to_string())? {
                if let Err(reason) = &pod {
                    self.common.say(reason);
                }
                notes.push(pod.unwrap_or_else(|reason| reason));
            }
        }
        Ok(notes)
    }

    fn measure(&mut self, step: &StepKey, folder: Option<&Path>) -> StepEnd {
        let measured = self.measured(step, folder);
        measured.unwrap_or_else(StepEnd::Failed)
    }

    fn cool_down(&mut self) -> String {
        let signals = &self.common.signals;
        match (self.common.plan.cooldown, self.idle_cpu()) {
            (Cooldown::Fixed(length), _) => {
                cooldown::wait(length, signals);
                length.to_string()
            }
            (Cooldown::Adaptive, Some(idle)) => cooldown::cool_down(&self.collect, idle, signals),
            (Cooldown::Adaptive, None) => {
                "skipped: there is no collector that could tell".to_owned()
            }
        }
    }
}

impl Observer for Driver<'_> {
    fn now(&self) -> Nanos {
        unix_now()
    }

    fn is_interrupted(&self) -> bool {
        self.common.signals.received().is_some()
    }

    fn on_event(&mut self, event: &Event, left: usize) {
        self.left = left;
        match event {
            Event::Began { measured, .. } if *measured > 0 => {
                let text = format!("{measured} steps are measured already");
                self.common.say(&text);
            }
            Event::SetAside { folder, to } => {
                let text = format!("{folder} was not finished; it is in {to} now");
                self.common.say(&text);
            }
            Event::StepFailed { folder, reason, .. } => {
                status!("meshload: {folder}: {reason}");
            }
            Event::CooledDown { note, .. } if !self.is_trial() => {
                self.common.say(&format!("rested {note}"));
            }
            Event::LeftOut { steps } => {
                outln!(
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
                let rates = [bracket.good, bracket.bad].map(|rate| rate.map(Rate::as_f64));
                outln!("{}", capacity_line(arm, slo.as_ref(), rates, *is_settled));
            }
            _ => {}
        }
    }

    fn on_step_found(&mut self, step: &StepKey, run: &JudgedRun) {
        self.account.add(step, run);
    }

    fn on_step_finished(&mut self, step: &StepKey, run: &JudgedRun) {
        if !self.has_header {
            outln!("{}", step_header());
            self.has_header = true;
        }
        outln!("{}", step_line(step, self.planned(step), run));
        self.account.add(step, run);
    }

    fn metadata(&self) -> StudyMetadata {
        metadata(self.common.plan, self.begun, self.idle_cpu())
    }
}

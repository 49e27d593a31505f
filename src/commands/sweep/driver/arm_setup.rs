//! Sets arms up and tears them down: the cluster, the user's commands, the warm-up.

use super::super::super::live::Live;
use super::super::cooldown;
use super::context::Cluster;
use super::{Driver, IdleCpu};
use crate::engine::launch;
use crate::operate::Operator;
use crate::spec::CollectFrom;
use crate::sweep::{ArmSetup, Cooldown};
use crate::units::Nanos;

impl Driver<'_> {
    /// Connects to the cluster, when the plan changes it or the arm's figures come from it.
    fn connect_to_cluster(&mut self, arm: &str) -> Result<(), String> {
        let plan = self.context.plan;
        let spec = self.context.spec(arm, plan.rates[0])?;
        self.collect = spec.collect;
        if !matches!(self.context.cluster, Cluster::NotTried) {
            return Ok(());
        }
        let needs = plan.arms.iter().any(|arm| {
            let changes = !arm.apply.is_empty() || !arm.patch.is_empty() || !arm.labels.is_empty();
            changes || (plan.switch && arm.meshed.is_some())
        }) || self.undo.has_cluster_changes();
        let from = &self.collect.from;
        let is_of_cluster = matches!(from, CollectFrom::Kube | CollectFrom::Auto);
        let wants = is_of_cluster && !self.context.is_trial();
        self.context.cluster =
            match (needs || wants).then(|| Operator::connect(&self.collect.access)) {
                None => Cluster::None,
                Some(Ok(operator)) => Cluster::Connected(Box::new(operator)),
                Some(Err(error)) if needs || *from == CollectFrom::Kube => {
                    return Err(error.to_string());
                }
                Some(Err(_)) => Cluster::None,
            };
        Ok(())
    }

    /// Puts load on an arm that is not measured, so that the first step finds caches and connection
    /// pools as filled as the later ones do. Returns a note for the journal.
    fn warm_up(&mut self, arm: &str) -> Result<Option<String>, String> {
        let first = &self.context.plan.warm_up_first;
        if first.length.is_zero() {
            return Ok(None);
        }
        let mut spec = self.context.spec(arm, first.rate)?;
        (spec.load.warmup, spec.load.guard) = (Nanos::ZERO, Nanos::ZERO);
        spec.load.duration = first.length;
        spec.collect.from = CollectFrom::None;
        let title = format!("warming up {arm} ");
        let mut live = Live::new(title, first.length, self.context.quiet);
        let outcome = launch(
            &self.context.job(spec),
            &mut |event| live.observe(&event),
            &|| self.context.is_interrupted(),
        );
        live.finish();
        outcome.map_err(|error| format!("warming up: {error}"))?;
        if self.context.signals.pause(first.rest) {
            return Err("interrupted while warming up".to_owned());
        }
        let note = format!("warmed up with {} at {}/s", first.length, first.rate);
        Ok(Some(note))
    }

    /// Rolls the cluster back and runs the arm's `after` commands, these also when the rollback failed.
    fn restore(&mut self, arm: &str) -> Result<(), String> {
        let rolled_back = match self.context.operator() {
            Some(operator) => self.undo.roll_back(operator),
            None => Ok(()),
        };
        let commands = self.context.commands(arm);
        let torn_down = commands.and_then(|commands| commands.tear_down(&mut self.undo));
        rolled_back.and(torn_down)
    }

    /// Measures once how much CPU the application uses without load. The adaptive cooldown waits until
    /// the CPU is back at that level.
    fn measure_idle_cpu(&mut self) {
        let is_measured = !matches!(self.idle, IdleCpu::NotMeasured);
        if is_measured || self.context.plan.cooldown != Cooldown::Adaptive {
            return;
        }
        let can_measure = match self.collect.from {
            CollectFrom::None => false,
            CollectFrom::Process(_) => true,
            CollectFrom::Kube | CollectFrom::Auto => self.context.operator().is_some(),
        };
        if can_measure {
            let text = "measuring how much CPU the application uses without load";
            self.context.print_note(text);
        }
        let idle = can_measure.then(|| cooldown::idle_cpu(&self.collect, &self.context.signals));
        self.idle = idle.flatten().map_or(IdleCpu::Unknown, IdleCpu::Known);
    }
}

impl ArmSetup for Driver<'_> {
    fn restore_leftovers(&mut self) -> Result<bool, String> {
        if let Some(reason) = self.unreadable_undo.take() {
            return Err(reason);
        }
        let plan = self.context.plan;
        let arm = self.undo.arm().and_then(|name| plan.arm(name));
        if arm.is_none() && !self.undo.has_cluster_changes() {
            return Ok(false);
        }
        let text = "restoring what an earlier session changed";
        self.context.print_note(text);
        let Some(arm) = arm.or(plan.arms.first()) else {
            return Ok(false);
        };
        self.connect_to_cluster(&arm.name)?;
        self.restore(&arm.name)?;
        Ok(true)
    }

    fn set_up_arm(&mut self, arm: &str) -> Result<Vec<String>, String> {
        self.connect_to_cluster(arm)?;
        let plan = self.context.plan;
        let changes_something = plan
            .arm(arm)
            .is_some_and(|arm| arm.changes_something(plan.switch));
        if !changes_something && self.ready.contains(arm) {
            // An arm that changes nothing stays as it was verified.
            return Ok(Vec::new());
        }
        if changes_something {
            self.ready.remove(arm);
            self.context
                .print_note(&format!("setting up the arm {arm}"));
        }
        let commands = self.context.commands(arm)?;
        let mut notes = commands.set_up(&mut self.undo)?;
        for note in &notes {
            self.context.print_note(note);
        }
        self.measure_idle_cpu();
        notes.extend(self.warm_up(arm)?);
        self.ready.insert(arm.to_owned());
        Ok(notes)
    }

    fn tear_down_arm(&mut self, arm: &str) -> Result<(), String> {
        if self.undo.has_cluster_changes() {
            self.context.print_note("restoring the cluster");
        }
        self.restore(arm)
    }
}

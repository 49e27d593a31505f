//! The driver of a sweep: sets arms up in the cluster, measures steps with the engine, and shows both on
//! the terminal. Each of these three duties is a file.

mod arm_setup;
mod context;
mod measurer;
mod observer;

use super::super::signals::Signals;
use super::account::Account;
use super::undo_log::UndoLog;
use crate::exit::Exit;
use crate::spec::{CollectSpec, StepKey};
use crate::sweep::{SweepFolder, SweepPlan};
use crate::units::Nanos;
use context::{Cluster, Context};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The CPU that the application uses without load.
#[derive(Clone, Copy)]
enum IdleCpu {
    NotMeasured,
    Unknown,
    /// In thousandths of a core.
    Known(f64),
}

/// Sets arms up, measures steps, and shows both.
pub struct Driver<'a> {
    context: Context<'a>,
    undo: UndoLog,
    /// Why the undo file of an earlier process could not be read. It is reported when the sweep begins.
    unreadable_undo: Option<String>,
    /// Arms that were verified and warmed up.
    ready: BTreeSet<String>,
    /// The collector's options of the arm that is set up.
    collect: CollectSpec,
    idle: IdleCpu,
    has_header: bool,
    steps_left: usize,
    begun: Nanos,
    pub account: Account<'a>,
    /// How the process exits because a run could not be made or its script failed at the end.
    pub exit: Option<Exit>,
}

impl<'a> Driver<'a> {
    /// The driver of a plan in its folder. `script` is the text of the plan's script.
    pub fn new(
        plan: &'a SweepPlan,
        folder: &SweepFolder,
        script: Option<String>,
        signals: Signals,
        quiet: bool,
    ) -> Driver<'a> {
        let (undo, unreadable_undo) = match UndoLog::read_from(folder.path()) {
            Ok(undo) => (undo, None),
            Err(reason) => (UndoLog::empty(folder.path()), Some(reason)),
        };
        let hook_log = folder.path().map(|path| path.join("hooks.log"));
        Driver {
            context: Context {
                plan,
                script: script.map(String::into_bytes),
                signals,
                quiet,
                cluster: Cluster::NotTried,
                hook_log: hook_log.unwrap_or_else(|| PathBuf::from("/dev/null")),
            },
            undo,
            unreadable_undo,
            ready: BTreeSet::new(),
            collect: CollectSpec::default(),
            idle: IdleCpu::NotMeasured,
            has_header: false,
            steps_left: 0,
            begun: folder.begun,
            account: Account::of(plan),
            exit: None,
        }
    }

    /// The number of steps of the sweep as far as it is known: a search for the capacity plans its steps
    /// while it goes on.
    fn planned_steps(&self, step: &StepKey) -> usize {
        self.context.plan.steps().len().max(step.number as usize)
    }

    fn idle_cpu(&self) -> Option<f64> {
        match self.idle {
            IdleCpu::Known(cpu) => Some(cpu),
            IdleCpu::NotMeasured | IdleCpu::Unknown => None,
        }
    }
}

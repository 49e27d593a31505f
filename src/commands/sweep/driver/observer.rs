//! Shows how a sweep goes on: notes on stderr, a line per step on stdout.

use super::super::metadata::metadata;
use super::Driver;
use crate::clock::unix_now;
use crate::spec::StepKey;
use crate::study::StudyMetadata;
use crate::sweep::{JournalEvent, Observer};
use crate::text::{capacity_line, step_header, step_line};
use crate::units::{Nanos, Rate};
use crate::verdict::JudgedRun;

impl Observer for Driver<'_> {
    fn now(&self) -> Nanos {
        unix_now()
    }

    fn is_interrupted(&self) -> bool {
        self.context.is_interrupted()
    }

    fn on_event(&mut self, event: &JournalEvent, left: usize) {
        self.steps_left = left;
        match event {
            JournalEvent::Began { measured, .. } if *measured > 0 => {
                let text = format!("{measured} steps are measured already");
                self.context.print_note(&text);
            }
            JournalEvent::SetAside { folder, to } => {
                let text = format!("{folder} was not finished and has been moved to {to}");
                self.context.print_note(&text);
            }
            JournalEvent::StepFailed { folder, reason, .. } => {
                status!("meshload: {folder}: {reason}");
            }
            JournalEvent::CooledDown { note, .. } if !self.context.is_trial() => {
                self.context.print_note(&format!("rested {note}"));
            }
            JournalEvent::LeftOut { steps } => {
                outln!(
                    "left out, above rates that were not held: {}",
                    steps.join(", ")
                );
            }
            JournalEvent::Capacity {
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
        outln!("{}", step_line(step, self.planned_steps(step), run));
        self.account.add(step, run);
    }

    fn metadata(&self) -> StudyMetadata {
        metadata(self.context.plan, self.begun, self.idle_cpu())
    }
}

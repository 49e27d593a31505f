//! Measures the steps of a sweep: resets the system, makes the run, rests afterwards.

use super::super::super::measurement::{NotMeasured, RunOptions, measure, no_reply};
use super::super::cooldown;
use super::Driver;
use crate::cli::Outputs;
use crate::exit::Exit;
use crate::measure::Ending;
use crate::spec::StepKey;
use crate::sweep::{Cooldown, Measurer, StepEnd};
use crate::text::{show_length, step_title};
use crate::units::Nanos;
use std::path::Path;

impl Driver<'_> {
    fn title(&self, step: &StepKey) -> String {
        step_title(step, self.planned_steps(step))
    }

    /// Flushes the caches of the application; returns a note for each cache.
    fn flush_caches(&self, namespace: &str) -> Result<Vec<String>, String> {
        let (true, Some(operator)) = (self.context.plan.cache_flush, self.context.operator())
        else {
            return Ok(Vec::new());
        };
        let flushed = operator.flush_caches(namespace);
        let flushed = flushed.map_err(|error| error.to_string())?;
        let notes = flushed.into_iter().map(|pod| {
            pod.unwrap_or_else(|reason| {
                self.context.print_note(&reason);
                reason
            })
        });
        Ok(notes.collect())
    }

    /// Makes the run of a step.
    ///
    /// # Errors
    /// Why the run could not be made or gives no result.
    fn make_run(&mut self, step: &StepKey, folder: Option<&Path>) -> Result<StepEnd, String> {
        let spec = self.context.plan.run_spec(step);
        let spec = spec.map_err(|bad| bad.to_string())?;
        let is_trial = self.context.is_trial();
        let outputs = Outputs {
            folder: folder.map(Path::to_owned),
            // The collector's notes are the same for every run: repeated runs show them once, before
            // the table has its header, and a sweep shows what its checks found instead.
            quiet: self.context.quiet || !is_trial || self.has_header,
            ..Outputs::default()
        };
        let options = RunOptions {
            script: self.context.script.clone(),
            outputs: &outputs,
            title: self.title(step) + " ",
            hides_progress: self.context.quiet,
            prints_to_stderr: true,
        };
        let measured = match measure(spec, &options, &self.context.signals) {
            Ok(measured) => measured,
            Err(NotMeasured::Load(_)) if self.context.is_interrupted() => {
                return Ok(StepEnd::Interrupted);
            }
            Err(error) => {
                self.exit = Some(error.exit());
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
        if let Some(reason) = no_reply(&run.result) {
            return Err(reason);
        }
        if let Err(error) = script.done(&run.result) {
            self.exit = Some(Exit::Failed);
            let text = format!("the script's done() failed: {error}");
            self.context.print_note(&text);
        }
        Ok(StepEnd::Measured(Box::new(run)))
    }
}

impl Measurer for Driver<'_> {
    fn prepare(&mut self, step: &StepKey) -> Result<Vec<String>, String> {
        if self.context.is_trial() {
            return Ok(Vec::new());
        }
        let each = self.context.plan.load_time();
        let whole = Nanos(each.0.saturating_mul(self.steps_left as u64));
        self.context.print_note(&format!(
            "{} ({}; {} of load left in all)",
            self.title(step),
            show_length(each),
            show_length(whole)
        ));
        let commands = self.context.commands(&step.arm)?;
        let mut notes = commands.reset(step)?;
        notes.extend(self.flush_caches(&commands.namespace())?);
        Ok(notes)
    }

    fn measure(&mut self, step: &StepKey, folder: Option<&Path>) -> StepEnd {
        let made = self.make_run(step, folder);
        made.unwrap_or_else(StepEnd::Failed)
    }

    fn cool_down(&mut self) -> String {
        let signals = &self.context.signals;
        match (self.context.plan.cooldown, self.idle_cpu()) {
            (Cooldown::Fixed(length), _) => {
                signals.pause(length);
                length.to_string()
            }
            (Cooldown::Adaptive, Some(idle)) => cooldown::cool_down(&self.collect, idle, signals),
            (Cooldown::Adaptive, None) => {
                "skipped: there is no collector that measures the application's CPU".to_owned()
            }
        }
    }
}

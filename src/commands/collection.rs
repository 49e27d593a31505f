//! The collector beside a run: started before the load, ended after it, its figures put into the
//! result.

use super::signals::Signals;
use crate::clock::block_for;
use crate::collect::{CollectError, Collected, Collector, spans};
use crate::engine::Event;
use crate::measure::{Note, RunResult};
use crate::spec::{CollectFrom, RunSpec};
use crate::units::Nanos;

/// Load after the window when a cluster's figures are wanted: its samples are up to 20 s old.
const GUARD: Nanos = Nanos::from_secs(20);
/// How long after the load samples are waited for that were taken while it was on.
pub const LATE_SAMPLES: Nanos = Nanos::from_secs(20);
/// How often it is looked whether the last samples have come, or a signal.
const LOOK: Nanos = Nanos::from_millis(20);

/// A collection that may be going on.
pub struct Collection {
    collector: Option<Collector>,
    load_start: Option<Nanos>,
    notes: Vec<Note>,
    quiet: bool,
}

impl Collection {
    /// Starts what the run asks for. With a cluster and no guard of the user's, the run gets one.
    ///
    /// # Errors
    /// [`CollectError`] when figures were asked for that cannot be had.
    pub fn start(
        spec: &mut RunSpec,
        guard_is_given: bool,
        quiet: bool,
    ) -> Result<Collection, CollectError> {
        let mut collection = Collection {
            collector: None,
            load_start: None,
            notes: Vec::new(),
            quiet,
        };
        match Collector::start(&spec.collect) {
            Ok(collector) => collection.collector = collector,
            Err(error) if spec.collect.from == CollectFrom::Auto => {
                let cause = error.to_string();
                let note = Note::NotCollected { cause };
                collection.say(&note.to_string());
                collection.notes.push(note);
            }
            Err(error) => return Err(error),
        }
        if let Some(collector) = &collection.collector {
            let introduction = &collector.introduction;
            collection.say(&introduction.summary);
            for note in &introduction.notes {
                collection.say(note);
            }
            if introduction.is_cluster && !guard_is_given {
                spec.load.guard = GUARD;
            }
        }
        Ok(collection)
    }

    fn say(&self, note: &str) {
        if !self.quiet {
            note!("note: {note}");
        }
    }

    /// Learns when the load begins.
    pub fn observe(&mut self, event: &Event<'_>) {
        if let (Event::Started(clock, window), Some(collector)) = (event, &self.collector) {
            self.load_start = Some(collector.begin(*clock, *window));
        }
    }

    /// Waits for the last samples and puts what was used into the result. A signal ends the wait.
    pub fn finish(mut self, result: &mut RunResult, signals: &Signals) -> Option<Collected> {
        result.notes.append(&mut self.notes);
        let collector = self.collector.take()?;
        let is_late = collector.introduction.is_cluster && signals.received().is_none();
        if is_late {
            self.say("waiting for the cluster's last samples, at most 20 s");
        }
        let patience = if is_late { LATE_SAMPLES } else { Nanos::ZERO };
        let collected = match wait(collector, patience, signals) {
            Ok(collected) => collected,
            Err(error) => {
                let cause = error.to_string();
                result.notes.push(Note::CollectorFailed { cause });
                return None;
            }
        };
        let spans = spans(self.load_start?, result.window);
        result.resources = Some(collected.resources(spans));
        Some(collected)
    }
}

/// Ends a collection; a signal cuts the patience short.
///
/// # Errors
/// [`CollectError::Died`]
pub fn wait(
    collector: Collector,
    patience: Nanos,
    signals: &Signals,
) -> Result<Collected, CollectError> {
    collector.finish(patience);
    let mut is_cut_short = signals.received().is_some();
    while !collector.is_done() {
        block_for(LOOK);
        if !is_cut_short && signals.received().is_some() {
            is_cut_short = true;
            collector.finish(Nanos::ZERO);
        }
    }
    collector.collected()
}

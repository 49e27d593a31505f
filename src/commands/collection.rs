//! The collector beside a run. It is started before the load and ended after it, and its figures become
//! part of the result.

use super::signals::Signals;
use crate::collect::{CollectError, Collected, Collector, spans};
use crate::engine::Event;
use crate::measure::{Note, RunResult};
use crate::spec::{CollectFrom, CollectSpec};
use crate::units::Nanos;

/// The guard (load after the window) of a run beside which a cluster's figures are collected: samples of
/// a cluster are up to 20 s old.
pub const CLUSTER_GUARD: Nanos = Nanos::from_secs(20);
/// The longest wait after the load for samples that were taken during it.
pub const LATE_SAMPLES: Nanos = Nanos::from_secs(20);

/// The collection beside a run. Without `--collect` there is no collector, and every call does nothing.
pub struct Collection {
    collector: Option<Collector>,
    load_start: Option<Nanos>,
    notes: Vec<Note>,
    quiet: bool,
}

impl Collection {
    /// Starts the collector that the run asks for.
    ///
    /// # Errors
    /// [`CollectError`] when `--collect` names a source that gives no figures.
    pub fn start(spec: &CollectSpec, quiet: bool) -> Result<Collection, CollectError> {
        let mut collection = Collection {
            collector: None,
            load_start: None,
            notes: Vec::new(),
            quiet,
        };
        match Collector::start(spec) {
            Ok(collector) => collection.collector = collector,
            Err(error) if spec.from == CollectFrom::Auto => {
                let note = Note::NotCollected {
                    error: Some(error.code().to_owned()),
                    cause: error.to_string(),
                };
                collection.print_note(&note.to_string());
                collection.notes.push(note);
            }
            Err(error) => return Err(error),
        }
        if let Some(collector) = &collection.collector {
            let info = &collector.info;
            collection.print_note(&info.summary);
            for note in &info.notes {
                collection.print_note(note);
            }
        }
        Ok(collection)
    }

    /// Whether figures come from a cluster, whose samples are late.
    pub fn is_of_cluster(&self) -> bool {
        let collector = self.collector.as_ref();
        collector.is_some_and(|collector| collector.info.is_cluster)
    }

    fn print_note(&self, note: &str) {
        if !self.quiet {
            status!("note: {note}");
        }
    }

    /// Gives the collector the moment at which the load starts.
    pub fn observe(&mut self, event: &Event<'_>) {
        if let (Event::Started(clock, window), Some(collector)) = (event, &self.collector) {
            self.load_start = Some(collector.begin(clock, *window));
        }
    }

    /// Waits for the last samples and puts the figures into the result. A signal ends the wait.
    pub fn finish(mut self, result: &mut RunResult, signals: &Signals) -> Option<Collected> {
        result.notes.append(&mut self.notes);
        let collector = self.collector.take()?;
        let is_late = collector.info.is_cluster && signals.received().is_none();
        if is_late {
            self.print_note("waiting for the cluster's last samples, at most 20 s");
        }
        let longest = if is_late { LATE_SAMPLES } else { Nanos::ZERO };
        let collected = match wait(collector, longest, signals) {
            Ok(collected) => collected,
            Err(error) => {
                result.notes.push(Note::CollectorFailed {
                    error: Some(error.code().to_owned()),
                    cause: error.to_string(),
                });
                return None;
            }
        };
        let spans = spans(self.load_start?, result.window);
        result.resources = Some(collected.resources(spans));
        Some(collected)
    }
}

/// Ends a collection after it has waited this long for late samples. A signal ends the wait.
///
/// # Errors
/// [`CollectError::Died`] when the collector's thread has ended without its figures.
pub fn wait(
    collector: Collector,
    longest: Nanos,
    signals: &Signals,
) -> Result<Collected, CollectError> {
    collector.finish(longest);
    if signals.wait_until(|| collector.is_done()) {
        collector.finish(Nanos::ZERO);
    }
    // Blocks until the thread has ended; a second signal ends the program meanwhile.
    collector.collected()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_that_is_not_found_is_noted_with_its_error_for_programs() {
        let mut spec = CollectSpec {
            from: CollectFrom::Auto,
            ..CollectSpec::default()
        };
        spec.access.kubeconfig = Some("/nowhere/kubeconfig".into());
        let collection = Collection::start(&spec, true).expect("a run without a collector");
        let [Note::NotCollected { error, cause }] = collection.notes.as_slice() else {
            panic!("{:?}", collection.notes);
        };
        assert_eq!(error.as_deref(), Some("bad_kubeconfig"));
        assert!(cause.contains("/nowhere/kubeconfig"), "{cause}");
    }
}

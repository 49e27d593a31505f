//! What has been learnt so far: samples, who was there, clocks, and when nothing was heard.

use crate::kube::{CallCounts, CallError};
use crate::resources::{
    ClockOffset, CollectorUse, Gap, NodeClock, Quantity, Resources, Sample, SampleLog, Spans,
    Topology, reduce,
};
use crate::units::Nanos;
use std::collections::BTreeMap;

/// A stretch of failures that has not ended yet, or has.
#[derive(Debug, Clone)]
struct Silence {
    what: String,
    reason: String,
    from: Nanos,
    to: Nanos,
    calls: u64,
    is_over: bool,
}

/// Grows while the collector runs.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// Who was there.
    pub topology: Topology,
    /// Every number.
    pub log: SampleLog,
    clocks: BTreeMap<String, ClockOffset>,
    silences: Vec<Silence>,
    reasons: BTreeMap<Quantity, String>,
    notes: Vec<String>,
}

impl Book {
    /// Adds samples.
    pub fn add(&mut self, samples: impl IntoIterator<Item = Sample>) {
        for sample in samples {
            self.log.push(sample);
        }
    }

    /// Whether anybody has given this quantity.
    pub fn has(&self, quantity: Quantity) -> bool {
        self.log.samples().any(|sample| sample.quantity == quantity)
    }

    /// What an answer of a node says about its clock.
    pub fn learn_clock(&mut self, node: &str, clock: ClockOffset) {
        match self.clocks.get_mut(node) {
            Some(known) => known.narrow(clock),
            None => {
                self.clocks.insert(node.to_owned(), clock);
            }
        }
    }

    /// Nothing in an answer that was here at `received` can be later than `newest`.
    pub fn learn_newest(&mut self, node: &str, newest: Nanos, received: Nanos) {
        if let Some(clock) = self.clocks.get_mut(node) {
            clock.narrow_by_stamp(newest, received);
        }
    }

    /// A moment of a node's clock on ours, as far as it is known.
    pub fn on_our_clock(&self, node: &str, stamp: Nanos) -> Nanos {
        self.clocks
            .get(node)
            .map_or(stamp, |clock| clock.to_ours(stamp))
    }

    /// The nodes' clocks.
    pub fn clocks(&self) -> Vec<NodeClock> {
        let clocks = self.clocks.iter();
        clocks
            .map(|(node, offset)| NodeClock {
                node: node.clone(),
                offset: *offset,
            })
            .collect()
    }

    /// A call succeeded at `now`: what was silent speaks again.
    pub fn heard(&mut self, what: &str, now: Nanos) {
        for silence in self.silences.iter_mut().filter(|one| one.what == what) {
            if !silence.is_over {
                silence.is_over = true;
                silence.to = now;
            }
        }
    }

    /// A call failed at `now`.
    pub fn missed(&mut self, what: &str, error: &CallError, now: Nanos) {
        let open = |one: &&mut Silence| one.what == what && !one.is_over;
        match self.silences.iter_mut().find(open) {
            Some(silence) => {
                silence.to = now;
                silence.calls += 1;
            }
            None => self.silences.push(Silence {
                what: what.to_owned(),
                reason: error.to_string(),
                from: now,
                to: now,
                calls: 1,
                is_over: false,
            }),
        }
    }

    /// Why figures of a quantity may be missing.
    pub fn explain(&mut self, quantities: &[Quantity], reason: &str) {
        for quantity in quantities {
            self.reasons.insert(*quantity, reason.to_owned());
        }
    }

    /// Something that the user should know, once.
    pub fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// What the user should know.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Makes the figures.
    pub fn resources(&self, spans: Spans, collector: CollectorUse) -> Resources {
        let clocks = self.clocks();
        let mut resources = reduce(&self.log, &self.topology, spans, clocks, &self.reasons);
        let since_load = |at: Nanos| at.0 as i64 - spans.load_start.0 as i64;
        let gaps = self.silences.iter().map(|silence| Gap {
            what: silence.what.clone(),
            reason: silence.reason.clone(),
            from_ns: since_load(silence.from),
            to_ns: since_load(silence.to),
            calls: silence.calls,
        });
        resources.gaps = gaps.collect();
        resources.collector = collector;
        resources.notes.splice(0..0, self.notes.iter().cloned());
        resources
    }
}

/// What the collector cost.
pub(super) fn collector_use(counts: &CallCounts, cpu: Nanos, ran: Nanos) -> CollectorUse {
    let millis = |nanos: u64| nanos as f64 / 1e6;
    CollectorUse {
        cpu_seconds: cpu.as_secs_f64(),
        seconds: ran.as_secs_f64(),
        calls: counts.calls,
        failed: counts.failed,
        bytes: counts.bytes,
        call_p50_ms: millis(counts.times.value_at_quantile(0.5)),
        call_max_ms: millis(counts.times.max()),
    }
}

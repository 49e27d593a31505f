//! What was collected so far: samples, pods and nodes, the nodes' clocks, and outages of sources.

use crate::kube::CallError;
use crate::resources::{
    ClockOffset, CollectorUse, Gap, NodeClock, Quantity, Resources, Sample, SampleLog, Spans,
    Topology, reduce,
};
use crate::units::Nanos;
use std::collections::BTreeMap;

/// A row of failed calls to one place, from the first failure to the next success.
#[derive(Debug, Clone)]
struct Outage {
    /// What was asked, such as `node-1 /metrics/resource`.
    what: String,
    /// Why the first of the calls failed.
    reason: String,
    /// Nanoseconds since 1970; `to` moves with every failure until the outage is over.
    from: Nanos,
    to: Nanos,
    calls: u64,
    is_over: bool,
}

/// What was collected so far.
#[derive(Debug, Clone, Default)]
pub struct SampleStore {
    /// Nodes, pods and containers.
    pub topology: Topology,
    pub log: SampleLog,
    clocks: BTreeMap<String, ClockOffset>,
    outages: Vec<Outage>,
    reasons: BTreeMap<Quantity, String>,
    notes: Vec<String>,
}

/// Scheduler periods of a CPU limit.
const THROTTLING: [Quantity; 3] = [
    Quantity::CpuPeriods,
    Quantity::ThrottledPeriods,
    Quantity::ThrottledTime,
];
/// Time in which tasks waited (pressure stall information).
const PRESSURE: [Quantity; 3] = [Quantity::PsiCpu, Quantity::PsiMemory, Quantity::PsiIo];
const DISKS: [Quantity; 2] = [Quantity::DiskRead, Quantity::DiskWrite];
/// Bytes over a pod's loopback, where a sidecar's interception shows.
pub const LOOPBACK: [Quantity; 2] = [Quantity::LoopbackRx, Quantity::LoopbackTx];

/// Why a source may lack quantities that it has or lacks together.
pub struct MissingReasons {
    /// Scheduler periods and throttling.
    pub throttling: &'static str,
    /// Pressure stall information.
    pub pressure: &'static str,
    /// Bytes from and to disks.
    pub disks: &'static str,
}

impl SampleStore {
    /// Adds samples.
    pub fn add(&mut self, samples: impl IntoIterator<Item = Sample>) {
        for sample in samples {
            self.log.push(sample);
        }
    }

    /// Whether any source has given this quantity.
    pub fn has(&self, quantity: Quantity) -> bool {
        self.log.samples().any(|sample| sample.quantity == quantity)
    }

    /// Narrows down how far the clock of a node is ahead, by the `Date` of one answer.
    pub fn learn_clock(&mut self, node: &str, clock: ClockOffset) {
        match self.clocks.get_mut(node) {
            Some(known) => known.narrow(clock),
            None => {
                self.clocks.insert(node.to_owned(), clock);
            }
        }
    }

    /// Narrows down how far the clock of a node is ahead, by the `newest` stamp in an answer that was
    /// here at `received`: a stamp cannot lie after that.
    pub fn learn_newest(&mut self, node: &str, newest: Nanos, received: Nanos) {
        if let Some(clock) = self.clocks.get_mut(node) {
            clock.narrow_by_stamp(newest, received);
        }
    }

    /// A moment of a node's clock on the collector's, as far as the offset is known.
    pub fn on_our_clock(&self, node: &str, stamp: Nanos) -> Nanos {
        self.clocks
            .get(node)
            .map_or(stamp, |clock| clock.to_generator(stamp))
    }

    /// How far the clocks of the nodes are ahead.
    pub fn clocks(&self) -> Vec<NodeClock> {
        let clocks = self.clocks.iter();
        clocks
            .map(|(node, offset)| NodeClock {
                node: node.clone(),
                offset: *offset,
            })
            .collect()
    }

    /// Records the outcome of a call that ended at `now`.
    pub fn record(&mut self, what: &str, outcome: &Result<(), CallError>, now: Nanos) {
        match outcome {
            Ok(()) => self.record_success(what, now),
            Err(error) => self.record_failure(what, error, now),
        }
    }

    /// Records that a call succeeded at `now`, which ends an outage of the same place.
    pub fn record_success(&mut self, what: &str, now: Nanos) {
        for outage in self.outages.iter_mut().filter(|one| one.what == what) {
            if !outage.is_over {
                outage.is_over = true;
                outage.to = now;
            }
        }
    }

    /// Records that a call failed at `now`.
    pub fn record_failure(&mut self, what: &str, error: &CallError, now: Nanos) {
        let open = |one: &&mut Outage| one.what == what && !one.is_over;
        match self.outages.iter_mut().find(open) {
            Some(outage) => {
                outage.to = now;
                outage.calls += 1;
            }
            None => self.outages.push(Outage {
                what: what.to_owned(),
                reason: error.to_string(),
                from: now,
                to: now,
                calls: 1,
                is_over: false,
            }),
        }
    }

    /// Keeps the reason why figures of these quantities may be missing.
    pub fn explain(&mut self, quantities: &[Quantity], reason: &str) {
        for quantity in quantities {
            self.reasons.insert(*quantity, reason.to_owned());
        }
    }

    /// Keeps the reasons of a source for each group of quantities.
    pub fn explain_groups(&mut self, reasons: &MissingReasons) {
        self.explain(&THROTTLING, reasons.throttling);
        self.explain(&PRESSURE, reasons.pressure);
        self.explain(&DISKS, reasons.disks);
    }

    /// Keeps a note for the user, once.
    pub fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Notes for the user.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The figures over the window of `spans`; `collector` is what collecting cost.
    pub fn resources(&self, spans: Spans, collector: CollectorUse) -> Resources {
        let clocks = self.clocks();
        let mut resources = reduce(&self.log, &self.topology, spans, clocks, &self.reasons);
        let since_load = |at: Nanos| at.0 as i64 - spans.load_start.0 as i64;
        let gaps = self.outages.iter().map(|outage| Gap {
            what: outage.what.clone(),
            reason: outage.reason.clone(),
            from_ns: since_load(outage.from),
            to_ns: since_load(outage.to),
            calls: outage.calls,
        });
        resources.gaps = gaps.collect();
        resources.collector = collector;
        resources.notes.splice(0..0, self.notes.iter().cloned());
        resources
    }
}

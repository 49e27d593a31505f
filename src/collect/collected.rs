//! The outcome of a collection.

use super::sample_store::SampleStore;
use crate::kube::CallCounts;
use crate::resources::{CollectorUse, Resources, Spans};
use crate::spec::Window;
use crate::units::Nanos;

/// Everything that was collected.
#[derive(Default)]
pub struct Collected {
    /// Samples, topology, outages.
    pub store: SampleStore,
    /// What collecting cost.
    pub cost: CollectorUse,
}

impl Collected {
    /// What was used in the window.
    pub fn resources(&self, spans: Spans) -> Resources {
        self.store.resources(spans, self.cost.clone())
    }
}

/// Where the window of a run lies on the collector's clock; `load_start` is in nanoseconds since 1970.
pub fn spans(load_start: Nanos, window: Window) -> Spans {
    Spans {
        load_start,
        window_start: load_start + window.start,
        window_end: load_start + window.end,
        load_end: load_start + window.stop,
    }
}

/// What the collector cost: `cpu` of its thread over `ran`, and the calls that it made.
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

//! CPU use over time, by category and role. Each bucket of time is reduced as the measured window is, so
//! that a chart over time and the figures of the window cannot contradict each other.

use super::parts::use_of_role;
use super::{Category, PodUse, Quality, Quantity, Resources, Role, SampleLog, Span, Spans, reduce};
use crate::units::Nanos;
use std::collections::{BTreeMap, BTreeSet};

/// The CPU use in one bucket of a timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    pub span: Span,
    /// Thousandths of a core by category and role; `None` where the samples of a container cover less
    /// than half of the bucket.
    pub cpu_m: BTreeMap<(Category, Role), Option<f64>>,
}

/// The CPU use from the beginning of the load to its end, in this number of buckets of equal length.
pub fn timeline(log: &SampleLog, resources: &Resources, buckets: u64) -> Vec<Bucket> {
    let Spans {
        load_start,
        load_end,
        ..
    } = resources.spans;
    let length = load_end.0.saturating_sub(load_start.0);
    let edge = |number: u64| {
        let share = u128::from(length) * u128::from(number) / u128::from(buckets.max(1));
        Nanos(load_start.0 + share as u64)
    };
    (0..buckets)
        .map(|number| bucket(log, resources, edge(number), edge(number + 1)))
        .collect()
}

fn bucket(log: &SampleLog, resources: &Resources, start: Nanos, end: Nanos) -> Bucket {
    let spans = Spans {
        window_start: start,
        window_end: end,
        ..resources.spans
    };
    let clocks = resources.clocks.clone();
    let reduced = reduce(log, &resources.topology, spans, clocks, &BTreeMap::new());
    let mut by_category: BTreeMap<_, Vec<PodUse>> = BTreeMap::new();
    for pod in reduced.pods {
        let pods = by_category.entry(pod.category.clone()).or_default();
        pods.push(without_low_coverage(pod));
    }
    let mut cpu_m = BTreeMap::new();
    for (category, pods) in by_category {
        let containers = pods.iter().flat_map(|pod| &pod.containers);
        let roles: BTreeSet<Role> = containers.map(|container| container.role).collect();
        for role in roles {
            let sum = use_of_role(&pods, role, Quantity::Cpu);
            cpu_m.insert((category.clone(), role), sum.ok());
        }
    }
    Bucket {
        span: spans.window(),
        cpu_m,
    }
}

/// The pod without its figures of low coverage. A bucket is short, so samples that cover less than half of
/// it tell nothing about the rest.
fn without_low_coverage(mut pod: PodUse) -> PodUse {
    let containers = pod.containers.iter_mut();
    let figures = containers.flat_map(|container| &mut container.figures);
    let low = figures.filter(|figure| figure.quality == Quality::LowCoverage);
    low.for_each(|figure| figure.value = None);
    pod
}

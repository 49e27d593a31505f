//! What kinds of pods used, stretch by stretch: the window's own arithmetic over many short windows,
//! so that a chart over time and a figure of the window cannot contradict each other.

use super::parts::use_of_role;
use super::{Category, PodUse, Quality, Quantity, Resources, Role, SampleLog, Span, Spans, reduce};
use crate::units::Nanos;
use std::collections::{BTreeMap, BTreeSet};

/// A stretch of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// From where to where, since the load began.
    pub span: Span,
    /// Thousandths of a core by kind of pod and role; `None` where the samples of a container bracket
    /// less than half of the stretch.
    pub cpu_m: BTreeMap<(Category, Role), Option<f64>>,
}

/// The load's time in so many stretches of equal length.
pub fn timeline(log: &SampleLog, resources: &Resources, stretches: u64) -> Vec<Stretch> {
    let Spans {
        load_start,
        load_end,
        ..
    } = resources.spans;
    let length = load_end.0.saturating_sub(load_start.0);
    let edge = |number: u64| {
        let share = u128::from(length) * u128::from(number) / u128::from(stretches.max(1));
        Nanos(load_start.0 + share as u64)
    };
    (0..stretches)
        .map(|number| stretch(log, resources, edge(number), edge(number + 1)))
        .collect()
}

fn stretch(log: &SampleLog, resources: &Resources, start: Nanos, end: Nanos) -> Stretch {
    let spans = Spans {
        window_start: start,
        window_end: end,
        ..resources.spans
    };
    let clocks = resources.clocks.clone();
    let reduced = reduce(log, &resources.topology, spans, clocks, &BTreeMap::new());
    let mut kinds: BTreeMap<_, Vec<PodUse>> = BTreeMap::new();
    for pod in reduced.pods {
        let pods = kinds.entry(pod.category.clone()).or_default();
        pods.push(without_thin_figures(pod));
    }
    let mut cpu_m = BTreeMap::new();
    for (category, pods) in kinds {
        let containers = pods.iter().flat_map(|pod| &pod.containers);
        let roles: BTreeSet<Role> = containers.map(|container| container.role).collect();
        for role in roles {
            let sum = use_of_role(&pods, role, Quantity::Cpu);
            cpu_m.insert((category.clone(), role), sum.ok());
        }
    }
    Stretch {
        span: spans.window(),
        cpu_m,
    }
}

/// Over a short stretch, samples that bracket less than half of it say nothing about it.
fn without_thin_figures(mut pod: PodUse) -> PodUse {
    let containers = pod.containers.iter_mut();
    let figures = containers.flat_map(|container| &mut container.figures);
    let thin = figures.filter(|figure| figure.quality == Quality::LowCoverage);
    thin.for_each(|figure| figure.value = None);
    pod
}

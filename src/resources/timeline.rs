//! What kinds of pods used, stretch by stretch: the window's own arithmetic over many short windows,
//! so that a chart over time and a figure of the window cannot contradict each other.

use super::{Category, Quality, Quantity, Resources, Role, SampleLog, Span, Spans, reduce};
use crate::units::Nanos;
use std::collections::BTreeMap;

/// A stretch of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// From where to where, since the load began.
    pub span: Span,
    /// Thousandths of a core by kind of pod and role; `None` where a container has no sample that
    /// speaks for half of it.
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
    let mut cpu_m = BTreeMap::new();
    for pod in &reduced.pods {
        for container in &pod.containers {
            let figure = container.figure(Quantity::Cpu);
            let figure = figure.filter(|figure| figure.quality != Quality::LowCoverage);
            let value = figure.and_then(|figure| Some(figure.value? * pod.presence));
            let kind = (pod.category.clone(), container.role);
            let sum = cpu_m.entry(kind).or_insert(Some(0.0));
            *sum = sum.zip(value).map(|(sum, value)| sum + value);
        }
    }
    Stretch {
        span: spans.window(),
        cpu_m,
    }
}

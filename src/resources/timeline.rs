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
    /// By kind of pod and role; `None` where a container has no sample that speaks for half of it.
    pub used: BTreeMap<(Category, Role), Used>,
}

/// What was used in a stretch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Used {
    /// Thousandths of a core.
    pub cpu_m: Option<f64>,
    /// Bytes of working set.
    pub working_set_bytes: Option<f64>,
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
    let mut used = BTreeMap::new();
    for pod in &reduced.pods {
        for container in &pod.containers {
            let value = |quantity| {
                let figure = container.figure(quantity)?;
                let value = figure
                    .value
                    .filter(|_| figure.quality != Quality::LowCoverage);
                value.map(|value| value * pod.presence)
            };
            let sums = used
                .entry((pod.category.clone(), container.role))
                .or_insert(Used {
                    cpu_m: Some(0.0),
                    working_set_bytes: Some(0.0),
                });
            for (sum, quantity) in [
                (&mut sums.cpu_m, Quantity::Cpu),
                (&mut sums.working_set_bytes, Quantity::WorkingSet),
            ] {
                *sum = sum.zip(value(quantity)).map(|(sum, value)| sum + value);
            }
        }
    }
    Stretch {
        span: spans.window(),
        used,
    }
}

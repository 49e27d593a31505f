//! The CPU cost of a request: a straight line, by least squares, of CPU against requests finished per
//! second, over the steps that were held. The slope is CPU time per request (thousandths of a core per
//! request per second are milliseconds per request), the intercept is the use without any request.

use super::Steps;
use super::figures::{ServiceFigures, StepFigures};
use crate::resources::Part;
use crate::statistics::{Estimate, line_through, mean_over_blocks};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The line of CPU against rate, as the mean over repetitions, each of which has a line of its own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// CPU milliseconds per request.
    pub per_request_ms: Estimate,
    /// CPU without any request, in thousandths of a core.
    pub idle_m: Estimate,
}

/// The cost of one part of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceCost {
    pub namespace: String,
    pub service: String,
    pub part: Part,
    pub cost: Cost,
}

/// The cost of one part of a service in both arms, and the difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CostDifference {
    pub namespace: String,
    pub service: String,
    pub part: Part,
    /// The cost in the arm that is compared with.
    pub base: Cost,
    pub other: Cost,
    /// `other - base`, over blocks of both.
    pub difference: Cost,
}

/// Slope and intercept.
type Line = (f64, f64);

/// The line of a part that does not exist.
const NOTHING: Line = (0.0, 0.0);

/// Whether a part does not exist in a service, as sidecars without a mesh; such a part is not listed.
fn is_nothing(part: Part, lines: &[Line]) -> bool {
    part != Part::Total && lines.iter().all(|line| *line == NOTHING)
}

/// The line of one repetition; `None` with fewer than two rates that were held. A service that the arm
/// does not have at all, such as a proxy that only the other arm has, costs nothing in this arm.
fn line(steps: &Steps<'_>, repetition: u32, name: (&str, &str), part: Part) -> Option<Line> {
    let is_named = |one: &ServiceFigures| (one.namespace.as_str(), one.service.as_str()) == name;
    let is_there = steps.iter().any(|step| step.services.iter().any(is_named));
    let held = steps.repetition(repetition).held();
    let points = held.iter().filter_map(|step| {
        let cpu = match step.services.iter().find(|one| is_named(one)) {
            Some(service) => service.cpu(part).ok()?,
            None if !is_there && sees_applications(step) => 0.0,
            None => return None,
        };
        Some((step.achieved, cpu))
    });
    line_through(&points.collect::<Vec<_>>())
}

fn cost(lines: &[Line]) -> Option<Cost> {
    let slopes: Vec<f64> = lines.iter().map(|line| line.0).collect();
    let idles: Vec<f64> = lines.iter().map(|line| line.1).collect();
    Some(Cost {
        per_request_ms: mean_over_blocks(&slopes)?,
        idle_m: mean_over_blocks(&idles)?,
    })
}

/// The cost of each part of each service of an arm, by namespace and service.
pub fn costs(steps: &Steps<'_>) -> Vec<ServiceCost> {
    let mut found = Vec::new();
    for (namespace, service) in names(steps) {
        for part in Part::ALL {
            let repetitions = steps.repetitions();
            let lines = repetitions
                .iter()
                .filter_map(|one| line(steps, *one, (&namespace, &service), part));
            let lines: Vec<Line> = lines.collect();
            if let Some(cost) = cost(&lines).filter(|_| !is_nothing(part, &lines)) {
                found.push(ServiceCost {
                    namespace: namespace.clone(),
                    service: service.clone(),
                    part,
                    cost,
                });
            }
        }
    }
    found
}

/// Namespace and name of the services to compare: those of both arms, and those of the application that
/// only one arm has.
fn compared(base: &Steps<'_>, other: &Steps<'_>) -> BTreeSet<(String, String)> {
    let both = &names(base) & &names(other);
    let steps = base.iter().chain(other.iter());
    let applications = steps.flat_map(|step| step.application());
    let named = applications.map(|one| (one.namespace.clone(), one.service.clone()));
    named.chain(both).collect()
}

fn names(steps: &Steps<'_>) -> BTreeSet<(String, String)> {
    let services = steps.iter().flat_map(|step| &step.services);
    services
        .map(|one| (one.namespace.clone(), one.service.clone()))
        .collect()
}

/// Whether the step has figures of the application, and so of every service in it.
fn sees_applications(step: &StepFigures) -> bool {
    step.application().next().is_some()
}

/// The cost of each part of each service in both arms, and the difference over the repetitions of both.
pub(super) fn cost_differences(base: &Steps<'_>, other: &Steps<'_>) -> Vec<CostDifference> {
    let mut found = Vec::new();
    for name in compared(base, other) {
        let parts = Part::ALL.into_iter();
        found.extend(parts.filter_map(|part| cost_difference(base, other, &name, part)));
    }
    found
}

/// `None` where neither arm has the part, or no repetition has a line in both.
fn cost_difference(
    base: &Steps<'_>,
    other: &Steps<'_>,
    (namespace, service): &(String, String),
    part: Part,
) -> Option<CostDifference> {
    let repetitions = &base.repetitions() & &other.repetitions();
    let line = |steps, repetition| line(steps, repetition, (namespace, service), part);
    let pairs = repetitions
        .iter()
        .filter_map(|one| Some((line(base, *one)?, line(other, *one)?)));
    let (bases, others): (Vec<Line>, Vec<Line>) = pairs.unzip();
    if is_nothing(part, &bases) && is_nothing(part, &others) {
        return None;
    }
    let blocks = bases.iter().zip(&others);
    let differences = blocks.map(|(base, other)| (other.0 - base.0, other.1 - base.1));
    Some(CostDifference {
        namespace: namespace.clone(),
        service: service.clone(),
        part,
        base: cost(&bases)?,
        other: cost(&others)?,
        difference: cost(&differences.collect::<Vec<_>>())?,
    })
}

/// Sorts by the size of the difference in cost per request, the largest first.
pub fn by_difference(costs: &[CostDifference]) -> Vec<&CostDifference> {
    let size = |cost: &CostDifference| cost.difference.per_request_ms.value.abs();
    let mut costs: Vec<&CostDifference> = costs.iter().collect();
    costs.sort_by(|one, other| size(other).total_cmp(&size(one)));
    costs
}

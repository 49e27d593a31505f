//! What a request costs in CPU: a straight line of CPU against requests finished, over the steps that
//! were held. Its slope is CPU time per request (thousandths of a core per request per second are
//! milliseconds per request), its intercept what is used without any.

use super::Steps;
use super::figures::{ServiceFigures, StepFigures};
use crate::resources::{Category, Part};
use crate::statistics::{Estimate, line_through, mean_over_blocks};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A line of CPU against rate, over blocks: one line per repetition.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// CPU milliseconds per request.
    pub per_request_ms: Estimate,
    /// Thousandths of a core without any request.
    pub idle_m: Estimate,
}

/// What a service's part costs in both arms, and the difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CostDifference {
    /// Namespace.
    pub namespace: String,
    /// Service.
    pub service: String,
    /// Which part of it.
    pub part: Part,
    /// In the arm that is compared with.
    pub base: Cost,
    /// In the other.
    pub other: Cost,
    /// `other - base`, over blocks of both.
    pub difference: Cost,
}

/// Slope and intercept.
type Line = (f64, f64);

/// The line of what is not there.
const NOTHING: Line = (0.0, 0.0);

/// A part that a service does not have, such as sidecars without a mesh, needs no line.
fn is_nothing(part: Part, lines: &[Line]) -> bool {
    part != Part::Total && lines.iter().all(|line| *line == NOTHING)
}

/// The line of one repetition; `None` with fewer than two rates that were held. A service that the arm
/// does not have at all, such as a proxy of its own, costs nothing there.
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

/// What an arm's services cost, part by part.
pub fn costs(steps: &Steps<'_>) -> Vec<(String, String, Part, Cost)> {
    let mut found = Vec::new();
    for (namespace, service) in names(steps) {
        for part in Part::ALL {
            let repetitions = steps.repetitions();
            let lines = repetitions
                .iter()
                .filter_map(|one| line(steps, *one, (&namespace, &service), part));
            let lines: Vec<Line> = lines.collect();
            if let Some(cost) = cost(&lines).filter(|_| !is_nothing(part, &lines)) {
                found.push((namespace.clone(), service.clone(), part, cost));
            }
        }
    }
    found
}

/// The services of both arms, and those of the application that only one has.
fn compared(base: &Steps<'_>, other: &Steps<'_>) -> BTreeSet<(String, String)> {
    let both = &names(base) & &names(other);
    let steps = base.iter().chain(other.iter());
    let applications = steps.flat_map(|step| applications(step));
    let named = applications.map(|one| (one.namespace.clone(), one.service.clone()));
    named.chain(both).collect()
}

fn names(steps: &Steps<'_>) -> BTreeSet<(String, String)> {
    let services = steps.iter().flat_map(|step| &step.services);
    services
        .map(|one| (one.namespace.clone(), one.service.clone()))
        .collect()
}

/// Somebody has looked at the application, and so at everything in it.
fn sees_applications(step: &StepFigures) -> bool {
    applications(step).next().is_some()
}

fn applications(step: &StepFigures) -> impl Iterator<Item = &ServiceFigures> {
    let services = step.services.iter();
    services.filter(|one| one.category == Category::Application)
}

/// What the services of both arms cost, and by how much that differs.
pub(super) fn cost_differences(base: &Steps<'_>, other: &Steps<'_>) -> Vec<CostDifference> {
    let mut found = Vec::new();
    let both = &base.repetitions() & &other.repetitions();
    for (namespace, service) in compared(base, other) {
        for part in Part::ALL {
            let name = (namespace.as_str(), service.as_str());
            let pairs = both.iter().filter_map(|one| {
                Some((
                    line(base, *one, name, part)?,
                    line(other, *one, name, part)?,
                ))
            });
            let (bases, others): (Vec<Line>, Vec<Line>) = pairs.unzip();
            if is_nothing(part, &bases) && is_nothing(part, &others) {
                continue;
            }
            let blocks = bases.iter().zip(&others);
            let apart = blocks.map(|(base, other)| (other.0 - base.0, other.1 - base.1));
            let apart: Vec<Line> = apart.collect();
            if let (Some(base), Some(other), Some(difference)) =
                (cost(&bases), cost(&others), cost(&apart))
            {
                found.push(CostDifference {
                    namespace: namespace.clone(),
                    service: service.clone(),
                    part,
                    base,
                    other,
                    difference,
                });
            }
        }
    }
    found
}

/// The services whose cost per request differs most come first.
pub fn by_difference(costs: &[CostDifference]) -> Vec<&CostDifference> {
    let size = |cost: &CostDifference| cost.difference.per_request_ms.value.abs();
    let mut costs: Vec<&CostDifference> = costs.iter().collect();
    costs.sort_by(|one, other| size(other).total_cmp(&size(one)));
    costs
}

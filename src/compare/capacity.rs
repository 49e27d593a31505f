//! How much load an arm can carry: the rates that it held, the rate beyond which waiting grows faster than
//! throughput, and the rate that its CPU limits allow by the cost of a request.

use super::cost::{ServiceCost, costs};
use super::figures::ServiceFigures;
use super::{Metric, Steps};
use crate::resources::Part;
use crate::statistics::{Estimate, mean_over_blocks};
use crate::units::Rate;

/// The capacity of an arm, as far as its steps show it. Rates are requests per second.
#[derive(Debug, Clone, PartialEq)]
pub struct Capacity {
    /// The highest rate that was held in every repetition and is below any rate that was not.
    pub held: Option<f64>,
    /// The lowest rate that was not held in some repetition.
    pub not_held: Option<f64>,
    /// Requests finished per second when more was offered than the arm could hold.
    pub plateau: Option<Estimate>,
    /// `None` with fewer than three rates that were held.
    pub knee: Option<Knee>,
    /// `None` without CPU limits, or where no part is known to cost CPU per request.
    pub predicted: Option<Prediction>,
}

/// The rate with the largest power: requests finished per second over their mean latency (Kleinrock,
/// ICC 1979). Below this rate more load adds little waiting, above it waiting grows faster than throughput.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knee {
    /// Requests per second, one of those that were measured.
    pub rate: f64,
    /// The rate is the lowest that was held, so that the true knee may lie below.
    pub is_first: bool,
    /// The rate is the highest that was held, so that the true knee may lie above.
    pub is_last: bool,
}

/// The rate at which a part of a service reaches its CPU limit: (limit - idle) / CPU per request.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Requests per second.
    pub rate: f64,
    /// The service whose limit is reached first; `None` for the cores of all nodes together. Pods may use
    /// less than those, so that this is an upper bound.
    pub service: Option<String>,
    pub part: Part,
    /// The CPU limit of the part over all pods of the service, in thousandths of a core.
    pub limit_m: f64,
    /// CPU milliseconds per request.
    pub per_request_ms: f64,
    /// CPU without any request, in thousandths of a core.
    pub idle_m: f64,
    /// Largest share of scheduler periods in which a container of that part was stopped at its limit,
    /// over all steps. A large share confirms the prediction.
    pub throttled: Option<f64>,
}

/// Finds the capacity of the arm that these steps belong to.
pub fn capacity(steps: &Steps<'_>) -> Capacity {
    let rates = steps.rates();
    let is_broken = |rate: &Rate| {
        let steps = steps.at(*rate);
        let mut known = steps.iter().map(|step| step.stability.is_held());
        known.any(|held| held == Some(false))
    };
    let not_held = rates.iter().copied().find(is_broken);
    let below = |rate: &Rate| not_held.is_none_or(|broken| *rate < broken);
    let mut held = rates.iter().rev().copied();
    let held = held.find(|rate| below(rate) && steps.at(*rate).are_held());
    Capacity {
        held: held.map(Rate::as_f64),
        not_held: not_held.map(Rate::as_f64),
        plateau: plateau(steps),
        knee: knee(steps),
        predicted: predicted(steps),
    }
}

/// The most requests per second that an arm finished in a repetition while it was offered more than it
/// could hold; `None` where it never was.
pub(super) fn plateau_of(steps: &Steps<'_>, repetition: u32) -> Option<f64> {
    let beyond = steps
        .repetition(repetition)
        .only(|step| step.stability.is_overloaded());
    let finished = beyond.iter().map(|step| step.achieved);
    finished.max_by(f64::total_cmp)
}

/// The mean of [`plateau_of`] over all repetitions.
pub(super) fn plateau(steps: &Steps<'_>) -> Option<Estimate> {
    let repetitions = steps.repetitions();
    let plateaus = repetitions.iter().filter_map(|one| plateau_of(steps, *one));
    mean_over_blocks(&plateaus.collect::<Vec<_>>())
}

fn knee(steps: &Steps<'_>) -> Option<Knee> {
    let mean = |values: Vec<f64>| Some(mean_over_blocks(&values)?.value);
    let power = |rate: &Rate| {
        let steps = steps.at(*rate);
        if !steps.are_held() {
            return None;
        }
        let latency = mean(steps.values(|step| Metric::MEAN.of(step)))?;
        let achieved = mean(steps.values(|step| Some(step.achieved)))?;
        (latency > 0.0).then_some((rate.as_f64(), achieved / latency))
    };
    let rates = steps.rates();
    let powers: Vec<(f64, f64)> = rates.iter().filter_map(power).collect();
    // A maximum inside the range needs a rate on each side.
    if powers.len() < 3 {
        return None;
    }
    let best = powers
        .iter()
        .max_by(|one, other| one.1.total_cmp(&other.1))?;
    Some(Knee {
        rate: best.0,
        is_first: powers.first().is_some_and(|first| first.0 == best.0),
        is_last: powers.last().is_some_and(|last| last.0 == best.0),
    })
}

fn predicted(steps: &Steps<'_>) -> Option<Prediction> {
    let costs = costs(steps);
    let parts = costs.iter().filter(|one| one.part != Part::Total);
    let of_services = parts.filter_map(|one| service_prediction(steps, one));
    let totals = || costs.iter().filter(|one| one.part == Part::Total);
    let total = (
        totals().map(|one| one.cost.per_request_ms.value).sum(),
        totals().map(|one| one.cost.idle_m.value).sum(),
    );
    let cores = steps
        .iter()
        .filter_map(|step| step.nodes_cpu_m)
        .min_by(f64::total_cmp);
    let of_nodes = cores.and_then(|cores| prediction(None, Part::Total, cores, total, None));
    let all = of_services.chain(of_nodes);
    all.min_by(|one, other| one.rate.total_cmp(&other.rate))
}

/// The rate at which a part of a service reaches its CPU limit.
fn service_prediction(steps: &Steps<'_>, one: &ServiceCost) -> Option<Prediction> {
    let ServiceCost { part, cost, .. } = one;
    // A part whose cost per request may be 0 reaches no limit by requests.
    if cost.per_request_ms.differs_from(0.0) == Some(false) {
        return None;
    }
    let saturations = || {
        let services = services(steps, &one.namespace, &one.service);
        services.map(|one| &one.saturation)
    };
    // Replicas may come and go, so the smallest limit over the steps is what can be relied on.
    let limits = saturations().filter_map(|one| one.limit_m.get(part).copied());
    let throttled = saturations().filter_map(|one| one.throttled.get(part).copied());
    prediction(
        Some(one.service.clone()),
        *part,
        limits.min_by(f64::total_cmp)?,
        (cost.per_request_ms.value, cost.idle_m.value),
        throttled.max_by(f64::total_cmp),
    )
}

fn services<'a>(
    steps: &Steps<'a>,
    namespace: &'a str,
    service: &'a str,
) -> impl Iterator<Item = &'a ServiceFigures> {
    let services: Vec<&'a ServiceFigures> = steps
        .iter()
        .flat_map(|step| &step.figures.services)
        .collect();
    let services = services.into_iter();
    services.filter(move |one| one.namespace == namespace && one.service == service)
}

fn prediction(
    service: Option<String>,
    part: Part,
    limit_m: f64,
    (per_request_ms, idle_m): (f64, f64),
    throttled: Option<f64>,
) -> Option<Prediction> {
    let is_reached_by_requests = per_request_ms > 1e-6 && limit_m > idle_m;
    is_reached_by_requests.then(|| Prediction {
        rate: (limit_m - idle_m) / per_request_ms,
        service,
        part,
        limit_m,
        per_request_ms,
        idle_m,
        throttled,
    })
}

#[cfg(test)]
mod tests;

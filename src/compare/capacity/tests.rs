//! Known answers: an arm whose limits, costs and queue are given.

use super::*;
use crate::compare::sample_steps::{cpu_of, key};
use crate::compare::{Latency, Saturation, Step, StepFigures};
use crate::resources::Category;
use crate::verdict::{Reason, Stability};
use std::collections::BTreeMap;

fn service(name: &str, app_m: f64, sidecar_m: f64, saturation: Saturation) -> ServiceFigures {
    ServiceFigures {
        category: Category::Application,
        namespace: "default".to_owned(),
        service: name.to_owned(),
        cpu_m: cpu_of(app_m, sidecar_m),
        memory_bytes: None,
        network_rx_bytes_per_s: None,
        network_tx_bytes_per_s: None,
        has_own_network: true,
        saturation,
    }
}

/// A queue that is full at 1000/s: held up to 900, the mean latency that of M/M/1 with 2 ms of
/// service. The frontend takes 1.5 ms a request, its proxy 0.5 ms with a limit of 500 m.
fn step(rate: f64, repetition: u32) -> Step {
    let is_held = rate < 950.0;
    let achieved = rate.min(960.0);
    let mean = 1e6 / (1.0 - achieved / 1_000.0);
    let latency = Latency {
        ns: mean,
        is_lower_bound: false,
        beyond: None,
    };
    let saturation = Saturation {
        limit_m: BTreeMap::from([(Part::App, 2_000.0), (Part::Sidecar, 500.0)]),
        throttled: BTreeMap::from([
            (Part::App, 0.9),
            (Part::Sidecar, if is_held { 0.02 } else { 0.6 }),
        ]),
        ..Saturation::default()
    };
    let free = Saturation::default();
    let figures = StepFigures {
        achieved,
        level: None,
        stability: if is_held {
            Stability::Held
        } else {
            let reasons = vec![Reason {
                code: "backlog".to_owned(),
                message: "it grew".to_owned(),
            }];
            Stability::NotHeld { reasons }
        },
        latency: BTreeMap::from([("mean".to_owned(), latency)]),
        error_rate: None,
        services: vec![
            service(
                "frontend",
                1.5 * achieved + 50.0,
                0.5 * achieved + 20.0,
                saturation,
            ),
            service("geo", 9.0 * achieved, 0.0, free),
        ],
        nodes_cpu_m: Some(36_000.0),
    };
    Step {
        key: key("meshed", rate, repetition),
        figures,
    }
}

fn steps(rates: &[f64]) -> Vec<Step> {
    let repetitions =
        (1..=3).flat_map(|repetition| rates.iter().map(move |rate| step(*rate, repetition)));
    repetitions.collect()
}

fn capacity_of(steps: &[Step]) -> Capacity {
    capacity(&Steps::from(steps))
}

#[test]
fn the_limit_that_is_reached_first_is_the_bottleneck() {
    let found = capacity_of(&steps(&[100.0, 300.0, 500.0, 700.0, 900.0, 1_000.0]));
    let predicted = found.predicted.expect("a prediction");
    // The proxy: (500 - 20) / 0.5; the frontend itself would reach (2000 - 50) / 1.5 = 1300/s.
    assert!((predicted.rate - 960.0).abs() < 1e-6, "{predicted:?}");
    assert_eq!(predicted.service.as_deref(), Some("frontend"));
    assert_eq!(
        (predicted.part, predicted.throttled),
        (Part::Sidecar, Some(0.6))
    );
}

#[test]
fn without_limits_the_nodes_are_the_limit() {
    let mut steps = steps(&[100.0, 300.0, 500.0]);
    for service in steps.iter_mut().flat_map(|step| &mut step.figures.services) {
        service.saturation = Saturation::default();
    }
    let predicted = capacity_of(&steps).predicted.expect("a prediction");
    // 36 cores less 70 m idle, at 11 ms a request.
    assert_eq!(predicted.service, None);
    assert!(
        (predicted.rate - (36_000.0 - 70.0) / 11.0).abs() < 1e-6,
        "{predicted:?}"
    );
    steps
        .iter_mut()
        .for_each(|step| step.figures.nodes_cpu_m = None);
    assert_eq!(capacity_of(&steps).predicted, None);
}

#[test]
fn held_not_held_and_the_plateau() {
    let mut steps = steps(&[100.0, 900.0, 1_000.0, 1_200.0]);
    let found = capacity_of(&steps);
    assert_eq!((found.held, found.not_held), (Some(900.0), Some(1_000.0)));
    let plateau = found.plateau.expect("a plateau");
    assert_eq!((plateau.value, plateau.blocks), (960.0, 3));
    // One repetition that was not held is enough not to call a rate held.
    let at_900 = steps
        .iter()
        .position(|step| step.key.rate == Rate::nearest(900.0))
        .expect("a step");
    steps[at_900].figures.stability = step(1_000.0, 1).figures.stability;
    let found = capacity_of(&steps);
    assert_eq!((found.held, found.not_held), (Some(100.0), Some(900.0)));
}

#[test]
fn a_rate_above_one_that_was_not_held_is_no_capacity() {
    let mut steps = steps(&[100.0, 300.0, 500.0]);
    let broken = step(1_000.0, 1).figures.stability;
    let at_300 = steps
        .iter()
        .position(|step| step.key.rate == Rate::nearest(300.0));
    steps[at_300.expect("a step")].figures.stability = broken;
    let found = capacity_of(&steps);
    assert_eq!((found.held, found.not_held), (Some(100.0), Some(300.0)));
    // A few drops far below are not held, and no plateau.
    for step in &mut steps {
        if let Stability::NotHeld { reasons } = &mut step.figures.stability {
            reasons[0].code = "dropped".to_owned();
        }
    }
    assert_eq!(capacity_of(&steps).plateau, None);
}

#[test]
fn the_knee_of_a_queue_is_where_half_of_it_is_used() {
    // Power of M/M/1: rate * (1 - rate / capacity), largest at half of the capacity.
    let found = capacity_of(&steps(&[100.0, 300.0, 500.0, 700.0, 900.0]));
    let knee = found.knee.expect("a knee");
    assert_eq!(
        (knee.rate, knee.is_first, knee.is_last),
        (500.0, false, false)
    );
    let last = capacity_of(&steps(&[100.0, 300.0, 400.0]))
        .knee
        .expect("a knee");
    assert_eq!((last.rate, last.is_last), (400.0, true));
    assert_eq!(capacity_of(&steps(&[100.0, 300.0])).knee, None);
}

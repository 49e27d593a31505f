//! Plans and steps that the tests of this room share.

mod next;
mod order;
mod plan;
mod runner;
mod search;

use super::*;
use crate::compare::Step;
use crate::compare::sample_steps;
use crate::files::run_to_json;
use crate::gate::{Trial, TrialBase};
use crate::measure::{Ending, sample};
use crate::spec::{Load, LoadOptions, Offered, StepKey};
use crate::store::PLAN_JSON;
use crate::study::StudyMetadata;
use crate::units::{Nanos, Rate};
use crate::verdict::{JudgedRun, Level, Stability};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn arm(name: &str) -> Arm {
    Arm {
        name: name.to_owned(),
        url: "http://127.0.0.1:5000".to_owned(),
        ..Arm::default()
    }
}

fn rates(rates: &[f64]) -> Vec<Rate> {
    let rates = rates.iter().map(|rate| Rate::per_second(*rate));
    rates.map(|rate| rate.expect("a rate")).collect()
}

fn plan(arms: &[&str], of: &[f64], repetitions: u32) -> SweepPlan {
    SweepPlan {
        rates: rates(of),
        repetitions,
        arms: arms.iter().map(|name| arm(name)).collect(),
        ..SweepPlan::default()
    }
}

/// A load of which the user chose neither the seed nor the guard.
fn load_not_pinned() -> Load {
    LoadOptions::default().load(Offered::Max)
}

/// A step that was measured; whether its rate was held, where that is known.
fn found(key: &StepKey, is_good: Option<bool>) -> Step {
    let mut step = sample_steps::step(&key.arm, key.rate.as_f64(), key.repetition);
    step.key.number = key.number;
    step.figures.stability = match is_good {
        Some(true) => Stability::Held,
        Some(false) => Stability::NotHeld {
            reasons: Vec::new(),
        },
        None => Stability::Unknown {
            reason: "unknown".to_owned(),
        },
    };
    step
}

fn plans() -> impl Strategy<Value = SweepPlan> {
    let order = prop_oneof![
        Just(Order::Sequential),
        Just(Order::Interleaved),
        Just(Order::Random)
    ];
    let block = prop_oneof![
        Just(None),
        Just(Some(BlockUnit::Rate)),
        Just(Some(BlockUnit::Pass))
    ];
    (1..4usize, 1..5usize, 1..5u32, order, block, any::<u64>()).prop_map(
        |(arms, count, repetitions, order, block, seed)| {
            let of: Vec<f64> = (1..=count).map(|rate| rate as f64 * 100.0).collect();
            SweepPlan {
                order,
                block,
                seed,
                ..plan(&["a", "b", "c"][..arms], &of, repetitions)
            }
        },
    )
}

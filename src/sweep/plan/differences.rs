//! The settings in which two plans differ.

use super::SweepPlan;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

impl SweepPlan {
    /// The settings in which two plans differ, each as `name: value there, value here`, where "there" is
    /// this plan and "here" the other. Thresholds are left out, because they do not change what is
    /// measured, so that a sweep may be resumed with others.
    pub fn differences(&self, other: &SweepPlan) -> Vec<String> {
        let values = [self, other].map(|plan| {
            let thresholds = Vec::new();
            let plan = SweepPlan {
                thresholds,
                ..plan.clone()
            };
            serde_json::to_value(plan).unwrap_or_default()
        });
        let mut found = Vec::new();
        compare("", &values[0], &values[1], &mut found);
        found
    }
}

fn compare(place: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(ones), Value::Object(others)) => {
            let names: BTreeSet<&String> = ones.keys().chain(others.keys()).collect();
            for name in names {
                let place = if place.is_empty() {
                    name.clone()
                } else {
                    format!("{place}.{name}")
                };
                let get = |values: &Map<String, Value>| values.get(name).cloned();
                compare(
                    &place,
                    &get(ones).unwrap_or_default(),
                    &get(others).unwrap_or_default(),
                    found,
                );
            }
        }
        (Value::Array(ones), Value::Array(others)) if ones.len() == others.len() => {
            for (at, (one, other)) in ones.iter().zip(others).enumerate() {
                compare(&format!("{place}[{}]", at + 1), one, other, found);
            }
        }
        _ if one == other => {}
        _ => found.push(format!("{place}: {one} there, {other} here")),
    }
}

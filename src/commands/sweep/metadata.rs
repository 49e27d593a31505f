//! The contents of a sweep's metadata.json, with the study's keys.

use super::cooldown;
use crate::study::StudyMetadata;
use crate::sweep::{Cooldown, SweepPlan};
use crate::units::Nanos;
use crate::version::VERSION;
use serde_json::{Map, Value, json};

/// A Unix time as the study writes it, in UTC: 20260101_024147.
pub fn stamp(at: Nanos) -> String {
    let at = jiff::Timestamp::from_nanosecond(i128::from(at.0));
    at.map_or(String::new(), |at| at.strftime("%Y%m%d_%H%M%S").to_string())
}

/// The metadata of a sweep that was begun at this Unix time. `idle` is the CPU of the application without
/// load, in thousandths of a core.
pub fn metadata(plan: &SweepPlan, begun: Nanos, idle: Option<f64>) -> StudyMetadata {
    let arms = plan.arms.iter().map(|arm| {
        let about = json!({ "url": arm.url, "meshed": arm.meshed, "namespace": arm.namespace });
        (arm.name.clone(), about)
    });
    let first = &plan.warm_up_first;
    StudyMetadata {
        experiment: plan.name.clone(),
        timestamp: stamp(begun),
        rates: plan.rates.iter().map(|rate| rate.as_f64()).collect(),
        duration: plan.load_time().to_string(),
        warmup_time: plan.warmup.as_secs_f64(),
        measure_duration: plan.measure.as_secs_f64(),
        repetitions: plan.repetitions,
        target: plan
            .arms
            .first()
            .map_or(String::new(), |arm| arm.url.clone()),
        istio_enabled: plan.arms.iter().any(|arm| arm.meshed == Some(true)),
        istio_optimizations: json!({ "applied": plan.arms.iter().any(|arm| !arm.apply.is_empty() || !arm.patch.is_empty()) }),
        warmup: json!({
            "enabled": !first.length.is_zero(),
            "rps": first.rate.as_f64(),
            "duration": first.length.to_string(),
            "wait_after": first.rest.as_secs_f64(),
        }),
        cache_flush: json!({ "enabled": plan.cache_flush }),
        cooldown: match plan.cooldown {
            Cooldown::Fixed(length) => json!({ "type": "fixed", "seconds": length.as_secs_f64() }),
            Cooldown::Adaptive => json!({
                "type": "adaptive",
                "min": cooldown::SHORTEST.to_duration().as_secs(),
                "max": cooldown::LONGEST.to_duration().as_secs(),
                "cpu_threshold_percent": (cooldown::IDLE_FACTOR * 100.0).round() as u64,
                "baseline_cpu_millicores": idle,
            }),
        },
        pcm_available: false,
        prometheus_available: false,
        arms: Value::Object(arms.collect::<Map<String, Value>>()),
        order: plan.order.name().to_owned(),
        seed: plan.seed,
        meshload: VERSION.to_owned(),
    }
}

//! The steps of a sweep or of a folder of the study: a row per arm and rate, the median over its
//! repetitions and from where to where they go.

use crate::judge::{Latency, Level, Metric, Stability, StepFigures};
use crate::units::show_time_us;
use std::collections::BTreeMap;

/// A table of an arm's steps.
pub fn steps_table(arm: &str, steps: &[StepFigures]) -> String {
    let mut rates: Vec<f64> = steps.iter().map(|step| step.rate).collect();
    rates.sort_by(f64::total_cmp);
    rates.dedup();
    let mut has_doubtful = false;
    let mut text = format!(
        "{arm}\n  {:>9} {:>4}  {:<26} {:<28} {:<28} {:<22} {:<22} held\n",
        "rate/s", "runs", "achieved/s", "p50", "p99", "app CPU (m)", "sidecar CPU (m)"
    );
    for rate in rates {
        let of_rate: Vec<&StepFigures> = steps.iter().filter(|step| step.rate == rate).collect();
        let column = |of: &dyn Fn(&StepFigures) -> Option<f64>, show: &dyn Fn(f64) -> String| {
            // Steps whose measurement failed say nothing.
            let valid = of_rate
                .iter()
                .filter(|step| step.level != Some(Level::Invalid));
            let values: Vec<f64> = valid.filter_map(|step| of(step)).collect();
            median_and_range(values, show)
        };
        let plain = |value: f64| format!("{value:.1}");
        let time = |value: f64| show_time_us(value / 1e3);
        let mut latency = |name: &str| {
            let times = column(&|step| Some(step.latency.get(name)?.ns), &time);
            let is_doubtful = of_rate.iter().any(|step| is_doubtful(step, name));
            has_doubtful |= is_doubtful;
            times + if is_doubtful { "*" } else { "" }
        };
        let (p50, p99) = (latency("p50"), latency("p99"));
        let line = format!(
            "  {rate:>9} {:>4}  {:<26} {p50:<28} {p99:<28} {:<22} {:<22} {}",
            of_rate.len(),
            column(&|step| Some(step.achieved), &plain),
            column(&|step| Metric::CpuApp.of(step), &plain),
            column(&|step| Metric::CpuSidecar.of(step), &plain),
            held(&of_rate),
        );
        text += line.trim_end();
        text.push('\n');
    }
    if has_doubtful {
        text += "  * has fewer than 10 samples beyond it, or is a lower bound, in some run\n";
    }
    text
}

/// What must be known first where no rate was measured twice in an arm.
pub fn one_repetition<'a>(
    steps: impl IntoIterator<Item = &'a StepFigures>,
) -> Option<&'static str> {
    let mut counts: BTreeMap<(&str, u64), usize> = BTreeMap::new();
    let valid = steps
        .into_iter()
        .filter(|step| step.level != Some(Level::Invalid));
    for step in valid {
        *counts.entry((&step.arm, step.rate.to_bits())).or_default() += 1;
    }
    (counts.values().max() == Some(&1)).then_some(
        "ONE REPETITION: nothing is known about the noise, so any difference may be chance",
    )
}

/// Steps whose measurement failed are not shown.
fn is_doubtful(step: &StepFigures, percentile: &str) -> bool {
    step.level != Some(Level::Invalid)
        && step
            .latency
            .get(percentile)
            .is_some_and(Latency::is_doubtful)
}

fn median_and_range(mut values: Vec<f64>, show: &dyn Fn(f64) -> String) -> String {
    values.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (values.first(), values.last()) else {
        return "-".to_owned();
    };
    let middle = values.len() / 2;
    let median = if values.len() % 2 == 1 {
        values[middle]
    } else {
        (values[middle - 1] + values[middle]) / 2.0
    };
    if values.len() == 1 {
        return show(median);
    }
    format!("{} ({} to {})", show(median), show(*least), show(*most))
}

/// `3 of 3`, and what speaks against the first that was not.
fn held(steps: &[&StepFigures]) -> String {
    let held = steps
        .iter()
        .filter(|step| step.stability.is_held() == Some(true));
    let mut text = format!("{} of {}", held.count(), steps.len());
    let why = steps.iter().find_map(|step| match &step.stability {
        Stability::Held => None,
        Stability::NotHeld { reasons } => reasons.first().map(|one| one.message.clone()),
        Stability::Unknown { reason } => Some(reason.clone()),
    });
    if let Some(why) = why {
        text += &format!(": {why}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Reason;
    fn step(rate: f64, repetition: u32, achieved: f64) -> StepFigures {
        StepFigures {
            arm: "a".to_owned(),
            rate,
            repetition,
            achieved,
            stability: if achieved < rate {
                Stability::NotHeld {
                    reasons: vec![Reason {
                        code: "shortfall".to_owned(),
                        message: "too slow".to_owned(),
                    }],
                }
            } else {
                Stability::Held
            },
            level: None,
            latency: BTreeMap::new(),
            error_rate: None,
            services: Vec::new(),
            nodes_cpu_m: None,
        }
    }

    #[test]
    fn one_repetition_is_said_and_few_samples_are_marked() {
        let mut steps = vec![step(100.0, 1, 100.0), step(200.0, 1, 200.0)];
        for (step, beyond) in steps.iter_mut().zip([9, 10]) {
            let p99 = Latency {
                ns: 5e6,
                is_lower_bound: false,
                beyond: Some(beyond),
            };
            step.latency.insert("p99".to_owned(), p99);
        }
        assert!(one_repetition(&steps).is_some_and(|text| text.starts_with("ONE REPETITION")));
        let text = steps_table("a", &steps);
        assert_eq!(text.matches("5.00ms*").count(), 1, "{text}");
        assert!(text.contains("* has fewer than 10 samples"), "{text}");
        steps.push(step(200.0, 2, 200.0));
        assert_eq!(one_repetition(&steps), None);
        // What failed is no repetition.
        steps[2].level = Some(Level::Invalid);
        assert!(one_repetition(&steps).is_some());
        assert_eq!(one_repetition(&[]), None);
    }

    #[test]
    fn a_row_per_rate_has_the_median_the_range_and_what_was_not_held() {
        let steps = [
            step(200.0, 1, 203.0),
            step(100.0, 1, 100.0),
            step(200.0, 2, 199.0),
            step(200.0, 3, 201.0),
        ];
        let text = steps_table("a", &steps);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(lines[2].starts_with("        100    1  100.0 "), "{text}");
        assert!(lines[2].ends_with("1 of 1"), "{text}");
        assert!(lines[3].contains("201.0 (199.0 to 203.0)"), "{text}");
        assert!(lines[3].ends_with("2 of 3: too slow"), "{text}");
        // What nobody measured is no 0.
        assert!(lines[3].contains(" - "), "{text}");
    }
}

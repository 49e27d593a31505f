//! The steps of a sweep or of a folder of the study as text: a row per arm and rate, with the median and
//! the range over repetitions.

use crate::compare::{Latency, Metric, Step, Steps};
use crate::measure::doubt_mark;
use crate::resources::Part;
use crate::units::{Rate, show_ns};
use std::collections::BTreeMap;

/// Writes the table of an arm.
pub fn steps_table(arm: &str, steps: &Steps<'_>) -> String {
    let mut has_doubtful = false;
    let mut text = format!(
        "{arm}\n  {:>9} {:>4}  {:<26} {:<28} {:<28} {:<22} {:<22} held\n",
        "rate/s", "runs", "achieved/s", "p50", "p99", "app CPU (m)", "sidecar CPU (m)"
    );
    for rate in steps.rates() {
        let of_rate = steps.at(rate);
        // INVALID steps measured the generator.
        let valid = of_rate.valid();
        let column = |of: &dyn Fn(&Step) -> Option<f64>, show: &dyn Fn(f64) -> String| {
            median_and_range(valid.values(|step| of(step)), show)
        };
        let plain = |value: f64| format!("{value:.1}");
        let mut latency = |metric: Metric| {
            let times = column(&|step| metric.of(step), &show_ns);
            let mut latencies = valid.iter().filter_map(|step| metric.latency_of(step));
            let is_doubtful = latencies.any(Latency::is_doubtful);
            has_doubtful |= is_doubtful;
            times + doubt_mark(is_doubtful)
        };
        let (p50, p99) = (latency(Metric::P50), latency(Metric::P99));
        let line = format!(
            "  {:>9} {:>4}  {:<26} {p50:<28} {p99:<28} {:<22} {:<22} {}",
            rate.as_f64(),
            of_rate.len(),
            column(&|step| Some(step.achieved), &plain),
            column(&|step| Metric::Cpu(Part::App).of(step), &plain),
            column(&|step| Metric::Cpu(Part::Sidecar).of(step), &plain),
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

/// A warning for steps in which no arm has two valid repetitions of a rate.
pub fn one_repetition(steps: &Steps<'_>) -> Option<&'static str> {
    let mut counts: BTreeMap<(&str, Rate), usize> = BTreeMap::new();
    for step in steps.valid().iter() {
        let point = (step.key.arm.as_str(), step.key.rate);
        *counts.entry(point).or_default() += 1;
    }
    (counts.values().max() == Some(&1)).then_some(
        "ONE REPETITION: nothing is known about the noise, so any difference may be chance",
    )
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

/// How many steps were held, such as `2 of 3`, with the reasons of the first that was not.
fn held(steps: &Steps<'_>) -> String {
    let mut text = format!("{} of {}", steps.held().len(), steps.len());
    if let Some(why) = steps.why_not_held() {
        text += &format!(": {why}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::StepFigures;
    use crate::compare::sample_steps::key;
    use crate::verdict::{Level, Reason, Stability};

    fn step(rate: f64, repetition: u32, achieved: f64) -> Step {
        let figures = StepFigures {
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
        };
        Step {
            key: key("a", rate, repetition),
            figures,
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
            step.figures.latency.insert("p99".to_owned(), p99);
        }
        assert!(
            one_repetition(&Steps::from(&steps))
                .is_some_and(|text| text.starts_with("ONE REPETITION"))
        );
        let text = steps_table("a", &Steps::from(&steps));
        assert_eq!(text.matches("5.00ms*").count(), 1, "{text}");
        assert!(text.contains("* has fewer than 10 samples"), "{text}");
        steps.push(step(200.0, 2, 200.0));
        assert_eq!(one_repetition(&Steps::from(&steps)), None);
        // What failed is no repetition.
        steps[2].figures.level = Some(Level::Invalid);
        assert!(one_repetition(&Steps::from(&steps)).is_some());
        assert_eq!(one_repetition(&Steps::default()), None);
    }

    #[test]
    fn a_row_per_rate_has_the_median_the_range_and_what_was_not_held() {
        let steps = [
            step(200.0, 1, 203.0),
            step(100.0, 1, 100.0),
            step(200.0, 2, 199.0),
            step(200.0, 3, 201.0),
        ];
        let text = steps_table("a", &Steps::from(&steps));
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

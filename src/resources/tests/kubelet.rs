//! The use of a container is known, and must come back from samples as a kubelet gives them.

use super::*;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A kubelet that measures a container every 10 to 15 s and is polled every 2 s. The container uses exactly
/// 250 m while the load is on and 10 m before and after it, and is restarted at `reset` seconds.
struct Kubelet {
    seed: u64,
    whole_seconds: bool,
    reset: Option<f64>,
}

impl Kubelet {
    /// Nanoseconds of CPU that were used since 100 s before the load.
    fn truth(at: f64) -> f64 {
        let idle = 0.010 * (at + 100.0);
        let busy = 0.240 * at.clamp(0.0, 95.0);
        (idle + busy) * 1e9
    }

    fn counter(&self, at: f64) -> u64 {
        let before = self.reset.filter(|reset| at >= *reset);
        (Kubelet::truth(at) - before.map_or(0.0, Kubelet::truth)) as u64
    }

    fn log(&self) -> SampleLog {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(self.seed);
        let mut log = SampleLog::default();
        let mut measured = -30.0 + random.random_range(0.0..10.0);
        let mut next = measured + random.random_range(10.0..15.0);
        let mut poll = -20.0;
        while poll < 115.0 {
            while next <= poll {
                measured = next;
                next += random.random_range(10.0..15.0);
            }
            let shown = if self.whole_seconds {
                f64::floor(measured)
            } else {
                measured
            };
            log.push(sample(
                Some("app"),
                Quantity::Cpu,
                Source::MetricsResource,
                shown,
                self.counter(measured),
            ));
            poll += 2.0;
        }
        log
    }
}

fn worst_error(whole_seconds: bool, reset: Option<f64>) -> (f64, f64) {
    let mut worst: f64 = 0.0;
    let mut least_coverage: f64 = 1.0;
    for seed in 0..200 {
        let kubelet = Kubelet {
            seed,
            whole_seconds,
            reset,
        };
        let resources = reduced(&kubelet.log(), &frontend());
        let figure = cpu_of(&resources);
        let value = figure.value.expect("there are samples enough");
        worst = worst.max((value / 250.0 - 1.0).abs());
        least_coverage = least_coverage.min(figure.coverage);
        let expected = if reset.is_some() {
            Quality::Restarted
        } else {
            Quality::Good
        };
        assert_eq!(figure.quality, expected);
    }
    (worst, least_coverage)
}

#[test]
fn a_container_that_burns_250_m_comes_back_within_1_percent_with_stamps_in_milliseconds() {
    let (worst, coverage) = worst_error(false, None);
    assert!(worst < 0.01, "off by {worst}");
    assert!(
        coverage > 0.999,
        "warm-up and guard bracket the window: {coverage}"
    );
}

#[test]
fn a_reset_in_the_middle_splits_the_window_and_costs_coverage_not_truth() {
    let (worst, coverage) = worst_error(false, Some(44.0));
    assert!(worst < 0.01, "off by {worst}");
    // One pair of samples of 10 to 15 s is lost, no more.
    assert!((0.75..0.84).contains(&coverage), "{coverage}");
}

#[test]
fn with_stamps_in_whole_seconds_it_is_within_4_percent() {
    let (worst, _) = worst_error(true, None);
    assert!(worst < 0.04, "off by {worst}");
    let (worst, _) = worst_error(true, Some(44.0));
    assert!(worst < 0.04, "off by {worst}");
}

#[test]
fn the_half_idle_window_of_the_study_cannot_happen() {
    // The study slept 60 s and then measured 60 s while the load lasted 90 s. The growth of the counter
    // over that window, divided by the window's length, is little more than half of the truth.
    let naive = (Kubelet::truth(120.0) - Kubelet::truth(60.0)) / 60.0 / 1e6;
    assert!((naive - 150.0).abs() < 5.0, "{naive}");
    // With one clock and a guard the whole window lies under load.
    let kubelet = Kubelet {
        seed: 1,
        whole_seconds: false,
        reset: None,
    };
    let figure = reduced(&kubelet.log(), &frontend());
    let value = cpu_of(&figure).value.expect("a value");
    assert!((value - 250.0).abs() < 2.5, "{value}");
}

#[test]
fn without_a_guard_samples_from_after_the_load_say_nothing_about_it() {
    let kubelet = Kubelet {
        seed: 3,
        whole_seconds: false,
        reset: None,
    };
    // The spans say that the load ends with the window, although the container goes on working. No pair
    // that reaches beyond that end may be used, so the end of the window stays uncovered.
    let at = |seconds: u64| Nanos(BEGIN + seconds * SECOND as u64);
    let spans = Spans {
        load_end: at(75),
        ..study()
    };
    let resources = reduce(
        &kubelet.log(),
        &frontend(),
        spans,
        Vec::new(),
        &BTreeMap::new(),
    );
    let figure = cpu_of(&resources);
    assert!(figure.coverage < 0.999, "{}", figure.coverage);
    assert!((figure.value.expect("a value") - 250.0).abs() < 2.5);
}

#[test]
fn the_edges_of_the_window_win_over_the_kubelet_and_a_difference_is_told() {
    let edges = [(15.1, 0), (75.1, 12_000_000_000u64)];
    let edges =
        edges.map(|(at, value)| sample(Some("app"), Quantity::Cpu, Source::Exec, at, value));
    let kubelet = Kubelet {
        seed: 5,
        whole_seconds: false,
        reset: None,
    };
    let log: SampleLog = kubelet.log().samples().chain(edges).collect();
    let resources = reduced(&log, &frontend());
    assert_eq!(cpu_of(&resources).source, Some(Source::Exec));
    assert!((cpu_of(&resources).value.expect("a value") - 200.0).abs() < 0.1);
    assert_eq!(resources.notes.len(), 1);
    assert!(
        resources.notes[0].contains("200.0 m") && resources.notes[0].contains("250.0 m"),
        "{:?}",
        resources.notes
    );
}

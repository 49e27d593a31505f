//! Known answers: series whose truth is given must come back from the samples.

use super::window::{Mark, counter, events, gauge};
use super::*;
use crate::units::Nanos;
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::collections::{BTreeMap, BTreeSet};

const SECOND: i64 = 1_000_000_000;
/// Wall clock when the load begins.
const BEGIN: u64 = 1_800_000_000 * SECOND as u64;

fn span(start: i64, end: i64) -> Span {
    Span {
        start: start * SECOND,
        end: end * SECOND,
    }
}

fn mark(at: i64, value: u64) -> Mark {
    Mark {
        at: at * SECOND,
        value,
        epoch: None,
    }
}

/// Warm-up 15 s, window 60 s, guard 20 s.
fn study() -> Spans {
    let at = |seconds: u64| Nanos(BEGIN + seconds * SECOND as u64);
    Spans {
        load_start: at(0),
        window_start: at(15),
        window_end: at(75),
        load_end: at(95),
    }
}

fn subject(container: Option<&str>) -> Subject {
    Subject {
        node: "node-1".to_owned(),
        namespace: "default".to_owned(),
        pod: "frontend-0".to_owned(),
        uid: "uid-0".to_owned(),
        container: container.map(str::to_owned),
    }
}

fn container(name: &str, role: Role) -> Container {
    Container {
        name: name.to_owned(),
        role,
        image: String::new(),
        image_id: None,
        requests: Amounts::default(),
        limits: Amounts::default(),
        native_sidecar: false,
        running: true,
        restarts: 0,
        last_exit: None,
        started: None,
    }
}

fn pod(uid: &str, containers: Vec<Container>) -> Pod {
    Pod {
        node: "node-1".to_owned(),
        namespace: "default".to_owned(),
        name: format!("frontend-{}", uid.trim_start_matches("uid-")),
        uid: uid.to_owned(),
        service: "frontend".to_owned(),
        owner: Owner {
            kind: "Deployment".to_owned(),
            name: "frontend".to_owned(),
        },
        category: Category::Application,
        mesh: Mesh::Sidecar,
        host_network: false,
        phase: "Running".to_owned(),
        ready: true,
        labels: BTreeMap::new(),
        containers,
        seen: Seen {
            from: Nanos::ZERO,
            to: None,
        },
    }
}

fn topology(pods: Vec<Pod>) -> Topology {
    let mut topology = Topology {
        scope: Scope {
            application: BTreeSet::from(["default".to_owned()]),
            ..Scope::default()
        },
        ..Topology::default()
    };
    topology.update(pods, Nanos(BEGIN));
    topology
}

fn frontend() -> Topology {
    topology(vec![pod("uid-0", vec![container("app", Role::App)])])
}

fn sample(
    container: Option<&str>,
    quantity: Quantity,
    source: Source,
    at: f64,
    value: u64,
) -> Sample {
    let stamp = Nanos((BEGIN as f64 + at * 1e9) as u64);
    Sample {
        subject: subject(container),
        quantity,
        source,
        point: Point {
            stamp,
            received: stamp,
            value,
            epoch: None,
        },
    }
}

fn reduced(log: &SampleLog, topology: &Topology) -> Resources {
    reduce(log, topology, study(), Vec::new(), &BTreeMap::new())
}

fn cpu_of(resources: &Resources) -> &Figure {
    let figures = &resources.pods[0].containers[0];
    figures.figure(Quantity::Cpu).expect("a figure of CPU")
}

/// How a kubelet shows a container that burns exactly 250 m while the load is on and 10 m before
/// and after: refreshed every 10 to 15 s, polled every 2 s, and started anew at `reset` seconds.
struct Kubelet {
    seed: u64,
    whole_seconds: bool,
    reset: Option<f64>,
}

impl Kubelet {
    /// Nanoseconds of CPU used since the beginning of time, 100 s before the load.
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
    // The study slept 60 s and then measured 60 s while the load lasted 90 s. Dividing what the
    // counter grew by, over that window, by its length says half of the truth and a bit.
    let naive = (Kubelet::truth(120.0) - Kubelet::truth(60.0)) / 60.0 / 1e6;
    assert!((naive - 150.0).abs() < 5.0, "{naive}");
    // One clock and a guard: the whole window lies under load.
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
    // The load ends where the kubelet's load does not; what matters is that no pair that reaches
    // beyond the end is used, so the end of the window stays uncovered.
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
fn times_that_no_clock_shows_are_far_away_and_no_more() {
    let end = u64::MAX;
    let stamps = [0, end, 1, end - 1, BEGIN, end / 2, 2, end];
    let samples = stamps.iter().zip(1..).map(|(stamp, value)| Sample {
        subject: subject(Some("app")),
        quantity: Quantity::Cpu,
        source: Source::MetricsResource,
        point: Point {
            stamp: Nanos(*stamp),
            received: Nanos(end - stamp),
            value,
            epoch: None,
        },
    });
    let log: SampleLog = samples.collect();
    let offsets = [(0, 0), (i64::MIN, i64::MIN), (i64::MIN, i64::MAX)];
    for (least_ns, most_ns) in offsets {
        let offset = ClockOffset {
            least_ns,
            most_ns,
            steps: 0,
        };
        assert!(offset.uncertainty() >= 0);
        let clocks = vec![NodeClock {
            node: "node-1".to_owned(),
            offset,
        }];
        for (from, to) in [(0, end), (end, 0), (BEGIN, end)] {
            let spans = Spans {
                load_start: Nanos(from),
                window_start: Nanos(from),
                window_end: Nanos(to),
                load_end: Nanos(to),
            };
            let resources = reduce(&log, &frontend(), spans, clocks.clone(), &BTreeMap::new());
            let figures = resources.pods.iter().flat_map(|pod| pod.all_figures());
            assert!(figures.into_iter().all(|figure| figure.coverage <= 1.0));
            assert_eq!(series(&log, spans, &clocks).len(), stamps.len() - 1);
            assert_eq!(timeline(&log, &resources, 3).len(), 3);
        }
    }
}

#[test]
fn time_that_goes_back_splits_the_window() {
    let marks = [mark(0, 0), mark(10, 100), mark(5, 150), mark(20, 300)];
    let over = counter(&marks, span(0, 20), span(0, 20)).expect("two pairs go on");
    assert_eq!(over.breaks, 1);
    assert!(over.covered <= span(0, 20).length());
}

#[test]
fn another_start_is_another_counter_even_when_it_has_grown_past_the_old_one() {
    let started = |at, value, epoch| Mark {
        epoch: Some(Nanos(epoch)),
        ..mark(at, value)
    };
    let marks = [
        started(0, 100, 1),
        started(10, 200, 1),
        started(20, 5_000, 2),
        started(30, 5_100, 2),
    ];
    let over = counter(&marks, span(0, 30), span(0, 30)).expect("two pairs go on");
    assert_eq!(over.breaks, 1);
    assert_eq!(over.increase, 200.0);
    assert_eq!(over.covered, 20 * SECOND);
}

#[test]
fn memory_is_weighted_by_time() {
    // 100 for ten seconds, a slope to 200 over ten, 200 for ten.
    let marks = [mark(0, 100), mark(10, 100), mark(20, 200), mark(30, 200)];
    let over = gauge(&marks, span(0, 30), span(0, 30)).expect("samples");
    assert!((over.mean - 150.0).abs() < 1e-9);
    assert_eq!((over.max, over.last), (200, 200));
    // Only the slope's first half.
    let over = gauge(&marks, span(10, 15), span(0, 30)).expect("samples");
    assert!((over.mean - 125.0).abs() < 1e-9);
}

#[test]
fn a_single_sample_of_memory_is_a_value_without_coverage() {
    let over = gauge(&[mark(5, 70)], span(0, 30), span(0, 30)).expect("a sample");
    assert_eq!((over.mean, over.covered), (70.0, 0));
}

#[test]
fn restarts_are_counted_in_the_window_only() {
    let marks = [mark(-5, 3), mark(10, 3), mark(20, 5), mark(40, 9)];
    assert_eq!(events(&marks, span(0, 30)), Some(2));
    assert_eq!(events(&marks[3..], span(0, 30)), None);
}

#[test]
fn a_figure_that_nobody_gave_is_missing_with_its_reason_and_not_zero() {
    let reasons = BTreeMap::from([(Quantity::Rss, "the kubelet gives none".to_owned())]);
    let resources = reduce(
        &SampleLog::default(),
        &frontend(),
        study(),
        Vec::new(),
        &reasons,
    );
    let container = &resources.pods[0].containers[0];
    let rss = container.figure(Quantity::Rss).expect("a row");
    assert_eq!(rss.value, None);
    assert_eq!(rss.quality.text(), "missing: the kubelet gives none");
    assert!(
        resources.categories[0].cpu_m.is_empty(),
        "no sum of what is not known"
    );
    assert_eq!(resources.categories[0].network_rx_bytes_per_s, None);
}

#[test]
fn one_missing_sidecar_takes_the_sum_of_sidecars_and_not_that_of_apps() {
    let containers = vec![
        container("app", Role::App),
        container("istio-proxy", Role::Sidecar),
    ];
    let topology = topology(vec![pod("uid-0", containers)]);
    let log: SampleLog = [(0.0, 0), (100.0, 25_000_000_000)]
        .map(|(at, value)| {
            sample(
                Some("app"),
                Quantity::Cpu,
                Source::MetricsResource,
                at,
                value,
            )
        })
        .into_iter()
        .collect();
    // The load's end is at 95 s, the last sample at 100 s: keep it inside.
    let spans = Spans {
        load_end: Nanos(BEGIN + 100 * SECOND as u64),
        ..study()
    };
    let resources = reduce(&log, &topology, spans, Vec::new(), &BTreeMap::new());
    let cpu = &resources.categories[0].cpu_m;
    assert!((cpu[&Role::App] - 250.0).abs() < 1e-6);
    assert!(!cpu.contains_key(&Role::Sidecar));
    assert!(use_of(&resources.pods, Part::Total, Quantity::Cpu).is_err());
    assert_eq!(
        use_of(&resources.pods, Part::Gateway, Quantity::Cpu),
        Ok(0.0)
    );
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

#[test]
fn a_pod_that_was_there_for_a_third_of_the_window_counts_for_a_third() {
    let mut guest = pod("uid-0", vec![container("app", Role::App)]);
    let at = |seconds: u64| Nanos(BEGIN + seconds * SECOND as u64);
    guest.seen = Seen {
        from: at(35),
        to: Some(at(55)),
    };
    let mut topology = frontend();
    topology.pods.insert("uid-0".to_owned(), guest);
    let log: SampleLog = [(35.0, 0), (55.0, 6_000_000_000)]
        .map(|(at, value)| {
            sample(
                Some("app"),
                Quantity::Cpu,
                Source::MetricsResource,
                at,
                value,
            )
        })
        .into_iter()
        .collect();
    let resources = reduced(&log, &topology);
    assert!((cpu_of(&resources).value.expect("a value") - 300.0).abs() < 1e-6);
    assert!((resources.pods[0].presence - 1.0 / 3.0).abs() < 1e-9);
    assert!((resources.categories[0].cpu_m[&Role::App] - 100.0).abs() < 1e-6);
}

#[test]
fn a_pod_on_the_nodes_network_is_left_out_of_the_networks_sum() {
    let mut agent = pod("uid-0", vec![container("app", Role::App)]);
    agent.host_network = true;
    let log: SampleLog = [(10.0, 0), (90.0, 80_000_000)]
        .map(|(at, value)| sample(None, Quantity::NetworkRx, Source::StatsSummary, at, value))
        .into_iter()
        .collect();
    let resources = reduced(&log, &topology(vec![agent]));
    assert_eq!(resources.pods[0].figure(Quantity::NetworkRx), Some(1e6));
    assert!(!resources.pods[0].has_own_network());
    assert_eq!(resources.categories[0].network_rx_bytes_per_s, None);
}

#[test]
fn smoothed_figures_are_a_last_resort_and_say_so() {
    let usage = |at| {
        sample(
            Some("app"),
            Quantity::CpuUsage,
            Source::MetricsServer,
            at,
            250_000_000,
        )
    };
    let log: SampleLog = [10.0, 40.0, 80.0].map(usage).into_iter().collect();
    let resources = reduced(&log, &frontend());
    assert_eq!(cpu_of(&resources).quality, Quality::Smoothed);
    assert!((cpu_of(&resources).value.expect("a value") - 250.0).abs() < 1e-9);
}

#[test]
fn a_timeline_has_the_windows_arithmetic_and_gaps_where_nothing_was_heard() {
    let mut log = SampleLog::default();
    // 100 m for 40 s, nothing heard for 30 s in which it used 400 m, 100 m again.
    for (at, used_ms) in [
        (-2, 0),
        (10, 1_000),
        (20, 2_000),
        (40, 4_000),
        (70, 16_000),
        (95, 18_500),
    ] {
        let used = 1_000_000_000 + used_ms * 1_000_000;
        log.push(sample(
            Some("app"),
            Quantity::Cpu,
            Source::MetricsResource,
            at as f64,
            used,
        ));
    }
    let resources = reduced(&log, &frontend());
    let stretches = timeline(&log, &resources, 19);
    assert_eq!(stretches.len(), 19);
    assert_eq!(
        (stretches[0].span, stretches[18].span),
        (span(0, 5), span(90, 95))
    );
    let cpu = |number: usize| {
        stretches[number].cpu_m[&(Category::Application, Role::App)].map(f64::round)
    };
    // The pair from before the load says nothing about it.
    assert_eq!((cpu(0), cpu(1)), (None, None));
    assert_eq!((cpu(2), cpu(7)), (Some(100.0), Some(100.0)));
    assert_eq!((cpu(8), cpu(13)), (Some(400.0), Some(400.0)));
    assert_eq!((cpu(14), cpu(18)), (Some(100.0), Some(100.0)));
}

#[test]
fn a_datum_is_kept_once_however_often_it_is_served() {
    let mut log = SampleLog::default();
    let datum = || sample(Some("app"), Quantity::Cpu, Source::MetricsResource, 3.0, 7);
    assert!(log.push(datum()));
    assert!(!log.push(datum()));
    assert_eq!(log.samples().count(), 1);
}

#[test]
fn the_nodes_clock_is_found_from_dates_in_whole_seconds() {
    // The node is 3.25 s ahead; answers take 20 ms and come every 2.1 s.
    let ahead = 3_250_000_000i64;
    let mut known: Option<ClockOffset> = None;
    for number in 0..40u64 {
        let sent = BEGIN + number * 2_130_000_000;
        let made = (sent + 10_000_000).saturating_add_signed(ahead);
        let date = Nanos(made / SECOND as u64 * SECOND as u64);
        let heard = ClockOffset::of_date(Nanos(sent), Nanos(sent + 20_000_000), date);
        match &mut known {
            Some(known) => known.narrow(heard),
            None => known = Some(heard),
        }
    }
    let known = known.expect("answers");
    assert!(
        known.least_ns <= ahead && ahead <= known.most_ns,
        "{known:?}"
    );
    assert!(known.uncertainty() < 60_000_000, "{known:?}");
    assert_eq!(known.steps, 0);
}

#[test]
fn a_clock_that_is_set_is_noticed_and_not_averaged() {
    let at = |ahead: i64| {
        let made = BEGIN.saturating_add_signed(ahead);
        let date = Nanos(made / SECOND as u64 * SECOND as u64);
        ClockOffset::of_date(Nanos(BEGIN), Nanos(BEGIN), date)
    };
    let mut known = at(0);
    known.narrow(at(60 * SECOND));
    assert_eq!(known.steps, 1);
    assert!(known.least_ns > 58 * SECOND);
}

#[test]
fn a_stamp_cannot_be_later_than_its_answer() {
    let mut known = ClockOffset::of_date(Nanos(BEGIN), Nanos(BEGIN), Nanos(BEGIN));
    known.narrow_by_stamp(Nanos(BEGIN + 400_000_000), Nanos(BEGIN));
    assert_eq!(known.least_ns, 400_000_000);
}

#[test]
fn a_pod_that_comes_back_under_its_name_is_another_pod() {
    let mut topology = frontend();
    let mut second = pod("uid-1", vec![container("app", Role::App)]);
    second.name = "frontend-0".to_owned();
    second.seen.from = Nanos(BEGIN + 5);
    topology.update(vec![second], Nanos(BEGIN + 9));
    assert_eq!(topology.pods["uid-0"].seen.to, Some(Nanos(BEGIN + 9)));
    let named = topology
        .pod_named("default", "frontend-0")
        .expect("one of them");
    assert_eq!(named.uid, "uid-1");
}

#[test]
fn namespaces_are_sorted_into_the_studys_categories() {
    let scope = frontend().scope;
    assert_eq!(scope.category("default").to_string(), "application");
    assert_eq!(
        scope.category("istio-system").to_string(),
        "istio-control-plane"
    );
    assert_eq!(
        scope.category("kube-system").to_string(),
        "kubernetes-system"
    );
    assert_eq!(scope.category("monitoring").to_string(), "monitoring");
    assert!(scope.contains("istio-system") && !scope.contains("kube-system"));
}

proptest! {
    /// Whatever the samples are, nothing covers more than the window and nothing is negative.
    #[test]
    fn figures_stay_in_their_bounds(
        points in prop::collection::vec((-100i64..200, 0u64..1_000_000, prop::option::of(0u64..3)), 0..30),
        start in 0i64..50,
        length in 1i64..100,
    ) {
        let marks: Vec<Mark> = points
            .into_iter()
            .map(|(at, value, epoch)| Mark { epoch: epoch.map(Nanos), ..mark(at, value) })
            .collect();
        let window = span(start, start + length);
        let load = span(0, start + length + 20);
        if let Some(over) = counter(&marks, window, load) {
            prop_assert!(over.increase >= 0.0);
            prop_assert!(over.covered > 0 && over.covered <= window.length());
        }
        if let Some(over) = gauge(&marks, window, load) {
            prop_assert!(over.mean >= 0.0 && over.mean <= 1_000_000.0);
            prop_assert!(over.covered <= window.length());
        }
    }
}

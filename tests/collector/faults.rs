//! What goes wrong with API servers and kubelets is a gap, never the end and never a wrong figure.

use super::*;
use support::api_server::Fault;

#[test]
fn a_node_that_vanishes_is_a_gap() {
    let mut cluster = hotel();
    cluster.nodes.push("node-2".to_owned());
    cluster.pod("search").node = "node-2".to_owned();
    let server = play(Cluster {
        is_kubectl_proxy: true,
        ..cluster
    });
    let (_, resources) = collect_while(&server, &asked(&server), || {
        server.change(|cluster, _| cluster.nodes.retain(|node| node == "node-1"));
    });
    let gap = resources
        .gaps
        .iter()
        .find(|gap| gap.what.starts_with("node-2 /metrics/resource"));
    let gap = gap.unwrap_or_else(|| panic!("{:?}", resources.gaps));
    assert!(
        gap.reason.contains("404") && gap.from_ns > 1_500_000_000,
        "{gap:?}"
    );
    let search = figure(&resources, "search", "hotel-search", Quantity::Cpu);
    assert!(search.coverage < 0.8, "{search:?}");
    assert_near(
        figure(&resources, "frontend", "hotel-frontend", Quantity::Cpu),
        250.0,
        0.02,
    );
}

/// After more than half of the window, everything of the kubelet goes wrong in this way.
fn with_fault(fault: Fault) -> Resources {
    with_fault_at(Nanos::from_millis(2400), fault)
}

fn with_fault_at(at: Nanos, fault: Fault) -> Resources {
    with_fault_polled_every(Nanos::from_millis(100), at, fault)
}

fn with_fault_polled_every(interval: Nanos, at: Nanos, fault: Fault) -> Resources {
    let server = play(Cluster {
        is_kubectl_proxy: true,
        ..hotel()
    });
    let arm = |start: Nanos| server.misbehave_from((start + at).0, "/proxy/", fault);
    let spec = CollectSpec {
        interval,
        ..asked(&server)
    };
    collect_around(&server, &spec, arm).1
}

/// The window before the fault is known, the rest is a gap with this reason.
#[track_caller]
fn assert_the_rest_is_a_gap(resources: &Resources, reason: &str) {
    let cpu = figure(resources, "frontend", "hotel-frontend", Quantity::Cpu);
    assert_near(cpu, 250.0, 0.02);
    assert!(cpu.coverage < 0.95, "{cpu:?}");
    let told = resources
        .gaps
        .iter()
        .any(|gap| gap.reason.contains(reason) && gap.calls > 0);
    assert!(told, "{reason} is not among {:?}", resources.gaps);
}

#[test]
fn errors_of_every_kind_are_gaps_and_not_the_end() {
    for code in [401, 403, 404, 429, 500] {
        let resources = with_fault(Fault::Status(code));
        assert_the_rest_is_a_gap(&resources, &code.to_string());
    }
}

#[test]
fn a_connection_that_is_cut_is_a_gap() {
    assert_the_rest_is_a_gap(&with_fault(Fault::Cut), "broke off");
}

#[test]
fn half_an_answer_and_garbage_are_gaps() {
    let resources = with_fault(Fault::Truncated);
    let told = resources
        .gaps
        .iter()
        .any(|gap| gap.what.ends_with("/stats/summary") && gap.reason.contains("cannot be read"));
    assert!(told, "{:?}", resources.gaps);
    let garbage = with_fault(Fault::Garbage);
    assert_the_rest_is_a_gap(&garbage, "cannot be read");
}

#[test]
fn an_answer_without_end_is_given_up() {
    // Fewer polls than elsewhere: each of them moves 64 MiB.
    let (interval, at) = (Nanos::from_millis(500), Nanos::from_millis(2400));
    let resources = with_fault_polled_every(interval, at, Fault::Huge);
    assert_the_rest_is_a_gap(&resources, "larger than 64 MiB");
}

#[test]
fn a_kubelet_that_shows_the_same_for_ever_costs_coverage() {
    let resources = with_fault(Fault::Stale);
    let cpu = figure(&resources, "frontend", "hotel-frontend", Quantity::Cpu);
    assert_near(cpu, 250.0, 0.02);
    assert!(cpu.coverage < 0.95, "{cpu:?}");
}

#[test]
fn time_that_goes_back_splits_the_window() {
    // Early, so that stamps of milliseconds speak for most of the window: with stamps of whole
    // seconds, two seconds are too few for a figure.
    let resources = with_fault_at(Nanos::from_millis(1200), Fault::TimeBack);
    let cpu = figure(&resources, "frontend", "hotel-frontend", Quantity::Cpu);
    assert!(cpu.coverage <= 1.0);
    let value = cpu.value.expect("most of it is known");
    assert!((200.0..300.0).contains(&value), "{cpu:?}");
}

#[test]
fn an_api_server_that_hangs_holds_neither_the_run_nor_its_end() {
    let server = play(Cluster {
        is_kubectl_proxy: true,
        ..hotel()
    });
    let (collected, resources) = collect_while(&server, &asked(&server), || {
        server.misbehave("/", Fault::Hang)
    });
    assert!(collected.cost.seconds < 15.0, "{:?}", collected.cost);
    let cpu = figure(&resources, "frontend", "hotel-frontend", Quantity::Cpu);
    assert_near(cpu, 250.0, 0.02);
    // One call per endpoint hangs, not one per look.
    assert!(collected.cost.calls < 200, "{:?}", collected.cost);
    assert!(server.calls_to("/metrics/resource") < 40);
}

#[test]
fn the_clock_of_a_node_that_is_ahead_is_found_and_corrected() {
    let server = play(Cluster {
        clock_ahead_ms: 7_300,
        is_kubectl_proxy: true,
        ..hotel()
    });
    let resources = collect(&server, &asked(&server));
    let clock = &resources.clocks[0].offset;
    assert!(
        (clock.estimate() - 7_300_000_000).abs() < 300_000_000,
        "{clock:?}"
    );
    let cpu = figure(&resources, "frontend", "hotel-frontend", Quantity::Cpu);
    assert_near(cpu, 250.0, 0.02);
    assert!(cpu.coverage > 0.8, "{cpu:?}");
}

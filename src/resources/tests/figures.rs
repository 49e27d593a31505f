//! Figures of pods and categories that are missing, partial, shared or smoothed.

use super::*;

/// Counters of the container `app`: seconds since the beginning, and nanoseconds of CPU.
fn cpu_log(points: [(f64, u64); 2]) -> SampleLog {
    let points = points.map(|(at, value)| {
        let (cpu, source) = (Quantity::Cpu, Source::MetricsResource);
        sample(Some("app"), cpu, source, at, value)
    });
    points.into_iter().collect()
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
    let log = cpu_log([(0.0, 0), (100.0, 25_000_000_000)]);
    // The last sample is at 100 s, which must be under load.
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
fn a_pod_that_was_there_for_a_third_of_the_window_counts_for_a_third() {
    let mut guest = pod("uid-0", vec![container("app", Role::App)]);
    let at = |seconds: u64| Nanos(BEGIN + seconds * SECOND as u64);
    guest.seen = Seen {
        from: at(35),
        to: Some(at(55)),
    };
    let mut topology = frontend();
    topology.pods.insert("uid-0".to_owned(), guest);
    let log = cpu_log([(35.0, 0), (55.0, 6_000_000_000)]);
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

//! The collector against a cluster whose truth is known, and which can be made to misbehave.
//!
//! Collections from the played cluster go through the library, on a clock that is advanced: four
//! seconds of a collection take a fraction of one, and its figures do not depend on how busy the
//! machine is. Processes of this machine are sampled in real time, and what is asked of the whole
//! program (`check`, `command_line`) goes through its front door.

mod check;
mod collection;
mod command_line;
mod faults;
mod processes;
#[path = "../support/mod.rs"]
mod support;

use meshload::clock::{AdvancedClock, TimeSource};
use meshload::collect::{CollectError, Collected, Collector, spans};
use meshload::resources::{Figure, PodUse, Quantity, Resources};
use meshload::spec::{ClusterAccess, CollectFrom, CollectSpec, Window};
use meshload::units::Nanos;
use support::api_server::ApiServer;
use support::api_server::cluster::Cluster;

/// When the advanced clocks of these tests begin; nanoseconds since 1970.
fn origin() -> u64 {
    AdvancedClock::default().unix().0
}

/// A cluster whose pods have been running for a minute when the clock begins.
fn hotel() -> Cluster {
    Cluster::hotel(origin() - 60_000_000_000)
}

/// A cluster whose pods have been running for a minute, in real time.
fn hotel_now() -> Cluster {
    Cluster::hotel(meshload::clock::unix_now().0 - 60_000_000_000)
}

/// Serves a cluster that goes by an advanced clock of its own.
fn play(cluster: Cluster) -> ApiServer {
    ApiServer::start_by(cluster, TimeSource::Advanced(AdvancedClock::default()))
}

/// As [`play`], over TLS.
fn play_tls(cluster: Cluster) -> ApiServer {
    ApiServer::start_tls_by(cluster, TimeSource::Advanced(AdvancedClock::default()))
}

fn asked(server: &ApiServer) -> CollectSpec {
    CollectSpec {
        from: CollectFrom::Kube,
        interval: Nanos::from_millis(100),
        access: ClusterAccess {
            url: Some(server.url()),
            ..ClusterAccess::default()
        },
        ..CollectSpec::default()
    }
}

/// Windows of these tests: a second of load before and after two seconds.
fn window() -> Window {
    Window {
        start: Nanos::from_secs(1),
        end: Nanos::from_secs(3),
        stop: Nanos::from_secs(4),
    }
}

/// Collects over the window; `meanwhile` is called in the middle of it.
fn collect_while(
    server: &ApiServer,
    spec: &CollectSpec,
    meanwhile: impl FnOnce(),
) -> (Collected, Resources) {
    collect_around(server, spec, |_| {
        let clock = server.advanced_clock();
        clock.advance_to(clock.now() + Nanos::from_secs(2));
        meanwhile();
    })
}

/// Collects over the window; `act` is called when the load begins, with that moment in nanoseconds
/// since 1970.
fn collect_around(
    server: &ApiServer,
    spec: &CollectSpec,
    act: impl FnOnce(Nanos),
) -> (Collected, Resources) {
    let clock = server.advanced_clock();
    let collector = Collector::start_by(spec, TimeSource::Advanced(clock.clone()))
        .expect("a collector")
        .expect("asked for");
    let (begun, start) = (clock.now(), clock.unix());
    collector.begin_at(start, window());
    act(start);
    clock.advance_to(begun + Nanos::from_millis(4100));
    collector.finish(Nanos::from_millis(500));
    clock.advance_to(begun + Nanos::from_secs(30));
    let collected = collector.collected().expect("it lives");
    let resources = collected.resources(spans(start, window()));
    (collected, resources)
}

fn collect(server: &ApiServer, spec: &CollectSpec) -> Resources {
    collect_while(server, spec, || {}).1
}

fn refusal(spec: &CollectSpec) -> String {
    match Collector::start(spec) {
        Err(error @ (CollectError::Cluster(_) | CollectError::Process(_))) => error.to_string(),
        Err(other) => panic!("an unexpected error: {other}"),
        Ok(_) => panic!("it was expected to refuse"),
    }
}

fn pod<'a>(resources: &'a Resources, service: &str) -> &'a PodUse {
    let mut pods = resources.pods.iter();
    pods.find(|pod| pod.service == service)
        .expect("a pod of that service")
}

fn figure<'a>(
    resources: &'a Resources,
    service: &str,
    container: &str,
    quantity: Quantity,
) -> &'a Figure {
    let pod = pod(resources, service);
    let container = pod.containers.iter().find(|one| one.name == container);
    container
        .expect("that container")
        .figure(quantity)
        .expect("a row")
}

fn network<'a>(resources: &'a Resources, service: &str, quantity: Quantity) -> &'a Figure {
    let mut figures = pod(resources, service).figures.iter();
    figures
        .find(|figure| figure.quantity == quantity)
        .expect("a row")
}

#[track_caller]
fn assert_near(figure: &Figure, truth: f64, share: f64) {
    let value = figure
        .value
        .unwrap_or_else(|| panic!("missing: {figure:?}"));
    assert!(
        (value / truth - 1.0).abs() < share,
        "{value} instead of {truth}: {figure:?}"
    );
}

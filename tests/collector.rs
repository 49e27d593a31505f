//! The collector against a cluster whose truth is known, and which can be made to misbehave. It is
//! used as `meshload` uses it, with short intervals; the last tests go through the front door.

mod support;

use meshload::clock::{RunClock, block_for};
use meshload::collect::{CollectError, Collected, Collector, spans};
use meshload::resources::{
    Category, Figure, Mesh, PodUse, Quality, Quantity, Resources, Role, Source,
};
use meshload::spec::{ClusterAccess, CollectFrom, CollectSpec, KubeletRoute, Window};
use meshload::units::Nanos;
use std::path::Path;
use support::api_server::cluster::{Cgroups, Cluster, Container, Pod};
use support::api_server::{ApiServer, Fault};
use support::{Hotel, Meshload, done};

fn now() -> u64 {
    meshload::clock::unix_now().0
}

/// A cluster whose pods have been running for a minute.
fn hotel() -> Cluster {
    Cluster::hotel(now() - 60_000_000_000)
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
fn collect_while(spec: &CollectSpec, meanwhile: impl FnOnce()) -> (Collected, Resources) {
    collect_around(spec, |load| {
        block_for(Nanos::from_secs(2) - load.now());
        meanwhile();
    })
}

/// Collects over the window; `act` is called when the load begins.
fn collect_around(spec: &CollectSpec, act: impl FnOnce(RunClock)) -> (Collected, Resources) {
    let collector = Collector::start(spec)
        .expect("a collector")
        .expect("asked for");
    let load = RunClock::start();
    let start = collector.begin(load, window());
    act(load);
    block_for(Nanos::from_millis(4100) - load.now());
    collector.finish(Nanos::from_millis(500));
    let collected = collector.collected().expect("it lives");
    let resources = collected.resources(spans(start, window()));
    (collected, resources)
}

fn collect(spec: &CollectSpec) -> Resources {
    collect_while(spec, || {}).1
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

#[test]
fn every_container_is_found_with_its_role_and_what_it_burns() {
    let server = ApiServer::start(hotel());
    let resources = collect(&asked(&server));
    let cpu = |service, container| figure(&resources, service, container, Quantity::Cpu);
    assert_near(cpu("frontend", "hotel-frontend"), 250.0, 0.02);
    assert_near(cpu("frontend", "istio-proxy"), 100.0, 0.02);
    assert_near(cpu("search", "istio-proxy"), 40.0, 0.03);
    assert_near(cpu("istiod", "discovery"), 30.0, 0.03);
    let application = &resources.categories[0];
    assert_eq!(application.category, Category::Application);
    assert!(
        (application.cpu_m[&Role::App] / 360.0 - 1.0).abs() < 0.02,
        "{application:?}"
    );
    assert!(
        (application.cpu_m[&Role::Sidecar] / 140.0 - 1.0).abs() < 0.02,
        "{application:?}"
    );
    // A native sidecar stands among the init containers of the pod's description.
    let search = &resources.topology.pods["uid-of-search"];
    assert_eq!(search.mesh, Mesh::Sidecar);
    assert!(
        search
            .containers
            .iter()
            .any(|one| one.native_sidecar && one.role == Role::Sidecar)
    );
    assert_eq!(search.owner.kind, "Deployment");
    let istiod = resources.topology.pods["uid-of-istiod"].containers[0].role;
    assert_eq!(istiod, Role::ControlPlane);
}

#[test]
fn the_edges_of_the_window_are_read_inside_the_containers() {
    for cgroups in [Cgroups::V2, Cgroups::V1] {
        let server = ApiServer::start(Cluster { cgroups, ..hotel() });
        let resources = collect(&asked(&server));
        let cpu = figure(&resources, "frontend", "hotel-frontend", Quantity::Cpu);
        assert_eq!(cpu.source, Some(Source::Exec), "{cgroups:?}");
        assert!(cpu.coverage > 0.9, "{cpu:?}");
        let rx = network(&resources, "frontend", Quantity::NetworkRx);
        assert_eq!(rx.source, Some(Source::Exec));
        assert_near(rx, 100_000.0, 0.02);
        assert_near(
            network(&resources, "frontend", Quantity::LoopbackTx),
            50_000.0,
            0.02,
        );
        let frontend = &pod(&resources, "frontend").containers[0];
        let throttling = frontend.throttling().expect("it has a limit");
        assert!((throttling - 0.2).abs() < 0.1, "{throttling}");
        assert_eq!(
            server.calls_to("/frontend-5c6db6bd8d-x22cw/exec"),
            5,
            "a probe and two edges of two"
        );
    }
}

#[test]
fn an_image_without_cat_has_the_kubelets_figures_instead() {
    let server = ApiServer::start(hotel());
    let resources = collect(&asked(&server));
    let cpu = figure(&resources, "memcached-profile", "memcached", Quantity::Cpu);
    assert_eq!(cpu.source, Some(Source::MetricsResource));
    assert_near(cpu, 20.0, 0.02);
    let loopback = network(&resources, "memcached-profile", Quantity::LoopbackRx);
    assert_eq!(loopback.value, None);
    assert!(
        loopback
            .quality
            .text()
            .starts_with("missing: only a command"),
        "{loopback:?}"
    );
    assert_eq!(
        server.calls_to("/memcached-profile-5c6db6bd8d-x22cw/exec"),
        1,
        "not asked again"
    );
}

#[test]
fn over_tls_with_a_kubeconfig_as_through_a_proxy_and_with_either_protocol_of_exec() {
    for protocol in ["v5.channel.k8s.io", "v4.channel.k8s.io"] {
        let server = ApiServer::start_tls(Cluster {
            protocols: vec![protocol],
            ..hotel()
        });
        let folder = tempfile::tempdir().expect("a folder");
        let spec = CollectSpec {
            access: ClusterAccess {
                kubeconfig: Some(server.kubeconfig(folder.path())),
                ..ClusterAccess::default()
            },
            ..asked(&server)
        };
        let resources = collect(&spec);
        let cpu = figure(&resources, "frontend", "hotel-frontend", Quantity::Cpu);
        assert_eq!(cpu.source, Some(Source::Exec), "{protocol}");
        assert_near(cpu, 250.0, 0.02);
    }
}

fn with_kubeconfig(server: &ApiServer, folder: &Path, context: &str) -> CollectSpec {
    CollectSpec {
        access: ClusterAccess {
            kubeconfig: Some(server.kubeconfig(folder)),
            context: Some(context.to_owned()),
            ..ClusterAccess::default()
        },
        ..asked(server)
    }
}

#[test]
fn kubelets_can_be_asked_at_their_own_port() {
    let server = ApiServer::start_tls(hotel());
    let folder = tempfile::tempdir().expect("a folder");
    let mut spec = with_kubeconfig(&server, folder.path(), "good");
    spec.access.kubelet = KubeletRoute::Direct;
    let resources = collect(&spec);
    assert_near(
        figure(&resources, "frontend", "hotel-frontend", Quantity::Cpu),
        250.0,
        0.02,
    );
    assert_eq!(
        server.calls_to("/proxy/"),
        0,
        "nothing goes through the API server's proxy"
    );
}

#[test]
fn what_cannot_be_reached_is_refused_before_anything_begins_with_the_cure() {
    let server = ApiServer::start_tls(hotel());
    let folder = tempfile::tempdir().expect("a folder");
    let nowhere = refusal(&with_kubeconfig(&server, folder.path(), "nowhere"));
    assert!(
        nowhere.contains("127.0.0.1:9") && nowhere.contains("check the address"),
        "{nowhere}"
    );
    let stranger = refusal(&with_kubeconfig(&server, folder.path(), "stranger"));
    assert!(
        stranger.contains("401") && stranger.contains("log in again"),
        "{stranger}"
    );
    let unknown = refusal(&with_kubeconfig(&server, folder.path(), "unknown"));
    assert!(
        unknown.contains("unknown") && unknown.contains("--context"),
        "{unknown}"
    );
    let mut missing = asked(&server);
    missing.access = ClusterAccess {
        kubeconfig: Some(folder.path().join("nothing")),
        ..ClusterAccess::default()
    };
    let missing = refusal(&missing);
    assert!(missing.contains("--kubeconfig"), "{missing}");
}

#[test]
fn a_namespace_without_pods_is_refused_by_its_name() {
    let server = ApiServer::start(hotel());
    let spec = CollectSpec {
        namespaces: vec!["hotle".to_owned()],
        ..asked(&server)
    };
    let text = refusal(&spec);
    assert!(text.contains("hotle") && text.contains("-n"), "{text}");
}

#[test]
fn without_rights_to_nodes_there_is_metrics_server_and_else_a_refusal_with_the_cure() {
    let denied = Cluster {
        denied: vec!["/proxy"],
        ..hotel()
    };
    let server = ApiServer::start(denied.clone());
    let text = refusal(&asked(&server));
    assert!(
        text.contains("403") && text.contains("docs/rbac.yaml"),
        "{text}"
    );

    let server = ApiServer::start(Cluster {
        has_metrics_server: true,
        denied: vec!["/proxy", "/exec"],
        ..denied
    });
    let resources = collect(&asked(&server));
    let cpu = figure(&resources, "frontend", "hotel-frontend", Quantity::Cpu);
    assert_eq!(
        (cpu.source, &cpu.quality),
        (Some(Source::MetricsServer), &Quality::Smoothed)
    );
    assert_near(cpu, 250.0, 0.01);
    assert_eq!(
        network(&resources, "frontend", Quantity::NetworkRx).value,
        None
    );
}

#[test]
fn a_kubectl_proxy_refuses_exec_and_the_cure_is_told() {
    let server = ApiServer::start(Cluster {
        is_kubectl_proxy: true,
        ..hotel()
    });
    let resources = collect(&asked(&server));
    let cpu = figure(&resources, "frontend", "hotel-frontend", Quantity::Cpu);
    assert_eq!(cpu.source, Some(Source::MetricsResource));
    assert_near(cpu, 250.0, 0.02);
    assert!(
        resources
            .notes
            .iter()
            .any(|note| note.contains("--reject-paths")),
        "{:?}",
        resources.notes
    );
    assert_eq!(
        server.calls_to("/exec"),
        1,
        "asked once, refused, not asked again"
    );
}

#[test]
fn no_exec_means_none() {
    let server = ApiServer::start(hotel());
    collect(&CollectSpec {
        exec: false,
        ..asked(&server)
    });
    assert_eq!(server.calls_to("/exec"), 0);
}

#[test]
fn a_runtime_that_gives_neither_network_nor_rss_leaves_empty_cells_with_the_reason() {
    let server = ApiServer::start(Cluster {
        has_network: false,
        has_rss: false,
        runtime: "docker://26.1",
        is_kubectl_proxy: true,
        ..hotel()
    });
    let resources = collect(&asked(&server));
    let rss = figure(&resources, "frontend", "hotel-frontend", Quantity::Rss);
    assert_eq!(rss.value, None);
    assert!(rss.quality.text().contains("cri-dockerd"), "{rss:?}");
    let rx = network(&resources, "frontend", Quantity::NetworkRx);
    assert_eq!(rx.value, None);
    assert!(rx.quality.text().contains("containerd"), "{rx:?}");
    assert_near(
        figure(
            &resources,
            "frontend",
            "hotel-frontend",
            Quantity::WorkingSet,
        ),
        f64::from(64 << 20),
        1e-6,
    );
}

#[test]
fn pods_on_the_nodes_network_are_left_out_of_the_sum() {
    let server = ApiServer::start(hotel());
    let resources = collect(&asked(&server));
    assert!(!pod(&resources, "node-agent").has_own_network());
    let rx = resources.categories[0]
        .network_rx_bytes_per_s
        .expect("the others have theirs");
    assert!((rx / 300_000.0 - 1.0).abs() < 0.03, "{rx}");
}

#[test]
fn an_ambient_mesh_has_its_proxies_on_nodes_and_no_sidecar_that_costs_nothing() {
    let mut cluster = hotel();
    let started = now() - 60_000_000_000;
    cluster.namespaces[0].1 = serde_json::json!({ "istio.io/dataplane-mode": "ambient" });
    cluster
        .pods
        .retain(|pod| pod.uid == "uid-of-frontend" || pod.uid == "uid-of-istiod");
    cluster.pod("frontend").containers.truncate(1);
    let ztunnel = vec![Container::new("istio-proxy", 60.0, started)];
    cluster.pods.push(Pod {
        owner: Some(("DaemonSet", "ztunnel".to_owned())),
        ..Pod::new("istio-system", "ztunnel", ztunnel, started)
    });
    let mut waypoint = Pod::new(
        "default",
        "waypoint",
        vec![Container::new("istio-proxy", 20.0, started)],
        started,
    );
    waypoint.labels["gateway.istio.io/managed"] = "istio.io-mesh-controller".into();
    cluster.pods.push(waypoint);
    let server = ApiServer::start(cluster);
    let resources = collect(&asked(&server));
    assert_eq!(
        resources.topology.pods["uid-of-frontend"].mesh,
        Mesh::Ambient
    );
    let application = &resources.categories[0];
    assert!(
        !application.cpu_m.contains_key(&Role::Sidecar),
        "{application:?}"
    );
    assert!((application.cpu_m[&Role::Waypoint] - 20.0).abs() < 1.0);
    let mesh = &resources.categories[1];
    assert!(
        (mesh.cpu_m[&Role::NodeProxy] - 60.0).abs() < 2.0,
        "{mesh:?}"
    );
    let table = meshload::formats::study_csv(&resources, Default::default());
    let table = String::from_utf8(table).expect("text");
    let frontend = table
        .lines()
        .find(|line| line.contains("frontend"))
        .expect("a row");
    let sidecar = frontend.split(',').nth(9).expect("CPU_Sidecar(m)");
    assert_eq!(
        sidecar, "",
        "its share in the node's proxy is not known, and not 0: {frontend}"
    );
}

#[test]
fn two_namespaces_and_the_others_by_their_names() {
    let mut cluster = hotel();
    let started = now() - 60_000_000_000;
    let other = |namespace: &str| {
        Pod::new(
            namespace,
            &format!("app-of-{namespace}"),
            vec![Container::new("app", 70.0, started)],
            started,
        )
    };
    cluster
        .pods
        .extend([other("second"), other("monitoring"), other("kube-system")]);
    let server = ApiServer::start(cluster);
    let both = CollectSpec {
        namespaces: vec!["default".to_owned(), "second".to_owned()],
        ..asked(&server)
    };
    let resources = collect(&both);
    let kinds = |resources: &Resources| {
        resources
            .categories
            .iter()
            .map(|one| one.category.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds(&resources), ["application", "istio-control-plane"]);
    assert!((resources.categories[0].cpu_m[&Role::App] / 430.0 - 1.0).abs() < 0.02);
    let resources = collect(&CollectSpec {
        namespaces: Vec::new(),
        all_namespaces: true,
        ..asked(&server)
    });
    assert_eq!(
        kinds(&resources),
        [
            "application",
            "istio-control-plane",
            "kubernetes-system",
            "monitoring",
            "second"
        ]
    );
}

#[test]
fn a_container_that_starts_again_in_the_window_is_marked_and_never_negative() {
    let server = ApiServer::start(Cluster {
        is_kubectl_proxy: true,
        ..hotel()
    });
    let (_, resources) = collect_while(&asked(&server), || {
        server
            .change(|cluster, now| cluster.pod("frontend").containers[0].restart(now, "OOMKilled"));
    });
    let cpu = figure(&resources, "frontend", "hotel-frontend", Quantity::Cpu);
    assert_eq!(cpu.quality, Quality::Restarted);
    assert_near(cpu, 250.0, 0.02);
    assert!(cpu.coverage < 0.95, "{cpu:?}");
    let count = |quantity| figure(&resources, "frontend", "hotel-frontend", quantity).value;
    assert_eq!(count(Quantity::Restarts), Some(1.0));
    assert_eq!(count(Quantity::OomKills), Some(1.0));
}

#[test]
fn pods_that_come_and_go_are_followed() {
    let server = ApiServer::start(Cluster {
        is_kubectl_proxy: true,
        ..hotel()
    });
    let (_, resources) = collect_while(&asked(&server), || {
        server.change(|cluster, now| {
            cluster.pods.retain(|pod| pod.uid != "uid-of-search");
            let newcomer = vec![Container::new("app", 500.0, now)];
            cluster
                .pods
                .push(Pod::new("default", "newcomer", newcomer, now));
        });
    });
    let presence = |service| pod(&resources, service).presence;
    // Lists of pods are made at every fifth look, times of creation are in whole seconds.
    assert!(
        (0.3..0.9).contains(&presence("search")),
        "{}",
        presence("search")
    );
    assert!(
        (0.4..=1.0).contains(&presence("newcomer")),
        "{}",
        presence("newcomer")
    );
    let newcomer = figure(&resources, "newcomer", "app", Quantity::Cpu);
    let quality = &newcomer.quality;
    assert_eq!(*quality, Quality::Good, "half of its own time is enough");
    // Which of the kubelet's series reached so far is this machine's luck, and a stamp in whole
    // seconds is a good part of the few that the newcomer lived.
    let is_coarse = newcomer.source == Some(Source::StatsSummary);
    assert_near(newcomer, 500.0, if is_coarse { 0.6 } else { 0.1 });
    assert_near(
        figure(&resources, "frontend", "hotel-frontend", Quantity::Cpu),
        250.0,
        0.02,
    );
}

#[test]
fn a_node_that_vanishes_is_a_gap() {
    let mut cluster = hotel();
    cluster.nodes.push("node-2".to_owned());
    cluster.pod("search").node = "node-2".to_owned();
    let server = ApiServer::start(Cluster {
        is_kubectl_proxy: true,
        ..cluster
    });
    let (_, resources) = collect_while(&asked(&server), || {
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

/// The server goes by its own clock: on a busy machine this thread could wake too late to tell it.
fn with_fault_at(at: Nanos, fault: Fault) -> Resources {
    let server = ApiServer::start(Cluster {
        is_kubectl_proxy: true,
        ..hotel()
    });
    let arm = |load: RunClock| {
        let begun = now() - load.now().0;
        server.misbehave_from(begun + at.0, "/proxy/", fault);
    };
    collect_around(&asked(&server), arm).1
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
    assert_the_rest_is_a_gap(&with_fault(Fault::Huge), "larger than 64 MiB");
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
    let server = ApiServer::start(Cluster {
        is_kubectl_proxy: true,
        ..hotel()
    });
    let begun = RunClock::start();
    let (collected, resources) =
        collect_while(&asked(&server), || server.misbehave("/", Fault::Hang));
    assert!(begun.now() < Nanos::from_secs(15), "{}", begun.now());
    let cpu = figure(&resources, "frontend", "hotel-frontend", Quantity::Cpu);
    assert_near(cpu, 250.0, 0.02);
    // One call per endpoint hangs, not one per look.
    assert!(collected.cost.calls < 200, "{:?}", collected.cost);
    assert!(server.calls_to("/metrics/resource") < 40);
}

#[test]
fn the_clock_of_a_node_that_is_ahead_is_found_and_corrected() {
    let server = ApiServer::start(Cluster {
        clock_ahead_ms: 7_300,
        is_kubectl_proxy: true,
        ..hotel()
    });
    let resources = collect(&asked(&server));
    let clock = &resources.clocks[0].offset;
    assert!(
        (clock.estimate() - 7_300_000_000).abs() < 300_000_000,
        "{clock:?}"
    );
    let cpu = figure(&resources, "frontend", "hotel-frontend", Quantity::Cpu);
    assert_near(cpu, 250.0, 0.02);
    assert!(cpu.coverage > 0.8, "{cpu:?}");
}

#[test]
fn the_figures_can_be_made_again_from_the_files() {
    let server = ApiServer::start(hotel());
    let (collected, resources) = collect_while(&asked(&server), || {});
    let samples = meshload::formats::samples_csv(&collected.book.log);
    let log = meshload::formats::samples_from_csv(&samples).expect("what was written can be read");
    let json = serde_json::to_string(&resources).expect("JSON");
    let read: Resources = serde_json::from_str(&json).expect("JSON");
    let clocks = read.clocks.clone();
    let again = meshload::resources::reduce(
        &log,
        &read.topology,
        read.spans,
        clocks,
        &Default::default(),
    );
    let values = |resources: &Resources| -> Vec<Option<f64>> {
        resources
            .pods
            .iter()
            .flat_map(PodUse::all_figures)
            .map(|figure| figure.value)
            .collect()
    };
    assert_eq!(values(&again), values(&resources));
}

#[test]
fn processes_of_this_machine_are_a_source_of_their_own() {
    let hotel = Hotel::start(["--service-time", "constant:0"]);
    let spec = CollectSpec {
        from: CollectFrom::Process(vec![meshload::spec::ProcessChoice::Pid(hotel.pid())]),
        interval: Nanos::from_millis(100),
        ..CollectSpec::default()
    };
    let resources = collect(&spec);
    let process = &resources.pods[0];
    assert_eq!(process.service, "meshload");
    let rss = process.containers[0].figure(Quantity::Rss).expect("a row");
    assert!(rss.value.expect("memory") > 100_000.0, "{rss:?}");
    let cpu = process.containers[0].figure(Quantity::Cpu).expect("a row");
    assert!(
        cpu.value.expect("CPU") < 500.0 && cpu.coverage > 0.95,
        "{cpu:?}"
    );
}

#[test]
fn a_process_that_burns_a_core_burns_a_thousand_millicores() {
    // One process that is itself once `spawn` returns; its limit ends it should this test not.
    let mut burner = std::process::Command::new("sh")
        .args(["-c", "ulimit -t 20; while :; do :; done"])
        .spawn()
        .expect("a shell");
    let spec = CollectSpec {
        from: CollectFrom::Process(vec![meshload::spec::ProcessChoice::Name(
            "while :; do :; done".to_owned(),
        )]),
        interval: Nanos::from_millis(100),
        ..CollectSpec::default()
    };
    let resources = collect(&spec);
    let _ = burner.kill();
    let _ = burner.wait();
    let total = resources.categories[0].cpu_m[&Role::App];
    // A core of a busy machine is shared: at least a third of it, at most all.
    assert!((300.0..1050.0).contains(&total), "{total}");
}

#[test]
fn a_process_that_is_not_there_is_refused() {
    let spec = |choice| CollectSpec {
        from: CollectFrom::Process(vec![choice]),
        ..CollectSpec::default()
    };
    let text = refusal(&spec(meshload::spec::ProcessChoice::Pid(4_194_303)));
    assert!(text.contains("4194303") && text.contains("ps"), "{text}");
    let text = refusal(&spec(meshload::spec::ProcessChoice::Name(
        "no such program".to_owned(),
    )));
    assert!(text.contains("no such program"), "{text}");
}

#[test]
fn a_run_with_a_collector_says_what_was_used_in_its_folder_and_on_the_terminal() {
    let server = ApiServer::start(hotel());
    let target = Hotel::start(["--service-time", "constant:1ms"]);
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().join("result");
    let url = server.url();
    let output = Meshload::new([
        "-R",
        "200",
        "-d",
        "3s",
        "--warmup",
        "1s",
        "--guard",
        "1s",
        target.url(),
        "--collect",
        "kube",
        "--kube-url",
        &url,
        "--collect-interval",
        "100ms",
        "-o",
        folder.to_str().expect("a path"),
    ])
    .run();
    done(&output);
    assert!(output.stdout.contains("Resources over 3.0s"), "{output}");
    assert!(
        output.stderr.contains("collecting from http://127.0.0.1"),
        "{output}"
    );
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("run.json")).expect("run.json"))
            .expect("JSON");
    let categories = &json["resources"]["categories"];
    assert_eq!(categories[0]["category"], "application");
    let sidecars = categories[0]["cpu_m"]["sidecar"]
        .as_f64()
        .expect("a number");
    assert!((sidecars / 140.0 - 1.0).abs() < 0.03, "{sidecars}");
    let study =
        std::fs::read_to_string(folder.join("k8s_full_metrics.csv")).expect("the study's table");
    assert!(study.starts_with("Timestamp,RPS,Namespace,Category,Service,Pod,Node,CPU_Total(m),CPU_App(m),CPU_Sidecar(m),Memory_WorkingSet(Mi),Memory_RSS(Mi),Net_RX(KB/s),Net_TX(KB/s),Disk_Read(KB/s),Disk_Write(KB/s),System_Mem_BW,System_LLC_Metric,Istio_Enabled"));
    assert_eq!(study.lines().count(), 6, "{study}");
    let frontend: Vec<&str> = study
        .lines()
        .find(|line| line.contains(",frontend,"))
        .expect("a row")
        .split(',')
        .collect();
    for (column, truth) in [
        (7, 350.0),
        (8, 250.0),
        (9, 100.0),
        (10, 128.0),
        (11, 64.0),
        (12, 97.66),
        (13, 97.66),
    ] {
        let value: f64 = frontend[column].parse().expect("a number");
        assert!(
            (value / truth - 1.0).abs() < 0.03,
            "column {column} is {value}: {study}"
        );
    }
    assert_eq!(
        (frontend[1], frontend[3], frontend[18]),
        ("200", "application", "True")
    );
    let series = std::fs::read_to_string(folder.join("resources.csv")).expect("the series");
    assert!(
        series
            .lines()
            .any(|line| line.contains("frontend") && line.contains(",istio-proxy,sidecar,cpu,")),
        "{series}"
    );
    assert!(
        series.lines().any(|line| line.contains("missing: ")),
        "missing figures have their rows"
    );
    let report = Meshload::new(["report", folder.to_str().expect("a path")]).run();
    assert!(
        report.stdout.contains("Resources over 3.0s"),
        "the report says it again: {report}"
    );
}

#[test]
fn without_a_cluster_kube_fails_before_the_load_and_auto_goes_on_and_says_so() {
    let target = Hotel::start(["--service-time", "constant:0"]);
    let run = |from: &str| {
        let nowhere = "http://127.0.0.1:9";
        let flags = [
            "-R",
            "100",
            "-d",
            "1s",
            target.url(),
            "--collect",
            from,
            "--kube-url",
            nowhere,
        ];
        Meshload::new(flags).run()
    };
    let output = run("kube");
    assert_eq!(output.code, Some(1), "{output}");
    assert!(
        output.stderr.contains("127.0.0.1:9") && output.stderr.contains("check the address"),
        "{output}"
    );
    assert!(output.stdout.is_empty(), "no load was made: {output}");
    let output = run("auto");
    done(&output);
    assert!(
        output.stdout.contains("no cluster's figures are collected"),
        "{output}"
    );
}

#[test]
fn collect_alone_measures_beside_any_other_load() {
    let server = ApiServer::start(hotel());
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().join("result");
    let url = server.url();
    let output = Meshload::new([
        "collect",
        "--for",
        "2s",
        "--kube-url",
        &url,
        "--collect-interval",
        "100ms",
        "-o",
        folder.to_str().expect("a path"),
    ])
    .run();
    done(&output);
    assert!(output.stdout.contains("istio-control-plane"), "{output}");
    for file in [
        "collect.json",
        "samples.csv",
        "resources.csv",
        "resources_window.csv",
        "k8s_full_metrics.csv",
    ] {
        assert!(folder.join(file).exists(), "{file}");
    }
    let bytes = std::fs::read(folder.join("collect.json")).expect("a file");
    let read =
        meshload::formats::collection_from_json(&bytes).expect("what was written can be read");
    assert_eq!(read.pods.len(), 5);
    let report = Meshload::new(["report", folder.to_str().expect("a path")]).run();
    assert_eq!(report.stdout, output.stdout, "the report says it again");
}

#[test]
fn a_run_that_is_interrupted_keeps_what_was_collected() {
    let server = ApiServer::start(hotel());
    let target = Hotel::start(["--service-time", "constant:1ms"]);
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().join("result");
    let url = server.url();
    let running = Meshload::new([
        "-R",
        "100",
        "-d",
        "30s",
        target.url(),
        "--collect",
        "kube",
        "--kube-url",
        &url,
        "--collect-interval",
        "100ms",
        "-o",
        folder.to_str().expect("a path"),
    ])
    .start();
    support::wait_until("the window's first edge is read", || {
        server.calls_to("/exec") > 5
    });
    block_for(Nanos::from_secs(2));
    running.signal(rustix::process::Signal::INT);
    let output = running.finish();
    assert_eq!(output.code, Some(130), "{output}");
    assert!(output.elapsed.as_secs() < 20, "{output}");
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("run.json")).expect("run.json"))
            .expect("JSON");
    let app = json["resources"]["categories"][0]["cpu_m"]["app"]
        .as_f64()
        .expect("a number");
    assert!((app / 360.0 - 1.0).abs() < 0.05, "{app}");
}

#[test]
fn commands_that_are_refused_in_one_namespace_are_run_in_the_others() {
    let server = ApiServer::start(Cluster {
        denied: vec!["/namespaces/istio-system/pods/"],
        ..hotel()
    });
    let resources = collect(&asked(&server));
    let source = |service, container| figure(&resources, service, container, Quantity::Cpu).source;
    assert_eq!(source("frontend", "hotel-frontend"), Some(Source::Exec));
    assert_eq!(source("istiod", "discovery"), Some(Source::MetricsResource));
    assert!(
        server.calls_to("/namespaces/istio-system/pods/istiod") <= 2,
        "refused once per edge at most"
    );
}

/// The findings of `meshload check`, as JSON.
fn check(args: &[&str]) -> (Option<i32>, Vec<serde_json::Value>) {
    let output = Meshload::new([&["check", "--json"], args].concat()).run();
    let json: serde_json::Value =
        serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output}"));
    let findings = json["findings"].as_array().expect("a list").clone();
    assert_eq!(
        json["can_run"].as_bool().expect("a bool"),
        output.code == Some(0),
        "{output}"
    );
    (output.code, findings)
}

fn finding<'a>(findings: &'a [serde_json::Value], name: &str) -> &'a serde_json::Value {
    let exact = findings.iter().find(|one| one["name"] == name);
    let contains =
        |one: &&serde_json::Value| one["name"].as_str().is_some_and(|text| text.contains(name));
    let named = exact.or_else(|| findings.iter().find(contains));
    named.unwrap_or_else(|| panic!("no finding of {name} in {findings:#?}"))
}

#[test]
fn check_says_on_one_screen_what_will_work() {
    let server = ApiServer::start(hotel());
    let target = Hotel::start(["--service-time", "constant:0"]);
    let url = server.url();
    let (code, findings) = check(&[
        target.url(),
        "-s",
        "lua/mixed-workload_type_1.lua",
        "--kube-url",
        &url,
    ]);
    assert_eq!(code, Some(0), "{findings:#?}");
    let says = |name: &str, text: &str| {
        let message = finding(&findings, name)["message"]
            .as_str()
            .expect("a text");
        assert!(message.contains(text), "{name}: {message}");
    };
    says("mixed-workload", "loads and makes requests");
    says(target.url(), "x 200");
    says("API server", "v1.34.9");
    says("get nodes/proxy", "allowed");
    says("answering", "metrics_resource");
    says("time stamps", "milliseconds");
    says("commands in containers", "cgroup v2");
    says("runtime of node-1", "containerd");
    says("clock of node-1", "ms against ours");
    says("in the mesh", "2 of 4 are not");
    says("injection labels of default", "none");
    says("mutual TLS", "not installed");
    says(
        "limits of default/frontend",
        "hotel-frontend 100m/64Mi of 200m/128Mi",
    );
    says("memcached", "memcached-profile");
    let output = Meshload::new(["check", "--kube-url", &url]).run();
    assert!(output.stdout.lines().count() < 45, "one screen: {output}");
    assert!(
        output.stdout.ends_with("things to keep in mind.\n"),
        "{output}"
    );
}

#[test]
fn check_says_what_stands_in_the_way_and_the_cure() {
    let server = ApiServer::start(Cluster {
        denied: vec!["/proxy"],
        ..hotel()
    });
    let url = server.url();
    let (code, findings) = check(&["--kube-url", &url]);
    assert_eq!(code, Some(1));
    let right = finding(&findings, "get nodes/proxy");
    assert_eq!(
        (&right["state"], &right["cure"]),
        (
            &"bad".into(),
            &"bind the role of docs/rbac.yaml to this account".into()
        )
    );
    assert_eq!(finding(&findings, "figures")["state"], "bad");

    let (code, findings) = check(&["http://127.0.0.1:9/", "--kube-url", "http://127.0.0.1:9"]);
    assert_eq!(code, Some(1));
    assert_eq!(finding(&findings, "http://127.0.0.1:9/")["state"], "bad");
    let access = finding(&findings, "API server");
    assert!(
        access["cure"]
            .as_str()
            .expect("a cure")
            .contains("check the address"),
        "{access}"
    );

    let server = ApiServer::start(Cluster {
        is_kubectl_proxy: true,
        runtime: "docker://26.1",
        has_network: false,
        ..hotel()
    });
    let url = server.url();
    let (_, findings) = check(&["--kube-url", &url]);
    assert!(
        finding(&findings, "runtime")["cure"]
            .as_str()
            .expect("a cure")
            .contains("containerd")
    );
    assert!(
        finding(&findings, "commands in containers")["cure"]
            .as_str()
            .expect("a cure")
            .contains("--reject-paths")
    );
    assert_eq!(finding(&findings, "network")["state"], "warn");
}

#[test]
fn check_finds_a_script_that_does_not_load_before_a_sweep_does() {
    let target = Hotel::start(["--service-time", "constant:0"]);
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("broken.lua");
    std::fs::write(&script, "request = function() return wrk.format(").expect("a file");
    let script = script.to_str().expect("a path");
    let (code, findings) = check(&[
        target.url(),
        "-s",
        script,
        "--kube-url",
        "http://127.0.0.1:9",
    ]);
    assert_eq!(code, Some(1));
    let broken = finding(&findings, target.url());
    assert!(
        broken["message"]
            .as_str()
            .expect("a text")
            .contains("broken.lua:1"),
        "{broken}"
    );
}

#[test]
fn check_without_a_cluster_looks_at_the_target_alone() {
    let target = Hotel::start(["--service-time", "constant:0"]);
    let nobody = tempfile::tempdir().expect("a folder");
    let home = format!("HOME={}", nobody.path().display());
    let without_cluster = [
        "env",
        "-u",
        "KUBECONFIG",
        "-u",
        "KUBERNETES_SERVICE_HOST",
        &home,
    ];
    let output = Meshload::through(without_cluster, ["check", target.url()]).run();
    assert_eq!(output.code, Some(0), "{output}");
    assert!(output.stdout.contains("there is no kubeconfig"), "{output}");
    let flags = ["-R", "10", "-d", "1s", target.url(), "--collect", "kube"];
    let output = Meshload::through(without_cluster, flags).run();
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains("give --kubeconfig FILE"), "{output}");
}

#[test]
fn a_job_that_finishes_in_the_window_counts_for_what_it_used() {
    let mut cluster = hotel();
    let started = now() - 60_000_000_000;
    let job = Pod::new(
        "default",
        "load-data",
        vec![Container::new("work", 400.0, started)],
        started,
    );
    cluster.pods.push(Pod {
        owner: Some(("Job", "load-data".to_owned())),
        ..job
    });
    let server = ApiServer::start(Cluster {
        is_kubectl_proxy: true,
        ..cluster
    });
    let (_, resources) = collect_while(&asked(&server), || {
        server.change(|cluster, _| cluster.pod("load-data").phase = "Succeeded");
    });
    let work = figure(&resources, "load-data", "work", Quantity::Cpu);
    assert_near(work, 400.0, 0.05);
    let presence = pod(&resources, "load-data").presence;
    assert!((0.3..0.95).contains(&presence), "{presence}");
}

//! What is found in a cluster, and the figures that come of it.

use super::*;
use meshload::resources::{Category, Mesh, Quality, Role, Source};
use meshload::spec::KubeletRoute;
use std::path::Path;
use support::api_server::cluster::{Cgroups, Container, Pod};

#[test]
fn every_container_is_found_with_its_role_and_what_it_burns() {
    let server = play(hotel());
    let resources = collect(&server, &asked(&server));
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
        let server = play(Cluster { cgroups, ..hotel() });
        let resources = collect(&server, &asked(&server));
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
    let server = play(hotel());
    let resources = collect(&server, &asked(&server));
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
        let server = play_tls(Cluster {
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
        let resources = collect(&server, &spec);
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
    let server = play_tls(hotel());
    let folder = tempfile::tempdir().expect("a folder");
    let mut spec = with_kubeconfig(&server, folder.path(), "good");
    spec.access.kubelet = KubeletRoute::Direct;
    let resources = collect(&server, &spec);
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
    let server = play_tls(hotel());
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
    let server = play(hotel());
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
    let server = play(denied.clone());
    let text = refusal(&asked(&server));
    assert!(
        text.contains("403") && text.contains("docs/rbac.yaml"),
        "{text}"
    );

    let server = play(Cluster {
        has_metrics_server: true,
        denied: vec!["/proxy", "/exec"],
        ..denied
    });
    let resources = collect(&server, &asked(&server));
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
    let server = play(Cluster {
        is_kubectl_proxy: true,
        ..hotel()
    });
    let resources = collect(&server, &asked(&server));
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
    let server = play(hotel());
    collect(
        &server,
        &CollectSpec {
            exec: false,
            ..asked(&server)
        },
    );
    assert_eq!(server.calls_to("/exec"), 0);
}

#[test]
fn a_runtime_that_gives_neither_network_nor_rss_leaves_empty_cells_with_the_reason() {
    let server = play(Cluster {
        has_network: false,
        has_rss: false,
        runtime: "docker://26.1",
        is_kubectl_proxy: true,
        ..hotel()
    });
    let resources = collect(&server, &asked(&server));
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
    let server = play(hotel());
    let resources = collect(&server, &asked(&server));
    assert!(!pod(&resources, "node-agent").has_own_network());
    let rx = resources.categories[0]
        .network_rx_bytes_per_s
        .expect("the others have theirs");
    assert!((rx / 300_000.0 - 1.0).abs() < 0.03, "{rx}");
}

#[test]
fn an_ambient_mesh_has_its_proxies_on_nodes_and_no_sidecar_that_costs_nothing() {
    let mut cluster = hotel();
    let started = origin() - 60_000_000_000;
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
    let server = play(cluster);
    let resources = collect(&server, &asked(&server));
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
    let table = meshload::study::pods_csv(&resources, Default::default());
    let table = String::from_utf8(table).expect("text");
    let frontend = table
        .lines()
        .find(|line| line.contains("frontend"))
        .expect("a row");
    let sidecar = frontend.split(',').nth(9).expect("CPU_Sidecar(m)");
    assert_eq!(
        sidecar, "0.000",
        "the pod has no sidecar, and its share in the node's proxy is in that proxy's figure: {frontend}"
    );
}

#[test]
fn two_namespaces_and_the_others_by_their_names() {
    let mut cluster = hotel();
    let started = origin() - 60_000_000_000;
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
    let server = play(cluster);
    let both = CollectSpec {
        namespaces: vec!["default".to_owned(), "second".to_owned()],
        ..asked(&server)
    };
    let resources = collect(&server, &both);
    let kinds = |resources: &Resources| {
        resources
            .categories
            .iter()
            .map(|one| one.category.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds(&resources), ["application", "istio-control-plane"]);
    assert!((resources.categories[0].cpu_m[&Role::App] / 430.0 - 1.0).abs() < 0.02);
    let resources = collect(
        &server,
        &CollectSpec {
            namespaces: Vec::new(),
            all_namespaces: true,
            ..asked(&server)
        },
    );
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
    let server = play(Cluster {
        is_kubectl_proxy: true,
        ..hotel()
    });
    let (_, resources) = collect_while(&server, &asked(&server), || {
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
    let server = play(Cluster {
        is_kubectl_proxy: true,
        ..hotel()
    });
    let (_, resources) = collect_while(&server, &asked(&server), || {
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
fn a_job_that_finishes_in_the_window_counts_for_what_it_used() {
    let mut cluster = hotel();
    let started = origin() - 60_000_000_000;
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
    let server = play(Cluster {
        is_kubectl_proxy: true,
        ..cluster
    });
    let (_, resources) = collect_while(&server, &asked(&server), || {
        server.change(|cluster, _| cluster.pod("load-data").phase = "Succeeded");
    });
    let work = figure(&resources, "load-data", "work", Quantity::Cpu);
    assert_near(work, 400.0, 0.05);
    let presence = pod(&resources, "load-data").presence;
    assert!((0.3..0.95).contains(&presence), "{presence}");
}

#[test]
fn commands_that_are_refused_in_one_namespace_are_run_in_the_others() {
    let server = play(Cluster {
        denied: vec!["/namespaces/istio-system/pods/"],
        ..hotel()
    });
    let resources = collect(&server, &asked(&server));
    let source = |service, container| figure(&resources, service, container, Quantity::Cpu).source;
    assert_eq!(source("frontend", "hotel-frontend"), Some(Source::Exec));
    assert_eq!(source("istiod", "discovery"), Some(Source::MetricsResource));
    assert!(
        server.calls_to("/namespaces/istio-system/pods/istiod") <= 2,
        "refused once per edge at most"
    );
}

#[test]
fn the_figures_can_be_made_again_from_the_files() {
    let server = play(hotel());
    let (collected, resources) = collect_while(&server, &asked(&server), || {});
    let samples = meshload::files::samples_csv(&collected.store.log);
    let log = meshload::files::samples_from_csv(&samples).expect("what was written can be read");
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

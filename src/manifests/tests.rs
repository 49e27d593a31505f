//! Kubernetes' descriptions and a kubelet's answers, as they were recorded, become what they mean.

use super::{node, pod};
use crate::readings::{Malformed, MetricsEndpoint, samples_of};
use crate::resources::{Mesh, Quantity, Role, Scope, Source, Topology};
use crate::units::Nanos;
use k8s_openapi::api::core::v1 as api;
use proptest::prelude::*;
use serde_json::{Value, json};

const PODS: &[u8] = include_bytes!("../../tests/fixtures/kubelet/pods.json");
const NODE: &[u8] = include_bytes!("../../tests/fixtures/kubelet/node.json");
const SUMMARY: &[u8] = include_bytes!("../../tests/fixtures/kubelet/summary.json");
const RESOURCE: &[u8] = include_bytes!("../../tests/fixtures/kubelet/resource.txt");
const CADVISOR: &[u8] = include_bytes!("../../tests/fixtures/kubelet/cadvisor.txt");
const NOW: Nanos = Nanos(1_795_408_722_000_000_000);

fn scope() -> Scope {
    Scope {
        application: ["default".to_owned()].into(),
        ..Scope::default()
    }
}

fn topology() -> Topology {
    let list: Value = serde_json::from_slice(PODS).expect("JSON");
    let described: Vec<api::Pod> = serde_json::from_value(list["items"].clone()).expect("pods");
    let mut topology = Topology {
        scope: scope(),
        ..Topology::default()
    };
    let pods: Vec<_> = described
        .into_iter()
        .filter_map(|one| pod(one, &scope(), NOW))
        .collect();
    topology.update(pods, NOW);
    topology
}

fn named<'a>(topology: &'a Topology, service: &str) -> &'a crate::resources::Pod {
    let mut pods = topology.pods.values();
    pods.find(|pod| pod.service == service)
        .expect("a pod of that service")
}

#[test]
fn pods_of_a_real_cluster() {
    let topology = topology();
    let frontend = named(&topology, "frontend");
    assert_eq!(
        (frontend.owner.kind.as_str(), frontend.owner.name.as_str()),
        ("Deployment", "frontend")
    );
    assert_eq!(frontend.mesh, Mesh::Sidecar);
    assert!(frontend.ready && !frontend.host_network);
    let roles: Vec<Role> = frontend.containers.iter().map(|one| one.role).collect();
    assert_eq!(roles, [Role::App, Role::Sidecar]);
    assert_eq!(frontend.containers[1].limits.cpu_millicores, Some(200.0));
    assert_eq!(
        frontend.containers[1].limits.memory_bytes,
        Some(67_108_864.0)
    );
    let search = named(&topology, "search");
    let sidecar = &search.containers[1];
    assert!(sidecar.native_sidecar && sidecar.role == Role::Sidecar && sidecar.running);
    assert_eq!(
        search.containers.len(),
        2,
        "an init container that has finished is not one of them"
    );
    assert!(named(&topology, "node-agent").host_network);
    let crasher = &named(&topology, "crasher").containers[0];
    assert!(crasher.restarts > 0 && !crasher.running, "{crasher:?}");
    assert_eq!(
        named(&topology, "istiod").containers[0].role,
        Role::ControlPlane
    );
}

#[test]
fn a_node_of_a_real_cluster() {
    let list: Value = serde_json::from_slice(NODE).expect("JSON");
    let described: api::Node = serde_json::from_value(list["items"][0].clone()).expect("a node");
    let node = node(described).expect("it has a name");
    assert_eq!(node.name, "node-1");
    assert!(node.runtime.starts_with("containerd://"));
    assert_eq!(node.kubelet_port, Some(10250));
    assert_eq!(node.cores, Some(2.0));
}

fn described(meta: Value, containers: &[&str]) -> crate::resources::Pod {
    let containers: Vec<Value> = containers
        .iter()
        .map(|name| json!({ "name": name }))
        .collect();
    let mut whole = json!({ "metadata": { "name": "p-1", "uid": "u", "namespace": "default" }, "spec": { "containers": containers } });
    for (key, value) in meta.as_object().expect("an object") {
        whole["metadata"][key] = value.clone();
    }
    let described = serde_json::from_value(whole).expect("a pod");
    pod(described, &scope(), NOW).expect("it has a name")
}

fn owned_by(kind: &str, name: &str, labels: Value) -> crate::resources::Pod {
    let owner =
        json!([{ "apiVersion": "v1", "kind": kind, "name": name, "uid": "o", "controller": true }]);
    described(
        json!({ "ownerReferences": owner, "labels": labels }),
        &["app"],
    )
}

#[test]
fn services_are_named_by_owners_and_labels_and_never_cut_by_dashes() {
    let replica = owned_by(
        "ReplicaSet",
        "kube-state-metrics-7d9f",
        json!({ "pod-template-hash": "7d9f" }),
    );
    assert_eq!(
        (replica.owner.kind.as_str(), replica.service.as_str()),
        ("Deployment", "kube-state-metrics")
    );
    let stateful = owned_by("StatefulSet", "mongodb-rate", json!({}));
    assert_eq!(stateful.service, "mongodb-rate");
    let bare = owned_by("ReplicaSet", "by-hand", json!({}));
    assert_eq!(
        (bare.owner.kind.as_str(), bare.service.as_str()),
        ("ReplicaSet", "by-hand")
    );
    let labelled = owned_by(
        "Deployment",
        "x",
        json!({ "io.kompose.service": "memcached-rate" }),
    );
    assert_eq!(labelled.service, "memcached-rate");
    let job = owned_by("Job", "load-data", json!({}));
    assert_eq!(
        (job.owner.kind.as_str(), job.service.as_str()),
        ("Job", "load-data")
    );
    let fixed = described(
        json!({ "name": "kube-apiserver-node-1", "ownerReferences": [{ "apiVersion": "v1", "kind": "Node", "name": "node-1", "uid": "n", "controller": true }] }),
        &["kube-apiserver"],
    );
    assert_eq!(fixed.service, "kube-apiserver");
    assert_eq!(described(json!({}), &["app"]).service, "p-1");
}

#[test]
fn roles_come_from_what_a_pod_is_and_not_from_a_containers_name_alone() {
    let role = |meta: Value, container: &str| described(meta, &[container]).containers[0].role;
    assert_eq!(role(json!({}), "istio-proxy"), Role::Sidecar);
    assert_eq!(role(json!({}), "linkerd-proxy"), Role::Sidecar);
    assert_eq!(role(json!({}), "my-istio-proxy-tester"), Role::App);
    let gateway = json!({ "labels": { "istio": "ingressgateway" } });
    assert_eq!(role(gateway, "istio-proxy"), Role::Gateway);
    let waypoint = json!({ "labels": { "gateway.istio.io/managed": "istio.io-mesh-controller" } });
    assert_eq!(role(waypoint, "istio-proxy"), Role::Waypoint);
    let ztunnel = json!({ "namespace": "istio-system", "labels": { "app": "ztunnel" } });
    assert_eq!(role(ztunnel, "istio-proxy"), Role::NodeProxy);
    let istiod = json!({ "namespace": "istio-system", "labels": { "app": "istiod" } });
    assert_eq!(role(istiod, "discovery"), Role::ControlPlane);
    assert_eq!(
        role(json!({ "namespace": "kube-system" }), "coredns"),
        Role::System
    );
}

#[test]
fn an_ambient_namespace_meshes_its_pods_but_those_that_opted_out() {
    let ambient = Scope {
        ambient: ["default".to_owned()].into(),
        ..scope()
    };
    let mesh = |labels: Value| {
        let whole = json!({ "metadata": { "name": "p", "uid": "u", "namespace": "default", "labels": labels }, "spec": { "containers": [] } });
        let described = serde_json::from_value(whole).expect("a pod");
        pod(described, &ambient, NOW).expect("it has a name").mesh
    };
    assert_eq!(mesh(json!({})), Mesh::Ambient);
    assert_eq!(
        mesh(json!({ "istio.io/dataplane-mode": "none" })),
        Mesh::None
    );
}

fn number(
    endpoint: MetricsEndpoint,
    body: &[u8],
    container: Option<&str>,
    quantity: Quantity,
) -> Option<u64> {
    let topology = topology();
    let found = samples_of(endpoint, body, NOW, &topology).expect("an answer");
    let frontend = named(&topology, "frontend").subject(container);
    let mut found = found.samples.into_iter();
    let found = found.find(|sample| sample.subject == frontend && sample.quantity == quantity);
    found.map(|sample| sample.point.value)
}

#[test]
fn three_endpoints_of_a_real_kubelet_tell_the_same() {
    let app = Some("hotel-reserv-frontend");
    let cpu = |endpoint, body| number(endpoint, body, app, Quantity::Cpu);
    assert_eq!(
        cpu(MetricsEndpoint::MetricsResource, RESOURCE),
        Some(170_405_391_127)
    );
    assert_eq!(
        cpu(MetricsEndpoint::StatsSummary, SUMMARY),
        Some(170_405_391_127)
    );
    assert_eq!(
        cpu(MetricsEndpoint::MetricsCadvisor, CADVISOR),
        Some(170_405_391_127)
    );
    let received = |endpoint, body| number(endpoint, body, None, Quantity::NetworkRx);
    assert_eq!(
        received(MetricsEndpoint::StatsSummary, SUMMARY),
        Some(5_896_635)
    );
    assert!(received(MetricsEndpoint::MetricsCadvisor, CADVISOR).is_some());
    assert_eq!(received(MetricsEndpoint::MetricsResource, RESOURCE), None);
    let throttled = number(
        MetricsEndpoint::MetricsCadvisor,
        CADVISOR,
        Some("istio-proxy"),
        Quantity::ThrottledPeriods,
    );
    assert!(throttled.is_some_and(|periods| periods > 0));
}

#[test]
fn an_answer_about_strangers_holds_nothing_and_one_that_is_none_is_an_error() {
    let nobody = Topology::default();
    let found =
        samples_of(MetricsEndpoint::MetricsResource, RESOURCE, NOW, &nobody).expect("an answer");
    assert!(found.samples.is_empty());
    // Some lines carry the moment of the answer itself.
    assert_eq!(found.newest, Some(Nanos(1_795_408_721_010_000_000)));
    for endpoint in MetricsEndpoint::ALL {
        let error = samples_of(endpoint, b"<html>not found</html>", NOW, &nobody);
        assert!(matches!(error, Err(Malformed(_))), "{endpoint:?}");
    }
}

proptest! {
    #[test]
    fn no_answer_is_a_surprise(body in prop::collection::vec(any::<u8>(), 0..400), cut in 0usize..10_000) {
        let topology = topology();
        for endpoint in MetricsEndpoint::ALL {
            let _ = samples_of(endpoint, &body, NOW, &topology);
            for text in [SUMMARY, RESOURCE, CADVISOR] {
                let _ = samples_of(endpoint, &text[..cut.min(text.len())], NOW, &topology);
            }
        }
    }

    #[test]
    fn every_source_has_a_name_that_leads_back(at in 0usize..7) {
        let source = Source::BEST_FIRST[at];
        prop_assert_eq!(Source::of_name(source.name()), Some(source));
    }
}

//! The API's description of a pod -> the topology's.

use crate::readings::parse_quantity;
use crate::resources::{Amounts, Container, Mesh, Owner, Pod, Role, Scope, Seen};
use crate::units::Nanos;
use k8s_openapi::api::core::v1 as api;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use std::collections::BTreeMap;

/// Proxies that a mesh puts beside a service.
const SIDECARS: [&str; 4] = [
    "istio-proxy",
    "linkerd-proxy",
    "envoy-sidecar",
    "consul-dataplane",
];

/// A pod of the topology, from the API's description. `None` for a description without name or uid,
/// which no API server sends. `now` is the pod's start where none is given.
pub fn pod(described: api::Pod, scope: &Scope, now: Nanos) -> Option<Pod> {
    let meta = described.metadata;
    let spec = described.spec.unwrap_or_default();
    let status = described.status.unwrap_or_default();
    let namespace = meta.namespace.clone().unwrap_or_default();
    let labels = meta.labels.clone().unwrap_or_default();
    let owner = owner(&meta, &labels);
    let pod_role = pod_role(&namespace, &labels, &owner);
    let containers = containers(&spec, &status, pod_role);
    let is_dying = meta.deletion_timestamp.is_some();
    let mesh = if containers.iter().any(|one| one.role == Role::Sidecar) {
        Mesh::Sidecar
    } else if scope.ambient.contains(&namespace)
        && labels.get(AMBIENT_LABEL).is_none_or(|mode| mode != "none")
        || labels
            .get(AMBIENT_LABEL)
            .is_some_and(|mode| mode == "ambient")
    {
        Mesh::Ambient
    } else {
        Mesh::None
    };
    let ready =
        |condition: &api::PodCondition| condition.type_ == "Ready" && condition.status == "True";
    Some(Pod {
        node: spec.node_name.unwrap_or_default(),
        name: meta.name?,
        uid: meta.uid?,
        service: service(&labels, &owner),
        owner,
        category: scope.category(&namespace),
        mesh,
        host_network: spec.host_network.unwrap_or(false),
        phase: status.phase.unwrap_or_default(),
        ready: !is_dying && status.conditions.iter().flatten().any(ready),
        labels,
        containers,
        seen: Seen {
            from: meta
                .creation_timestamp
                .as_ref()
                .and_then(nanos)
                .unwrap_or(now),
            to: None,
        },
        namespace,
    })
}

/// The label by which pods and namespaces join or leave an ambient mesh.
pub const AMBIENT_LABEL: &str = "istio.io/dataplane-mode";

fn nanos(time: &Time) -> Option<Nanos> {
    u64::try_from(time.0.as_nanosecond()).ok().map(Nanos)
}

/// The controller that made a pod. A ReplicaSet's pods carry the hash that distinguishes the
/// ReplicaSets of a Deployment, so the Deployment's name is known without asking for the ReplicaSet.
fn owner(meta: &ObjectMeta, labels: &BTreeMap<String, String>) -> Owner {
    let references = meta.owner_references.iter().flatten();
    let controller = references
        .clone()
        .find(|reference| reference.controller == Some(true))
        .or_else(|| references.clone().next());
    let Some(reference) = controller else {
        return Owner {
            kind: "Pod".to_owned(),
            name: meta.name.clone().unwrap_or_default(),
        };
    };
    let hash = labels.get("pod-template-hash");
    let deployment = hash.and_then(|hash| reference.name.strip_suffix(hash)?.strip_suffix('-'));
    match (reference.kind.as_str(), deployment) {
        ("ReplicaSet", Some(name)) => Owner {
            kind: "Deployment".to_owned(),
            name: name.to_owned(),
        },
        // A static pod is named after its file and its node.
        ("Node", _) => {
            let node = format!("-{}", reference.name);
            let name = meta.name.as_deref().unwrap_or_default();
            Owner {
                kind: "Node".to_owned(),
                name: name.strip_suffix(&node).unwrap_or(name).to_owned(),
            }
        }
        _ => Owner {
            kind: reference.kind.clone(),
            name: reference.name.clone(),
        },
    }
}

/// The name that people give the service: the label, else the owner. Never cut by dashes.
fn service(labels: &BTreeMap<String, String>, owner: &Owner) -> String {
    ["app.kubernetes.io/name", "app", "io.kompose.service"]
        .iter()
        .find_map(|label| labels.get(*label))
        .filter(|name| !name.is_empty())
        .unwrap_or(&owner.name)
        .clone()
}

/// What a pod's containers are there for, unless they are sidecars.
fn pod_role(namespace: &str, labels: &BTreeMap<String, String>, owner: &Owner) -> Role {
    let label = |name: &str| labels.get(name).map_or("", String::as_str);
    let app = [label("app"), label("app.kubernetes.io/name"), &owner.name];
    let gateway_of = label("gateway.istio.io/managed");
    let is_of_mesh = app.contains(&"istiod")
        || labels.contains_key("linkerd.io/control-plane-component")
        || Scope::MESH_NAMESPACES.contains(&namespace);
    if app.contains(&"ztunnel") {
        Role::NodeProxy
    } else if gateway_of.contains("mesh") || owner.name.starts_with("waypoint") {
        Role::Waypoint
    } else if !gateway_of.is_empty()
        || labels.contains_key("gateway.networking.k8s.io/gateway-name")
        || label("istio").ends_with("gateway")
    {
        Role::Gateway
    } else if is_of_mesh {
        Role::ControlPlane
    } else if namespace.starts_with("kube-") {
        Role::System
    } else {
        Role::App
    }
}

fn containers(spec: &api::PodSpec, status: &api::PodStatus, pod_role: Role) -> Vec<Container> {
    let always = Some("Always");
    let native = spec.init_containers.iter().flatten();
    let native = native
        .filter(|container| container.restart_policy.as_deref() == always)
        .map(|described| (described, true));
    let plain = spec.containers.iter().map(|described| (described, false));
    plain
        .chain(native)
        .map(|(described, native_sidecar)| {
            let states = status.container_statuses.iter().flatten();
            let states = states.chain(status.init_container_statuses.iter().flatten());
            let mut states = states.filter(|state| state.name == described.name);
            container(described, states.next(), native_sidecar, pod_role)
        })
        .collect()
}

fn container(
    described: &api::Container,
    state: Option<&api::ContainerStatus>,
    native_sidecar: bool,
    pod_role: Role,
) -> Container {
    let resources = described.resources.as_ref();
    let running = |state: &api::ContainerStatus| {
        state
            .state
            .as_ref()
            .is_some_and(|state| state.running.is_some())
    };
    // A gateway's or waypoint's only container is called istio-proxy as well.
    let is_sidecar =
        SIDECARS.contains(&described.name.as_str()) && matches!(pod_role, Role::App | Role::System);
    Container {
        name: described.name.clone(),
        role: if is_sidecar { Role::Sidecar } else { pod_role },
        image: described.image.clone().unwrap_or_default(),
        image_id: state
            .map(|state| state.image_id.clone())
            .filter(|id| !id.is_empty()),
        requests: amounts(resources.and_then(|resources| resources.requests.as_ref())),
        limits: amounts(resources.and_then(|resources| resources.limits.as_ref())),
        native_sidecar,
        running: state.is_some_and(running),
        restarts: state.map_or(0, |state| u64::try_from(state.restart_count).unwrap_or(0)),
        last_exit: state.and_then(last_exit),
        started: state.and_then(started),
    }
}

fn last_exit(state: &api::ContainerStatus) -> Option<String> {
    let ended = state.last_state.as_ref()?.terminated.as_ref()?;
    ended.reason.clone()
}

fn started(state: &api::ContainerStatus) -> Option<Nanos> {
    let state = state.state.as_ref()?;
    let running = state.running.as_ref().map(|one| &one.started_at);
    let terminated = state.terminated.as_ref().map(|one| &one.started_at);
    running.or(terminated)?.as_ref().and_then(nanos)
}

fn amounts(amounts: Option<&BTreeMap<String, Quantity>>) -> Amounts {
    let amount = |name: &str| parse_quantity(&amounts?.get(name)?.0);
    Amounts {
        cpu_millicores: amount("cpu").map(|cores| cores * 1e3),
        memory_bytes: amount("memory"),
    }
}

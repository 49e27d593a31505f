//! The nodes, pods and containers of a collection, and the role of each container.
//!
//! A [`Pod`] is a workload: a pod of a cluster, or a process of this machine that is described as one. Such
//! a process has the namespace `local`, an owner of kind `Process` with the name of the program, its process
//! id and start as uid, and one container with the name of the program. It has no labels, images or limits.
//! Files and JSON call both a pod.

use super::Subject;
use crate::units::Nanos;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The purpose of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The container of a service itself.
    App,
    /// A mesh's proxy in the pod of a service.
    Sidecar,
    /// A mesh's proxy at its border.
    Gateway,
    /// The proxy of a namespace or service in an ambient mesh.
    Waypoint,
    /// The proxy of a node in an ambient mesh (ztunnel).
    NodeProxy,
    /// The control plane of a mesh (istiod).
    ControlPlane,
    /// A part of Kubernetes.
    System,
}

impl Role {
    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Role::App => "app",
            Role::Sidecar => "sidecar",
            Role::Gateway => "gateway",
            Role::Waypoint => "waypoint",
            Role::NodeProxy => "node-proxy",
            Role::ControlPlane => "control-plane",
            Role::System => "system",
        }
    }
}

/// The category of a namespace and its pods, as the study named them; other namespaces are a category each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(into = "String", from = "String")]
pub enum Category {
    /// The system under load.
    Application,
    /// The mesh's own pods, also those of a mesh other than Istio.
    IstioControlPlane,
    /// The parts of Kubernetes.
    KubernetesSystem,
    /// Another namespace, with its name.
    Namespace(String),
}

impl From<Category> for String {
    fn from(category: Category) -> String {
        match category {
            Category::Application => "application".to_owned(),
            Category::IstioControlPlane => "istio-control-plane".to_owned(),
            Category::KubernetesSystem => "kubernetes-system".to_owned(),
            Category::Namespace(name) => name,
        }
    }
}

impl From<String> for Category {
    fn from(name: String) -> Category {
        match name.as_str() {
            "application" => Category::Application,
            "istio-control-plane" => Category::IstioControlPlane,
            "kubernetes-system" => Category::KubernetesSystem,
            _ => Category::Namespace(name),
        }
    }
}

impl std::fmt::Display for Category {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from(self.clone()))
    }
}

/// How a pod takes part in the mesh.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Mesh {
    /// The pod is in no mesh.
    #[default]
    None,
    /// The pod has a proxy of its own.
    Sidecar,
    /// The proxy of the node carries the pod's traffic.
    Ambient,
}

/// Amounts of CPU and memory, such as the requests or the limits of a container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Amounts {
    /// Thousandths of a core.
    #[serde(rename = "cpu_m", skip_serializing_if = "Option::is_none", default)]
    pub cpu_millicores: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub memory_bytes: Option<f64>,
}

/// A container, as the Kubernetes API describes it in its pod.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Container {
    pub name: String,
    pub role: Role,
    /// The image as the pod names it.
    pub image: String,
    /// The image that runs, with its digest.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub image_id: Option<String>,
    /// The CPU and memory that Kubernetes reserves for the container.
    pub requests: Amounts,
    /// The most CPU and memory that the container may use.
    pub limits: Amounts,
    /// Whether the container is a native sidecar of Kubernetes, a restartable init container.
    #[serde(default)]
    pub native_sidecar: bool,
    /// Whether the container was running when it was last seen.
    #[serde(default)]
    pub running: bool,
    /// The number of restarts since the pod was made.
    #[serde(default)]
    pub restarts: u64,
    /// The reason for which the container ended the last time, such as `OOMKilled`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_exit: Option<String>,
    /// The moment of the last start in nanoseconds since 1970, on the node's clock; absent for a
    /// container that was never started.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub started: Option<Nanos>,
}

/// The object that made a pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Owner {
    /// The kind of the object: `Deployment`, `StatefulSet`, `DaemonSet`, `Job`, `Node` for a static pod,
    /// or `Pod` for a pod that no other object made.
    pub kind: String,
    pub name: String,
}

/// The time in which a pod existed, in nanoseconds since 1970 on the generator's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Seen {
    /// The moment at which the pod was created or, where that is not known, first seen.
    pub from: Nanos,
    /// The moment at which the pod was found to be gone or finished; `None` while it exists.
    pub to: Option<Nanos>,
}

/// A pod, or a local process that is described as one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Pod {
    /// The name of the node; empty while the pod is not scheduled.
    pub node: String,
    pub namespace: String,
    pub name: String,
    pub uid: String,
    /// The service that the pod belongs to: the name of the owner, or the label that names the app.
    pub service: String,
    pub owner: Owner,
    pub category: Category,
    pub mesh: Mesh,
    /// Whether the pod uses its node's network, so that its network figures are those of the node.
    pub host_network: bool,
    /// The phase: `Running`, `Pending`, `Succeeded`, `Failed` or `Unknown`.
    pub phase: String,
    /// Whether all conditions hold that Kubernetes demands of a ready pod.
    pub ready: bool,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The containers, including native sidecars and no other init containers.
    pub containers: Vec<Container>,
    pub seen: Seen,
}

impl Pod {
    /// Whether the pod has ended, with success or without, so that it uses nothing any more.
    pub fn is_finished(&self) -> bool {
        matches!(self.phase.as_str(), "Succeeded" | "Failed")
    }

    /// Whether the pod runs memcached, whose contents one step would leave to the next.
    pub fn is_memcached(&self) -> bool {
        let mut images = self.containers.iter().map(|one| &one.image);
        self.service.contains("memcached")
            || self.name.contains("memcached")
            || images.any(|image| image.contains("memcached"))
    }

    /// The subject under which samples of the pod, or of one of its containers, are known.
    pub fn subject(&self, container: Option<&str>) -> Subject {
        Subject {
            node: self.node.clone(),
            namespace: self.namespace.clone(),
            pod: self.name.clone(),
            uid: self.uid.clone(),
            container: container.map(str::to_owned),
        }
    }
}

/// A node of the cluster, or this machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Node {
    pub name: String,
    /// The container runtime with its version, such as `containerd://1.6.20`.
    pub runtime: String,
    /// The version of the kubelet.
    pub kubelet: String,
    /// The version of the kernel.
    pub kernel: String,
    /// The number of cores.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cores: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub memory_bytes: Option<f64>,
    /// The host name or IP address at which the kubelet listens.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
    /// The port at which the kubelet listens.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kubelet_port: Option<u16>,
}

/// The namespaces whose pods are collected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Scope {
    /// The namespaces of the system under load.
    pub application: BTreeSet<String>,
    /// Whether the pods of all namespaces are collected. Otherwise only those of the application and the
    /// mesh are.
    pub all_namespaces: bool,
    /// The namespaces whose pods are in an ambient mesh.
    pub ambient: BTreeSet<String>,
}

/// The namespaces of Kubernetes' own parts.
const SYSTEM_NAMESPACES: [&str; 5] = [
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "local-path-storage",
    "kubernetes-dashboard",
];

impl Scope {
    /// The namespaces in which meshes are installed.
    pub const MESH_NAMESPACES: [&str; 3] = ["istio-system", "istio-ingress", "linkerd"];

    /// The category of the pods of a namespace.
    pub fn category(&self, namespace: &str) -> Category {
        if self.application.contains(namespace) {
            Category::Application
        } else if Scope::MESH_NAMESPACES.contains(&namespace) {
            Category::IstioControlPlane
        } else if SYSTEM_NAMESPACES.contains(&namespace) {
            Category::KubernetesSystem
        } else {
            Category::Namespace(namespace.to_owned())
        }
    }

    /// Whether the pods of a namespace are collected.
    pub fn contains(&self, namespace: &str) -> bool {
        let category = self.category(namespace);
        self.all_namespaces
            || matches!(
                category,
                Category::Application | Category::IstioControlPlane
            )
    }
}

/// All nodes and pods that were seen in a collection.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Topology {
    pub scope: Scope,
    /// The nodes by name.
    pub nodes: BTreeMap<String, Node>,
    /// The pods by uid. Pods that no longer exist are kept.
    pub pods: BTreeMap<String, Pod>,
}

impl Topology {
    /// Applies a new list of pods that was received at the moment `now`. New pods are added, known ones
    /// are brought up to date, and those that are finished or no longer listed are marked as gone.
    pub fn update(&mut self, pods: impl IntoIterator<Item = Pod>, now: Nanos) {
        let mut present = BTreeSet::new();
        for mut pod in pods {
            present.insert(pod.uid.clone());
            if let Some(known) = self.pods.get(&pod.uid) {
                pod.seen.from = known.seen.from;
                pod.seen.to = known.seen.to;
                for container in &mut pod.containers {
                    let mut before = known.containers.iter();
                    let before = before.find(|one| one.name == container.name);
                    container.started = container.started.or(before.and_then(|one| one.started));
                }
            }
            if pod.is_finished() {
                pod.seen.to.get_or_insert(now);
            }
            self.pods.insert(pod.uid.clone(), pod);
        }
        for (uid, pod) in &mut self.pods {
            if !present.contains(uid) && pod.seen.to.is_none() {
                pod.seen.to = Some(now);
            }
        }
    }

    /// The pods that exist and are in the phase `Running`.
    pub fn running(&self) -> impl Iterator<Item = &Pod> {
        self.pods
            .values()
            .filter(|pod| pod.seen.to.is_none() && pod.phase == "Running")
    }

    /// The names of the nodes that have running pods.
    pub fn busy_nodes(&self) -> BTreeSet<&str> {
        self.running()
            .map(|pod| pod.node.as_str())
            .filter(|node| !node.is_empty())
            .collect()
    }
}

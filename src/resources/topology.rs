//! The nodes, pods and containers that were seen, and what each is there for.
//!
//! A [`Pod`] is a workload: a pod of a cluster, or a process of this machine in the form of one. Such a
//! process has the namespace `local`, an owner of kind `Process` with the program's name, its id and
//! start as uid, and one container of that name; it has no labels, images or limits. Files and JSON call
//! both a pod.

use super::Subject;
use crate::units::Nanos;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a container is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The service itself.
    App,
    /// A mesh's proxy beside it, in the same pod.
    Sidecar,
    /// A mesh's proxy at its edge.
    Gateway,
    /// An ambient mesh's proxy for a namespace or service.
    Waypoint,
    /// An ambient mesh's proxy of a node (ztunnel).
    NodeProxy,
    /// A mesh's control plane (istiod).
    ControlPlane,
    /// Kubernetes itself.
    System,
}

impl Role {
    /// As it stands in files.
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

/// The study's coarse kinds of pods, and namespaces beyond them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(into = "String", from = "String")]
pub enum Category {
    /// The system under load.
    Application,
    /// The mesh's own pods.
    IstioControlPlane,
    /// Kubernetes itself.
    KubernetesSystem,
    /// Any other namespace, by its name.
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
    /// Not at all.
    #[default]
    None,
    /// Through a proxy of its own.
    Sidecar,
    /// Through its node's proxy.
    Ambient,
}

/// CPU and memory, asked for or allowed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Amounts {
    /// Thousandths of a core.
    #[serde(rename = "cpu_m", skip_serializing_if = "Option::is_none", default)]
    pub cpu_millicores: Option<f64>,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub memory_bytes: Option<f64>,
}

/// A container, as its pod describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Container {
    /// Its name in the pod.
    pub name: String,
    /// What it is there for.
    pub role: Role,
    /// The image that was asked for.
    pub image: String,
    /// The image that runs, by digest.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub image_id: Option<String>,
    /// What it asks for.
    pub requests: Amounts,
    /// What it may use.
    pub limits: Amounts,
    /// A sidecar that Kubernetes knows as one: a restartable init container.
    #[serde(default)]
    pub native_sidecar: bool,
    /// Whether it was running when last seen.
    #[serde(default)]
    pub running: bool,
    /// How often it was started again.
    #[serde(default)]
    pub restarts: u64,
    /// Why it ended the last time, such as `OOMKilled`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_exit: Option<String>,
    /// When it was started the last time; nanoseconds since 1970, on its node's clock. Absent for a
    /// container that never was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub started: Option<Nanos>,
}

/// Who made a pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Owner {
    /// `Deployment`, `StatefulSet`, `DaemonSet`, `Job`, `Node` (a static pod), `Pod` (nobody).
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// When a pod was there, on our clock; nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Seen {
    /// When it was created, or first seen where that is not said.
    pub from: Nanos,
    /// When it was found gone; `None` while it is there.
    pub to: Option<Nanos>,
}

/// A pod, or a local process that is treated as one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Pod {
    /// The node it runs on; empty while it is not scheduled.
    pub node: String,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Uid.
    pub uid: String,
    /// The service: the owner's name, or the label that names the app.
    pub service: String,
    /// Who made it.
    pub owner: Owner,
    /// What kind of pod.
    pub category: Category,
    /// How it takes part in the mesh.
    pub mesh: Mesh,
    /// It shares its node's network, so its network figures are the node's.
    pub host_network: bool,
    /// `Running`, `Pending`, `Succeeded`, `Failed`, `Unknown`.
    pub phase: String,
    /// Every condition that makes it ready holds.
    pub ready: bool,
    /// Labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Its containers, native sidecars included, other init containers not.
    pub containers: Vec<Container>,
    /// When it was there.
    pub seen: Seen,
}

impl Pod {
    /// It has done its work, or failed to, and uses nothing any more.
    pub fn is_finished(&self) -> bool {
        matches!(self.phase.as_str(), "Succeeded" | "Failed")
    }

    /// A cache whose contents one step would hand to the next.
    pub fn is_memcached(&self) -> bool {
        let mut images = self.containers.iter().map(|one| &one.image);
        self.service.contains("memcached")
            || self.name.contains("memcached")
            || images.any(|image| image.contains("memcached"))
    }

    /// The pod, or one of its containers, as samples name it.
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

/// A node, or this machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Node {
    /// Name.
    pub name: String,
    /// Container runtime and its version, such as `containerd://1.6.20`.
    pub runtime: String,
    /// Version of its kubelet.
    pub kubelet: String,
    /// Version of its kernel.
    pub kernel: String,
    /// Cores.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cores: Option<f64>,
    /// Memory in bytes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub memory_bytes: Option<f64>,
    /// Where its kubelet listens.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
    /// The kubelet's port.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kubelet_port: Option<u16>,
}

/// Which pods are collected, and as what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Scope {
    /// Namespaces of the system under load.
    pub application: BTreeSet<String>,
    /// Everything else, too; without it only the application and the mesh.
    pub all_namespaces: bool,
    /// Namespaces whose pods an ambient mesh serves.
    pub ambient: BTreeSet<String>,
}

/// Namespaces of Kubernetes' own parts.
const SYSTEM_NAMESPACES: [&str; 5] = [
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "local-path-storage",
    "kubernetes-dashboard",
];

impl Scope {
    /// Namespaces that meshes install themselves in.
    pub const MESH_NAMESPACES: [&str; 3] = ["istio-system", "istio-ingress", "linkerd"];

    /// The kind of pods of a namespace.
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

    /// Whether a namespace's pods are collected.
    pub fn contains(&self, namespace: &str) -> bool {
        let category = self.category(namespace);
        self.all_namespaces
            || matches!(
                category,
                Category::Application | Category::IstioControlPlane
            )
    }
}

/// Everybody who was seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Topology {
    /// Which pods are collected.
    pub scope: Scope,
    /// By name.
    pub nodes: BTreeMap<String, Node>,
    /// By uid; pods that went stay.
    pub pods: BTreeMap<String, Pod>,
}

impl Topology {
    /// Takes a new list of pods at the moment `now`: newcomers are added, the known brought up to
    /// date, and those that are missing or finished are marked as gone.
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

    /// The pod of that name that was seen last: sources name pods without their uid.
    pub fn pod_named(&self, namespace: &str, name: &str) -> Option<&Pod> {
        let named = |pod: &&Pod| pod.name == name && pod.namespace == namespace;
        self.pods
            .values()
            .filter(named)
            .max_by_key(|pod| (pod.seen.to.is_none(), pod.seen.from))
    }

    /// Pods that are there and hold running containers.
    pub fn running(&self) -> impl Iterator<Item = &Pod> {
        self.pods
            .values()
            .filter(|pod| pod.seen.to.is_none() && pod.phase == "Running")
    }

    /// Nodes on which pods of the scope are.
    pub fn busy_nodes(&self) -> BTreeSet<&str> {
        self.running()
            .map(|pod| pod.node.as_str())
            .filter(|node| !node.is_empty())
            .collect()
    }
}

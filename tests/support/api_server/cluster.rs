//! The cluster that the stand-in plays: who is there, and the truth about what they use.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A container and its truth.
#[derive(Debug, Clone)]
pub struct Container {
    pub name: String,
    pub image: String,
    /// A sidecar in the list of init containers.
    pub native_sidecar: bool,
    /// What it burns, all the time.
    pub millicores: f64,
    pub memory_bytes: u64,
    /// Share of its scheduler periods that are throttled; `None` without a limit.
    pub throttled: Option<f64>,
    pub has_cat: bool,
    pub restarts: u64,
    pub last_exit: Option<&'static str>,
    /// When it was started; nanoseconds since 1970.
    pub started: u64,
}

/// A pod.
#[derive(Debug, Clone)]
pub struct Pod {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    pub node: String,
    pub labels: Value,
    pub owner: Option<(&'static str, String)>,
    pub host_network: bool,
    pub containers: Vec<Container>,
    /// Bytes per second over eth0, each way.
    pub wire: f64,
    /// Bytes per second over lo, each way.
    pub loopback: f64,
    pub started: u64,
    pub phase: &'static str,
}

/// Which version of control groups the containers see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cgroups {
    V1,
    V2,
}

/// Everything, as a test may change it while the server runs.
#[derive(Debug, Clone)]
pub struct Cluster {
    pub nodes: Vec<String>,
    pub runtime: &'static str,
    pub pods: Vec<Pod>,
    /// Namespaces with the labels of each.
    pub namespaces: Vec<(String, Value)>,
    pub has_network: bool,
    pub has_rss: bool,
    pub has_metrics_server: bool,
    /// Kubelets renew a container's figures this often; each container at moments of its own.
    pub refresh_ms: u64,
    /// The nodes' clock minus ours.
    pub clock_ahead_ms: i64,
    /// What the account may not do: parts of paths.
    pub denied: Vec<&'static str>,
    pub cgroups: Cgroups,
    /// `kubectl proxy` refuses exec.
    pub is_kubectl_proxy: bool,
    /// Subprotocols of exec that the server knows.
    pub protocols: Vec<&'static str>,
    /// Where the kubelets listen, for direct access; filled in by the server.
    pub kubelet_port: u16,
    /// Objects of which nothing but their JSON is known, by path.
    pub objects: BTreeMap<String, Value>,
    /// How often a deployment was started anew.
    pub restarts: usize,
}

impl Container {
    pub fn new(name: &str, millicores: f64, now: u64) -> Container {
        Container {
            name: name.to_owned(),
            image: format!("example.test/{name}:1"),
            native_sidecar: false,
            millicores,
            memory_bytes: 64 << 20,
            throttled: None,
            has_cat: true,
            restarts: 0,
            last_exit: None,
            started: now,
        }
    }

    /// Nanoseconds of CPU used by `at`.
    pub fn cpu(&self, at: u64) -> u64 {
        (self.millicores / 1e3 * at.saturating_sub(self.started) as f64) as u64
    }

    /// Scheduler periods of 100 ms, and those throttled.
    pub fn periods(&self, at: u64) -> Option<(u64, u64)> {
        let periods = at.saturating_sub(self.started) / 100_000_000;
        Some((periods, (periods as f64 * self.throttled?) as u64))
    }

    /// Starts again at `now`.
    pub fn restart(&mut self, now: u64, why: &'static str) {
        self.started = now;
        self.restarts += 1;
        self.last_exit = Some(why);
    }
}

impl Pod {
    pub fn new(namespace: &str, app: &str, containers: Vec<Container>, now: u64) -> Pod {
        let hash = "5c6db6bd8d";
        Pod {
            namespace: namespace.to_owned(),
            name: format!("{app}-{hash}-x22cw"),
            uid: format!("uid-of-{app}"),
            node: "node-1".to_owned(),
            labels: json!({ "app": app, "pod-template-hash": hash }),
            owner: Some(("ReplicaSet", format!("{app}-{hash}"))),
            host_network: false,
            containers,
            wire: 100_000.0,
            loopback: 50_000.0,
            started: now,
            phase: "Running",
        }
    }

    pub fn bytes(&self, per_second: f64, at: u64) -> u64 {
        (per_second * at.saturating_sub(self.started) as f64 / 1e9) as u64
    }
}

impl Cluster {
    /// A part of the HotelReservation: `frontend` with a sidecar (250 m and 100 m), `search` with a
    /// native sidecar, a memcached without `cat`, an agent on its node's network, and istiod.
    pub fn hotel(now: u64) -> Cluster {
        let container = |name: &str, millicores| Container::new(name, millicores, now);
        let frontend = vec![
            Container {
                throttled: Some(0.2),
                ..container("hotel-frontend", 250.0)
            },
            container("istio-proxy", 100.0),
        ];
        let search = vec![
            container("hotel-search", 80.0),
            Container {
                native_sidecar: true,
                ..container("istio-proxy", 40.0)
            },
        ];
        let memcached = vec![Container {
            has_cat: false,
            ..container("memcached", 20.0)
        }];
        let agent = Pod {
            host_network: true,
            owner: Some(("DaemonSet", "node-agent".to_owned())),
            labels: json!({}),
            ..Pod::new("default", "node-agent", vec![container("agent", 10.0)], now)
        };
        Cluster {
            nodes: vec!["node-1".to_owned()],
            runtime: "containerd://1.7.0",
            pods: vec![
                Pod::new("default", "frontend", frontend, now),
                Pod::new("default", "search", search, now),
                Pod::new("default", "memcached-profile", memcached, now),
                agent,
                Pod::new(
                    "istio-system",
                    "istiod",
                    vec![container("discovery", 30.0)],
                    now,
                ),
            ],
            namespaces: ["default", "istio-system", "kube-system"]
                .map(|name| (name.to_owned(), json!({})))
                .to_vec(),
            has_network: true,
            has_rss: true,
            has_metrics_server: false,
            refresh_ms: 250,
            clock_ahead_ms: 0,
            denied: Vec::new(),
            cgroups: Cgroups::V2,
            is_kubectl_proxy: false,
            protocols: vec!["v5.channel.k8s.io", "v4.channel.k8s.io"],
            kubelet_port: 0,
            objects: BTreeMap::new(),
            restarts: 0,
        }
    }

    /// The same without a mesh: no pod has a sidecar.
    pub fn plain(now: u64) -> Cluster {
        let mut cluster = Cluster::hotel(now);
        for pod in &mut cluster.pods {
            pod.containers.retain(|one| one.name != "istio-proxy");
        }
        cluster
    }

    /// `count` pods of an app with a sidecar each.
    pub fn of_pods(count: usize, now: u64) -> Cluster {
        let pod = |number: usize| {
            let containers = vec![
                Container::new("app", 100.0, now),
                Container::new("istio-proxy", 50.0, now),
            ];
            Pod::new("default", &format!("service-{number}"), containers, now)
        };
        Cluster {
            pods: (0..count).map(pod).collect(),
            refresh_ms: 12_000,
            ..Cluster::hotel(now)
        }
    }

    pub fn pod(&mut self, app: &str) -> &mut Pod {
        let mut pods = self.pods.iter_mut();
        pods.find(|pod| pod.uid == format!("uid-of-{app}"))
            .expect("a pod of that app")
    }

    /// When a figure was measured that is served at `now`: the last of its own moments.
    pub fn measured(&self, key: &str, now: u64) -> u64 {
        let period = self.refresh_ms * 1_000_000;
        let phase = key.bytes().map(u64::from).sum::<u64>() * 7_919_000 % period;
        (now - phase) / period * period + phase
    }
}

/// A moment as Kubernetes writes it, to the second.
pub fn rfc3339(nanos: u64) -> String {
    let at = jiff::Timestamp::from_second((nanos / 1_000_000_000) as i64).expect("a time");
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A list, as the API server gives it.
pub fn list(kind: &str, items: Vec<Value>) -> Value {
    json!({ "kind": kind, "apiVersion": "v1", "metadata": { "resourceVersion": "1" }, "items": items })
}

pub fn pod_json(pod: &Pod) -> Value {
    let describe = |container: &Container| {
        let limits = container
            .throttled
            .map(|_| json!({ "cpu": "200m", "memory": "128Mi" }));
        let mut described = json!({
            "name": container.name, "image": container.image,
            "resources": { "requests": { "cpu": "100m", "memory": "64Mi" }, "limits": limits.unwrap_or(json!({})) },
        });
        if container.native_sidecar {
            described["restartPolicy"] = json!("Always");
        }
        described
    };
    let status = |container: &Container| {
        let last = container
            .last_exit
            .map(|reason| json!({ "terminated": { "reason": reason, "exitCode": 137 } }));
        json!({
            "name": container.name, "image": container.image, "imageID": "sha256:0", "ready": true,
            "restartCount": container.restarts, "containerID": format!("containerd://{}-{}", container.name, container.restarts),
            "state": { "running": { "startedAt": rfc3339(container.started) } }, "lastState": last.unwrap_or(json!({})),
        })
    };
    let of = |native: bool| {
        pod.containers
            .iter()
            .filter(move |one| one.native_sidecar == native)
    };
    let owners = pod.owner.as_ref().map(|(kind, name)| {
        json!([{ "apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "o", "controller": true }])
    });
    json!({
        "metadata": {
            "name": pod.name, "namespace": pod.namespace, "uid": pod.uid, "labels": pod.labels,
            "creationTimestamp": rfc3339(pod.started), "ownerReferences": owners.unwrap_or(json!([])),
        },
        "spec": {
            "nodeName": pod.node, "hostNetwork": pod.host_network,
            "containers": of(false).map(describe).collect::<Vec<_>>(),
            "initContainers": of(true).map(describe).collect::<Vec<_>>(),
        },
        "status": {
            "phase": pod.phase, "startTime": rfc3339(pod.started),
            "conditions": [{ "type": "Ready", "status": "True" }],
            "containerStatuses": of(false).map(status).collect::<Vec<_>>(),
            "initContainerStatuses": of(true).map(status).collect::<Vec<_>>(),
        },
    })
}

pub fn node_json(cluster: &Cluster, name: &str) -> Value {
    json!({
        "metadata": { "name": name },
        "status": {
            "addresses": [{ "type": "InternalIP", "address": "127.0.0.1" }],
            "capacity": { "cpu": "8", "memory": "16Gi" },
            "daemonEndpoints": { "kubeletEndpoint": { "Port": cluster.kubelet_port } },
            "nodeInfo": {
                "architecture": "amd64", "bootID": "", "containerRuntimeVersion": cluster.runtime, "kernelVersion": "6.1",
                "kubeProxyVersion": "", "kubeletVersion": "v1.34.9", "machineID": "", "operatingSystem": "linux",
                "osImage": "Debian", "systemUUID": "",
            },
        },
    })
}

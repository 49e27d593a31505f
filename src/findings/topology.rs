//! Findings about the nodes and pods of a cluster, and about the nodes' clocks.

use super::{Check, Finding};
use crate::resources::{Amounts, Category, Mesh, NodeClock, Pod, Role, Topology};
use std::collections::BTreeMap;

/// The largest difference of a node's clock without a warning, in nanoseconds. Samples are corrected for any
/// difference.
const LARGEST_OFFSET: i64 = 1_000_000_000;

/// All findings about the nodes and pods of a cluster, and about the nodes' clocks.
pub fn topology_findings(topology: &Topology, clocks: &[NodeClock]) -> Vec<Finding> {
    let mut findings = runtimes(topology);
    findings.extend(clocks.iter().map(clock));
    findings.push(mesh_membership(topology));
    findings.push(readiness(topology));
    findings.extend(limits(topology));
    findings.push(memcached(topology));
    findings
}

fn application(topology: &Topology) -> impl Iterator<Item = &Pod> {
    let pods = topology.pods.values();
    pods.filter(|pod| {
        pod.category == Category::Application && pod.seen.to.is_none() && !pod.is_finished()
    })
}

fn runtimes(topology: &Topology) -> Vec<Finding> {
    let nodes = topology.nodes.values();
    nodes
        .map(|node| {
            let name = format!("runtime of {}", node.name);
            let message = format!("{}, kubelet {}, kernel {}", node.runtime, node.kubelet, node.kernel);
            if node.runtime.starts_with("docker") {
                Finding::warn(
                    Check::NodeRuntime,
                    &name,
                    format!("{message}: through cri-dockerd pods have no network figures and no RSS, and their working set is their whole memory"),
                    "use containerd (minikube start --container-runtime=containerd)",
                )
            } else {
                Finding::good(Check::NodeRuntime, &name, message)
            }
        })
        .collect()
}

fn clock(clock: &NodeClock) -> Finding {
    let name = format!("clock of {}", clock.node);
    let millis = |nanos: i64| nanos as f64 / 1e6;
    let (ahead, within) = (clock.offset.estimate(), clock.offset.uncertainty());
    let message = format!(
        "{:+.0} ms against ours, known to {:.0} ms; samples are corrected for it",
        millis(ahead),
        millis(within)
    );
    if ahead.abs() - within > LARGEST_OFFSET {
        Finding::warn(
            Check::NodeClock,
            &name,
            message,
            "let both machines follow NTP",
        )
    } else {
        Finding::good(Check::NodeClock, &name, message)
    }
}

fn mesh_membership(topology: &Topology) -> Finding {
    let pods: Vec<&Pod> = application(topology).collect();
    let outside: Vec<&str> = pods
        .iter()
        .filter(|pod| pod.mesh == Mesh::None)
        .map(|pod| pod.name.as_str())
        .collect();
    let name = "application pods in the mesh";
    match outside.len() {
        0 if pods.is_empty() => Finding::bad(
            Check::MeshMembership,
            name,
            "there are no application pods",
            "name their namespace with -n",
        ),
        0 => {
            let sidecars = pods.iter().filter(|pod| pod.mesh == Mesh::Sidecar).count();
            let ambient = pods.len() - sidecars;
            Finding::good(
                Check::MeshMembership,
                name,
                format!(
                    "all {} ({sidecars} by sidecar, {ambient} ambient)",
                    pods.len()
                ),
            )
        }
        count if count == pods.len() => Finding::good(
            Check::MeshMembership,
            name,
            format!("none of {count}: a baseline"),
        ),
        count => Finding::warn(
            Check::MeshMembership,
            name,
            format!("{count} of {} are not: {}", pods.len(), outside.join(", ")),
            "label the namespace and restart these (kubectl rollout restart deployment), or a comparison measures a mixture",
        ),
    }
}

fn readiness(topology: &Topology) -> Finding {
    let waiting: Vec<&str> = application(topology)
        .filter(|pod| !pod.ready)
        .map(|pod| pod.name.as_str())
        .collect();
    if waiting.is_empty() {
        Finding::good(Check::Readiness, "readiness", "every pod is ready")
    } else {
        Finding::warn(
            Check::Readiness,
            "readiness",
            format!("not ready: {}", waiting.join(", ")),
            "wait for them, or see `kubectl describe pod`",
        )
    }
}

/// One finding per deployment: its replicas, and the requests and limits of its containers.
fn limits(topology: &Topology) -> Vec<Finding> {
    let mut owners: BTreeMap<String, Vec<&Pod>> = BTreeMap::new();
    for pod in application(topology) {
        let name = format!("{}/{}", pod.namespace, pod.owner.name);
        owners.entry(name).or_default().push(pod);
    }
    owners
        .into_iter()
        .map(|(name, pods)| limits_of(&name, &pods))
        .collect()
}

fn limits_of(name: &str, pods: &[&Pod]) -> Finding {
    let containers: Vec<_> = pods
        .iter()
        .take(1)
        .flat_map(|pod| &pod.containers)
        .collect();
    let parts = containers.iter().map(|container| {
        format!(
            "{} {} of {}",
            container.name,
            amounts(&container.requests),
            amounts(&container.limits)
        )
    });
    let parts: Vec<String> = parts.collect();
    let message = format!("{} x {}", pods.len(), parts.join("; "));
    let name = format!("limits of {name}");
    let unlimited = containers.iter().filter(|container| {
        container.role == Role::Sidecar && container.limits.cpu_millicores.is_none()
    });
    if unlimited.count() > 0 {
        return Finding::warn(
            Check::Limits,
            &name,
            format!(
                "{message}; the sidecar has no CPU limit, so what it costs depends on what is left over"
            ),
            "set sidecar.istio.io/proxyCPULimit if the study needs a limit; it is recorded either way",
        );
    }
    Finding::good(Check::Limits, &name, message)
}

fn amounts(amounts: &Amounts) -> String {
    let cpu = amounts
        .cpu_millicores
        .map_or("-".to_owned(), |cpu| format!("{cpu:.0}m"));
    let memory = amounts.memory_bytes.map_or("-".to_owned(), |bytes| {
        format!("{:.0}Mi", bytes / 1_048_576.0)
    });
    format!("{cpu}/{memory}")
}

fn memcached(topology: &Topology) -> Finding {
    let caches: Vec<&str> = application(topology)
        .filter(|pod| pod.is_memcached())
        .map(|pod| pod.name.as_str())
        .collect();
    if caches.is_empty() {
        Finding::warn(
            Check::Memcached,
            "memcached",
            "no pod of it was found, so there is no cache to flush between steps",
            "for HotelReservation name its namespace with -n",
        )
    } else {
        Finding::good(Check::Memcached, "memcached", caches.join(", "))
    }
}

#[cfg(test)]
mod tests;

//! What is said about a cluster before it is measured.

use super::*;
use crate::findings::State;
use crate::resources::{ClockOffset, Container, Node, Owner, Scope, Seen};
use crate::units::Nanos;

fn container(name: &str, role: Role, limit: Option<f64>) -> Container {
    Container {
        name: name.to_owned(),
        role,
        image: String::new(),
        image_id: None,
        requests: Amounts {
            cpu_millicores: Some(100.0),
            memory_bytes: Some(67_108_864.0),
        },
        limits: Amounts {
            cpu_millicores: limit,
            memory_bytes: None,
        },
        native_sidecar: false,
        running: true,
        restarts: 0,
        last_exit: None,
        started: None,
    }
}

fn pod(name: &str, mesh: Mesh) -> Pod {
    let mut containers = vec![container("app", Role::App, Some(500.0))];
    if mesh == Mesh::Sidecar {
        containers.push(container("istio-proxy", Role::Sidecar, Some(200.0)));
    }
    Pod {
        node: "node-1".to_owned(),
        namespace: "hotel".to_owned(),
        name: name.to_owned(),
        uid: name.to_owned(),
        service: name.to_owned(),
        owner: Owner {
            kind: "Deployment".to_owned(),
            name: name.to_owned(),
        },
        category: Category::Application,
        mesh,
        host_network: false,
        phase: "Running".to_owned(),
        ready: true,
        labels: Default::default(),
        containers,
        seen: Seen {
            from: Nanos::ZERO,
            to: None,
        },
    }
}

fn topology(pods: Vec<Pod>) -> Topology {
    let mut topology = Topology {
        scope: Scope {
            application: ["hotel".to_owned()].into(),
            ..Scope::default()
        },
        ..Topology::default()
    };
    topology.update(pods, Nanos::ZERO);
    topology
}

fn finding(findings: &[Finding], name: &str) -> Finding {
    let mut named = findings.iter().filter(|finding| finding.name == name);
    named
        .next()
        .cloned()
        .unwrap_or_else(|| panic!("{name}: {findings:?}"))
}

fn meshes(kinds: &[Mesh]) -> Finding {
    let pods = kinds.iter().enumerate();
    let pods = pods
        .map(|(number, mesh)| pod(&format!("pod-{number}"), *mesh))
        .collect();
    finding(
        &topology_findings(&topology(pods), &[]),
        "application pods in the mesh",
    )
}

#[test]
fn all_or_none_in_the_mesh_is_an_arm_and_a_mixture_is_named() {
    assert_eq!(
        meshes(&[Mesh::None, Mesh::None]).message,
        "none of 2: a baseline"
    );
    let all = meshes(&[Mesh::Sidecar, Mesh::Ambient]);
    assert_eq!(
        (all.state, all.message.as_str()),
        (State::Good, "all 2 (1 by sidecar, 1 ambient)")
    );
    let mixed = meshes(&[Mesh::Sidecar, Mesh::None]);
    assert_eq!(
        (mixed.state, mixed.message.as_str()),
        (State::Warn, "1 of 2 are not: pod-1")
    );
    assert_eq!(meshes(&[]).state, State::Bad);
}

#[test]
fn pods_that_have_finished_their_work_do_not_count() {
    let mut job = pod("load-data", Mesh::None);
    job.phase = "Succeeded".to_owned();
    let findings = topology_findings(&topology(vec![pod("a", Mesh::Sidecar), job]), &[]);
    assert_eq!(
        finding(&findings, "application pods in the mesh").state,
        State::Good
    );
}

#[test]
fn limits_stand_beside_requests_and_a_sidecar_without_is_told() {
    let mut second = pod("frontend", Mesh::Sidecar);
    second.uid = "another".to_owned();
    let findings = topology_findings(&topology(vec![pod("frontend", Mesh::Sidecar), second]), &[]);
    let limits = finding(&findings, "limits of hotel/frontend");
    assert_eq!(
        limits.message,
        "2 x app 100m/64Mi of 500m/-; istio-proxy 100m/64Mi of 200m/-"
    );
    assert_eq!(limits.state, State::Good);
    let mut unlimited = pod("search", Mesh::Sidecar);
    unlimited.containers[1].limits = Amounts::default();
    let findings = topology_findings(&topology(vec![unlimited]), &[]);
    assert_eq!(
        finding(&findings, "limits of hotel/search").state,
        State::Warn
    );
}

#[test]
fn cri_dockerd_is_known_for_what_it_does_not_tell() {
    let mut cluster = topology(vec![pod("a", Mesh::None)]);
    let node = |runtime: &str| Node {
        name: "n".to_owned(),
        runtime: runtime.to_owned(),
        ..Node::default()
    };
    cluster
        .nodes
        .insert("n".to_owned(), node("docker://26.1.4"));
    let finding_of = |cluster: &Topology| finding(&topology_findings(cluster, &[]), "runtime of n");
    let docker = finding_of(&cluster);
    assert_eq!(docker.state, State::Warn);
    assert!(docker.cure.is_some_and(|cure| cure.contains("containerd")));
    cluster
        .nodes
        .insert("n".to_owned(), node("containerd://1.7.0"));
    assert_eq!(finding_of(&cluster).state, State::Good);
}

#[test]
fn a_clock_far_away_is_told_and_one_that_is_not_known_well_is_not_accused() {
    let of = |least_ns, most_ns| {
        let offset = ClockOffset {
            least_ns,
            most_ns,
            steps: 0,
        };
        let clock = NodeClock {
            node: "n".to_owned(),
            offset,
        };
        finding(
            &topology_findings(&topology(Vec::new()), &[clock]),
            "clock of n",
        )
        .state
    };
    assert_eq!(of(1_900_000_000, 2_100_000_000), State::Warn);
    assert_eq!(of(0, 2_100_000_000), State::Good);
}

#[test]
fn caches_are_found_by_name_or_image() {
    let by_name = pod("memcached-rate-0", Mesh::None);
    let mut by_image = pod("cache", Mesh::None);
    by_image.containers[0].image = "docker.io/library/memcached:1.6".to_owned();
    let findings = topology_findings(
        &topology(vec![by_name, by_image, pod("x", Mesh::None)]),
        &[],
    );
    assert_eq!(
        finding(&findings, "memcached").message,
        "cache, memcached-rate-0"
    );
}

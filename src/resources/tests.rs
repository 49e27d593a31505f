//! Pods, samples and spans of time that the tests of this room share.

mod figures;
mod kubelet;
mod offset;
mod samples;
mod topology;
mod window;

use super::time_axis::TimedValue;
use super::window::{counter, events, gauge};
use super::*;
use crate::units::Nanos;
use std::collections::{BTreeMap, BTreeSet};

const SECOND: i64 = 1_000_000_000;

/// The wall clock when the load begins, in nanoseconds since 1970.
const BEGIN: u64 = 1_800_000_000 * SECOND as u64;

fn span(start: i64, end: i64) -> Span {
    Span {
        start: start * SECOND,
        end: end * SECOND,
    }
}

fn timed(at: i64, value: u64) -> TimedValue {
    TimedValue {
        at: at * SECOND,
        value,
        epoch: None,
    }
}

/// The spans of the study's runs: a warm-up of 15 s, a window of 60 s and a guard of 20 s.
fn study() -> Spans {
    let at = |seconds: u64| Nanos(BEGIN + seconds * SECOND as u64);
    Spans {
        load_start: at(0),
        window_start: at(15),
        window_end: at(75),
        load_end: at(95),
    }
}

fn subject(container: Option<&str>) -> Subject {
    Subject {
        node: "node-1".to_owned(),
        namespace: "default".to_owned(),
        pod: "frontend-0".to_owned(),
        uid: "uid-0".to_owned(),
        container: container.map(str::to_owned),
    }
}

fn container(name: &str, role: Role) -> Container {
    Container {
        name: name.to_owned(),
        role,
        image: String::new(),
        image_id: None,
        requests: Amounts::default(),
        limits: Amounts::default(),
        native_sidecar: false,
        running: true,
        restarts: 0,
        last_exit: None,
        started: None,
    }
}

fn pod(uid: &str, containers: Vec<Container>) -> Pod {
    Pod {
        node: "node-1".to_owned(),
        namespace: "default".to_owned(),
        name: format!("frontend-{}", uid.trim_start_matches("uid-")),
        uid: uid.to_owned(),
        service: "frontend".to_owned(),
        owner: Owner {
            kind: "Deployment".to_owned(),
            name: "frontend".to_owned(),
        },
        category: Category::Application,
        mesh: Mesh::Sidecar,
        host_network: false,
        phase: "Running".to_owned(),
        ready: true,
        labels: BTreeMap::new(),
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
            application: BTreeSet::from(["default".to_owned()]),
            ..Scope::default()
        },
        ..Topology::default()
    };
    topology.update(pods, Nanos(BEGIN));
    topology
}

fn frontend() -> Topology {
    topology(vec![pod("uid-0", vec![container("app", Role::App)])])
}

fn sample(
    container: Option<&str>,
    quantity: Quantity,
    source: Source,
    at: f64,
    value: u64,
) -> Sample {
    let stamp = Nanos((BEGIN as f64 + at * 1e9) as u64);
    Sample {
        subject: subject(container),
        quantity,
        source,
        point: SamplePoint {
            stamp,
            received: stamp,
            value,
            epoch: None,
        },
    }
}

fn reduced(log: &SampleLog, topology: &Topology) -> Resources {
    reduce(log, topology, study(), Vec::new(), &BTreeMap::new())
}

fn cpu_of(resources: &Resources) -> &Figure {
    let figures = &resources.pods[0].containers[0];
    figures.figure(Quantity::Cpu).expect("a figure of CPU")
}

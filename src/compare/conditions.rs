//! The conditions of a measurement, such as its connections, its seed or the limits of containers. Two arms
//! should have them in common; else their difference is not only that of the arms.

use crate::measure::RunResult;
use crate::resources::{Amounts, Category, Container, Role};
use crate::spec::{HttpOptions, ProxyProtocol, RunSpec, Target, TlsVersion};
use std::collections::{BTreeMap, BTreeSet};

/// The conditions of an arm's steps, each with every value that it had in some step.
pub type Conditions = BTreeMap<Condition, BTreeSet<String>>;

/// A condition that the steps of two arms should have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Condition {
    name: String,
    subject: ConditionSubject,
}

/// The subject of a condition. It decides how two arms are compared by the condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ConditionSubject {
    /// The load. A condition that is known of one arm only is named.
    Load,
    /// The seed of the arrivals. Each step of a plan has its own seed, and an arm that lacks a step lacks its
    /// seed, so the seeds of two arms differ only where they have none in common.
    Seed,
    /// A service, a container or a node of the system under load. One arm may have some that the other
    /// lacks, so only conditions of both are compared.
    System,
    /// A sidecar. Arms may differ in their sidecars on purpose, so these are shown and not compared.
    Sidecar,
}

impl Condition {
    /// A condition of the load, such as `connections`.
    pub fn of_load(name: &str) -> Condition {
        Condition::new(name.to_owned(), ConditionSubject::Load)
    }

    /// The seed of the arrivals.
    pub fn seed() -> Condition {
        Condition::new("seed".to_owned(), ConditionSubject::Seed)
    }

    /// The condition that a service has a certain number of pods.
    pub fn replicas_of(service: &str) -> Condition {
        Condition::of_system(format!("replicas of {service}"))
    }

    fn of_system(name: String) -> Condition {
        Condition::new(name, ConditionSubject::System)
    }

    /// A condition of a container, such as the limits of `geo/geo`.
    fn of_container(what: &str, service: &str, container: &Container) -> Condition {
        let name = format!("{what} of {service}/{}", container.name);
        match container.role {
            Role::Sidecar => Condition::new(format!("{name} (sidecar)"), ConditionSubject::Sidecar),
            _ => Condition::of_system(name),
        }
    }

    fn new(name: String, subject: ConditionSubject) -> Condition {
        Condition { name, subject }
    }

    /// The name for people, such as `limits of geo/geo`.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn is_of_load(&self) -> bool {
        matches!(
            self.subject,
            ConditionSubject::Load | ConditionSubject::Seed
        )
    }
}

/// Adds the conditions under which a run was measured.
pub fn add_conditions(conditions: &mut Conditions, result: &RunResult) {
    let mut add = |condition: Condition, value: String| {
        conditions.entry(condition).or_default().insert(value);
    };
    let load = &result.spec.load;
    let phases = [load.warmup, load.duration, load.guard].map(|phase| phase.to_string());
    let machine = &result.environment;
    for (name, value) in [
        ("connections", load.connections.to_string()),
        ("threads", load.threads.to_string()),
        ("pipeline", load.pipeline.to_string()),
        ("HTTP", http(&result.spec.http)),
        ("transport", transport(&result.spec)),
        ("arrival process", load.process.name().to_owned()),
        ("warm-up, window and guard", phases.join(", ")),
        ("script", script(result)),
        ("meshload", machine.meshload.clone()),
        (
            "load generator",
            format!("{}, {} cores", machine.processor, machine.cores),
        ),
    ] {
        add(Condition::of_load(name), value);
    }
    add(Condition::seed(), load.seed.to_string());
    of_cluster(result, &mut add);
}

fn http(http: &HttpOptions) -> String {
    let version = match http.http2 {
        true => format!("2, {} streams", http.streams),
        false => "1.1".to_owned(),
    };
    match http.quota() {
        Some(quota) => format!("{version}, {quota} requests per connection"),
        None => version,
    }
}

/// The layers between HTTP and the network, such as TLS.
fn transport(spec: &RunSpec) -> String {
    let mut layers = Vec::new();
    match spec.reach.proxy_protocol {
        Some(ProxyProtocol::V1) => layers.push("PROXY protocol v1"),
        Some(ProxyProtocol::V2) => layers.push("PROXY protocol v2"),
        None => {}
    }
    if !spec.targets.iter().any(Target::is_tls) {
        layers.push("in the clear");
        return layers.join(", ");
    }
    layers.push(match spec.tls.min {
        TlsVersion::V1_2 => "TLS from 1.2",
        TlsVersion::V1_3 => "TLS from 1.3",
    });
    if spec.tls.cert.is_some() {
        layers.push("client certificate");
    }
    if spec.tls.no_resumption {
        layers.push("no resumption");
    }
    layers.join(", ")
}

fn script(result: &RunResult) -> String {
    let script = result.spec.script.as_ref();
    script.map_or("none".to_owned(), |script| {
        let mut words = vec![script.path.display().to_string()];
        words.extend(script.args.iter().cloned());
        words.join(" ")
    })
}

fn of_cluster(result: &RunResult, add: &mut impl FnMut(Condition, String)) {
    let Some(resources) = &result.resources else {
        return;
    };
    for (quantity, sources) in &resources.sources {
        let names: Vec<&str> = sources.keys().map(|source| source.name()).collect();
        let sources = Condition::of_system(format!("sources of {}", quantity.name()));
        add(sources, names.join(", "));
    }
    for node in resources.topology.nodes.values() {
        // Where processes of this machine are measured, it stands as a node without a kubelet.
        if !node.kubelet.is_empty() {
            let about = format!("{}, kubelet {}", node.runtime, node.kubelet);
            add(Condition::of_system(format!("node {}", node.name)), about);
        }
    }
    let mut replicas: BTreeMap<&str, usize> = BTreeMap::new();
    let pods = resources.topology.pods.values();
    let ours = pods.filter(|pod| {
        pod.category == Category::Application && pod.seen.to.is_none() && !pod.is_finished()
    });
    for pod in ours {
        *replicas.entry(&pod.service).or_default() += 1;
        for container in &pod.containers {
            let of = |what: &str| Condition::of_container(what, &pod.service, container);
            let image = container.image_id.as_ref().unwrap_or(&container.image);
            if !image.is_empty() {
                add(of("image"), image.clone());
            }
            add(of("limits"), amounts(&container.limits));
            add(of("requests"), amounts(&container.requests));
        }
    }
    for (service, count) in replicas {
        add(Condition::replicas_of(service), count.to_string());
    }
}

fn amounts(amounts: &Amounts) -> String {
    let part = |value: Option<f64>, unit: &str| {
        value.map_or("none".to_owned(), |value| format!("{value}{unit}"))
    };
    let cpu = part(amounts.cpu_millicores, "m");
    let memory = part(amounts.memory_bytes, " bytes");
    format!("CPU {cpu}, memory {memory}")
}

/// A sweep has a seed per step, so not all values are listed.
const MOST_VALUES: usize = 4;

/// The first values of a condition in one line, and the number of the others.
pub fn condition_text(values: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = values
        .iter()
        .take(MOST_VALUES)
        .map(String::as_str)
        .collect();
    let more = values.len().saturating_sub(MOST_VALUES);
    let rest = if more > 0 {
        format!(" | {more} more")
    } else {
        String::new()
    };
    shown.join(" | ") + &rest
}

/// The conditions that differ between two arms, one line each, such as `connections: 10 against 77`.
/// Conditions of the load that are known of one arm only are named together in a last line.
pub fn differing_conditions(base: &Conditions, other: &Conditions) -> Vec<String> {
    let differing = base.iter().filter_map(|(condition, ones)| {
        let others = other.get(condition)?;
        let differs = match condition.subject {
            ConditionSubject::Load | ConditionSubject::System => ones != others,
            ConditionSubject::Seed => ones.is_disjoint(others),
            ConditionSubject::Sidecar => false,
        };
        let text = || {
            let [ones, others] = [ones, others].map(condition_text);
            format!("{}: {ones} against {others}", condition.name)
        };
        differs.then(text)
    });
    differing.chain(known_of_one(base, other)).collect()
}

/// The conditions of the load that are known of one arm only, as where folders of different kinds are
/// compared: it cannot be seen whether they differ.
fn known_of_one(base: &Conditions, other: &Conditions) -> Option<String> {
    fn load_conditions(conditions: &Conditions) -> BTreeSet<&Condition> {
        let conditions = conditions.keys();
        conditions.filter(|one| one.is_of_load()).collect()
    }
    let alone = &load_conditions(base) ^ &load_conditions(other);
    let names: Vec<&str> = alone.into_iter().map(Condition::name).collect();
    (!names.is_empty()).then(|| format!("known of one alone: {}", names.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::sample;
    use crate::resources::{SampleLog, Spans, Topology, reduce};
    use crate::units::Nanos;

    #[test]
    fn what_both_have_in_common_is_not_worth_a_word() {
        let mut base = Conditions::new();
        add_conditions(&mut base, &sample::ordinary().result);
        assert!(differing_conditions(&base, &base).is_empty());
        let mut result = sample::ordinary().result;
        result.spec.load.connections = 77;
        result.environment.cores = 99;
        let mut other = Conditions::new();
        add_conditions(&mut other, &result);
        let found = differing_conditions(&base, &other);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found.iter().any(|one| one == "connections: 10 against 77"),
            "{found:?}"
        );
    }

    #[test]
    fn what_only_one_says_of_the_load_cannot_be_compared_and_is_named() {
        let conditions = |conditions: &[Condition]| -> Conditions {
            let value = BTreeSet::from(["some".to_owned()]);
            let pairs = conditions.iter().map(|one| (one.clone(), value.clone()));
            pairs.collect()
        };
        let system = |name: &str| Condition::of_system(name.to_owned());
        let ours = conditions(&[
            Condition::of_load("connections"),
            Condition::seed(),
            Condition::replicas_of("geo"),
            system("node a"),
        ]);
        let study = conditions(&[
            Condition::of_load("duration"),
            Condition::replicas_of("geo"),
            Condition::replicas_of("envoy"),
        ]);
        let wanted = ["known of one alone: connections; duration; seed"];
        assert_eq!(differing_conditions(&ours, &study), wanted);
        assert_eq!(differing_conditions(&study, &ours), wanted);
        let fewer = conditions(&[
            Condition::of_load("connections"),
            Condition::seed(),
            system("limits of geo/geo"),
        ]);
        assert!(differing_conditions(&ours, &fewer).is_empty());
    }

    #[test]
    fn what_should_not_differ_is_named_whatever_it_is() {
        let value = |text: &str| BTreeSet::from([text.to_owned()]);
        let system = |name: &str| Condition::of_system(name.to_owned());
        for condition in [
            system("limits of geo/geo"),
            system("requests of geo/geo"),
            Condition::replicas_of("geo"),
            system("image of geo/geo"),
            Condition::of_load("connections"),
            Condition::seed(),
            Condition::of_load("arrival process"),
            system("sources of cpu"),
        ] {
            let [one, other] =
                ["1", "2"].map(|text| Conditions::from([(condition.clone(), value(text))]));
            let name = condition.name();
            assert_eq!(
                differing_conditions(&one, &other),
                [format!("{name}: 1 against 2")],
                "{name}"
            );
        }
        // Arms may differ in their sidecars on purpose.
        let sidecar = Condition::new("limits of geo/proxy".to_owned(), ConditionSubject::Sidecar);
        let [one, other] =
            ["1", "2"].map(|text| Conditions::from([(sidecar.clone(), value(text))]));
        assert!(differing_conditions(&one, &other).is_empty());
    }

    #[test]
    fn processes_have_no_kubelet_and_no_image() {
        let topology = r#"{
            "scope": {"application": ["local"], "all_namespaces": false, "ambient": []},
            "nodes": {"here": {"name": "here", "runtime": "", "kubelet": "", "kernel": ""}},
            "pods": {"1": {"node": "here", "namespace": "local", "name": "hotel-1", "uid": "1", "service": "hotel",
                "owner": {"kind": "Process", "name": "hotel"}, "category": "application", "mesh": "none",
                "host_network": true, "phase": "Running", "ready": true, "labels": {}, "seen": {"from": 1, "to": null},
                "containers": [{"name": "hotel", "role": "app", "image": "", "requests": {}, "limits": {},
                    "native_sidecar": false, "running": true, "restarts": 0}]}}}"#;
        let topology: Topology = serde_json::from_str(topology).expect("a topology");
        let spans = Spans {
            load_start: Nanos(1),
            window_start: Nanos(1),
            window_end: Nanos(2),
            load_end: Nanos(2),
        };
        let log = SampleLog::default();
        let mut result = sample::ordinary().result;
        result.resources = Some(reduce(&log, &topology, spans, Vec::new(), &BTreeMap::new()));
        let mut conditions = Conditions::new();
        add_conditions(&mut conditions, &result);
        assert!(conditions.contains_key(&Condition::replicas_of("hotel")));
        let names = conditions.keys().map(Condition::name);
        let empty: Vec<&str> = names
            .filter(|name| name.starts_with("node") || name.starts_with("image"))
            .collect();
        assert!(empty.is_empty(), "{empty:?}");
    }

    #[test]
    fn a_step_that_is_missing_is_no_other_seed() {
        let seeds = |seeds: std::ops::Range<u32>| {
            let seeds = seeds.map(|seed| seed.to_string()).collect();
            Conditions::from([(Condition::seed(), seeds)])
        };
        assert!(differing_conditions(&seeds(10..16), &seeds(11..17)).is_empty());
        let found = differing_conditions(&seeds(10..16), &seeds(20..26));
        assert_eq!(
            found,
            ["seed: 10 | 11 | 12 | 13 | 2 more against 20 | 21 | 22 | 23 | 2 more"]
        );
    }
}

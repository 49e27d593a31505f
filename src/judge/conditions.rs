//! The circumstances of a measurement: what two arms should have in common, so that their difference
//! is that of the arms.

use crate::measure::RunResult;
use crate::resources::{Amounts, Category, Role};
use crate::spec::{HttpSpec, ProxyProtocol, RunSpec, Target, TlsVersion};
use std::collections::{BTreeMap, BTreeSet};

/// Circumstances by name, with every value that was seen in an arm's steps.
pub type Conditions = BTreeMap<String, BTreeSet<String>>;

const SEED: &str = "seed";

/// Adds a run's circumstances.
pub fn add_conditions(conditions: &mut Conditions, result: &RunResult) {
    let mut add = |name: String, value: String| {
        conditions.entry(name).or_default().insert(value);
    };
    let load = &result.spec.load;
    add("connections".to_owned(), load.connections.to_string());
    add("threads".to_owned(), load.threads.to_string());
    add("pipeline".to_owned(), load.pipeline.to_string());
    add("HTTP".to_owned(), http(&result.spec.http));
    add("transport".to_owned(), transport(&result.spec));
    add("arrival process".to_owned(), load.process.name().to_owned());
    add(SEED.to_owned(), load.seed.to_string());
    let phases = [load.warmup, load.duration, load.guard].map(|phase| phase.to_string());
    add("warm-up, window and guard".to_owned(), phases.join(", "));
    add("script".to_owned(), script(result));
    add("meshload".to_owned(), result.environment.meshload.clone());
    let machine = &result.environment;
    let machine = format!("{}, {} cores", machine.processor, machine.cores);
    add("load generator".to_owned(), machine);
    of_cluster(result, &mut add);
}

fn http(http: &HttpSpec) -> String {
    let version = match http.http2 {
        true => format!("2, {} streams", http.streams),
        false => "1.1".to_owned(),
    };
    match http.quota() {
        Some(quota) => format!("{version}, {quota} requests per connection"),
        None => version,
    }
}

/// What lies between HTTP and the network.
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

fn of_cluster(result: &RunResult, add: &mut impl FnMut(String, String)) {
    let Some(resources) = &result.resources else {
        return;
    };
    for (quantity, sources) in &resources.sources {
        let names: Vec<&str> = sources.keys().map(|source| source.name()).collect();
        add(format!("sources of {}", quantity.name()), names.join(", "));
    }
    for node in resources.topology.nodes.values() {
        // Processes of this machine have neither.
        if !node.kubelet.is_empty() {
            let about = format!("{}, kubelet {}", node.runtime, node.kubelet);
            add(format!("node {}", node.name), about);
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
            let mut name = format!("{}/{}", pod.service, container.name);
            if container.role == Role::Sidecar {
                name += SIDECAR;
            }
            let image = container.image_id.as_ref().unwrap_or(&container.image);
            if !image.is_empty() {
                add(format!("image of {name}"), image.clone());
            }
            add(format!("limits of {name}"), amounts(&container.limits));
            add(format!("requests of {name}"), amounts(&container.requests));
        }
    }
    for (service, count) in replicas {
        add(format!("replicas of {service}"), count.to_string());
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

/// Sidecars are what an arm may be about: theirs is shown and not compared.
const SIDECAR: &str = " (sidecar)";

/// Values that are listed; a sweep has a seed per step.
const VALUES: usize = 4;

/// The values of a condition in one line, as many as can be read.
pub fn condition_text(values: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = values.iter().take(VALUES).map(String::as_str).collect();
    let more = values.len().saturating_sub(VALUES);
    let rest = if more > 0 {
        format!(" | {more} more")
    } else {
        String::new()
    };
    shown.join(" | ") + &rest
}

/// What is not the same in both, as far as both say it: name, here and there.
pub fn unlike(base: &Conditions, other: &Conditions) -> Vec<String> {
    let compared = base.iter().filter(|(name, _)| !name.ends_with(SIDECAR));
    let differing = compared.filter_map(|(name, ones)| {
        let others = other.get(name).filter(|others| *others != ones)?;
        // Every step of a plan has a seed of its own: where a step of one arm is missing, its seed is.
        if name == SEED && !ones.is_disjoint(others) {
            return None;
        }
        let [ones, others] = [ones, others].map(condition_text);
        Some(format!("{name}: {ones} against {others}"))
    });
    differing.chain(known_of_one(base, other)).collect()
}

/// What only one of both says of the load, as folders of different kinds do: whether it differs cannot
/// be seen. What is said of a service, a container or a node, arms need not have in common.
fn known_of_one(base: &Conditions, other: &Conditions) -> Option<String> {
    fn of_the_load(conditions: &Conditions) -> BTreeSet<&str> {
        let names = conditions.keys().map(String::as_str);
        let of_the_load = |name: &&str| !name.contains(" of ") && !name.starts_with("node ");
        names.filter(of_the_load).collect()
    }
    let names = &of_the_load(base) ^ &of_the_load(other);
    let names: Vec<&str> = names.into_iter().collect();
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
        assert!(unlike(&base, &base).is_empty());
        let mut result = sample::ordinary().result;
        result.spec.load.connections = 77;
        result.environment.cores = 99;
        let mut other = Conditions::new();
        add_conditions(&mut other, &result);
        let found = unlike(&base, &other);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found.iter().any(|one| one == "connections: 10 against 77"),
            "{found:?}"
        );
    }

    #[test]
    fn what_only_one_says_of_the_load_cannot_be_compared_and_is_named() {
        let conditions = |names: &[&str]| -> Conditions {
            let value = BTreeSet::from(["some".to_owned()]);
            let pairs = names.iter().map(|name| ((*name).to_owned(), value.clone()));
            pairs.collect()
        };
        let ours = conditions(&["connections", "seed", "replicas of geo", "node a"]);
        let study = conditions(&["duration", "replicas of geo", "replicas of envoy"]);
        let wanted = ["known of one alone: connections; duration; seed"];
        assert_eq!(unlike(&ours, &study), wanted);
        assert_eq!(unlike(&study, &ours), wanted);
        let fewer = conditions(&["connections", "seed", "limits of geo/geo"]);
        assert!(unlike(&ours, &fewer).is_empty());
    }

    #[test]
    fn what_should_not_differ_is_named_whatever_it_is() {
        let value = |text: &str| BTreeSet::from([text.to_owned()]);
        for name in [
            "limits of geo/geo",
            "requests of geo/geo",
            "replicas of geo",
            "image of geo/geo",
            "connections",
            "seed",
            "arrival process",
            "sources of cpu",
        ] {
            let [one, other] =
                ["1", "2"].map(|text| Conditions::from([(name.to_owned(), value(text))]));
            assert_eq!(
                unlike(&one, &other),
                [format!("{name}: 1 against 2")],
                "{name}"
            );
        }
        // Sidecars are what an arm may be about.
        let [one, other] = ["1", "2"].map(|text| {
            Conditions::from([(
                "limits of geo/istio-proxy (sidecar)".to_owned(),
                value(text),
            )])
        });
        assert!(unlike(&one, &other).is_empty());
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
        assert!(conditions.contains_key("replicas of hotel"));
        let empty = |name: &&String| name.starts_with("node") || name.starts_with("image");
        assert_eq!(conditions.keys().find(empty), None);
    }

    #[test]
    fn a_step_that_is_missing_is_no_other_seed() {
        let seeds = |seeds: std::ops::Range<u32>| {
            let seeds = seeds.map(|seed| seed.to_string()).collect();
            Conditions::from([(SEED.to_owned(), seeds)])
        };
        assert!(unlike(&seeds(10..16), &seeds(11..17)).is_empty());
        let found = unlike(&seeds(10..16), &seeds(20..26));
        assert_eq!(
            found,
            ["seed: 10 | 11 | 12 | 13 | 2 more against 20 | 21 | 22 | 23 | 2 more"]
        );
    }
}

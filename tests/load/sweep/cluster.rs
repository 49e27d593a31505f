//! A sweep over a cluster: the mesh is switched on and off, and everything is restored.

use super::{QUICK, quick_hotel};
use crate::support::api_server::cluster::Cluster;
use crate::support::api_server::{ApiServer, Fault};
use crate::support::sweep::{LATENCIES, Sweep, SweepFolder};
use crate::support::{Hotel, Running, beside_others, wait_until};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// A sweep that collects from this cluster, with steps of this length.
fn kube_sweep(folder: &SweepFolder, server: &ApiServer, hotel: &Hotel, measure: &str) -> Sweep {
    Sweep::in_folder(folder)
        .steps_of("0s", measure)
        .flags("-n default --collect kube --collect-interval 100ms --kube-url")
        .flags(&server.url())
        .flags(hotel.url())
}

fn labels(server: &ApiServer) -> Value {
    let cluster = server.cluster();
    let (_, labels) = cluster
        .namespaces
        .iter()
        .find(|(name, _)| name == "default")
        .expect("a namespace");
    labels.clone()
}

fn sidecars(server: &ApiServer) -> usize {
    let cluster = server.cluster();
    let pods = cluster.pods.iter().filter(|pod| pod.namespace == "default");
    pods.filter(|pod| pod.containers.iter().any(|one| one.name == "istio-proxy"))
        .count()
}

fn now() -> u64 {
    meshload::clock::unix_now().0
}

#[test]
fn a_mesh_that_nobody_can_look_at_is_not_measured() {
    let _machine = beside_others();
    let hotel = quick_hotel();
    let folder = SweepFolder::new();
    let refused = |flags: &str, code: i32, wanted: &[&str]| {
        let sweep = Sweep::in_folder(&folder).short_steps("300ms").flags(flags);
        let output = sweep.run();
        assert_eq!(output.code, Some(code), "{output}");
        for words in wanted {
            assert!(output.stderr.contains(words), "{words}: {output}");
        }
    };
    let url = hotel.url();
    let flags = format!("--istio --rates 50 {url}");
    refused(&flags, 1, &["there is no cluster", "--skip-verify"]);
    let flags = format!("--switch --arm a={url}");
    refused(&flags, 2, &["nothing to switch"]);
}

#[test]
fn a_namespace_is_switched_into_the_mesh_and_back() {
    let _machine = beside_others();
    let mut cluster = Cluster::plain(now());
    cluster.namespaces[0].1 = json!({ "team": "hotel" });
    let server = ApiServer::start(cluster);
    let hotel = quick_hotel();
    let folder = SweepFolder::new();
    let sweep = kube_sweep(&folder, &server, &hotel, "300ms");
    let sweep = sweep.flags("--arm baseline --arm istio --switch --rates 50");
    let output = sweep.run();
    assert_eq!(output.code, Some(0), "{output}");
    assert_eq!(labels(&server), json!({ "team": "hotel" }));
    assert_eq!(sidecars(&server), 0);
    assert!(!folder.has("undo.json"));
    // In between it was in the mesh, and memcached was emptied before each step.
    let table = folder.rows("k8s_full_metrics.csv");
    for (arm, is_meshed) in [("baseline", "False"), ("istio", "True")] {
        let rows = table
            .iter()
            .filter(|row| row["Arm"] == arm && row["Category"] == "application");
        let cells: Vec<&String> = rows.map(|row| &row["Istio_Enabled"]).collect();
        assert!(!cells.is_empty(), "{table:?}");
        assert!(cells.iter().all(|cell| *cell == is_meshed), "{table:?}");
    }
    assert_eq!(server.calls_to("/portforward"), 2, "{output}");
    assert_eq!(folder.count("prepared"), 2);
    let note = folder.first("prepared")["notes"][0].to_string();
    for words in ["memcached-profile", "emptied by a forwarded port"] {
        assert!(note.contains(words), "{note}");
    }
}

/// The state in which the cluster was before it was switched.
#[track_caller]
fn assert_is_restored(server: &ApiServer) {
    assert_eq!((labels(server), sidecars(server)), (json!({}), 0));
}

#[test]
fn interrupted_or_killed_in_the_mesh_the_namespace_is_put_back() {
    let _machine = beside_others();
    let server = ApiServer::start(Cluster::plain(now()));
    let hotel = quick_hotel();
    let begun = |folder: &SweepFolder| {
        let sweep = kube_sweep(folder, &server, &hotel, "30s");
        let mut running = sweep.flags("--istio --switch --rates 50 --seed 1").start();
        folder.wait_for(&mut running, "step_began", 1);
        assert_eq!(labels(&server)["istio-injection"], "enabled");
        running
    };
    let interrupted = |running: Running| {
        running.signal(Signal::INT);
        let output = running.finish();
        assert_eq!(output.code, Some(130), "{output}");
        assert_is_restored(&server);
    };
    let folder = SweepFolder::new();
    let running = begun(&folder);
    assert_eq!(sidecars(&server), 3);
    interrupted(running);

    // Killed it can do nothing; the session that goes on begins by restoring.
    let folder = SweepFolder::new();
    let running = begun(&folder);
    running.signal(Signal::KILL);
    drop(running);
    assert_eq!(labels(&server)["istio-injection"], "enabled");
    assert!(folder.has("undo.json"));
    let mut running = Sweep::in_folder(&folder).flags("-q").start();
    folder.wait_for(&mut running, "step_began", 2);
    interrupted(running);
    assert!(!folder.has("undo.json"));
}

#[test]
fn without_switch_nothing_is_changed_and_a_mixture_is_refused() {
    let _machine = beside_others();
    let server = ApiServer::start(Cluster::hotel(now()));
    let hotel = quick_hotel();
    for (arm, outside) in [("--istio", "memcached-profile"), ("", "frontend")] {
        let folder = SweepFolder::new();
        let sweep = kube_sweep(&folder, &server, &hotel, "300ms");
        let output = sweep.flags(arm).flags("--rates 50").run();
        assert_eq!(output.code, Some(1), "{output}");
        for words in [outside, "--switch"] {
            assert!(output.stderr.contains(words), "{output}");
        }
    }
    assert_eq!(server.cluster().restarts, 0);
    assert_eq!(labels(&server), json!({}));
}

/// A plan of an arm with a manifest and a patch, which is refused when the file `failing` exists.
fn tuned_arm(hotel: &Hotel, server: &ApiServer, failing: &Path) -> String {
    let (url, kube, failing) = (hotel.url(), server.url(), failing.display());
    format!(
        r#"
rates = [50]
measure = "300ms"
{QUICK}
[cluster]
kube_url = "{kube}"
namespaces = ["default"]
interval = "100ms"
[[arm]]
name = "tuned"
url = "{url}"
apply = ["new.yaml"]
patch = [{{ apiVersion = "v1", kind = "ConfigMap", name = "mesh", merge = {{ data = {{ sampling = "100", more = "yes" }} }} }}]
verify = ["test ! -e {failing}"]
"#
    )
}

#[test]
fn manifests_and_patches_are_applied_and_taken_back() {
    let _machine = beside_others();
    let mut cluster = Cluster::plain(now());
    let mesh = "/api/v1/namespaces/default/configmaps/mesh";
    let new = "/api/v1/namespaces/default/configmaps/new";
    let before = json!({
        "metadata": { "name": "mesh", "labels": { "a": "1" } },
        "data": { "sampling": "1" }
    });
    cluster.objects.insert(mesh.to_owned(), before.clone());
    let server = ApiServer::start(cluster);
    let hotel = quick_hotel();
    let folder = SweepFolder::new();
    let manifest =
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: new\ndata:\n  x: \"1\"\n---\n";
    fs::write(folder.home().join("new.yaml"), manifest).expect("a file");
    let failing = folder.home().join("failing");
    let plan = folder.plan(&tuned_arm(&hotel, &server, &failing));
    let mut running = Sweep::in_folder(&folder).plan(&plan).start();
    folder.wait_for(&mut running, "step_began", 1);
    let during = server.cluster().objects;
    let output = running.finish();
    assert_eq!(output.code, Some(0), "{output}");
    assert_eq!(
        during[mesh]["data"],
        json!({ "sampling": "100", "more": "yes" })
    );
    assert_eq!(during[new]["data"]["x"], "1");
    let after = server.cluster().objects;
    assert_eq!(after[mesh], before);
    assert!(!after.contains_key(new));
    // Refused after it was half made: taken back as well.
    fs::write(&failing, "").expect("a file");
    let other = Sweep::in_folder(&folder.sibling("other"));
    let output = other.plan(&plan).run();
    assert_eq!(output.code, Some(1), "{output}");
    assert_eq!(server.cluster().objects[mesh], before);
}

#[test]
fn a_cluster_that_stops_answering_costs_its_figures_and_no_step() {
    let _machine = beside_others();
    let server = ApiServer::start(Cluster::plain(now()));
    let hotel = quick_hotel();
    let folder = SweepFolder::new();
    let sweep = kube_sweep(&folder, &server, &hotel, "3s");
    let sweep = sweep.flags("--rates 50,60 --seed 1 --skip-cache-flush");
    let mut running = sweep.start();
    folder.wait_for(&mut running, "step_began", 2);
    let samples = || server.calls_to("stats/summary");
    let before = samples();
    wait_until("the collector is at work", || samples() >= before + 8);
    server.misbehave("/", Fault::Status(500));
    let output = running.finish();
    assert_eq!(output.code, Some(0), "{output}");
    assert_eq!(folder.rows(LATENCIES).len(), 2);
    let step = folder.json("steps/0002-baseline-60-rep1/run.json");
    let gaps = step["resources"]["gaps"].as_array().expect("gaps");
    assert!(!gaps.is_empty(), "{output}");
}

#[test]
fn a_cluster_that_is_gone_before_a_step_fails_the_step_and_says_so() {
    let _machine = beside_others();
    let server = ApiServer::start(Cluster::plain(now()));
    let hotel = quick_hotel();
    let folder = SweepFolder::new();
    let sweep = kube_sweep(&folder, &server, &hotel, "300ms");
    let sweep = sweep.flags("--rates 50,60,70,80 --seed 1 --skip-cache-flush");
    let mut running = sweep.start();
    folder.wait_for(&mut running, "step_finished", 1);
    server.misbehave("/", Fault::Status(500));
    let output = running.finish();
    assert_eq!(output.code, Some(1), "{output}");
    assert!(!folder.rows(LATENCIES).is_empty());
    server.behave();
    Sweep::in_folder(&folder).flags("-q").finish();
    assert_eq!(folder.rows(LATENCIES).len(), 4);
}

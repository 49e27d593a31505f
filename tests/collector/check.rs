//! `meshload check` through the front door, in real time.

use super::*;
use support::{Hotel, Meshload};

/// The findings of `meshload check`, as JSON.
fn check(args: &[&str]) -> (Option<i32>, Vec<serde_json::Value>) {
    let output = Meshload::new([&["check", "--json"], args].concat()).run();
    let json: serde_json::Value =
        serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output}"));
    let findings = json["findings"].as_array().expect("a list").clone();
    assert_eq!(
        json["can_run"].as_bool().expect("a bool"),
        output.code == Some(0),
        "{output}"
    );
    (output.code, findings)
}

fn finding<'a>(findings: &'a [serde_json::Value], name: &str) -> &'a serde_json::Value {
    let exact = findings.iter().find(|one| one["name"] == name);
    let contains =
        |one: &&serde_json::Value| one["name"].as_str().is_some_and(|text| text.contains(name));
    let named = exact.or_else(|| findings.iter().find(contains));
    named.unwrap_or_else(|| panic!("no finding of {name} in {findings:#?}"))
}

#[test]
fn check_says_on_one_screen_what_will_work() {
    let server = ApiServer::start(hotel_now());
    let target = Hotel::start(["--service-time", "constant:0"]);
    let url = server.url();
    let (code, findings) = check(&[
        target.url(),
        "-s",
        "lua/mixed-workload_type_1.lua",
        "--kube-url",
        &url,
    ]);
    assert_eq!(code, Some(0), "{findings:#?}");
    let says = |name: &str, text: &str| {
        let message = finding(&findings, name)["message"]
            .as_str()
            .expect("a text");
        assert!(message.contains(text), "{name}: {message}");
    };
    says("mixed-workload", "loads and makes requests");
    says(target.url(), "x 200");
    says("API server", "v1.34.9");
    says("get nodes/proxy", "allowed");
    says("answering", "metrics_resource");
    says("time stamps", "milliseconds");
    says("commands in containers", "cgroup v2");
    says("runtime of node-1", "containerd");
    says("clock of node-1", "ms against ours");
    says("in the mesh", "2 of 4 are not");
    says("injection labels of default", "none");
    says("mutual TLS", "not installed");
    says(
        "limits of default/frontend",
        "hotel-frontend 100m/64Mi of 200m/128Mi",
    );
    says("memcached", "memcached-profile");
    let output = Meshload::new(["check", "--kube-url", &url]).run();
    assert!(output.stdout.lines().count() < 45, "one screen: {output}");
    assert!(
        output.stdout.ends_with("things to keep in mind.\n"),
        "{output}"
    );
}

#[test]
fn check_says_what_stands_in_the_way_and_the_cure() {
    let server = ApiServer::start(Cluster {
        denied: vec!["/proxy"],
        ..hotel_now()
    });
    let url = server.url();
    let (code, findings) = check(&["--kube-url", &url]);
    assert_eq!(code, Some(1));
    let right = finding(&findings, "get nodes/proxy");
    assert_eq!(
        (&right["state"], &right["cure"]),
        (
            &"bad".into(),
            &"bind the role of docs/rbac.yaml to this account".into()
        )
    );
    let figures = finding(&findings, "figures");
    assert_eq!(
        (&figures["state"], &figures["area"], &figures["code"]),
        (&"bad".into(), &"sources".into(), &"figures".into())
    );

    let (code, findings) = check(&["http://127.0.0.1:9/", "--kube-url", "http://127.0.0.1:9"]);
    assert_eq!(code, Some(1));
    assert_eq!(finding(&findings, "http://127.0.0.1:9/")["state"], "bad");
    let access = finding(&findings, "API server");
    assert!(
        access["cure"]
            .as_str()
            .expect("a cure")
            .contains("check the address"),
        "{access}"
    );

    let server = ApiServer::start(Cluster {
        is_kubectl_proxy: true,
        runtime: "docker://26.1",
        has_network: false,
        ..hotel_now()
    });
    let url = server.url();
    let (_, findings) = check(&["--kube-url", &url]);
    assert!(
        finding(&findings, "runtime")["cure"]
            .as_str()
            .expect("a cure")
            .contains("containerd")
    );
    assert!(
        finding(&findings, "commands in containers")["cure"]
            .as_str()
            .expect("a cure")
            .contains("--reject-paths")
    );
    assert_eq!(finding(&findings, "network")["state"], "warn");
}

#[test]
fn check_finds_a_script_that_does_not_load_before_a_sweep_does() {
    let target = Hotel::start(["--service-time", "constant:0"]);
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("broken.lua");
    std::fs::write(&script, "request = function() return wrk.format(").expect("a file");
    let script = script.to_str().expect("a path");
    let (code, findings) = check(&[
        target.url(),
        "-s",
        script,
        "--kube-url",
        "http://127.0.0.1:9",
    ]);
    assert_eq!(code, Some(1));
    let broken = finding(&findings, target.url());
    assert!(
        broken["message"]
            .as_str()
            .expect("a text")
            .contains("broken.lua:1"),
        "{broken}"
    );
}

#[test]
fn check_without_a_cluster_looks_at_the_target_alone() {
    let target = Hotel::start(["--service-time", "constant:0"]);
    let nobody = tempfile::tempdir().expect("a folder");
    let home = format!("HOME={}", nobody.path().display());
    let without_cluster = [
        "env",
        "-u",
        "KUBECONFIG",
        "-u",
        "KUBERNETES_SERVICE_HOST",
        &home,
    ];
    let output = Meshload::through(without_cluster, ["check", target.url()]).run();
    assert_eq!(output.code, Some(0), "{output}");
    assert!(output.stdout.contains("there is no kubeconfig"), "{output}");
    let flags = ["-R", "10", "-d", "1s", target.url(), "--collect", "kube"];
    let output = Meshload::through(without_cluster, flags).run();
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains("give --kubeconfig FILE"), "{output}");
}

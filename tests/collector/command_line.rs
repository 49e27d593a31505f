//! The collector through the front door, in real time.

use super::*;
use meshload::clock::block_for;
use support::{Hotel, Meshload, done};

/// The study's table has its columns, and in them what the stand-in of a cluster says of the frontend.
fn assert_frontend_in_study_table(study: &str) {
    assert!(study.starts_with("Timestamp,RPS,Namespace,Category,Service,Pod,Node,CPU_Total(m),CPU_App(m),CPU_Sidecar(m),Memory_WorkingSet(Mi),Memory_RSS(Mi),Net_RX(KB/s),Net_TX(KB/s),Disk_Read(KB/s),Disk_Write(KB/s),System_Mem_BW,System_LLC_Metric,Istio_Enabled"));
    assert_eq!(study.lines().count(), 6, "{study}");
    let frontend: Vec<&str> = study
        .lines()
        .find(|line| line.contains(",frontend,"))
        .expect("a row")
        .split(',')
        .collect();
    for (column, truth) in [
        (7, 350.0),
        (8, 250.0),
        (9, 100.0),
        (10, 128.0),
        (11, 64.0),
        (12, 97.66),
        (13, 97.66),
    ] {
        let value: f64 = frontend[column].parse().expect("a number");
        assert!(
            (value / truth - 1.0).abs() < 0.03,
            "column {column} is {value}: {study}"
        );
    }
    assert_eq!(
        (frontend[1], frontend[3], frontend[18]),
        ("200", "application", "True")
    );
}

#[test]
fn a_run_with_a_collector_says_what_was_used_in_its_folder_and_on_the_terminal() {
    let server = ApiServer::start(hotel_now());
    let target = Hotel::start(["--service-time", "constant:1ms"]);
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().join("result");
    let url = server.url();
    let output = Meshload::new([
        "-R",
        "200",
        "-d",
        "3s",
        "--warmup",
        "1s",
        "--guard",
        "1s",
        target.url(),
        "--collect",
        "kube",
        "--kube-url",
        &url,
        "--collect-interval",
        "100ms",
        "-o",
        folder.to_str().expect("a path"),
    ])
    .run();
    done(&output);
    assert!(output.stdout.contains("Resources over 3.0s"), "{output}");
    assert!(
        output.stderr.contains("collecting from http://127.0.0.1"),
        "{output}"
    );
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("run.json")).expect("run.json"))
            .expect("JSON");
    let categories = &json["resources"]["categories"];
    assert_eq!(categories[0]["category"], "application");
    let sidecars = categories[0]["cpu_m"]["sidecar"]
        .as_f64()
        .expect("a number");
    assert!((sidecars / 140.0 - 1.0).abs() < 0.03, "{sidecars}");
    let study =
        std::fs::read_to_string(folder.join("k8s_full_metrics.csv")).expect("the study's table");
    assert_frontend_in_study_table(&study);
    let series = std::fs::read_to_string(folder.join("resources.csv")).expect("the series");
    assert!(
        series
            .lines()
            .any(|line| line.contains("frontend") && line.contains(",istio-proxy,sidecar,cpu,")),
        "{series}"
    );
    assert!(
        series.lines().any(|line| line.contains("missing: ")),
        "missing figures have their rows"
    );
    let report = Meshload::new(["report", folder.to_str().expect("a path")]).run();
    assert!(
        report.stdout.contains("Resources over 3.0s"),
        "the report says it again: {report}"
    );
}

#[test]
fn without_a_cluster_kube_fails_before_the_load_and_auto_goes_on_and_says_so() {
    let target = Hotel::start(["--service-time", "constant:0"]);
    let run = |from: &str| {
        let nowhere = "http://127.0.0.1:9";
        let flags = [
            "-R",
            "100",
            "-d",
            "1s",
            target.url(),
            "--collect",
            from,
            "--kube-url",
            nowhere,
        ];
        Meshload::new(flags).run()
    };
    let output = run("kube");
    assert_eq!(output.code, Some(1), "{output}");
    assert!(
        output.stderr.contains("127.0.0.1:9") && output.stderr.contains("check the address"),
        "{output}"
    );
    assert!(output.stdout.is_empty(), "no load was made: {output}");
    let output = run("auto");
    done(&output);
    assert!(
        output.stdout.contains("no cluster's figures are collected"),
        "{output}"
    );
}

#[test]
fn collect_alone_measures_beside_any_other_load() {
    let server = ApiServer::start(hotel_now());
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().join("result");
    let url = server.url();
    let output = Meshload::new([
        "collect",
        "--for",
        "2s",
        "--kube-url",
        &url,
        "--collect-interval",
        "100ms",
        "-o",
        folder.to_str().expect("a path"),
    ])
    .run();
    done(&output);
    assert!(output.stdout.contains("istio-control-plane"), "{output}");
    for file in [
        "collect.json",
        "samples.csv",
        "resources.csv",
        "resources_window.csv",
        "k8s_full_metrics.csv",
    ] {
        assert!(folder.join(file).exists(), "{file}");
    }
    let bytes = std::fs::read(folder.join("collect.json")).expect("a file");
    let read = meshload::files::collection_from_json(&bytes).expect("what was written can be read");
    assert_eq!(read.pods.len(), 5);
    let report = Meshload::new(["report", folder.to_str().expect("a path")]).run();
    assert_eq!(report.stdout, output.stdout, "the report says it again");
}

#[test]
fn a_run_that_is_interrupted_keeps_what_was_collected() {
    let server = ApiServer::start(hotel_now());
    let target = Hotel::start(["--service-time", "constant:1ms"]);
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().join("result");
    let url = server.url();
    let running = Meshload::new([
        "-R",
        "100",
        "-d",
        "30s",
        target.url(),
        "--collect",
        "kube",
        "--kube-url",
        &url,
        "--collect-interval",
        "100ms",
        "-o",
        folder.to_str().expect("a path"),
    ])
    .start();
    support::wait_until("the window's first edge is read", || {
        server.calls_to("/exec") > 5
    });
    block_for(Nanos::from_secs(2));
    running.signal(rustix::process::Signal::INT);
    let output = running.finish();
    assert_eq!(output.code, Some(130), "{output}");
    assert!(output.elapsed.as_secs() < 20, "{output}");
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("run.json")).expect("run.json"))
            .expect("JSON");
    let app = json["resources"]["categories"][0]["cpu_m"]["app"]
        .as_f64()
        .expect("a number");
    assert!((app / 360.0 - 1.0).abs() < 0.05, "{app}");
}

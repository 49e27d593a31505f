//! Claims: a run with the collector on is as punctual as one without (median of the lateness within
//! 1.2 times), and the collector uses less than 2 % of a core at an interval of 2 s with fifty pods.
//!
//! Ten interleaved pairs of runs against a hotel at 800/s; every second one collects from a stand-in
//! cluster of fifty pods with two containers each. `cargo bench --bench collector`, some six minutes.

#![allow(clippy::print_stdout)] // a bench prints

#[allow(dead_code, clippy::disallowed_methods)] // the tests use the rest, and a fault waits
#[path = "../tests/support/api_server/mod.rs"]
mod api_server;

use api_server::ApiServer;
use api_server::cluster::Cluster;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

const PAIRS: usize = 10;

struct Run {
    late_p50: f64,
    late_p99: f64,
    share_of_core: f64,
    calls: f64,
    bytes: f64,
}

fn run(target: &str, collect: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_meshload"))
        .args([
            "-R", "800", "-d", "8s", "--guard", "0s", "-q", "--json", "-", target,
        ])
        .args(collect)
        .output()
        .expect("meshload runs");
    let json: Value = serde_json::from_slice(&output.stdout).expect("a result");
    let micros = |name: &str| json["late_ns"][name].as_f64().expect("a number") / 1e3;
    let collector = &json["resources"]["collector"];
    let figure = |name: &str| collector[name].as_f64().unwrap_or(0.0);
    Run {
        late_p50: micros("p50"),
        late_p99: micros("p99"),
        share_of_core: figure("cpu_seconds") / figure("seconds").max(1e-9),
        calls: figure("calls"),
        bytes: figure("bytes"),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0
}

fn main() {
    // `cargo test --benches` passes --test: one pair shows that it works.
    let pairs = if std::env::args().any(|word| word == "--bench") {
        PAIRS
    } else {
        1
    };
    let started = meshload::clock::unix_now().0 - 3_600_000_000_000;
    let server = ApiServer::start(Cluster::of_pods(50, started));
    let mut hotel = Command::new(env!("CARGO_BIN_EXE_meshload"))
        .args([
            "hotel",
            "--listen",
            "127.0.0.1:0",
            "--service-time",
            "constant:0",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .expect("a hotel");
    let mut line = String::new();
    let stdout = hotel.stdout.take().expect("a pipe");
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    let target = line.trim().rsplit(' ').next().expect("a URL").to_owned();
    let url = server.url();
    let flags = ["--collect", "kube", "--kube-url", &url];
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for pair in 0..pairs {
        // The order alternates, so that what drifts does not favour either.
        if pair % 2 == 0 {
            without.push(run(&target, &[]));
            with.push(run(&target, &flags));
        } else {
            with.push(run(&target, &flags));
            without.push(run(&target, &[]));
        }
    }
    let _ = hotel.kill();
    let _ = hotel.wait();
    let of = |runs: &[Run], pick: fn(&Run) -> f64| median(runs.iter().map(pick).collect());
    println!("lateness, medians of {pairs} pairs (us)      without       with      ratio");
    for (name, pick) in [
        ("p50", (|run| run.late_p50) as fn(&Run) -> f64),
        ("p99", |run| run.late_p99),
    ] {
        let (one, other) = (of(&without, pick), of(&with, pick));
        println!(
            "  {name}                                {one:>10.2} {other:>10.2} {:>10.2}",
            other / one
        );
    }
    println!(
        "collector: {:.2} % of a core, {:.0} calls and {:.1} MB a run",
        of(&with, |run| run.share_of_core) * 100.0,
        of(&with, |run| run.calls),
        of(&with, |run| run.bytes) / 1e6
    );
}

//! Numbers that can be worked out beforehand, through the front door.
//!
//! A server freezes for S seconds once in a run of T seconds and is otherwise instant: a request
//! due x seconds before the end of the freeze waits x, so the share of latencies above x is
//! (S - x) / T. With S = 1 s and T = 10 s the 95th percentile is 0.5 s and the 99th 0.9 s.

use crate::support::{Hotel, Meshload, Output, done, machine, until_believed};
use serde_json::Value;

/// `meshload FLAGS URL`
fn meshload(flags: &[&str], urls: &[&str]) -> Output {
    Meshload::new(flags.iter().chain(urls)).run()
}

/// A run that was made, as it wrote itself with `--json -`.
fn run(flags: &[&str], url: &str) -> Value {
    let output = meshload(flags, &[url]);
    done(&output);
    output.json()
}

fn percentile(run: &Value, times: &str, name: &str) -> f64 {
    let nanos = run[times][name].as_f64();
    nanos.unwrap_or_else(|| panic!("{times}.{name} is missing in {run}")) / 1e9
}

fn url(hotel: &Hotel) -> String {
    format!(
        "{}/hotels?inDate=2015-04-09&outDate=2015-04-10&lat=38&lon=-122",
        hotel.url()
    )
}

/// What is wrong with the answer, if anything.
fn wrong_answer(run: &Value) -> Option<String> {
    let (p95, p99) = (
        percentile(run, "latency_ns", "p95"),
        percentile(run, "latency_ns", "p99"),
    );
    let uncorrected = percentile(run, "service_ns", "p95");
    // The wait was the server's fault: no connection was free, and the generator was not late.
    let (blocked, late) = (
        percentile(run, "blocked_ns", "p95"),
        percentile(run, "late_ns", "p95"),
    );
    let is_right = (0.485..0.55).contains(&p95)
        && (0.88..0.95).contains(&p99)
        && uncorrected < 0.010
        && blocked > 0.35
        && late < 0.010;
    (!is_right).then(|| {
        format!(
            "p95 {p95}, p99 {p99}, uncorrected p95 {uncorrected}, blocked {blocked}, late {late}"
        )
    })
}

#[test]
fn a_freeze_of_one_second_shows_its_whole_length_in_the_corrected_latencies_only() {
    let _alone = machine();
    // A machine that is taken away for a while adds a freeze of its own. At this rate the queue that
    // the freeze leaves is gone at once on a busy machine, too.
    until_believed(4, |_| {
        let hotel = Hotel::start(["--service-time", "constant:0", "--stall", "1s@5s"]);
        let flags = ["-R", "200", "-d", "10s", "-c", "20", "--json", "-"];
        let run = run(&flags, &url(&hotel));
        assert_eq!(run["requests"]["scheduled"], 2_000);
        assert_eq!(run["requests"]["scheduled_by_ledger"], 2_000);
        wrong_answer(&run).map_or(Ok(()), Err)
    });
}

#[test]
fn the_latency_of_an_idle_server_does_not_depend_on_connections_or_threads() {
    let _alone = machine();
    // Long enough for what a busy machine adds to be a small part of it.
    let hotel = Hotel::start(["--service-time", "constant:50ms"]);
    let median = |connections: &str, threads: &str| {
        let load = ["-R", "40", "-d", "1s", "--pacing", "timer", "--json", "-"];
        let flags = [&load[..], &["-c", connections, "-t", threads]].concat();
        percentile(&run(&flags, &url(&hotel)), "latency_ns", "p50")
    };
    // The lowest of some rounds: what others do on this machine can only add to a median.
    let mut medians = [f64::MAX; 3];
    until_believed(6, |_| {
        let loads = [("4", "1"), ("20", "2"), ("100", "4")];
        for (lowest, (connections, threads)) in medians.iter_mut().zip(loads) {
            *lowest = lowest.min(median(connections, threads));
        }
        let least = medians.iter().copied().fold(f64::MAX, f64::min);
        let most = medians.iter().copied().fold(0.0, f64::max);
        let are_alike = most / least < 1.05 && (0.050..0.055).contains(&least);
        are_alike.then_some(()).ok_or(format!("{medians:?}"))
    });
}

#[test]
fn an_overloaded_server_leaves_a_backlog_that_is_accounted_for() {
    let _alone = machine();
    let hotel = Hotel::start(["--service-time", "constant:0", "--capacity", "100/s"]);
    let flags = ["-R", "400", "-d", "2s", "-c", "10", "--json", "-"];
    let run = run(&flags, &url(&hotel));
    let requests = &run["requests"];
    let count = |name: &str| requests[name].as_u64().expect("a count");
    assert_eq!(count("scheduled"), 800);
    assert_eq!(
        count("scheduled"),
        count("completed") + count("failed") + count("unfinished")
    );
    // The server did some 200; the others were still waiting, and their waits are in the figures.
    assert!((150..260).contains(&count("completed")), "{requests}");
    assert_eq!(run["latency_ns"]["count"], 800);
    assert!(
        run["latency_ns"]["lower_bound"]
            .as_array()
            .is_some_and(|bounds| !bounds.is_empty())
    );
    assert_eq!(
        run["routes"]["(unsent)"]["requests"]
            .as_u64()
            .map(|unsent| unsent > 400),
        Some(true)
    );
    let intervals = run["intervals"].as_array().expect("intervals");
    assert!(
        intervals
            .last()
            .and_then(|last| last["backlog"].as_u64())
            .is_some_and(|left| left > 400)
    );
    assert_ne!(
        run["verdict"]["level"], "VALID",
        "more than one percent is unfinished"
    );
}

#[test]
fn the_same_seed_sends_the_same_requests() {
    let _alone = machine();
    let hotel = Hotel::start(["--service-time", "constant:0"]);
    let routes = |seed: &str| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/lua/mixed-workload_type_1.lua");
        let flags = [
            "-R", "500", "-d", "1s", "-t", "1", "-D", "exp", "--seed", seed, "-s", script,
            "--json", "-",
        ];
        let run = run(&flags, hotel.url());
        let names = [
            "GET /hotels",
            "GET /recommendations",
            "POST /user",
            "POST /reservation",
        ];
        (
            run["requests"]["scheduled"].clone(),
            names.map(|name| run["routes"][name]["requests"].clone()),
        )
    };
    assert_eq!(routes("7").0, routes("7").0);
    assert_ne!(routes("7"), routes("8"));
}

#[test]
fn warm_up_and_guard_are_load_but_not_measured() {
    let _alone = machine();
    let hotel = Hotel::start(["--service-time", "constant:0"]);
    let flags = [
        "-R", "200", "--warmup", "1s", "-d", "2s", "--guard", "500ms", "--json", "-",
    ];
    let run = run(&flags, &url(&hotel));
    assert_eq!(run["requests"]["scheduled"], 400);
    assert_eq!(run["requests"]["sent"], 700);
    assert_eq!(run["window"]["warmup_ns"], 1_000_000_000u64);
    assert_eq!(
        run["requests"]["unfinished"], 0,
        "the guard lets the last ones finish"
    );
    let phases: Vec<_> = run["intervals"]
        .as_array()
        .expect("intervals")
        .iter()
        .map(|i| i["phase"].clone())
        .collect();
    assert_eq!(phases, ["warmup", "window", "window", "guard"]);
}

#[test]
fn a_ramp_offers_the_mean_of_its_ends() {
    let _alone = machine();
    let hotel = Hotel::start(["--service-time", "constant:0"]);
    let flags = ["--ramp", "100:500", "-d", "2s", "--json", "-"];
    let run = run(&flags, &url(&hotel));
    assert_eq!(run["requests"]["scheduled"], 600);
    let seconds = run["intervals"].as_array().expect("intervals");
    let of = |index: usize| seconds[index]["scheduled"].as_u64().expect("a count");
    assert!(
        (195..=205).contains(&of(0)) && (395..=405).contains(&of(1)),
        "{} {}",
        of(0),
        of(1)
    );
}

#[test]
fn the_report_prints_the_same_text_from_the_folder_alone() {
    let _alone = machine();
    let hotel = Hotel::start(["--service-time", "constant:1ms"]);
    let place = tempfile::tempdir().expect("a place");
    let folder = place.path().join("new/result");
    let folder = folder.to_str().expect("a name");
    let printed = meshload(
        &["-R", "300", "-d", "1s", "-L", "-U", "-o", folder],
        &[&url(&hotel)],
    );
    let reported = meshload(&["report", folder], &[]);
    let text = |output: &str| {
        let end = output.find("Transfer/sec").expect("a text");
        let line = output[end..].find('\n').expect("a line");
        output[..end + line].to_owned()
    };
    done(&printed);
    assert_eq!(text(&printed.stdout), text(&reported.stdout));
    for name in [
        "spec.json",
        "wrk.txt",
        "latency.hlog",
        "intervals.csv",
        "run.json",
    ] {
        assert!(
            place.path().join("new/result").join(name).exists(),
            "{name}"
        );
    }
    let again = meshload(&["-R", "300", "-d", "1s", "-o", folder], &[&url(&hotel)]);
    assert_eq!(
        again.code,
        Some(2),
        "a folder that is not empty is refused: {}",
        again.stderr
    );
}

#[test]
fn the_demo_and_the_selftest_work_with_nothing_else_installed() {
    let _alone = machine();
    let place = tempfile::tempdir().expect("a place");
    let folder = place.path().join("demo");
    let demo = meshload(
        &["demo", "-d", "1s", "-o", folder.to_str().expect("a name")],
        &[],
    );
    done(&demo);
    assert!(demo.stdout.contains("Requests/sec:") && demo.stdout.contains("What to look\nat next"));
    let page = std::fs::read_to_string(folder.join("report.html")).expect("a page");
    assert!(page.contains("Over time") && folder.join("plots/percentiles.png").exists());
    assert!(folder.join("run.json").exists() && folder.join("mixed-workload_type_1.lua").exists());
    let selftest = meshload(&["selftest", "--short"], &[]);
    done(&selftest);
    assert!(selftest.stdout.contains("known answer"), "{selftest}");
}

//! Result folders of an older meshload: they are read, reported, compared, used as a baseline and
//! resumed. `tests/fixtures/old/README.md` says how the folders were made. The figures asserted here
//! are what the version that wrote the folders said of them, so that a folder that is read wrongly
//! without an error fails too.

use crate::support::{Hotel, Machine, machine, meshload, path_text, until_believed};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Where the servers of the fixtures listened.
const FAST: &str = "127.0.0.1:18481";
const SLOW: &str = "127.0.0.1:18482";

fn fixture(name: &str) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/old");
    fixtures.join(name)
}

/// A copy that a test may write to; it is removed together with the folder around it.
fn copy_of(name: &str) -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().expect("a folder");
    let copy = home.path().join(name);
    copy_folder(&fixture(name), &copy);
    (home, copy)
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// The words of the first line that begins with those of `start`, after a line that contains
/// `section`.
#[track_caller]
fn row_after<'a>(text: &'a str, section: &str, start: &str) -> Vec<&'a str> {
    let lines = text.lines().skip_while(|line| !line.contains(section));
    let mut rows = lines.map(words);
    rows.find(|row| row.starts_with(&words(start)))
        .unwrap_or_else(|| panic!("no line `{start}` after `{section}`:\n{text}"))
}

/// Asserts that a row has these words in this order, with others between them.
#[track_caller]
fn assert_row(text: &str, section: &str, start: &str, wanted: &str) {
    let row = row_after(text, section, start);
    let mut rest = row.iter();
    for word in words(wanted) {
        assert!(rest.any(|found| *found == word), "{word}: {row:?}\n{text}");
    }
}

/// The text of `report FOLDER`; the page is written beside it and has `wanted` in it.
#[track_caller]
fn reported(name: &str, wanted: &[&str]) -> String {
    let (home, copy) = copy_of(name);
    let out = home.path().join("page");
    let output = meshload(["report", path_text(&copy), "-o", path_text(&out)]);
    assert_eq!(output.code, Some(0), "{output}");
    let page = fs::read_to_string(out.join("report.html")).expect("a page");
    for part in wanted {
        assert!(page.contains(part), "the page of {name} lacks {part}");
    }
    output.stdout
}

#[track_caller]
fn compared(args: &[&str]) -> String {
    let output = meshload([&["compare"], args].concat());
    assert_eq!(output.code, Some(0), "{output}");
    output.stdout
}

#[test]
fn an_old_run_is_reported() {
    let stdout = reported("run", &["GET /recommendations", "1.79"]);
    assert!(stdout.contains("100 = completed 100"), "{stdout}");
    assert_row(&stdout, "p50", "latency", "1.79ms 1.92ms");
    assert_row(&stdout, "p50", "late", "337.41us");
    assert_row(&stdout, "route", "GET /hotels", "61 0 1.79ms");
    assert!(stdout.contains("SUSPECT"), "{stdout}");
}

#[test]
fn an_old_run_with_processes_is_reported() {
    let stdout = reported("run_of_two_with_processes", &["29.3", "2.47"]);
    assert_row(&stdout, "p50", "latency", "2.47ms 5.05ms");
    assert_row(&stdout, "CPU", "application", "app 1 20.0 29.31MB");
}

#[test]
fn an_old_collection_is_reported() {
    let stdout = reported("collection", &["58.6"]);
    assert_row(&stdout, "CPU", "application", "app 2 15.0 58.60MB");
}

#[test]
fn an_old_repeat_folder_is_reported_and_compared() {
    let stdout = reported("repeated", &["baseline", "new"]);
    assert_row(&stdout, "baseline", "50", "6 50.0 4.95ms 6.07ms 6 of 6");
    assert_row(&stdout, "new", "50", "6 50.0 1.81ms 2.14ms 6 of 6");
    let folder = fixture("repeated");
    let folder = path_text(&folder);
    let stdout = compared(&[folder]);
    let p50 = "4.94ms 1.80ms 0.364 [0.351, 0.377]";
    assert_row(&stdout, "50/s (6 blocks)", "latency_p50", p50);
    // Each arm of it by itself.
    let stdout = compared(&[&format!("{folder}:new"), &format!("{folder}:baseline")]);
    assert_row(&stdout, "50/s", "latency_p50", "1.80ms 4.94ms");
}

#[test]
fn an_old_repeat_folder_serves_as_a_baseline() {
    let _machine = machine();
    let _fast = Hotel::listening_at(FAST, ["--service-time", "constant:1ms"]);
    let home = tempfile::tempdir().expect("a folder");
    let out = home.path().join("results");
    let folder = fixture("repeated");
    let url = format!("http://{FAST}");
    let flags =
        "-q -R 50 -d 500ms --seed 7 -t 1 -c 4 --pacing timer --repeat 2 --max-regression p50=1000%";
    let baseline = format!("{}:new", path_text(&folder));
    let mut args = words(flags);
    args.extend([&url, "--baseline", &baseline, "-o", path_text(&out)]);
    crate::support::done(&meshload(&args));
    let gate = fs::read(out.join("gate.json")).expect("what the baseline said");
    let gate: Value = serde_json::from_slice(&gate).expect("JSON");
    let regressions = gate["regressions"].as_array().expect("a list");
    let metrics: Vec<_> = regressions.iter().map(|one| &one["metric"]).collect();
    assert_eq!(metrics, ["rate", "errors", "p50"]);
    // All six runs of the baseline were read and held the rate.
    let why = regressions[0]["why"].as_str().expect("a reason");
    assert!(why.contains("in the baseline in 6 of 6"), "{gate}");
}

/// What the older version said of p50 at 40/s and at 60/s: first arm, second arm, ratio.
const FINISHED: [(&str, &str, &str); 3] = [
    ("sequential", "1.76ms 4.94ms 2.815", "1.81ms 4.93ms 2.723"),
    ("interleaved", "1.86ms 4.97ms 2.672", "1.80ms 4.97ms 2.759"),
    ("random", "1.81ms 4.91ms 2.713", "1.80ms 4.88ms 2.705"),
];

#[test]
fn finished_old_sweeps_are_reported_and_compared() {
    for (order, at_40, at_60) in FINISHED {
        let name = format!("sweep_{order}");
        let stdout = reported(&name, &["fast", "slow"]);
        let p50 = words(at_40);
        assert_row(&stdout, "fast", "40", &format!("2 34.0 {}", p50[0]));
        assert_row(&stdout, "slow", "40", &format!("2 34.0 {}", p50[1]));
        let stdout = compared(&[path_text(&fixture(&name))]);
        assert_row(&stdout, "40/s (2 blocks)", "latency_p50", at_40);
        assert_row(&stdout, "60/s", "latency_p50", at_60);
    }
    // One step of `interleaved` is INVALID and is left out everywhere.
    let stdout = reported("sweep_interleaved", &[]);
    assert_row(&stdout, "slow", "60", "2 51.0 4.97ms 7.55ms* 1 of 2:");
    let stdout = compared(&[path_text(&fixture("sweep_interleaved"))]);
    assert!(stdout.contains("60/s (1 blocks)"), "{stdout}");
}

#[test]
fn an_old_sweep_with_a_cluster_is_reported_and_compared() {
    let stdout = reported("sweep_cluster", &["hotel-frontend", "istio-proxy"]);
    assert_row(&stdout, "baseline", "50", "1 47.3 1.72ms 360.1 0.0 1 of 1");
    assert_row(&stdout, "istio", "50", "1 47.3 2.04ms 360.7 150.2 1 of 1");
    let stdout = compared(&[path_text(&fixture("sweep_cluster"))]);
    for (metric, wanted) in [
        ("latency_p50", "1.72ms 2.04ms 1.188"),
        ("cpu_total", "360.1m 510.9m 1.419"),
        ("cpu_app", "360.1m 360.7m 1.002"),
        ("cpu_sidecar", "0.0m 150.2m"),
        ("cpu_control_plane", "30.0m 30.1m 1.002"),
        ("cpu_per_request", "7.608ms 10.793ms 1.419"),
        ("memory", "256.00MB 448.00MB 1.750"),
    ] {
        assert_row(&stdout, "50/s (1 blocks)", metric, wanted);
    }
}

#[test]
fn a_half_old_sweep_is_reported_with_what_it_has() {
    let stdout = reported("half_sequential", &["fast", "slow"]);
    assert_row(&stdout, "fast", "40", "2 34.0 1.82ms 2 of 2");
    assert_row(&stdout, "fast", "60", "2 51.5 1.80ms 2 of 2");
    // The slow arm's one finished step is INVALID.
    assert_row(&stdout, "slow", "40", "1 - 0 of 1:");
    let stdout = compared(&[path_text(&fixture("half_interleaved"))]);
    assert_row(
        &stdout,
        "40/s (1 blocks)",
        "latency_p50",
        "1.86ms 4.86ms 2.607",
    );
}

/// Both servers of the fixtures, with the machine for as long as they run: their ports are fixed.
fn servers() -> (Machine, Hotel, Hotel) {
    let machine = machine();
    let fast = Hotel::listening_at(FAST, ["--service-time", "constant:1ms"]);
    let slow = Hotel::listening_at(SLOW, ["--service-time", "constant:4ms"]);
    (machine, fast, slow)
}

/// Arm, rate and repetition of every step: the names of their folders without the number.
fn steps(sweep: &Path) -> BTreeMap<String, PathBuf> {
    let entries = fs::read_dir(sweep.join("steps")).expect("steps");
    let steps = entries.map(|entry| {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        let (_, key) = name.split_once('-').expect("a number before the key");
        (key.to_owned(), path.clone())
    });
    let all: Vec<_> = steps.collect();
    let keys: BTreeMap<_, _> = all.iter().cloned().collect();
    assert_eq!(keys.len(), all.len(), "a step has two folders: {all:?}");
    keys
}

/// What `run.json` says for each step that has one.
fn results(sweep: &Path) -> BTreeMap<String, Vec<u8>> {
    let steps = steps(sweep).into_iter();
    let results = steps.map(|(key, step)| Some((key, fs::read(step.join("run.json")).ok()?)));
    results.flatten().collect()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON")
}

/// The seed of each step's schedule.
fn seeds(sweep: &Path) -> BTreeMap<String, u64> {
    let steps = steps(sweep).into_iter();
    let seeds = steps.map(|(key, step)| {
        let spec = json(&step.join("spec.json"));
        (key, spec["load"]["seed"].as_u64().expect("a seed"))
    });
    seeds.collect()
}

/// The steps in the order in which the journal says that they ended.
fn order_of(sweep: &Path) -> Vec<String> {
    let journal = fs::read_to_string(sweep.join("journal.jsonl")).expect("a journal");
    let lines = journal.lines().map(serde_json::from_str::<Value>);
    let finished = lines
        .flatten()
        .filter(|one| one["event"] == "step_finished");
    let keys = finished.map(|one| {
        let folder = one["folder"].as_str().expect("a folder");
        folder.split_once('-').expect("a number").1.to_owned()
    });
    keys.collect()
}

/// Runs the sweep in a folder to its end. A step in which this machine stood still has measured
/// nothing, and the same command measures it again.
#[track_caller]
fn resume(args: &[&str]) {
    until_believed(4, |_| {
        let output = meshload(args);
        let is_whole = output.code == Some(0);
        is_whole.then_some(()).ok_or_else(|| output.to_string())
    });
}

/// Resumes a half sweep and compares it with the sweep of the same plan that was not interrupted.
fn resumed(order: &str, flags: &str) {
    let (_home, copy) = copy_of(&format!("half_{order}"));
    let before = results(&copy);
    let whole = fixture(&format!("sweep_{order}"));
    let _servers = servers();
    let mut args = vec!["sweep", "-q", "-o", path_text(&copy)];
    args.extend(words(flags));
    resume(&args);
    let after = results(&copy);
    let all: BTreeSet<_> = after.keys().cloned().collect();
    assert_eq!(all, steps(&whole).into_keys().collect());
    for (key, run) in &before {
        assert!(after[key] == *run, "{key} was measured again");
    }
    assert_eq!(seeds(&copy), seeds(&whole), "other arrivals");
    let order = order_of(&copy);
    assert_eq!(order.len(), 8, "each step is measured once: {order:?}");
    assert_eq!(order, order_of(&whole));
    let table = fs::read_to_string(copy.join("latency_stats.csv")).expect("a table");
    assert_eq!(table.lines().count(), 1 + 8, "{table}");
}

#[test]
fn a_half_old_sequential_sweep_is_resumed() {
    resumed("sequential", "");
}

#[test]
fn a_half_old_random_sweep_is_resumed() {
    resumed("random", "");
}

/// The flags that began it mean the same plan as the one in the folder.
#[test]
fn a_half_old_interleaved_sweep_is_resumed_by_its_own_flags() {
    let flags = format!(
        "--arm fast=http://{FAST} --arm slow=http://{SLOW} --rates 40,60 --repetitions 2 \
         --order interleaved --warmup 0s --measure 1s --guard 100ms --skip-warmup \
         --fixed-cooldown 0 -t 1 -c 4 --pacing timer --seed 7 --collect none"
    );
    resumed("interleaved", &flags);
}

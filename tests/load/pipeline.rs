//! meshload in a pipeline: thresholds, exit codes, and what a build server shows.

use crate::support::sweep::names;
use crate::support::{
    Hotel, Meshload, Output, beside_others, machine, path_text, read, script_in, until_believed,
    wait_until,
};
use rustix::process::Signal;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

fn run(target: &str, flags: &[&str]) -> Output {
    let words = "-R 100 -d 2s --guard 300ms -t 1 -c 30 -q".split(' ');
    Meshload::new(words.chain(flags.iter().copied()).chain([target])).run()
}

/// A service time of which a tenth, the limit for a generator's lateness, is more than a busy machine
/// makes it late.
const LONG: &str = "constant:150ms";
/// The same and 30 % more.
const LONGER: &str = "constant:195ms";

/// A script that takes 20 ms for each request, so that it cannot be in time at 100/s.
const BURN: &str = "function request()
  local t = os.clock()
  while os.clock() - t < 0.02 do end
  return wrk.format('GET', '/')
end";

/// A run in which the generator was in time.
fn believed(target: &str, flags: &[&str]) -> Output {
    until_believed(8, |_| {
        let output = run(target, flags);
        if output.code == Some(4) {
            Err(output.to_string())
        } else {
            Ok(output)
        }
    })
}

#[test]
fn a_threshold_that_is_crossed_is_exit_3_and_every_one_is_listed() {
    let _machine = machine();
    let hotel = Hotel::start(["--service-time", LONG]);
    let holds = believed(
        hotel.url(),
        &["--fail-if", "p50 > 1s", "--fail-if", "error_rate > 99%"],
    );
    assert_eq!(holds.code, Some(0), "{holds}");
    let fails = believed(
        hotel.url(),
        &["--fail-if", "p50 > 1s", "--fail-if", "service.p50 > 20ms"],
    );
    assert_eq!(fails.code, Some(3), "{fails}");
    assert!(fails.stdout.contains("  holds  p50 > 1s"), "{fails}");
    assert!(
        fails.stdout.contains("  FAILS  service.p50 > 20ms  is "),
        "{fails}"
    );
    let nowhere = believed(
        hotel.url(),
        &["--fail-if", "route(\"GET /nowhere\").p50 > 1s"],
    );
    assert_eq!(
        nowhere.code,
        Some(3),
        "what cannot be told fails: {nowhere}"
    );
    assert!(nowhere.stdout.contains("cannot be told"), "{nowhere}");
}

#[test]
fn an_invalid_run_is_exit_4_whatever_the_thresholds_say() {
    let _machine = beside_others();
    let hotel = Hotel::start(["--service-time", "constant:0"]);
    let home = tempfile::tempdir().expect("a folder");
    let script = script_in(home.path(), BURN);
    let output = run(
        hotel.url(),
        &["-s", &script, "--fail-if", "service.p50 > 0s"],
    );
    assert_eq!(output.code, Some(4), "{output}");
    assert!(
        output.stdout.contains("FAILS  service.p50 > 0s"),
        "{output}"
    );
}

#[test]
fn a_threshold_that_cannot_be_read_is_refused_before_the_run() {
    for (typed, word) in [
        ("p99 50ms", "column 5"),
        ("q > 1", "column 1"),
        ("cpu.sidecar > 1", "--collect"),
    ] {
        let output = run("http://127.0.0.1:9/", &["--fail-if", typed]);
        assert_eq!(output.code, Some(2), "{typed}: {output}");
        assert!(output.stderr.contains(word), "{typed}: {output}");
    }
}

#[test]
fn what_a_build_server_shows() {
    let _machine = beside_others();
    let home = tempfile::tempdir().expect("a folder");
    let hotel = Hotel::start(["--service-time", "constant:5ms"]);
    let [summary, junit, step] =
        ["summary.md", "junit.xml", "step.md"].map(|name| home.path().join(name));
    fs::write(&step, "before\n").expect("written");
    let words = [
        "-R",
        "200",
        "-d",
        "2s",
        "-t",
        "1",
        "-q",
        "--fail-if",
        "service.p50 > 2ms",
        "--fail-if",
        "p50 > 1s",
        "--summary-md",
        path_text(&summary),
        "--junit",
        path_text(&junit),
        hotel.url(),
    ];
    let assignments = format!(
        "export GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY={}",
        step.display()
    );
    let output = Meshload::after(&assignments, words).run();
    assert!(matches!(output.code, Some(3 | 4)), "{output}");
    let markdown = read(&summary);
    assert!(markdown.starts_with("### meshload: "), "{markdown}");
    assert!(
        markdown.contains("| `p50 > 1s` | ") && markdown.contains("**fails**"),
        "{markdown}"
    );
    assert_eq!(
        read(&step),
        format!("before\n{markdown}"),
        "added to what was there"
    );
    assert!(
        output
            .stderr
            .contains("::error title=meshload: threshold::service.p50 > 2ms is "),
        "{output}"
    );
    let xml = read(&junit);
    assert!(
        xml.contains("tests=\"3\"") && xml.contains("not service.p50 &gt; 2ms"),
        "{xml}"
    );
    assert!(xml.contains("<failure"), "{xml}");
}

#[test]
fn a_sweeps_thresholds_are_of_its_plan() {
    let _machine = machine();
    let home = tempfile::tempdir().expect("a folder");
    let hotel = Hotel::start(["--service-time", LONG]);
    let plan = home.path().join("plan.toml");
    let text = format!(
        "rates = [25, 50]\nverify = false\nwarmup = \"0s\"\nmeasure = \"1s\"\nguard = \"300ms\"\ncooldown = \"0s\"\n\
         [load]\nthreads = 1\n[cluster]\ncollect = \"none\"\n[warm_up_first]\nlength = \"0s\"\n\
         [[arm]]\nname = \"one\"\nurl = \"{}\"\n[[threshold]]\nfail_if = \"service.p50 > 20ms\"\nrate = 50\n",
        hotel.url()
    );
    fs::write(&plan, &text).expect("written");
    let sweep = |out: &str| {
        let out = home.path().join(out);
        let words = ["sweep", "-q", path_text(&plan), "-o", path_text(&out)];
        Meshload::new(words).run()
    };
    // Each in a folder of its own: a step that is INVALID is finished all the same.
    let output = until_believed(8, |number| {
        let output = sweep(&number.to_string());
        if output.stdout.contains("INVALID") {
            Err(output.to_string())
        } else {
            Ok(output)
        }
    });
    assert_eq!(output.code, Some(3), "{output}");
    assert!(
        output
            .stdout
            .contains("50-rep1\nFail if:\n  FAILS  service.p50 > 20ms"),
        "{output}"
    );
    assert!(
        !output.stdout.contains("25-rep1\nFail if"),
        "the other rate: {output}"
    );
    fs::write(&plan, text.replace("rate = 50\n", "arm = \"two\"\n")).expect("written");
    let output = sweep("refused");
    assert_eq!(output.code, Some(2), "{output}");
    assert!(output.stderr.contains("the arm two"), "{output}");
    let blind = text.replace("service.p50 > 20ms", "cpu.app > 1m");
    fs::write(&plan, blind).expect("written");
    let output = sweep("blind");
    assert_eq!(output.code, Some(2), "{output}");
    assert!(output.stderr.contains("the arm one has none"), "{output}");
}

#[test]
fn shells_and_readers_are_served_from_the_same_definition() {
    for shell in ["bash", "zsh", "fish"] {
        let output = Meshload::new(["completions", shell]).run();
        assert_eq!(output.code, Some(0), "{output}");
        assert!(
            output.stdout.contains("fail-if") && output.stdout.contains("sweep"),
            "{shell}"
        );
    }
    let man = Meshload::new(["man"]).run();
    assert_eq!(man.code, Some(0), "{man}");
    assert!(
        man.stdout.contains(".TH meshload 1") && man.stdout.contains("fail\\-if"),
        "{man}"
    );
}

/// Short runs against a hotel that takes its time, as a gate compares them.
fn gate(target: &str, flags: &[&str]) -> Output {
    let words = "-R 50 -d 1s --guard 300ms -t 1 -c 20 -q".split(' ');
    Meshload::new(words.chain(flags.iter().copied()).chain([target])).run()
}

/// What can be said of a metric, as it is told; `None` when the machine was too noisy to say.
fn told<'a>(output: &'a Output, metric: &str) -> Option<&'a str> {
    let lines = output.stdout.lines().map(str::trim);
    let told = lines.filter_map(|line| line.split_once(&format!(" {metric} ")));
    let words = ["no regression", "REGRESSION", "not resolved"];
    let told = told.map(|(word, _)| word.trim());
    told.rev().find(|word| words.contains(word))
}

fn one_run(folder: &str) -> String {
    format!("{folder}/steps/0001-new-50-rep1/run.json")
}

#[test]
fn runs_of_which_none_can_be_believed_are_exit_4_and_tell_nothing() {
    let _machine = beside_others();
    let home = tempfile::tempdir().expect("a folder");
    let hotel = Hotel::start(["--service-time", "constant:0"]);
    let script = script_in(home.path(), BURN);
    let words = [
        "-R",
        "100",
        "-d",
        "800ms",
        "--guard",
        "0s",
        "-t",
        "1",
        "-q",
        "-s",
        &script,
        "--baseline",
        hotel.url(),
        "--max-regression",
        "p50=10%",
        "--fail-if",
        "p50 > 10s",
        hotel.url(),
    ];
    // A machine that gives the script no time at all completes nothing, which is exit 1.
    let output = until_believed(4, |_| {
        let output = Meshload::new(words).run();
        match output.code {
            Some(1) => Err(output.to_string()),
            _ => Ok(output),
        }
    });
    assert_eq!(output.code, Some(4), "{output}");
    assert!(output.stdout.contains("FAILS  p50 > 10s"), "{output}");
    assert!(
        output.stdout.contains("no run that can be believed"),
        "{output}"
    );
}

#[test]
fn a_build_is_held_against_a_folder_of_before() {
    let _machine = machine();
    let home = tempfile::tempdir().expect("a folder");
    let place = |name: &str| home.path().join(name).display().to_string();
    let [quick, slow] = [LONG, LONGER].map(|time| Hotel::start(["--service-time", time]));
    let base = place("base");
    let made = gate(quick.url(), &["--repeat", "6", "-o", &base]);
    assert!(matches!(made.code, Some(0 | 4)), "{made}");
    let against = |hotel: &Hotel, out: &str, baseline: &str, repeat: &[&str]| {
        let flags = [
            "--baseline",
            baseline,
            "--max-regression",
            "p50=10%",
            "-o",
            out,
        ];
        gate(hotel.url(), &[&flags[..], repeat].concat())
    };
    // 30 % slower: caught, unless the machine itself was in the way, which is never "no regression".
    let slower = until_believed(4, |attempt| {
        let folder = place(&format!("slow{attempt}"));
        let output = against(&slow, &folder, &base, &[]);
        let told = told(&output, "p50");
        assert_ne!(told, Some("no regression"), "{output}");
        if told != Some("REGRESSION") {
            return Err(output.to_string());
        }
        assert_eq!(output.code, Some(3), "{output}");
        Ok(folder)
    });
    // Folders that are there already are gated alike.
    let words = ["compare", &base, &slower, "--max-regression", "p50=10%"];
    let compared = Meshload::new(words).run();
    assert_eq!(compared.code, Some(3), "{compared}");
    assert_eq!(told(&compared, "p50"), Some("REGRESSION"), "{compared}");
    // The same build: passes, and its folder says so.
    until_believed(4, |attempt| {
        let out = place(&format!("same{attempt}"));
        let output = against(&quick, &out, &base, &[]);
        let told = told(&output, "p50");
        assert_ne!(told, Some("REGRESSION"), "{output}");
        let gate = read(Path::new(&out).join("gate.json").as_path());
        let passed = told == Some("no regression") && output.code == Some(0);
        (passed && gate.contains("no_regression"))
            .then_some(())
            .ok_or_else(|| output.to_string())
    });
    // Runs that could resolve nothing are not begun.
    let output = against(&quick, &place("few"), &one_run(&base), &["--repeat", "2"]);
    assert_eq!(output.code, Some(2), "{output}");
    assert!(output.stderr.contains("use --repeat 6"), "{output}");
    assert!(!Path::new(&place("few")).exists());
    // The folder of several runs is one that all commands know.
    let report = Meshload::new(["report", &base]).run();
    assert_eq!(report.code, Some(0), "{report}");
    assert!(report.stdout.contains("50    6"), "{report}");
}

#[test]
fn a_build_is_held_against_another_in_turns() {
    let _machine = machine();
    let home = tempfile::tempdir().expect("a folder");
    let [quick, slow] = [LONG, LONGER].map(|time| Hotel::start(["--service-time", time]));
    until_believed(4, |attempt| {
        let out = home.path().join(format!("turns{attempt}"));
        let flags = [
            "--baseline",
            quick.url(),
            "--max-regression",
            "p50=10%",
            "-o",
            path_text(&out),
        ];
        let output = gate(slow.url(), &flags);
        assert_ne!(told(&output, "p50"), Some("no regression"), "{output}");
        let names = names(&out.join("steps"));
        let turns = [
            "0001-baseline-50-rep1",
            "0002-new-50-rep1",
            "0003-new-50-rep2",
            "0004-baseline-50-rep2",
        ];
        assert_eq!(names[..4], turns, "{output}");
        let seeds = [
            "0001-baseline-50-rep1",
            "0002-new-50-rep1",
            "0003-new-50-rep2",
        ]
        .map(|name| {
            let run = read(&out.join("steps").join(name).join("run.json"));
            let run: serde_json::Value = serde_json::from_str(&run).expect("JSON");
            run["seed"].as_u64()
        });
        assert!(seeds[0] == seeds[1] && seeds[1] != seeds[2], "{seeds:?}");
        let caught = output.code == Some(3) && told(&output, "p50") == Some("REGRESSION");
        caught.then_some(()).ok_or_else(|| output.to_string())
    });
}

/// The folders of the steps that were finished, in the order of the journal.
fn finished_steps(folder: &Path) -> Vec<String> {
    let journal = fs::read_to_string(folder.join("journal.jsonl")).unwrap_or_default();
    let lines = journal.lines();
    let events = lines.filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let finished = events.filter(|event| event["event"] == "step_finished");
    finished
        .map(|event| event["folder"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn runs_in_turns_that_are_killed_go_on_and_no_finished_run_is_made_again() {
    let _machine = beside_others();
    let home = tempfile::tempdir().expect("a folder");
    let [one, other] = [(); 2].map(|()| Hotel::start(["--service-time", LONG]));
    let out = home.path().join("turns");
    let words = || {
        let flags = "-R 50 -d 500ms -t 1 -c 30 -q --max-regression p50=1000% --baseline";
        let places = [one.url(), "-o", path_text(&out), other.url()];
        Meshload::new(flags.split(' ').chain(places))
    };
    let running = words().start();
    wait_until("three runs", || finished_steps(&out).len() >= 3);
    running.signal(Signal::KILL);
    drop(running);
    let before = finished_steps(&out);
    let of_runs = |names: &[String]| -> Vec<String> {
        let paths = names
            .iter()
            .map(|name| out.join("steps").join(name).join("run.json"));
        paths.map(|path| read(&path)).collect()
    };
    let runs_before = of_runs(&before);
    let output = words().run();
    assert!(matches!(output.code, Some(0 | 3 | 4)), "{output}");
    assert_eq!(of_runs(&before), runs_before, "no run is made again");
    let finished = finished_steps(&out);
    let distinct: BTreeSet<&String> = finished.iter().collect();
    assert_eq!(distinct.len(), finished.len(), "{finished:?}");
    // Six blocks of two at least; a kill may come between a result and its line in the journal.
    let names = names(&out.join("steps"));
    assert!(
        names.len() >= 12 && names.len() <= finished.len() + 1,
        "{names:?}"
    );
    for name in ["plan.json", "gate.json", "latency_stats.csv", "tidy.csv"] {
        assert!(out.join(name).exists(), "{name}");
    }
    // Both sides of a block are given the same arrivals, also across the kill.
    let mut seeds: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for run in of_runs(&names) {
        let run: serde_json::Value = serde_json::from_str(&run).expect("JSON");
        let repetition = run["spec"]["step"]["repetition"].as_u64();
        let seed = run["seed"].as_u64().expect("a seed");
        seeds
            .entry(repetition.expect("a number"))
            .or_default()
            .push(seed);
    }
    let first = seeds[&1][0];
    for (repetition, found) in &seeds {
        assert_eq!(*found, [first + repetition - 1; 2], "{seeds:?}");
    }
}

#[test]
fn a_baseline_that_can_tell_nothing_is_refused_before_the_load() {
    let _machine = machine();
    let home = tempfile::tempdir().expect("a folder");
    let hotel = Hotel::start(["--service-time", LONG]);
    let json = home.path().join("base.json");
    let json = path_text(&json);
    let output = believed(hotel.url(), &["--json", json]);
    assert_eq!(output.code, Some(0), "{output}");
    let overloaded = Hotel::start(["--capacity", "20"]);
    let beyond = until_believed(8, |attempt| {
        let folder = home.path().join(format!("beyond{attempt}"));
        let folder = path_text(&folder).to_owned();
        let output = run(overloaded.url(), &["-o", &folder]);
        if output.code == Some(0) {
            Ok(folder)
        } else {
            Err(output.to_string())
        }
    });
    for (rate, baseline, limits, word) in [
        ("100", "/nowhere", "p99=10%", "check the path"),
        ("70", json, "p99=10%", "has no run at 70/s but at 100/s"),
        ("100", json, "memory=10%", "no figure above 0 for memory"),
        ("100", &beyond, "p99=10%", "did not hold 100/s"),
    ] {
        let words = [
            "-R",
            rate,
            "-d",
            "1s",
            "--collect",
            "process:1",
            "--baseline",
            baseline,
            "--max-regression",
            limits,
            hotel.url(),
        ];
        let output = Meshload::new(words).run();
        assert_eq!(output.code, Some(2), "{output}");
        assert!(output.stderr.contains(word), "{word}: {output}");
        assert!(output.stdout.is_empty(), "nothing was measured: {output}");
    }
}

/// What meshload prints on a terminal of its own, which the program `script` makes.
fn on_a_terminal(preparation: &str, words: &str) -> String {
    let line = format!("{preparation} {} {words}", env!("CARGO_BIN_EXE_meshload"));
    let output = std::process::Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .output()
        .expect("script is installed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn progress_is_a_line_every_ten_seconds_where_there_is_no_terminal() {
    let _machine = beside_others();
    let hotel = Hotel::start(["--service-time", "constant:5ms"]);
    let output = Meshload::new(["-R", "20", "-t", "1", "-d", "11s", hotel.url()]).run();
    let lines: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "{output}");
    assert!(lines[0].starts_with("measure 10/11s  "), "{output}");
    assert!(!output.stderr.contains(['\u{1b}', '\r']), "{output}");
}

#[test]
#[ignore = "needs script"]
fn progress_is_drawn_on_a_terminal_and_plainly_where_colours_are_not_wanted() {
    let _machine = beside_others();
    let hotel = Hotel::start(["--service-time", "constant:5ms"]);
    let words = format!("-R 20 -t 1 -d 2s {}", hotel.url());
    let shown = on_a_terminal("", &words);
    assert!(
        shown.contains("[==") && shown.contains("measure 1/2s"),
        "{shown}"
    );
    let plain = |text: &str| !text.contains("\u{1b}[1m") && !text.contains("\u{1b}[3");
    let plainly = on_a_terminal("NO_COLOR=1", &words);
    assert!(plain(&plainly) && plainly.contains("[=="), "{plainly}");
    let help = on_a_terminal("", "--help");
    assert!(
        !plain(&help),
        "help has some colour to be taken away: {help}"
    );
    let help = on_a_terminal("NO_COLOR=1", "--help");
    assert!(plain(&help), "{help}");
}

#[test]
fn a_real_result_is_as_the_published_schema_says() {
    let _machine = beside_others();
    let hotel = Hotel::start(["--service-time", "constant:5ms"]);
    let own = format!("process:{}", std::process::id());
    let output = run(hotel.url(), &["--json", "-", "--collect", &own]);
    assert!(matches!(output.code, Some(0 | 4)), "{output}");
    let schema = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/run.schema.json"));
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    let schema = serde_json::from_str(&schema).expect("JSON");
    compiler.add_resource("run", schema).expect("a schema");
    let schema = compiler.compile("run", &mut schemas).expect("a schema");
    let mut result: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
    if let Err(error) = schemas.validate(&result, schema) {
        panic!("{error}");
    }
    let pods = result["resources"]["pods"].as_array_mut().expect("pods");
    assert!(!pods.is_empty(), "there is something of each kind in it");
    pods[0]["pod"] = 5.into();
    assert!(
        schemas.validate(&result, schema).is_err(),
        "a name is no number"
    );
}

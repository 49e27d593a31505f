//! What ends a sweep, and what does not.

use super::{one_arm, quick_hotel};
use crate::support::sweep::{LATENCIES, Sweep, SweepFolder};
use crate::support::{Hotel, beside_others, path_text};
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::process::Stdio;

#[test]
fn a_target_that_dies_keeps_what_was_finished_and_the_journal_says_what_happened() {
    let _machine = beside_others();
    let hotel = quick_hotel();
    let folder = SweepFolder::new();
    let sweep = Sweep::in_folder(&folder)
        .arm("a", &hotel)
        .flags("--rates 50,60,70,80,90,95 --seed 1")
        .short_steps("1s");
    let mut running = sweep.start();
    folder.wait_for(&mut running, "step_began", 3);
    drop(hotel);
    let output = running.finish();
    assert_eq!(output.code, Some(1), "{output}");
    // Three in a row are enough, whatever became of the step in which it died.
    let events = folder.events();
    assert_eq!(folder.count("step_failed"), 3, "{events:?}");
    for words in ["steps failed", "goes on from here"] {
        assert!(output.stderr.contains(words), "{output}");
    }
    let measured = folder.rows(LATENCIES).len();
    assert!((2..=3).contains(&measured), "{measured}");
}

#[test]
fn a_step_in_which_nothing_is_answered_says_why() {
    let _machine = beside_others();
    let hotel = Hotel::start(["--service-time", "constant:30s"]);
    let folder = SweepFolder::new();
    let output = Sweep::in_folder(&folder)
        .arm("a", &hotel)
        .flags("--rates 50 --skip-verify")
        .short_steps("300ms")
        .run();
    assert_eq!(output.code, Some(1), "{output}");
    let failed = folder.first("step_failed");
    assert_eq!(
        failed["reason"], "not one request was completed; none was answered in time",
        "{output}"
    );
}

#[test]
#[ignore = "needs root and unshare"]
fn a_disk_that_is_full_ends_the_sweep_and_what_was_finished_is_there() {
    let _machine = beside_others();
    let hotel = quick_hotel();
    let home = SweepFolder::new();
    let (disk, copy) = (home.home().join("disk"), home.sibling("copy"));
    fs::create_dir(&disk).expect("a folder");
    let script = "mount -t tmpfs -o size=400k tmpfs \"$0\" || exit 77; copy=$1; shift; \"$@\"; \
                  code=$?; cp -r \"$0/results\" \"$copy\"; exit $code";
    let prefix = ["unshare", "-m", "sh", "-c", script];
    let prefix = prefix
        .into_iter()
        .chain([path_text(&disk), path_text(copy.path())]);
    let rates: Vec<String> = (50..90).map(|rate| rate.to_string()).collect();
    let output = Sweep::in_folder(&home.sibling("disk/results"))
        .arm("a", &hotel)
        .flags(&format!("--rates {}", rates.join(",")))
        .short_steps("300ms")
        .through(prefix)
        .run();
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains("make room"), "{output}");
    let steps = copy.steps();
    let is_whole = |step: &&String| {
        let bytes = fs::read(copy.step_file(step, "run.json"));
        bytes.is_ok_and(|bytes| serde_json::from_slice::<Value>(&bytes).is_ok())
    };
    let whole = steps.iter().filter(is_whole).count();
    assert!(whole >= 1, "{steps:?} {output}");
    // The table is whole: that of before, or that of now.
    let table = copy.rows(LATENCIES).len();
    assert!((whole - 1..=whole).contains(&table), "{table} of {whole}");
}

#[test]
fn a_terminal_that_goes_away_ends_the_sweep_in_order() {
    let _machine = beside_others();
    let hotel = quick_hotel();
    let folder = SweepFolder::new();
    let log = folder.home().join("log");
    let commands = format!("after = [\"echo after >> {}\"]", log.display());
    let plan = folder.plan(&one_arm(&hotel, "30s", &commands));
    let mut running = Sweep::in_folder(&folder).plan(&plan).start();
    folder.wait_for(&mut running, "step_began", 1);
    running.signal(Signal::HUP);
    let output = running.finish();
    assert_eq!(output.code, Some(129), "{output}");
    assert_eq!(fs::read_to_string(&log).expect("a log"), "after\n");
    assert_eq!(folder.events().last().map(String::as_str), Some("ended"));
}

#[test]
fn a_reader_that_has_gone_away_does_not_end_a_sweep() {
    let _machine = beside_others();
    let hotel = quick_hotel();
    let folder = SweepFolder::new();
    let plan = folder.plan(&one_arm(&hotel, "300ms", ""));
    let mut command = Sweep::in_folder(&folder).plan(&plan).command().into_inner();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("a sweep");
    drop((child.stdout.take(), child.stderr.take()));
    let status = child.wait().expect("its end");
    assert_eq!(status.code(), Some(0));
    assert_eq!(folder.rows(LATENCIES).len(), 2);
    assert_eq!(folder.events().last().map(String::as_str), Some("ended"));
}

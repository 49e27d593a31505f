//! Arms that are set up, verified and torn down, and the rest between steps.

use super::{QUICK, one_arm, quick_hotel};
use crate::support::sweep::{Sweep, SweepFolder};
use crate::support::{Hotel, beside_others, wait_until};
use rustix::process::Signal;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// A plan of two arms, of which one is set up, reset, verified and torn down by commands that write
/// to a log.
fn two_arms(hotel: &Hotel, log: &Path, verify: &str) -> String {
    let (url, log) = (hotel.url(), log.display());
    format!(
        r#"
rates = [50]
repetitions = 2
order = "interleaved"
measure = "200ms"
{QUICK}
[cluster]
collect = "none"
[[arm]]
name = "plain"
url = "{url}"
[[arm]]
name = "tuned"
url = "{url}"
before = ["echo before $MESHLOAD_ARM >> {log}"]
reset = ["echo reset $MESHLOAD_RATE $MESHLOAD_REPETITION >> {log}"]
verify = ["{verify}"]
after = ["echo after $MESHLOAD_URL >> {log}"]
"#
    )
}

#[test]
fn commands_make_unmake_reset_and_verify_an_arm() {
    let _machine = beside_others();
    let hotel = quick_hotel();
    let folder = SweepFolder::new();
    let log = folder.home().join("log");
    let plan = folder.plan(&two_arms(&hotel, &log, "true"));
    Sweep::in_folder(&folder).plan(&plan).finish();
    let said = fs::read_to_string(&log).expect("a log");
    let url = hotel.url();
    let once = |repetition: u32| format!("before tuned\nreset 50 {repetition}\nafter {url}\n");
    // B A A B would make it once; a pass is a block, so each repetition has it made and unmade.
    assert!(
        said == format!("{}{}", once(1), once(2))
            || said == format!("before tuned\nreset 50 1\nreset 50 2\nafter {url}\n"),
        "{said}"
    );
    // An arm that is not what it should be is not measured, and unmade all the same.
    fs::write(&log, "").expect("a log");
    let plan = folder.plan(&two_arms(&hotel, &log, "echo no such mesh; false"));
    let folder = folder.sibling("other");
    let output = Sweep::in_folder(&folder).plan(&plan).run();
    assert_eq!(output.code, Some(1), "{output}");
    for words in ["the verify command", "no such mesh"] {
        assert!(output.stderr.contains(words), "{output}");
    }
    let said = fs::read_to_string(&log).expect("a log");
    assert!(said.ends_with(&format!("after {url}\n")), "{said}");
    assert_eq!(folder.count("arm_failed"), 1);
}

#[test]
fn the_rest_lasts_until_the_application_is_idle_again() {
    let _machine = beside_others();
    let hotel = quick_hotel();
    let folder = SweepFolder::new();
    let adaptive = one_arm(&hotel, "300ms", "")
        .replace("cooldown = \"0s\"", "cooldown = \"adaptive\"")
        .replace(
            "length = \"0s\"",
            "length = \"300ms\", rate = 50, rest = \"0s\"",
        );
    let by_process = format!("collect = \"process:{}\"", hotel.pid());
    let plan = folder.plan(&adaptive.replace("collect = \"none\"", &by_process));
    Sweep::in_folder(&folder).plan(&plan).finish();
    let note = folder.first("cooled_down")["note"].to_string();
    let seconds = note[1..].split('s').next().and_then(|n| n.parse().ok());
    let seconds: f64 = seconds.expect("a length");
    assert!((9.0..=121.0).contains(&seconds), "{note}");
    assert!(note.contains("idle it was"), "{note}");
    let notes = folder.first("arm_entered")["notes"].to_string();
    assert!(notes.contains("warmed up with 300ms at 50/s"), "{notes}");
    // Without a collector it cannot be known, and there is no rest.
    let plan = folder.plan(&adaptive);
    let folder = folder.sibling("blind");
    Sweep::in_folder(&folder).plan(&plan).finish();
    let note = folder.first("cooled_down")["note"].to_string();
    assert!(note.contains("skipped: there is no collector"), "{note}");
}

#[test]
fn what_could_not_be_unmade_is_unmade_before_anything_else() {
    let _machine = beside_others();
    let hotel = quick_hotel();
    let folder = SweepFolder::new();
    let (log, allowed) = (folder.home().join("log"), folder.home().join("allowed"));
    let commands = format!(
        "before = [\"echo before >> {log}\"]\nafter = [\"test -e {allowed} && echo after >> {log}\"]",
        log = log.display(),
        allowed = allowed.display()
    );
    let plan = folder.plan(&one_arm(&hotel, "300ms", &commands));
    let output = Sweep::in_folder(&folder).plan(&plan).run();
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains("the after command"), "{output}");
    assert!(folder.has("undo.json"));
    // All steps are measured, so there is nothing else to do than this.
    let again = Sweep::in_folder(&folder);
    let output = again.run();
    assert_eq!(output.code, Some(1), "{output}");
    fs::write(&allowed, "").expect("a file");
    again.finish();
    let said = fs::read_to_string(&log).expect("a log");
    assert_eq!(said, "before\nafter\n");
    assert!(!folder.has("undo.json"));
}

#[test]
fn interrupted_while_an_arm_is_made_it_is_unmade() {
    let _machine = beside_others();
    let hotel = quick_hotel();
    let folder = SweepFolder::new();
    let log = folder.home().join("log");
    let commands = format!(
        "before = [\"sleep 50\"]\nafter = [\"echo after >> {}\"]",
        log.display()
    );
    let plan = folder.plan(&one_arm(&hotel, "300ms", &commands));
    let running = Sweep::in_folder(&folder).plan(&plan).start();
    wait_until("the command runs", || folder.has("hooks.log"));
    running.signal(Signal::INT);
    let output = running.finish();
    assert_eq!(output.code, Some(130), "{output}");
    assert!(output.elapsed < Duration::from_secs(30), "{output}");
    assert_eq!(fs::read_to_string(&log).expect("a log"), "after\n");
    assert!(folder.count("interrupted") > 0);
    assert_eq!(folder.count("step_began"), 0);
}

//! A sweep that was broken off goes on, and no finished step is measured again.

use super::TwoHotels;
use crate::support::sweep::{LATENCIES, Sweep, SweepFolder, names};
use crate::support::{Meshload, Next, RawServer, beside_others, wait_until};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

#[test]
fn a_sweep_that_is_killed_again_and_again_loses_no_finished_step() {
    let _machine = beside_others();
    let hotels = TwoHotels::start();
    let folder = SweepFolder::new();
    let sweep = hotels
        .sweep(&folder)
        .flags("-D fixed --rates 100,125,150,200,250,300,350,400,450,500 --repetitions 2")
        .flags("--skip-verify --seed 1")
        .short_steps("60ms");
    let mut finished: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut pause = 7u64;
    let mut kills = 0;
    while kills < 50 {
        let mut running = sweep.start();
        // Not a wait for something: the kills are spread over all moments of a session, at the same
        // moments in every run of this test.
        pause = (pause * 193 + 71) % 211;
        std::thread::sleep(Duration::from_millis(pause));
        if !running.is_alive() {
            break;
        }
        running.signal(Signal::KILL);
        drop(running);
        kills += 1;
        assert_nothing_is_lost(&folder, &mut finished);
    }
    assert!(kills >= 10, "only {kills} kills were in time");
    sweep.finish();
    assert_eq!(folder.steps().len(), 40);
    assert_eq!(folder.rows(LATENCIES).len(), 40);
    for (name, bytes) in &finished {
        let now = fs::read(folder.step_file(name, "run.json")).expect("a step");
        assert!(*bytes == now, "{name} was measured again");
    }
    // Done is done: once more there is nothing to do.
    let before = folder.count("step_began");
    Sweep::in_folder(&folder).finish();
    assert_eq!(folder.count("step_began"), before);
}

/// The steps that were finished at an earlier kill are there and unchanged, those that are new are
/// noted down, and the tables can be read.
fn assert_nothing_is_lost(folder: &SweepFolder, finished: &mut BTreeMap<String, Vec<u8>>) {
    for name in folder.steps() {
        let Ok(bytes) = fs::read(folder.step_file(&name, "run.json")) else {
            continue;
        };
        let first = finished
            .entry(name.clone())
            .or_insert_with(|| bytes.clone());
        assert!(*first == bytes, "{name} was measured again");
    }
    for gone in finished.keys() {
        assert!(folder.has(&format!("steps/{gone}")), "{gone} is gone");
    }
    for table in [LATENCIES, "tidy.csv"] {
        folder.rows(table);
    }
}

#[test]
fn a_sweep_goes_on_from_anywhere_with_the_script_that_it_began_with() {
    let _machine = beside_others();
    let hotels = TwoHotels::start();
    let folder = SweepFolder::new();
    let script = folder.home().join("mine.lua");
    let text = "function init(args) wrk.path = assert(args[1], 'no argument') end";
    fs::write(&script, text).expect("a script");
    let (fast, slow) = (hotels.fast.url(), hotels.slow.url());
    let flags = format!(
        "sweep -o results --arm fast={fast} --arm slow={slow} --rates 50 -s mine.lua --warmup 0s \
         --measure 300ms --guard 0s --skip-warmup --fixed-cooldown 0 -t 1 -c 4 --collect none -q -- /a"
    );
    let there = format!("cd {}", folder.home().display());
    for _ in 0..2 {
        let output = Meshload::after(&there, flags.split_whitespace()).run();
        assert!(
            output.code == Some(0) || output.stderr.contains("not one request"),
            "{output}"
        );
    }
    fs::remove_file(script).expect("gone");
    // Something is left to do: the arm is looked at once more, with the script and its argument.
    fs::remove_dir_all(folder.path().join("steps/0002-slow-50-rep1")).expect("gone");
    Sweep::in_folder(&folder).flags("-q").finish();
    assert_eq!(folder.rows(LATENCIES).len(), 2);
}

#[test]
fn two_sweeps_do_not_work_in_one_folder() {
    let _machine = beside_others();
    let hotels = TwoHotels::start();
    let folder = SweepFolder::new();
    let sweep = hotels.sweep(&folder).flags("--rates 50 --seed 1");
    let sweep = sweep.short_steps("30s");
    let mut first = sweep.start();
    folder.wait_for(&mut first, "step_began", 1);
    let output = sweep.run();
    assert_eq!(output.code, Some(2), "{output}");
    assert!(output.stderr.contains("in use by another"), "{output}");
    first.signal(Signal::INT);
    assert_eq!(first.finish().code, Some(130));
}

#[test]
fn interrupted_in_warm_up_or_measure_it_goes_on_where_it_was() {
    let _machine = beside_others();
    for (warmup, measure) in [("30s", "200ms"), ("0s", "30s")] {
        let server =
            RawServer::replying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Next::Keep);
        let folder = SweepFolder::new();
        let arms = format!("--arm fast={url} --arm slow={url}", url = server.url());
        let sweep = Sweep::in_folder(&folder)
            .flags(&arms)
            .flags("--rates 50 --seed 1 --collect none")
            .steps_of(warmup, measure);
        let mut running = sweep.start();
        folder.wait_for(&mut running, "step_began", 1);
        wait_until("the load is on", || server.requests() >= 20);
        running.signal(Signal::INT);
        let output = running.finish();
        assert_eq!(output.code, Some(130), "{output}");
        assert!(output.stderr.contains("goes on from here"), "{output}");
        assert_eq!(folder.count("interrupted"), 1);
        assert!(folder.rows(LATENCIES).is_empty());
        let mut again = Sweep::in_folder(&folder).flags("-q").start();
        folder.wait_for(&mut again, "step_began", 2);
        // What was half done is set aside, not lost.
        if warmup == "0s" {
            let aside = names(&folder.path().join("aside"));
            assert_eq!(aside, ["0001-fast-50-rep1.1"]);
            assert_eq!(folder.count("set_aside"), 1);
        }
        again.signal(Signal::INT);
        again.finish();
    }
}

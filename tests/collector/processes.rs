//! Processes of this machine, in real time.

use super::*;
use meshload::clock::{RunClock, block_for};
use meshload::readings::process_stat;
use meshload::resources::Role;
use meshload::spec::ProcessChoice;
use std::process::{Child, Command};
use support::Hotel;

fn asked_for(choice: ProcessChoice) -> CollectSpec {
    CollectSpec {
        from: CollectFrom::Process(vec![choice]),
        interval: Nanos::from_millis(100),
        ..CollectSpec::default()
    }
}

/// Collects over the window in real time; `at_edge` is called at both of its edges.
fn collect_now(spec: &CollectSpec, mut at_edge: impl FnMut()) -> Resources {
    let collector = Collector::start(spec)
        .expect("a collector")
        .expect("asked for");
    let load = RunClock::start();
    let start = collector.begin(&load, window());
    for edge in [window().start, window().end] {
        block_for(edge - load.now());
        at_edge();
    }
    block_for(window().stop - load.now());
    collector.finish(Nanos::from_millis(500));
    let collected = collector.collected().expect("it lives");
    collected.resources(spans(start, window()))
}

#[test]
fn processes_of_this_machine_are_a_source_of_their_own() {
    let hotel = Hotel::start(["--service-time", "constant:0"]);
    let resources = collect_now(&asked_for(ProcessChoice::Pid(hotel.pid())), || {});
    let process = &resources.pods[0];
    assert_eq!(process.service, "meshload");
    let rss = process.containers[0].figure(Quantity::Rss).expect("a row");
    assert!(rss.value.expect("memory") > 100_000.0, "{rss:?}");
    let cpu = process.containers[0].figure(Quantity::Cpu).expect("a row");
    assert!(
        cpu.value.expect("CPU") < 500.0 && cpu.coverage > 0.95,
        "{cpu:?}"
    );
}

/// A process that burns a core, known by a text in its command line; killed when dropped.
struct Burner {
    child: Child,
    name: String,
}

impl Burner {
    fn start() -> Burner {
        let name = format!("burner-of-{}", std::process::id());
        // Its limit ends it should this test not.
        let script = format!("ulimit -t 60; : {name}; while :; do :; done");
        let child = Command::new("sh").args(["-c", &script]).spawn();
        let burner = Burner {
            child: child.expect("a shell"),
            name,
        };
        // `spawn` may return before the kernel shows the new command line.
        support::wait_until("the burner's command line is there", || {
            let line = std::fs::read_to_string(burner.file("cmdline"));
            line.is_ok_and(|line| line.contains(&burner.name))
        });
        burner
    }

    fn file(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.child.id())
    }

    /// CPU time that it has used, in nanoseconds.
    fn cpu(&self) -> f64 {
        let stat = std::fs::read(self.file("stat")).expect("it lives");
        let ticks = process_stat(&stat).expect("its counters").cpu_ticks;
        ticks as f64 * 1e9 / rustix::param::clock_ticks_per_second() as f64
    }
}

impl Drop for Burner {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A busy machine gives the burner less than a core, so its figure is held against what the kernel
/// counted over the same window. A third reading that is still off is no accident of timing.
#[test]
fn a_process_that_burns_a_core_burns_a_thousand_millicores() {
    let burner = Burner::start();
    let spec = asked_for(ProcessChoice::Name(burner.name.clone()));
    let clock = RunClock::start();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let mut counts = Vec::new();
        let resources = collect_now(&spec, || {
            counts.push((clock.now().0 as f64, burner.cpu()));
        });
        let total = resources.categories[0].cpu_m[&Role::App];
        let counted = (counts[1].1 - counts[0].1) / (counts[1].0 - counts[0].0) * 1e3;
        assert!(total > 0.0 && total < 1050.0, "{total}");
        // With the two clock ticks that the readings may differ by.
        if (total - counted).abs() <= 0.1 * counted + 10.0 {
            // A core of a busy machine is shared: where the kernel gave a third of it, it is seen.
            assert!(counted < 350.0 || total >= 300.0, "{total} of {counted}");
            return;
        }
        seen.push((total, counted));
    }
    panic!("the collector saw, and the kernel counted: {seen:?}");
}

#[test]
fn a_process_that_is_not_there_is_refused() {
    let spec = |choice| CollectSpec {
        from: CollectFrom::Process(vec![choice]),
        ..CollectSpec::default()
    };
    let text = refusal(&spec(ProcessChoice::Pid(4_194_303)));
    assert!(text.contains("4194303") && text.contains("ps"), "{text}");
    let text = refusal(&spec(ProcessChoice::Name("no such program".to_owned())));
    assert!(text.contains("no such program"), "{text}");
}

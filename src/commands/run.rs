//! `meshload run`.
use super::signals::Signals;
use crate::cli::RunRequest;
use crate::engine::{Job, launch};
use crate::exit::Exit;
use crate::measure::{Distribution, Environment};

/// run
pub fn run(request: &RunRequest) -> Exit {
    let signals = Signals::listen().expect("signals");
    let script = request
        .spec
        .script
        .as_ref()
        .map(|s| std::fs::read(&s.path).expect("script"));
    let job = Job {
        spec: request.spec.clone(),
        script,
        prints_to_stderr: false,
        environment: Environment {
            meshload: "0".into(),
            system: "".into(),
            processor: "".into(),
            cores: 2,
        },
    };
    let mut finished = match launch(&job, &mut |_| {}, &|| signals.received().is_some()) {
        Ok(f) => f,
        Err(e) => return super::fail(Exit::Failed, &e),
    };
    let t = finished.result.overall();
    println!("{:#?}", crate::judge::verdict(&finished.result));
    println!(
        "sched {} ledger {:?} comp {} fail {} unf {} fin {} {:?} {:?}",
        t.scheduled,
        finished.result.targets[0].scheduled_by_ledger,
        t.completed,
        t.failed,
        t.unfinished,
        t.finished_in_window,
        t.errors,
        t.status
    );
    for (n, h) in [
        ("latency", &t.latency),
        ("service", &t.service),
        ("late", &t.late),
        ("blocked", &t.blocked),
        ("connect", &t.connect),
    ] {
        if let Some(d) = Distribution::of(h) {
            println!(
                "{n} p50 {} p90 {} p95 {} p99 {} p99.9 {} max {}",
                d.p50, d.p90, d.p95, d.p99, d.p99_9, d.max
            );
        }
    }
    println!(
        "{:?} {:?}",
        finished.result.generator, finished.result.notes
    );
    for (name, r) in &t.routes {
        println!("{name} {}", r.requests);
    }
    if let Some(e) = &finished.script_error {
        println!("{e}");
    }
    if let Err(e) = finished.done() {
        println!("{e}");
    }
    Exit::Done
}

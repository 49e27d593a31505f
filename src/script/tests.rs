//! Scripts as people write them, against the functions that wrk2 gives them.
#![allow(clippy::disallowed_methods)] // the time that a script gets is compared with the clock

mod done;
mod errors;
mod ideas_of_wrks_examples;
mod labels_and_failures;
mod surroundings;
mod the_default_request;
mod the_scripts_we_bring;
mod time_and_chance;
mod values_between_threads;
mod wrk_format;

use super::*;
use crate::units::Nanos;
use std::collections::HashSet;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn spec(source: &str) -> ScriptSpec {
    ScriptSpec {
        path: PathBuf::from("scripts/mine.lua"),
        source: source.as_bytes().to_vec(),
        args: Vec::new(),
        url: "http://localhost:5000/start?x=1".to_owned(),
        scheme: "http".to_owned(),
        host: "localhost".to_owned(),
        port: Some(5000),
        path_and_query: "/start?x=1".to_owned(),
        headers: Vec::new(),
        addrs: vec![address("127.0.0.1:5000"), address("[::1]:5000")],
        seed: 7,
        seed_pinned: false,
        prints_to_stderr: false,
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A worker whose script is loaded and initialised.
fn ready(spec: &ScriptSpec) -> WorkerScript {
    let mut worker = WorkerScript::load(spec, 0).unwrap();
    worker.init().unwrap();
    worker
}

fn worker(source: &str) -> WorkerScript {
    ready(&spec(source))
}

fn next(worker: &mut WorkerScript) -> String {
    let mut out = Vec::new();
    worker.request(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn request_error(source: &str) -> ScriptError {
    worker(source).request(&mut Vec::new()).unwrap_err()
}

/// What stops a script from being loaded and initialised.
fn refusal(source: &str) -> ScriptError {
    let loaded = WorkerScript::load(&spec(source), 0);
    loaded.and_then(|mut worker| worker.init()).unwrap_err()
}

/// A script that computes something and puts it where `request()` would be.
fn says(source: &str) -> String {
    next(&mut worker(source))
}

fn fixed(spec: &ScriptSpec) -> String {
    let text = ready(spec).fixed_request().unwrap();
    String::from_utf8(text.expect("a script without request()")).unwrap()
}

fn lines(text: &str) -> HashSet<&str> {
    text.split("\r\n").collect()
}

type Task = Box<dyn FnOnce(&mut WorkerScript) + Send>;

/// Worker threads with a script each, which run closures as the engine's workers do between `setup`
/// and `done`.
struct WorkerThreads {
    main: MainScript,
    workers: Vec<Sender<Task>>,
}

impl WorkerThreads {
    fn start(size: usize, source: &str) -> WorkerThreads {
        let spec = spec(source);
        let spawn = |number| {
            let (tasks, inbox) = channel::<Task>();
            let spec = spec.clone();
            std::thread::spawn(move || {
                let mut worker = WorkerScript::load(&spec, number).unwrap();
                for task in inbox {
                    task(&mut worker);
                }
            });
            tasks
        };
        WorkerThreads {
            main: MainScript::load(&spec).unwrap(),
            workers: (0..size).map(spawn).collect(),
        }
    }

    fn set_up(&mut self) -> Result<(), ScriptError> {
        let port = |tasks: &Sender<Task>| {
            let tasks = tasks.clone();
            Port::new(move |question| {
                let task: Task = Box::new(move |worker| worker.answer(question));
                tasks.send(task).is_ok()
            })
        };
        let ports: Vec<Port> = self.workers.iter().map(port).collect();
        self.main.setup(&ports)
    }

    /// Runs a closure in a worker's thread and waits for what it returns.
    fn run_in<R: Send + 'static>(
        &self,
        worker: usize,
        what: impl FnOnce(&mut WorkerScript) -> R + Send + 'static,
    ) -> R {
        let (reply, answer) = channel();
        let task: Task = Box::new(move |worker| {
            let _ = reply.send(what(worker));
        });
        self.workers[worker].send(task).unwrap();
        answer.recv().unwrap()
    }

    fn start_all(&self) {
        for worker in 0..self.workers.len() {
            self.run_in(worker, |worker| worker.init().unwrap());
        }
    }

    fn next(&self, worker: usize) -> String {
        self.run_in(worker, next)
    }

    fn done(&mut self) -> Result<(), ScriptError> {
        self.main.done(
            &DoneSummary {
                duration_us: 2_000_000,
                requests: 300,
                bytes: 4096,
                connect: 1,
                read: 2,
                write: 3,
                status: 4,
                timeout: 5,
            },
            Box::new(Few(&[(1500.0, 2), (2500.0, 1)])),
            Box::new(Few(&[(100.0, 1)])),
        )
    }
}

/// A sample small enough to know by heart: values and how often they occur.
struct Few(&'static [(f64, u64)]);

impl Statistics for Few {
    fn min(&self) -> f64 {
        self.0[0].0
    }
    fn max(&self) -> f64 {
        self.0[self.0.len() - 1].0
    }
    fn mean(&self) -> f64 {
        1833.5
    }
    fn stdev(&self) -> f64 {
        471.25
    }
    fn percentile(&self, percent: f64) -> f64 {
        percent * 10.0
    }
    fn len(&self) -> usize {
        self.0.len()
    }
    fn at(&self, index: usize) -> Option<(f64, u64)> {
        self.0.get(index.checked_sub(1)?).copied()
    }
}

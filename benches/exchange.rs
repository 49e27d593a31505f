//! A whole exchange over loopback: what a request costs from end to end, and that on the static path
//! it allocates nothing. `cargo bench --bench exchange`.
//!
//! The server is the hotel in a process of its own. Two closed loops of different lengths are run:
//! the difference of their allocations, divided by the difference of their requests, is what one
//! request allocates, whatever the beginning and the end of a run take.
#![allow(unsafe_code)] // an allocator can only be counted by one that wraps it
#![allow(clippy::print_stdout)] // a bench reports

use meshload::cli::{self, Request};
use meshload::engine::{Job, launch};
use meshload::measure::{Distribution, Environment, RunResult};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// More than this per request is an allocation on the hot path. Not zero: each second has its own
/// histograms.
const LIMIT: f64 = 0.01;

fn main() -> ExitCode {
    // `cargo test --benches` only wants to know that it runs.
    let is_test = std::env::args().any(|arg| arg == "--test");
    let (short, long) = if is_test {
        ("100ms", "300ms")
    } else {
        ("1s", "4s")
    };
    let (hotel, url) = start_hotel();
    let _hotel = Ended(hotel);
    let mut allocations_per_request = f64::MAX;
    for connections in ["1", "50"] {
        let (few, few_allocations) = closed_loop(short, connections, &url);
        let (many, many_allocations) = closed_loop(long, connections, &url);
        let requests = sent(&many) as f64 - sent(&few) as f64;
        allocations_per_request = (many_allocations as f64 - few_allocations as f64) / requests;
        let service = Distribution::of(&many.overall().service).map_or(0, |service| service.p50);
        println!(
            "{connections:>3} connections: {:>9.0} requests/s, median {:>6.1} us, {allocations_per_request:.5} allocations per request",
            sent(&many) as f64 / many.window.length().as_secs_f64(),
            service as f64 / 1e3
        );
    }
    if allocations_per_request > LIMIT && !is_test {
        println!("the static path allocates: more than {LIMIT} per request");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn sent(result: &RunResult) -> u64 {
    result.overall().sent
}

fn closed_loop(duration: &str, connections: &str, url: &str) -> (RunResult, u64) {
    let words = [
        "meshload",
        "run",
        "-R",
        "max",
        "-t",
        "1",
        "-c",
        connections,
        "-d",
        duration,
        url,
    ];
    let Ok(Request::Run(request)) = cli::parse(words.map(Into::into)) else {
        panic!("these are the flags of a run");
    };
    let job = Job {
        spec: request.spec,
        script: None,
        prints_to_stderr: false,
        environment: Environment {
            meshload: String::new(),
            system: String::new(),
            processor: String::new(),
            cores: 2,
        },
    };
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    let finished = launch(&job, &mut |_| {}, &|| false).expect("a run");
    (
        finished.result.clone(),
        ALLOCATIONS.load(Ordering::Relaxed) - before,
    )
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_hotel() -> (Child, String) {
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
        .expect("the hotel starts");
    let mut line = String::new();
    let stdout = hotel.stdout.take().expect("a pipe");
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    let url = line
        .trim()
        .rsplit(' ')
        .next()
        .expect("an address")
        .to_owned();
    (hotel, url)
}

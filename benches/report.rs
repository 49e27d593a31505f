//! Claim: a sweep of 6 rates, 2 arms and 5 repetitions with 30 pods is reported, plots and page
//! included, in less than 2 s and 200 MB.
//!
//! `cargo bench --bench report`, under a minute. The sweep is planted: nobody ran it.

#![allow(clippy::print_stdout)] // a bench prints
#![allow(clippy::disallowed_methods)] // and looks at a child while it runs

#[path = "../tests/support/planted.rs"]
mod planted;

use planted::{Planted, plant};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 7;
const BAR_S: f64 = 2.0;
const BAR_MB: f64 = 200.0;

fn main() {
    // `cargo test --benches` passes no --bench: a small sweep once shows that it works.
    let is_bench = std::env::args().any(|word| word == "--bench");
    let (repetitions, rounds) = if is_bench { (5, ROUNDS) } else { (1, 1) };
    let home = tempfile::tempdir().expect("a folder");
    let sweep = home.path().join("sweep");
    plant(
        &sweep,
        &Planted {
            rates: vec![200.0, 400.0, 600.0, 700.0, 800.0, 1_000.0],
            repetitions,
            services: 15,
            seconds: 60,
        },
    );
    let mut seconds = Vec::new();
    let mut most_kib = 0;
    for _ in 0..rounds {
        let started = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_meshload"))
            .arg("report")
            .arg(&sweep)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a report");
        let status = loop {
            if let Some(status) = child.try_wait().expect("a child") {
                break status;
            }
            most_kib = most_kib.max(peak_kib(child.id()).unwrap_or(0));
            std::thread::sleep(Duration::from_millis(1));
        };
        assert!(status.success(), "{status}");
        seconds.push(started.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    let (median, peak_mb) = (seconds[seconds.len() / 2], most_kib as f64 * 1024.0 / 1e6);
    println!(
        "{} steps, 30 pods: median {median:.2} s of {rounds} rounds (bar {BAR_S} s), peak {peak_mb:.0} MB (bar {BAR_MB} MB)",
        12 * repetitions,
    );
    let holds = median < BAR_S && peak_mb < BAR_MB;
    assert!(holds || !is_bench, "the claim does not hold");
}

/// The most memory that a process has had resident; `None` when it is gone.
fn peak_kib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

//! Signals, which end a run with what was measured until then.

use super::{Account, load};
use crate::support::{RawServer, beside_others, script_in, wait_until};
use rustix::process::Signal;
use std::path::Path;
use std::time::Duration;

#[test]
fn sigint_ends_the_run_with_what_was_measured() {
    ends_early(Signal::INT, 130);
}

#[test]
fn sigterm_ends_the_run_with_what_was_measured() {
    ends_early(Signal::TERM, 143);
}

fn ends_early(signal: Signal, code: i32) {
    let _machine = beside_others();
    let server = RawServer::ok();
    let run = load("-R 100 -d 30s -c 4", &server.url()).start();
    wait_until("50 requests", || server.requests() >= 50);
    run.signal(signal);
    let output = run.finish();
    assert_eq!(output.code, Some(code), "{output}");
    assert!(output.elapsed < Duration::from_secs(10), "{output}");
    let account = Account::of(&output);
    assert!(account.completed >= 45, "{output}");
    assert_eq!(account.failed, 0, "{output}");
    assert_eq!(account.json["outcome"], "interrupted", "{output}");
    let window = account.json["window"]["duration_ns"].as_u64();
    let window = Duration::from_nanos(window.expect("a window"));
    assert!(window > Duration::from_millis(400), "{output}");
    assert!(window < Duration::from_secs(10), "{output}");
}

#[test]
fn a_second_sigint_quits_when_the_first_cannot() {
    let _machine = beside_others();
    let folder = tempfile::tempdir().expect("a folder");
    let marker = folder.path().join("stuck");
    let script = script_in(folder.path(), &stuck_after_20(&marker));
    let server = RawServer::ok();
    let flags = format!("-R 100 -d 30s -c 1 -t 1 -s {script}");
    let mut run = load(&flags, &server.url()).start();
    wait_until("the script does not return", || marker.exists());
    run.signal(Signal::INT);
    // That it does not end cannot be waited for.
    std::thread::sleep(Duration::from_secs(1));
    assert!(run.is_alive(), "the script does not let go");
    run.signal(Signal::INT);
    let output = run.finish();
    assert_eq!(output.code, Some(130), "{output}");
    assert!(output.elapsed < Duration::from_secs(10), "{output}");
}

/// A script whose 21st call of `request` writes a file and never returns.
fn stuck_after_20(marker: &Path) -> String {
    format!(
        "local count = 0
function request()
  count = count + 1
  if count > 20 then io.open('{}', 'w'):close() end
  while count > 20 do end
  return wrk.format()
end",
        marker.display()
    )
}

#[test]
fn sigint_while_connections_are_being_opened_ends_the_program() {
    let _machine = beside_others();
    let folder = tempfile::tempdir().expect("a folder");
    let marker = folder.path().join("begun");
    let slow = format!(
        "function init() io.open('{}', 'w'):close() require('socket').sleep(3) end",
        marker.display()
    );
    let script = script_in(folder.path(), &slow);
    let server = RawServer::ok();
    let flags = format!("-R 100 -d 30s -c 1 -t 1 -s {script}");
    let run = load(&flags, &server.url()).start();
    wait_until("the script begins", || marker.exists());
    run.signal(Signal::INT);
    let output = run.finish();
    assert_eq!(output.code, Some(130), "{output}");
    assert!(output.elapsed < Duration::from_secs(10), "{output}");
    assert!(server.connections() >= 1, "it has looked at the server");
    assert_eq!(server.requests(), 0, "{output}");
}

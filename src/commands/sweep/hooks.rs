//! Commands of the user's that make, unmake, reset and verify an arm.

use super::super::signals::Signals;
use crate::clock::block_for;
use crate::units::Nanos;
use rustix::process::{Pid, Signal, kill_process_group};
use std::fs::{File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const LOOK: Nanos = Nanos::from_millis(20);
/// As much of a failed command's words as helps.
const LAST_LINES: usize = 5;

/// Where and with what a command runs.
pub struct Hook<'a> {
    /// Its name in messages, such as `before`.
    pub name: &'a str,
    /// The command, for `sh -c`.
    pub command: &'a str,
    /// Its environment besides ours.
    pub environment: &'a [(&'static str, String)],
    /// Where its output goes.
    pub log: &'a Path,
}

/// Runs a command to its end. A signal ends it, where `signals` are given.
///
/// # Errors
/// Which command failed, how, and what it said last.
pub fn run(hook: &Hook<'_>, signals: Option<&Signals>) -> Result<(), String> {
    let Hook { name, command, .. } = hook;
    let failed = |why: String| format!("the {name} command `{command}` {why}");
    let cannot = |error: std::io::Error| failed(format!("cannot be run: {error}"));
    let (log, before) = open(hook.log);
    let output = || match &log {
        Some(log) => log.try_clone().map_or_else(|_| Stdio::null(), Stdio::from),
        None => Stdio::null(),
    };
    let mut child = Command::new("sh")
        .args(["-c", command])
        .envs(hook.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        // Ctrl-C on a terminal goes to the whole group: what unmakes an arm must outlive it.
        .process_group(0)
        .stdout(output())
        .stderr(output())
        .spawn()
        .map_err(cannot)?;
    loop {
        if let Some(status) = child.try_wait().map_err(cannot)? {
            if status.success() {
                return Ok(());
            }
            let said = last_lines(hook.log, before);
            return Err(failed(format!("failed ({status}){said}")));
        }
        if signals.is_some_and(|signals| signals.received().is_some()) {
            end_group(&child);
            let _ = child.wait();
            return Err(failed("was interrupted".to_owned()));
        }
        block_for(LOOK);
    }
}

/// The log and its length. Without one the command runs all the same: what unmakes an arm matters more
/// than what it says.
fn open(log: &Path) -> (Option<File>, u64) {
    let mut options = OpenOptions::new();
    let log = options.create(true).append(true).open(log).ok();
    let length = log.as_ref().and_then(|log| log.metadata().ok());
    (log, length.map_or(0, |log| log.len()))
}

/// Ends the command and what it has started.
fn end_group(child: &Child) {
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(id) = id {
        // Gone already is as good as ended now.
        let _ = kill_process_group(id, Signal::KILL);
    }
}

fn last_lines(log: &Path, from: u64) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let new = bytes.get(from as usize..).unwrap_or_default();
    let text = String::from_utf8_lossy(new);
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
    last.iter().map(|line| format!("\n  {line}")).collect()
}

//! Runs the user's commands that set an arm up, tear it down, reset it and verify it.

use super::super::signals::Signals;
use rustix::process::{Pid, Signal, kill_process_group};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

/// The number of lines of a failed command's output that are part of the error.
const LAST_LINES: usize = 5;

/// A command of the user.
pub struct Hook<'a> {
    /// The key of the plan that holds the command, such as `before`; part of error messages.
    pub name: &'a str,
    /// The text for `sh -c`.
    pub command: &'a str,
    /// Variables that the command gets besides those of this process.
    pub environment: &'a [(&'static str, String)],
    /// The file to which the command's output is appended.
    pub log: &'a Path,
}

/// Runs a command to its end. With `signals`, a signal kills it.
///
/// # Errors
/// The command, how it failed, and the last lines of its output.
pub fn run(hook: &Hook<'_>, signals: Option<&Signals>) -> Result<(), String> {
    let Hook { name, command, .. } = hook;
    let failed = |why: String| format!("the {name} command `{command}` {why}");
    let cannot = |error: io::Error| failed(format!("cannot be run: {error}"));
    let (log, before) = open(hook.log);
    let output = || match &log {
        Some(log) => log.try_clone().map_or_else(|_| Stdio::null(), Stdio::from),
        None => Stdio::null(),
    };
    let mut child = Command::new("sh")
        .args(["-c", command])
        .envs(hook.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        // Ctrl-C on a terminal reaches the whole process group. A command that tears an arm down has
        // a group of its own, so that it runs to its end.
        .process_group(0)
        .stdout(output())
        .stderr(output())
        .spawn()
        .map_err(cannot)?;
    let status = wait(&mut child, signals).map_err(cannot)?;
    let status = status.ok_or_else(|| failed("was interrupted".to_owned()))?;
    if status.success() {
        return Ok(());
    }
    let last = last_lines(hook.log, before);
    Err(failed(format!("failed ({status}){last}")))
}

/// Waits for the end of a command; `None` when a signal came first and the command was killed.
fn wait(child: &mut Child, signals: Option<&Signals>) -> io::Result<Option<ExitStatus>> {
    let Some(signals) = signals else {
        return child.wait().map(Some);
    };
    let mut ended = Ok(None);
    let is_interrupted = signals.wait_until(|| {
        ended = child.try_wait();
        !matches!(ended, Ok(None))
    });
    if is_interrupted {
        kill_group(child);
        let _ = child.wait();
        return Ok(None);
    }
    ended
}

/// Opens the log; returns its length too. Without a log the command runs all the same, because tearing an
/// arm down matters more than the command's output.
fn open(log: &Path) -> (Option<File>, u64) {
    let mut options = OpenOptions::new();
    let log = options.create(true).append(true).open(log).ok();
    let length = log.as_ref().and_then(|log| log.metadata().ok());
    (log, length.map_or(0, |log| log.len()))
}

/// Kills the command and the processes that it has started.
fn kill_group(child: &Child) {
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(id) = id {
        // Fails when the group has ended by itself, which is what is wanted.
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

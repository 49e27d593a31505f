//! The exit codes, as `--help` and the README list them.

/// The exit code of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done; the numbers may be used (VALID or SUSPECT).
    Done = 0,
    /// Failed: nothing was measured, a script broke off the run, or a result could not be written.
    Failed = 1,
    /// The command line cannot be understood or cannot be run.
    Usage = 2,
    /// A threshold was crossed, or a regression resolved.
    Threshold = 3,
    /// The generator itself was too slow: the numbers are not trustworthy (INVALID).
    NotTrustworthy = 4,
    /// The terminal went away (SIGHUP); what was measured until then has been written.
    HungUp = 129,
    /// Stopped by SIGINT; what was measured until then has been written.
    Interrupted = 130,
    /// Stopped by SIGTERM; what was measured until then has been written.
    Terminated = 143,
}

/// The exit codes as `--help` shows them.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    done (the verdict may be VALID or SUSPECT)
  1    failed: nothing measured, a script error, a result that cannot be written
  2    usage: a flag or value that cannot be used; the message has the cure
  3    a threshold was crossed, or a regression against the baseline resolved
  4    not trustworthy: INVALID, the generator itself was too slow
  130  interrupted (SIGINT), 143 terminated (SIGTERM), 129 hung up (SIGHUP);
       what was measured is written";

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> std::process::ExitCode {
        std::process::ExitCode::from(exit as u8)
    }
}

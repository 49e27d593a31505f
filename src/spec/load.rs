//! The load: its options in flags and plans, and the load of a run with all values set.

use super::{BadSpec, header};
use crate::schedule::ArrivalProcess;
use crate::units::{Nanos, Rate, text};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// More connections than a machine has ports for.
const MOST_CONNECTIONS: usize = 1_000_000;
/// More threads than a machine has cores for.
const MOST_THREADS: usize = 1_024;
const MOST_IN_FLIGHT: usize = 1_024;

/// How much load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Offered {
    /// Open loop at a constant rate.
    Rate(Rate),
    /// Open loop from one rate to another over the measured window.
    Ramp {
        /// Rate during the warm-up and at the window's start.
        from: Rate,
        /// Rate at the window's end and during the guard.
        to: Rate,
    },
    /// Closed loop: each connection sends as soon as its last reply is in.
    Max,
}

/// How the generator waits for due times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Pacing {
    /// Timer, then a spin over the last stretch, for at most a quarter of the thread's time; spins
    /// throughout when the machine has at least twice as many cores as threads
    #[default]
    Auto,
    /// The kernel's timer alone
    Timer,
    /// Never sleeps
    Spin,
}

/// The options of the load. They are flags of `run` and `sweep` and keys of a plan's `[load]`.
///
/// [`Default`] has the defaults of a single run, [`LoadOptions::of_sweep`] those of a sweep.
#[derive(Debug, Clone, PartialEq, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default = "LoadOptions::of_sweep")]
pub struct LoadOptions {
    /// Lua script, as for wrk and wrk2
    #[arg(short = 's', long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<PathBuf>,
    /// Arguments for the script's init(args)
    #[arg(last = true, value_name = "SCRIPT ARGS")]
    pub script_args: Vec<String>,
    /// Header line of every request; repeatable
    #[arg(short = 'H', long = "header", value_name = "LINE", value_parser = header::parse)]
    #[serde(with = "header")]
    pub headers: Vec<(String, String)>,
    /// Arrival process; the mean gap of each is 1/R
    #[arg(short = 'D', long = "dist", value_name = "PROCESS", value_enum, default_value_t = LoadOptions::default().process)]
    pub process: ArrivalProcess,
    /// Threads; the rate is the same whatever their number
    #[arg(short = 't', long, value_name = "N", default_value_t = LoadOptions::default().threads, value_parser = parse_count)]
    pub threads: usize,
    /// Connections to keep open
    #[arg(short = 'c', long, value_name = "N", default_value_t = LoadOptions::default().connections, value_parser = parse_count)]
    pub connections: usize,
    /// Open more connections, up to N, while requests wait for one
    #[arg(long, value_name = "N", value_parser = parse_count)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_connections: Option<usize>,
    /// Requests (or batches) in flight on one connection
    #[arg(long, value_name = "N", default_value_t = LoadOptions::default().pipeline, value_parser = parse_count)]
    pub pipeline: usize,
    /// How due times are waited for
    #[arg(long, value_name = "MODE", value_enum, default_value_t = LoadOptions::default().pacing)]
    pub pacing: Pacing,
    /// Count a request as slow when it is in flight for longer
    #[arg(short = 'T', long, value_name = "T", default_value_t = LoadOptions::default().timeout)]
    #[serde(with = "text")]
    pub timeout: Nanos,
    /// Give up a request that is in flight for longer, and close its connection
    #[arg(long, value_name = "T")]
    #[serde(skip_serializing_if = "Option::is_none", with = "text::optional")]
    pub abort_after: Option<Nanos>,
}

impl Default for LoadOptions {
    fn default() -> LoadOptions {
        LoadOptions {
            script: None,
            script_args: Vec::new(),
            headers: Vec::new(),
            process: ArrivalProcess::Fixed,
            threads: 2,
            connections: 10,
            max_connections: None,
            pipeline: 1,
            pacing: Pacing::Auto,
            timeout: Nanos::from_secs(2),
            abort_after: None,
        }
    }
}

impl LoadOptions {
    /// The defaults of a sweep, which are those of the study that meshload's sweeps repeat.
    pub fn of_sweep() -> LoadOptions {
        LoadOptions {
            process: ArrivalProcess::Exp,
            threads: 4,
            connections: 100,
            ..LoadOptions::default()
        }
    }

    /// The script with its arguments.
    pub fn script(&self) -> Option<ScriptRef> {
        self.script.clone().map(|path| ScriptRef {
            path,
            args: self.script_args.clone(),
        })
    }

    /// The load of a run that measures for ten seconds, without warm-up and guard, with seed 1.
    pub fn load(&self, offered: Offered) -> Load {
        Load {
            offered,
            process: self.process,
            seed: 1,
            seed_pinned: false,
            connections: self.connections,
            max_connections: self.max_connections.unwrap_or(self.connections),
            threads: self.threads,
            pipeline: self.pipeline,
            pacing: self.pacing,
            warmup: Nanos::ZERO,
            duration: Nanos::from_secs(10),
            guard: Nanos::ZERO,
            guard_pinned: false,
            timeout: self.timeout,
            abort_after: self.abort_after,
        }
    }
}

/// The script of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScriptRef {
    /// The path as it was given.
    pub path: PathBuf,
    /// The arguments for its `init(args)`: what follows `--` on the command line.
    pub args: Vec<String>,
}

/// The load of a run, with a value for everything that [`LoadOptions`] may leave open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Load {
    /// How much load.
    pub offered: Offered,
    /// How the gaps between requests are distributed.
    pub process: ArrivalProcess,
    /// Seeds the schedule and the workers' random numbers.
    pub seed: u64,
    /// Whether the user chose the seed; a script's own `math.randomseed` then does nothing.
    pub seed_pinned: bool,
    /// Connections kept open.
    pub connections: usize,
    /// How far the pool may grow when no connection is free; at least `connections`.
    pub max_connections: usize,
    /// Threads asked for; never more run than there are connections.
    pub threads: usize,
    /// Batches in flight on one connection.
    pub pipeline: usize,
    /// How due times are waited for.
    pub pacing: Pacing,
    /// Load before the measured window.
    pub warmup: Nanos,
    /// The measured window.
    pub duration: Nanos,
    /// Load after the measured window.
    pub guard: Nanos,
    /// Whether the user chose the guard. If not, a run beside which a cluster's figures are collected gets
    /// a longer one, because samples of a cluster are late. Files hold only the guard itself.
    #[serde(skip)]
    pub guard_pinned: bool,
    /// A request that is in flight for longer is counted as slow, once.
    pub timeout: Nanos,
    /// A request that is in flight for longer is given up, and its connection closed.
    pub abort_after: Option<Nanos>,
}

impl Load {
    /// Checks that the numbers can be carried out, each and together.
    ///
    /// # Errors
    /// [`BadSpec`] with the flag and the cure.
    pub fn validate(&self) -> Result<(), BadSpec> {
        let zeros = [
            ("-c", "no connections", self.connections == 0),
            ("-t", "no threads", self.threads == 0),
            ("--pipeline", "no requests in flight", self.pipeline == 0),
        ];
        if let Some((flag, message, _)) = zeros.iter().find(|(.., is_zero)| *is_zero) {
            return Err(BadSpec::new(flag, *message, "use at least 1"));
        }
        let no_time = |length: Nanos| length.is_zero();
        let times = [
            ("-d", "nothing to measure", "10s", no_time(self.duration)),
            ("-T", "a limit of 0", "2s", no_time(self.timeout)),
            (
                "--abort-after",
                "a limit of 0",
                "2s",
                self.abort_after.is_some_and(no_time),
            ),
        ];
        if let Some((flag, message, such_as, _)) = times.iter().find(|(.., is_zero)| *is_zero) {
            let cure = format!("use a duration above 0, such as {such_as}");
            return Err(BadSpec::new(flag, *message, cure));
        }
        let limits = [
            ("-t", self.threads, MOST_THREADS),
            ("-c", self.connections, MOST_CONNECTIONS),
            ("--max-connections", self.max_connections, MOST_CONNECTIONS),
            ("--pipeline", self.pipeline, MOST_IN_FLIGHT),
        ];
        if let Some((flag, count, most)) = limits.iter().find(|(_, count, most)| count > most) {
            let message = format!("{count} is too many");
            return Err(BadSpec::new(flag, message, format!("use at most {most}")));
        }
        if self.max_connections < self.connections {
            let (most, least) = (self.max_connections, self.connections);
            return Err(BadSpec::new(
                "--max-connections",
                format!("{most} is less than -c {least}"),
                "the pool can grow, not shrink: give at least -c",
            ));
        }
        Ok(())
    }
}

/// Reads a count of at least one; `1k` is a thousand, as for wrk.
///
/// # Errors
/// What to write instead.
pub fn parse_count(typed: &str) -> Result<usize, String> {
    let (digits, scale) = match typed.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1_000),
        None => (typed, 1),
    };
    let count = digits.parse::<usize>().ok();
    count
        .and_then(|count| count.checked_mul(scale))
        .filter(|count| *count >= 1)
        .ok_or_else(|| "use a whole number of at least 1".to_owned())
}

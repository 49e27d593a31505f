//! The whole question that a run answers.

use super::{CollectSpec, HttpSpec, Reach, StepLabel, Target, TlsSpec, Window};
use crate::schedule::{ArrivalProcess, Profile, Schedule};
use crate::units::{Nanos, Rate};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Something that cannot be run as asked: which flag, what is wrong, and the cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{flag}: {message}; {cure}")]
pub struct BadSpec {
    /// The flag, such as `-c`.
    pub flag: &'static str,
    /// What is wrong with it.
    pub message: String,
    /// What to do instead.
    pub cure: String,
}

impl BadSpec {
    /// Says which flag, what is wrong and the cure.
    pub fn new(flag: &'static str, message: impl Into<String>, cure: impl Into<String>) -> BadSpec {
        BadSpec {
            flag,
            message: message.into(),
            cure: cure.into(),
        }
    }
}

/// More than a machine has ports for, and than one thread can be a core for.
const MOST_CONNECTIONS: usize = 1_000_000;
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Pacing {
    /// Timer, then a spin over the last stretch, within a budget of a quarter of the thread's
    /// time; spins all the time when the machine has at least twice as many cores as threads.
    #[default]
    Auto,
    /// The kernel's timer alone.
    Timer,
    /// Never sleeps.
    Spin,
}

/// Load and transport.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Load {
    /// How much.
    pub offered: Offered,
    /// How the gaps are distributed.
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
    /// A request in flight for longer is counted as slow, once.
    pub timeout: Nanos,
    /// A request in flight for longer is given up, its connection closed.
    pub abort_after: Option<Nanos>,
}

/// What is recorded and printed beyond the usual.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Recording {
    /// Print the percentile spectrum.
    pub spectrum: bool,
    /// Print the uncorrected latencies, too.
    pub uncorrected: bool,
    /// Print a block per URL.
    pub separate: bool,
    /// Print the number of requests sent.
    pub sent: bool,
    /// Record one latency per pipelined batch, not per request.
    pub batch_latency: bool,
    /// Write every request to requests.csv.
    pub requests_csv: bool,
}

/// The script of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScriptRef {
    /// As it was given.
    pub path: PathBuf,
    /// What follows `--`.
    pub args: Vec<String>,
}

/// The whole question: stored in every result; the steps of a sweep differ only in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunSpec {
    /// Where to; each gets the whole load.
    pub targets: Vec<Target>,
    /// How much, when and over what.
    pub load: Load,
    /// How connections find their way.
    #[serde(default)]
    pub reach: Reach,
    /// Which HTTP is spoken, and how long a connection is kept.
    #[serde(default)]
    pub http: HttpSpec,
    /// How `https://` targets are spoken to.
    #[serde(default)]
    pub tls: TlsSpec,
    /// Header lines of every request.
    pub headers: Vec<(String, String)>,
    /// Where requests come from; none: a GET of the target's path.
    pub script: Option<ScriptRef>,
    /// What is kept and shown.
    pub recording: Recording,
    /// Whose use of resources is collected meanwhile.
    #[serde(default)]
    pub collect: CollectSpec,
    /// Which step of a sweep this is; none for a run by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepLabel>,
}

impl RunSpec {
    /// The rate that is offered to each target; `None` for a ramp and for a closed loop.
    pub fn fixed_rate(&self) -> Option<Rate> {
        match self.load.offered {
            Offered::Rate(rate) => Some(rate),
            Offered::Ramp { .. } | Offered::Max => None,
        }
    }

    /// Checks what no single flag can know.
    ///
    /// # Errors
    /// [`BadSpec`] for the first thing that cannot be run.
    pub fn validate(&self) -> Result<(), BadSpec> {
        let load = &self.load;
        let at_least_one = "use at least 1";
        if self.targets.is_empty() {
            return Err(BadSpec::new(
                "URL",
                "is missing",
                "add http://host:port/path",
            ));
        }
        if load.connections == 0 {
            return Err(BadSpec::new("-c", "no connections", at_least_one));
        }
        if load.threads == 0 {
            return Err(BadSpec::new("-t", "no threads", at_least_one));
        }
        if load.pipeline == 0 {
            return Err(BadSpec::new(
                "--pipeline",
                "no requests in flight",
                at_least_one,
            ));
        }
        if load.duration.is_zero() {
            return Err(BadSpec::new(
                "-d",
                "nothing to measure",
                "use a duration above 0, such as 10s",
            ));
        }
        for (flag, count, most) in [
            ("-t", load.threads, MOST_THREADS),
            ("-c", load.connections, MOST_CONNECTIONS),
            ("--max-connections", load.max_connections, MOST_CONNECTIONS),
            ("--pipeline", load.pipeline, MOST_IN_FLIGHT),
        ] {
            if count > most {
                return Err(BadSpec::new(
                    flag,
                    format!("{count} is too many"),
                    format!("use at most {most}"),
                ));
            }
        }
        if load.max_connections < load.connections {
            return Err(BadSpec::new(
                "--max-connections",
                format!(
                    "{} is less than -c {}",
                    load.max_connections, load.connections
                ),
                "the pool can grow, not shrink: give at least -c",
            ));
        }
        for (flag, limit) in [
            ("-T", Some(load.timeout)),
            ("--abort-after", load.abort_after),
        ] {
            if limit.is_some_and(Nanos::is_zero) {
                return Err(BadSpec::new(
                    flag,
                    "a limit of 0",
                    "use a duration above 0, such as 2s",
                ));
            }
        }
        self.collect.validate()?;
        self.reach.validate()?;
        self.http.validate(load.pipeline)?;
        self.tls.validate()?;
        if self.recording.separate && self.targets.len() < 2 {
            return Err(BadSpec::new(
                "-S",
                "there is only one URL",
                "leave -S out or give several URLs",
            ));
        }
        Ok(())
    }

    /// The header lines of every request, the one among them that ends the connection with it, where it
    /// does.
    pub fn request_headers(&self) -> Vec<(String, String)> {
        let mut headers = self.headers.clone();
        let closes = self.http.no_keepalive && !self.http.http2;
        let mut names = headers.iter().map(|(name, _)| name);
        if closes && !names.any(|name| name.eq_ignore_ascii_case("connection")) {
            headers.push(("Connection".to_owned(), "close".to_owned()));
        }
        headers
    }

    /// Whether all requests say one Host, whatever the URL's is.
    pub fn says_host(&self) -> bool {
        let mut names = self.headers.iter().map(|(name, _)| name);
        names.any(|name| name.eq_ignore_ascii_case("host"))
    }

    /// Checks that these targets, which are measured beside each other, are reached and spoken to as
    /// asked.
    ///
    /// # Errors
    /// [`BadSpec`] with the flag and the cure.
    pub fn suits(&self, targets: &[&Target]) -> Result<(), BadSpec> {
        self.reach.suits(targets, self.says_host())?;
        self.tls.suits(targets)
    }

    /// Batches that one connection carries at a time: pipelined, or as streams of HTTP/2.
    pub fn depth(&self) -> usize {
        match self.http.http2 {
            true => self.http.streams,
            false => self.load.pipeline,
        }
    }

    /// Where the measured window lies.
    pub fn window(&self) -> Window {
        let load = &self.load;
        Window {
            start: load.warmup,
            end: load.warmup + load.duration,
            stop: load.warmup + load.duration + load.guard,
        }
    }

    /// The due times for each target; `None` in a closed loop.
    pub fn schedule(&self) -> Option<Schedule> {
        let profile = match self.load.offered {
            Offered::Max => return None,
            Offered::Rate(rate) => Profile::Constant(rate),
            Offered::Ramp { from, to } => Profile::Ramp {
                from,
                to,
                start: self.load.warmup,
                length: self.load.duration,
            },
        };
        Some(Schedule {
            process: self.load.process,
            profile,
            seed: self.load.seed,
        })
    }

    /// Threads that serve one target: never more than there are connections.
    pub fn workers_per_target(&self) -> usize {
        self.load.threads.min(self.load.connections)
    }
}

//! The specification of a run.

use super::{
    BadSpec, CollectSpec, HttpOptions, Load, Offered, Options, ReachOptions, RecordingOptions,
    ScriptRef, StepKey, StepLabel, Target, TlsOptions, Window,
};
use crate::schedule::{Profile, Schedule};
use crate::units::Rate;
use serde::{Deserialize, Serialize};

/// The whole question that a run answers. It is stored in every result, and the steps of a sweep
/// differ only in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunSpec {
    /// Where the load goes; each target gets the whole load.
    pub targets: Vec<Target>,
    /// How much load, when, and over how many connections.
    pub load: Load,
    /// How connections find their way.
    #[serde(default)]
    pub reach: ReachOptions,
    /// Which HTTP is spoken, and how long a connection is kept.
    #[serde(default)]
    pub http: HttpOptions,
    /// How `https://` targets are spoken to.
    #[serde(default)]
    pub tls: TlsOptions,
    /// Name and value of the headers of every request.
    pub headers: Vec<(String, String)>,
    /// The script that makes the requests; without one they are a GET of the target's path.
    pub script: Option<ScriptRef>,
    /// What is recorded and printed beyond the usual.
    pub recording: RecordingOptions,
    /// From where figures of resources are collected while the load is on.
    #[serde(default)]
    pub collect: CollectSpec,
    /// Which step of a sweep this is; `None` for a run by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepLabel>,
}

impl RunSpec {
    /// A run to these targets that measures for ten seconds, without warm-up and guard, with seed 1. Callers
    /// set other phases or another seed in [`load`](RunSpec::load).
    pub fn to(targets: Vec<Target>, offered: Offered, options: Options) -> RunSpec {
        RunSpec {
            targets,
            load: options.load.load(offered),
            script: options.load.script(),
            headers: options.load.headers,
            reach: options.reach,
            http: options.http,
            tls: options.tls,
            recording: options.recording,
            collect: options.cluster.into_spec(),
            step: None,
        }
    }

    /// The rate that is offered to each target; `None` for a ramp and for a closed loop.
    pub fn fixed_rate(&self) -> Option<Rate> {
        match self.load.offered {
            Offered::Rate(rate) => Some(rate),
            Offered::Ramp { .. } | Offered::Max => None,
        }
    }

    /// The rate that is offered to all targets together; each of them gets the whole load. `None` for a ramp
    /// and for a closed loop.
    pub fn rate_of_all_targets(&self) -> Option<Rate> {
        let rate = self.fixed_rate()?;
        Some(Rate::nearest(rate.as_f64() * self.targets.len() as f64))
    }

    /// The key of this step in its sweep, with the rate of one target, as the plan and the step's folder
    /// have it; `None` for a run by itself and for a load without a fixed rate.
    pub fn step_key(&self) -> Option<StepKey> {
        let label = self.step.as_ref()?;
        Some(StepKey {
            number: label.number,
            arm: label.arm.clone(),
            rate: self.fixed_rate()?,
            repetition: label.repetition,
        })
    }

    /// Checks the options together.
    ///
    /// # Errors
    /// [`BadSpec`] for the first thing that cannot be run.
    pub fn validate(&self) -> Result<(), BadSpec> {
        if self.targets.is_empty() {
            let cure = "add http://host:port/path";
            return Err(BadSpec::new("URL", "is missing", cure));
        }
        self.load.validate()?;
        self.collect.validate()?;
        self.reach.validate()?;
        self.http.validate(self.load.pipeline)?;
        self.tls.validate()?;
        self.recording.suits(&self.targets)
    }

    /// The header lines of every request; with `--no-keepalive` over HTTP/1.1 `Connection: close` is among
    /// them.
    pub fn request_headers(&self) -> Vec<(String, String)> {
        let mut headers = self.headers.clone();
        let closes = self.http.no_keepalive && !self.http.http2;
        let mut names = headers.iter().map(|(name, _)| name);
        if closes && !names.any(|name| name.eq_ignore_ascii_case("connection")) {
            headers.push(("Connection".to_owned(), "close".to_owned()));
        }
        headers
    }

    /// Whether a header of every request replaces the Host of the URL.
    pub fn says_host(&self) -> bool {
        let mut names = self.headers.iter().map(|(name, _)| name);
        names.any(|name| name.eq_ignore_ascii_case("host"))
    }

    /// Checks that the options of reach and TLS fit these targets, which are measured beside each other.
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

    /// The number of threads that serve one target, at most the number of connections.
    pub fn workers_per_target(&self) -> usize {
        self.load.threads.min(self.load.connections)
    }
}

//! The flags of a run: wrk2's, and meshload's own.

use super::collect::{ClusterArgs, collect_from};
use super::gate::{GateArgs, Repetition};
use super::http::HttpArgs;
use super::reach::ReachArgs;
use super::tls::TlsArgs;
use super::values;
use crate::exit::EXIT_CODES;
use crate::judge::Threshold;
use crate::schedule::ArrivalProcess;
use crate::spec::{
    BadSpec, CollectFrom, Load, Offered, Pacing, Recording, RunSpec, ScriptRef, Target,
};
use crate::units::{Nanos, parse_duration};
use crate::version::VERSION_AND_TARGET;
use clap::Args;
use std::path::PathBuf;

/// What is to be run, and where the result goes.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// The question.
    pub spec: RunSpec,
    /// Where the answer goes.
    pub outputs: Outputs,
    /// What the user should know about the flags.
    pub notes: Vec<String>,
    /// What fails the run.
    pub thresholds: Vec<Threshold>,
    /// Several runs, where they were asked for.
    pub repetition: Option<Repetition>,
    /// Whether the user chose the guard; if not, a cluster's figures bring one with them.
    pub guard_is_given: bool,
}

/// Where results go besides the text on stdout.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outputs {
    /// `--json`
    pub json: Option<Destination>,
    /// `--csv`
    pub csv: Option<PathBuf>,
    /// `--hlog`
    pub hlog: Option<PathBuf>,
    /// `-o`
    pub folder: Option<PathBuf>,
    /// `--summary-md`
    pub summary: Option<PathBuf>,
    /// `--junit`
    pub junit: Option<PathBuf>,
    /// No live line, no notes.
    pub quiet: bool,
}

impl Outputs {
    /// Several runs do not fit into one file.
    fn validate_for_several(&self) -> Result<(), BadSpec> {
        let flags = [
            ("--json", self.json.is_some()),
            ("--csv", self.csv.is_some()),
            ("--hlog", self.hlog.is_some()),
        ];
        match flags.iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) => Err(BadSpec::new(
                flag,
                "--repeat and --baseline make several runs, which do not fit into one file",
                "use -o DIR: it keeps each of them",
            )),
            None => Ok(()),
        }
    }
}

/// A file, or stdout in place of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// `-`
    Stdout,
    /// A path.
    File(PathBuf),
}

const MORE_HELP: &str = "\
Examples:
  meshload -R 800 -d 60s -s lua/mixed-workload_type_1.lua http://localhost:5000
  meshload -t 4 -c 100 -R 2k -D exp -L -d 30s --warmup 10s -o results/a URL
  meshload -R max -d 10s http://host/ --json -
  meshload -R 800 --warmup 15s -s mix.lua URL --collect kube -n hotel -o results/b
  meshload -R 800 URL --fail-if 'p99 > 50ms' --fail-if 'error_rate > 0.1%'
  meshload -R 800 -d 30s URL --repeat 6 -o results/main
  meshload -R 800 -d 30s URL --baseline results/main --max-regression p99=10%

Other commands (meshload COMMAND --help):
  report DIR   text, plots and a page of a result folder
  check [URL]  what of target, cluster and mesh will work, with cures
  collect      the collector alone, beside any other load
  sweep        rates x arms x repetitions into one folder, resumable
  compare      what one arm of a sweep costs over another
  hotel        serve a stand-in for the HotelReservation frontend
  demo         run the HotelReservation mix against it on this machine
  selftest     what this machine can resolve
";

#[derive(Debug, Args)]
#[command(
    override_usage = "meshload [OPTIONS] <-R RATE|--ramp A:B> URL... [-- SCRIPT ARGS]",
    after_help = format!("{MORE_HELP}\n{EXIT_CODES}"),
    // The version says `meshload`, not `meshload-run`: most people never type the word.
    display_name = "meshload",
    version = VERSION_AND_TARGET,
    disable_version_flag = true
)]
pub(super) struct RunArgs {
    /// URL to send requests to; several are each given the whole load
    #[arg(value_name = "URL", required = true)]
    urls: Vec<String>,

    /// Requests per second (800, 0.5, 20k), or max for a closed loop at full speed
    #[arg(short = 'R', long, value_name = "RATE", value_parser = values::offered, conflicts_with = "ramp", allow_negative_numbers = true)]
    rate: Option<Offered>,
    /// Rate that changes evenly over the measured time, from A to B
    #[arg(long, value_name = "A:B", value_parser = values::ramp)]
    ramp: Option<Offered>,
    /// Arrival process: fixed, exp, norm, uniform or zipf, each with the mean gap 1/R
    #[arg(short = 'D', long = "dist", value_name = "PROCESS", default_value = "fixed", value_parser = values::process)]
    dist: ArrivalProcess,
    /// Measured time (60s, 1m30s, 500ms)
    #[arg(short = 'd', long, value_name = "T", default_value = "10s", value_parser = parse_duration)]
    duration: Nanos,
    /// Load before the measured time
    #[arg(long, value_name = "T", default_value = "0s", value_parser = parse_duration)]
    warmup: Nanos,
    /// Load after the measured time, so that its last requests can finish under load
    /// [default: 0s; 20s with a cluster's figures, which come late]
    #[arg(long, value_name = "T", value_parser = parse_duration)]
    guard: Option<Nanos>,
    /// Connections to keep open
    #[arg(short = 'c', long, value_name = "N", default_value = "10", value_parser = values::at_least_one)]
    connections: usize,
    /// Open more connections, up to N, while requests wait for one
    #[arg(long, value_name = "N", value_parser = values::at_least_one)]
    max_connections: Option<usize>,
    /// Threads; the rate is the same whatever their number
    #[arg(short = 't', long, value_name = "N", default_value = "2", value_parser = values::at_least_one)]
    threads: usize,
    /// Requests (or batches) in flight on one connection
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::at_least_one)]
    pipeline: usize,
    /// How due times are waited for: auto, timer or spin
    #[arg(long, value_name = "MODE", default_value = "auto", value_parser = values::pacing)]
    pacing: Pacing,
    /// Seed of the schedule and of the script's random numbers [default: a new one]
    #[arg(long, value_name = "N", value_parser = values::seed)]
    seed: Option<u64>,

    /// Lua script, as for wrk and wrk2
    #[arg(short = 's', long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Header line of every request; repeatable
    #[arg(short = 'H', long = "header", value_name = "LINE", value_parser = values::header)]
    headers: Vec<(String, String)>,
    /// A request in flight for longer is counted as slow
    #[arg(short = 'T', long, value_name = "T", default_value = "2s", value_parser = parse_duration)]
    timeout: Nanos,
    /// A request in flight for longer is given up and its connection closed
    #[arg(long, value_name = "T", value_parser = parse_duration)]
    abort_after: Option<Nanos>,

    /// Print the latency distribution and its spectrum
    #[arg(short = 'L', long)]
    latency: bool,
    /// Print the uncorrected latencies (service times), too
    #[arg(short = 'U', long = "u_latency", alias = "u-latency")]
    u_latency: bool,
    /// Record the latency of whole pipelined batches
    #[arg(short = 'B', long = "batch_latency", alias = "batch-latency")]
    batch_latency: bool,
    /// Print the results of each URL by itself
    #[arg(short = 'S', long)]
    separate: bool,
    /// Print the number of requests sent
    #[arg(short = 'r', long)]
    requests: bool,
    /// Write every request to requests.csv in the result folder
    #[arg(short = 'P', long = "print-requests")]
    print_requests: bool,
    /// Accepted for wrk2's sake: intervals.csv in the result folder has more
    #[arg(short = 'p', long = "print-intervals")]
    print_intervals: bool,

    /// Result folder; new, or empty
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    output: Option<PathBuf>,
    /// Write the result as JSON; - for stdout, in place of the text
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a row per URL as CSV
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write an HdrHistogram interval log
    #[arg(long, value_name = "FILE")]
    hlog: Option<PathBuf>,
    /// No live line and no notes on stderr
    #[arg(short = 'q', long)]
    quiet: bool,

    /// Print the version
    #[arg(short = 'v', short_alias = 'V', long, action = clap::ArgAction::Version)]
    version: Option<bool>,

    // A group's heading holds for all that comes after it, so groups come last.
    #[command(flatten)]
    http: HttpArgs,
    #[command(flatten)]
    reach: ReachArgs,
    #[command(flatten)]
    tls: TlsArgs,
    /// Whose CPU, memory and network to collect meanwhile: none, auto (a cluster's, if there is
    /// one), kube, process:PID,... or process:name=TEXT
    #[arg(long, value_name = "FROM", default_value = "none", value_parser = collect_from, help_heading = "Cluster")]
    collect: CollectFrom,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    gate: GateArgs,

    /// Arguments for the script's init(args)
    #[arg(last = true, value_name = "SCRIPT ARGS")]
    script_args: Vec<String>,
}

impl RunArgs {
    /// What the flags mean together.
    pub(super) fn into_request(self) -> Result<RunRequest, BadSpec> {
        let offered = self.rate.or(self.ramp).ok_or_else(|| {
            BadSpec::new(
                "-R",
                "the rate is missing",
                "give -R 800, --ramp 100:800, or -R max for a closed loop",
            )
        })?;
        if self.script.is_none() && !self.script_args.is_empty() {
            return Err(BadSpec::new(
                "--",
                "arguments for a script without one",
                "add -s FILE",
            ));
        }
        if self.print_requests && self.output.is_none() {
            return Err(BadSpec::new(
                "-P",
                "there is no folder for requests.csv",
                "add -o DIR",
            ));
        }
        let notes = self.notes();
        let outputs = self.outputs();
        let guard_is_given = self.guard.is_some();
        let repetition = self.gate.repetition();
        let (spec, gate) = self.into_spec(offered)?;
        spec.validate()?;
        gate.validate(&spec)?;
        if repetition.is_some() {
            outputs.validate_for_several()?;
        }
        Ok(RunRequest {
            thresholds: gate.fail_if,
            repetition,
            spec,
            outputs,
            notes,
            guard_is_given,
        })
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.connections < self.threads {
            notes.push(format!(
                "-t {} with -c {}: a thread needs a connection, so {} run",
                self.threads, self.connections, self.connections
            ));
        }
        if self.print_intervals {
            notes.push("-p: see intervals.csv in the result folder (-o DIR)".to_owned());
        }
        notes
    }

    fn outputs(&self) -> Outputs {
        let destination = |path: &PathBuf| match path.to_str() {
            Some("-") => Destination::Stdout,
            _ => Destination::File(path.clone()),
        };
        Outputs {
            json: self.json.as_ref().map(destination),
            csv: self.csv.clone(),
            hlog: self.hlog.clone(),
            folder: self.output.clone(),
            summary: self.gate.summary_md.clone(),
            junit: self.gate.junit.clone(),
            quiet: self.quiet,
        }
    }

    fn into_spec(self, offered: Offered) -> Result<(RunSpec, GateArgs), BadSpec> {
        let targets = self.urls.iter().map(|url| Target::parse(url));
        let headers = self.reach.with_host(self.headers)?;
        let script_args = self.script_args;
        let spec = RunSpec {
            targets: targets.collect::<Result<_, _>>()?,
            load: Load {
                offered,
                process: self.dist,
                // 32 bits: JSON readers that know only floats keep it exact.
                seed: self
                    .seed
                    .unwrap_or_else(|| u64::from(rand::random::<u32>())),
                seed_pinned: self.seed.is_some(),
                connections: self.connections,
                max_connections: self.max_connections.unwrap_or(self.connections),
                threads: self.threads,
                pipeline: self.pipeline,
                pacing: self.pacing,
                warmup: self.warmup,
                duration: self.duration,
                guard: self.guard.unwrap_or(Nanos::ZERO),
                timeout: self.timeout,
                abort_after: self.abort_after,
            },
            http: self.http.into_spec(),
            reach: self.reach.into_spec(),
            tls: self.tls.into_spec(),
            headers,
            script: self.script.map(|path| ScriptRef {
                path,
                args: script_args,
            }),
            recording: Recording {
                spectrum: self.latency,
                uncorrected: self.u_latency,
                separate: self.separate,
                sent: self.requests,
                batch_latency: self.batch_latency,
                requests_csv: self.print_requests,
            },
            collect: self.cluster.into_spec(self.collect),
            step: None,
        };
        Ok((spec, self.gate))
    }
}

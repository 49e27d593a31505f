//! The flags of `meshload run`: those of wrk2, and those that meshload adds.

use super::gate::{GateArgs, Repetition};
use super::options::{CollectorArgs, TransportArgs};
use super::values;
use crate::exit::EXIT_CODES;
use crate::gate::Threshold;
use crate::spec::{BadSpec, LoadOptions, Offered, RecordingOptions, RunSpec, Target};
use crate::units::Nanos;
use crate::version::VERSION_AND_TARGET;
use clap::Args;
use std::path::PathBuf;

/// The run that is asked for, and where its result goes.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// The question that the run answers.
    pub spec: RunSpec,
    /// Where the result goes.
    pub outputs: Outputs,
    /// Notes about the flags, for the user.
    pub notes: Vec<String>,
    /// Thresholds; one that is crossed fails the run.
    pub thresholds: Vec<Threshold>,
    /// How often the run is repeated, and what it is compared with; `None` for a single run.
    pub repetition: Option<Repetition>,
}

impl RunRequest {
    /// One run with these outputs and without thresholds.
    pub fn single(spec: RunSpec, outputs: Outputs) -> RunRequest {
        RunRequest {
            spec,
            outputs,
            notes: Vec::new(),
            thresholds: Vec::new(),
            repetition: None,
        }
    }
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
    /// Whether there is neither a live line nor notes on stderr.
    pub quiet: bool,
}

impl Outputs {
    /// Refuses files that hold one run where there are several.
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
    /// Standard output, typed as `-`.
    Stdout,
    /// The file of this path.
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
    // `--version` prints `meshload`, not `meshload-run`, because the word `run` may be left out.
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
    /// Measured time (60s, 1m30s, 500ms)
    #[arg(short = 'd', long, value_name = "T", default_value = "10s")]
    duration: Nanos,
    /// Load before the measured time
    #[arg(long, value_name = "T", default_value = "0s")]
    warmup: Nanos,
    /// Load after the measured time, so that its last requests can finish under load
    /// [default: 0s; 20s with a cluster's figures, which come late]
    #[arg(long, value_name = "T")]
    guard: Option<Nanos>,
    /// Seed of the schedule and of the script's random numbers [default: a new one]
    #[arg(long, value_name = "N", value_parser = values::seed)]
    seed: Option<u64>,

    #[command(flatten)]
    load: LoadOptions,
    #[command(flatten)]
    recording: RecordingOptions,
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

    // clap puts every flag after a group's heading under that heading, so groups come last.
    #[command(flatten)]
    transport: TransportArgs,
    #[command(flatten)]
    collector: CollectorArgs,
    #[command(flatten)]
    gate: GateArgs,
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
        if self.load.script.is_none() && !self.load.script_args.is_empty() {
            return Err(BadSpec::new(
                "--",
                "arguments for a script without one",
                "add -s FILE",
            ));
        }
        if self.recording.requests_csv && self.output.is_none() {
            return Err(BadSpec::new(
                "-P",
                "there is no folder for requests.csv",
                "add -o DIR",
            ));
        }
        let notes = self.notes();
        let outputs = self.outputs();
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
            notes,
            ..RunRequest::single(spec, outputs)
        })
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let (threads, connections) = (self.load.threads, self.load.connections);
        if connections < threads {
            notes.push(format!(
                "-t {threads} with -c {connections}: a thread needs a connection, so {connections} run"
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
        let targets = targets.collect::<Result<_, _>>()?;
        let cluster = self.collector.options();
        let options = self.transport.options(self.load, self.recording, cluster)?;
        let mut spec = RunSpec::to(targets, offered, options);
        spec.load.seed_pinned = self.seed.is_some();
        spec.load.seed = self.seed.unwrap_or_else(values::new_seed);
        spec.load.warmup = self.warmup;
        spec.load.duration = self.duration;
        spec.load.guard_pinned = self.guard.is_some();
        spec.load.guard = self.guard.unwrap_or(Nanos::ZERO);
        Ok((spec, self.gate))
    }
}

//! Arguments: the command line is read once, here, and becomes a [`Request`]. Nothing is run.

mod check;
mod collect;
mod compare;
mod gate;
mod options;
mod run;
mod shell;
mod sweep;
mod values;

pub use check::CheckRequest;
pub use collect::CollectRequest;
pub use compare::CompareRequest;
pub use gate::{Baseline, Repetition};
pub use run::{Destination, Outputs, RunRequest};
pub use sweep::{SweepRequest, read_plan};
pub use values::new_seed;

use crate::exit::EXIT_CODES;
use crate::hotel::{HotelSpec, ServiceTime, Stall};
use crate::spec::BadSpec;
use crate::sweep::BadPlan;
use crate::units::Rate;
use clap::error::ContextKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What the command line asks for.
#[derive(Debug)]
pub enum Request {
    /// A run.
    Run(Box<RunRequest>),
    /// The report of a result folder.
    Report(ReportRequest),
    /// The stand-in server.
    Hotel(HotelSpec),
    /// A run against a stand-in server that the command starts itself.
    Demo {
        /// The result folder; a new one under `results` when not given.
        output: Option<PathBuf>,
        /// Length of the measured window.
        duration: crate::units::Nanos,
    },
    /// A measurement of what this machine can resolve.
    Selftest {
        /// Whether it takes a third of the time, for coarser figures.
        is_short: bool,
    },
    /// Checks of target, script and cluster.
    Check(Box<CheckRequest>),
    /// The collector alone.
    Collect(Box<CollectRequest>),
    /// A measurement of every rate in every arm.
    Sweep(Box<SweepRequest>),
    /// A comparison of arms: what one costs over another.
    Compare(CompareRequest),
    /// A text to print: completions or the man page.
    Print(Vec<u8>),
}

/// Why no request could be made.
#[derive(Debug, thiserror::Error)]
pub enum BadArguments {
    /// Words that clap could not read; also help and version, which clap answers itself.
    #[error(transparent)]
    Clap(#[from] clap::Error),
    /// A combination that cannot be run.
    #[error(transparent)]
    Spec(#[from] BadSpec),
    /// A plan that cannot be carried out.
    #[error(transparent)]
    Plan(#[from] BadPlan),
}

#[derive(Debug, Parser)]
#[command(
    name = "meshload",
    about = "An open-loop HTTP load generator that runs wrk2's Lua scripts and carries the proof of its numbers",
    disable_version_flag = true,
    max_term_width = 80,
    after_help = EXIT_CODES
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant)] // one of these exists per process
enum Command {
    /// Make one run (also without the word: meshload -R 800 -d 60s URL)
    Run(run::RunArgs),
    /// Report what a folder holds: text, plots and a page, of a run, a sweep, a collection or the study
    Report(ReportArgs),
    /// Serve a stand-in for the HotelReservation frontend
    Hotel(HotelArgs),
    /// Run the HotelReservation mix against a stand-in on this machine
    Demo(DemoArgs),
    /// Show what this machine can resolve: pacing error, latency floor, a known answer
    #[command(after_help = "Example:\n  meshload selftest > machine.txt")]
    Selftest {
        /// Take six seconds instead of fifteen, for coarser figures
        #[arg(long)]
        short: bool,
    },
    /// Check target, script, cluster and mesh before a measurement, with a cure for each problem
    Check(check::CheckArgs),
    /// Collect CPU, memory and network of a cluster or of processes, beside any other load
    Collect(collect::CollectArgs),
    /// Measure rates x arms x repetitions into one folder; the same command again resumes
    Sweep(sweep::SweepArgs),
    /// Show what one arm, or folder, costs over another, with the uncertainty
    Compare(compare::CompareArgs),
    /// Print a script that completes commands and flags in a shell
    #[command(
        after_help = "Example:\n  meshload completions bash > /etc/bash_completion.d/meshload"
    )]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the man page
    #[command(after_help = "Example:\n  meshload man > /usr/local/share/man/man1/meshload.1")]
    Man,
}

/// The report that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRequest {
    pub folder: PathBuf,
    /// The folder for the page and its plots; when not given, the reported folder.
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  meshload report results/demo_1           text, page and plots, into it\n  meshload report results/two -o /tmp/two  page and plots somewhere else"
)]
struct ReportArgs {
    /// Folder of a run, a collection, a sweep or the study
    folder: PathBuf,
    /// Write report.html and plots/ there and not into the folder
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    output: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  meshload demo -d 30s -o results/first")]
struct DemoArgs {
    /// Result folder [default: results/demo_<time>]
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    output: Option<PathBuf>,
    /// Measured time
    #[arg(short = 'd', long, value_name = "T", default_value = "10s")]
    duration: crate::units::Nanos,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  meshload hotel --listen 127.0.0.1:5000 --service-time exp:2ms --stall 1s@5s"
)]
struct HotelArgs {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5000")]
    listen: SocketAddr,
    /// constant:2ms, exp:2ms (mean) or lognormal:2ms,20ms (median, p99); constant:0 answers at once
    #[arg(long, value_name = "DIST", default_value_t = ServiceTime::default())]
    service_time: ServiceTime,
    /// Freeze once: 1s@5s is for 1 s, 5 s after the first request
    #[arg(long, value_name = "T@T")]
    stall: Option<Stall>,
    /// Serve one request after the other, this many per second: a server with a queue
    #[arg(long, value_name = "RATE")]
    capacity: Option<Rate>,
    /// Answer this share of the requests with 500: 0.1% or 0.001
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = crate::hotel::parse_share)]
    error_rate: f64,
    /// Close each connection after its Nth reply
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    close_every: Option<u64>,
    /// Seed of the data and of the service times
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

impl From<HotelArgs> for HotelSpec {
    fn from(args: HotelArgs) -> HotelSpec {
        HotelSpec {
            listen: args.listen,
            service_time: args.service_time,
            stall: args.stall,
            capacity: args.capacity,
            error_rate: args.error_rate,
            close_every: args.close_every,
            seed: args.seed,
        }
    }
}

/// The command line with all its commands.
fn command() -> clap::Command {
    Cli::command().mut_subcommand("sweep", options::with_defaults_of_sweep)
}

/// Reads the command line. A command line that names no command is a run.
///
/// # Errors
/// [`BadArguments`], which names the flag and the cure.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Request, BadArguments> {
    let mut args: Vec<OsString> = args.into_iter().collect();
    if let Some(error) = misspelt(&args) {
        return Err(error.into());
    }
    if !names_command(&args) {
        args.insert(args.len().min(1), "run".into());
    }
    let matches = command().try_get_matches_from(args)?;
    let cli = Cli::from_arg_matches(&matches)?;
    Ok(match cli.command {
        Command::Run(args) => Request::Run(Box::new(args.into_request()?)),
        Command::Report(args) => Request::Report(ReportRequest {
            folder: args.folder,
            output: args.output,
        }),
        Command::Hotel(args) => Request::Hotel(args.into()),
        Command::Demo(args) => Request::Demo {
            output: args.output,
            duration: args.duration,
        },
        Command::Selftest { short } => Request::Selftest { is_short: short },
        Command::Check(args) => Request::Check(Box::new(args.into_request()?)),
        Command::Collect(args) => Request::Collect(Box::new(args.into_request()?)),
        Command::Compare(args) => Request::Compare(args.into()),
        Command::Completions { shell } => Request::Print(shell::completions(command(), shell)),
        Command::Man => Request::Print(shell::man_page(command())),
        Command::Sweep(args) => {
            let typed = sweep::typed_flag(&matches);
            Request::Sweep(Box::new(args.into_request(typed)?))
        }
    })
}

fn names_command(args: &[OsString]) -> bool {
    let commands = command();
    let word = args.get(1).and_then(|word| word.to_str());
    word.is_some_and(|word| word == "help" || commands.find_subcommand(word).is_some())
}

/// The error for a word that is nearly a command: it is taken for a command, not for a URL.
fn misspelt(args: &[OsString]) -> Option<clap::Error> {
    let first = args.get(1)?.to_str()?;
    let is_word = !first.is_empty() && first.chars().all(|c| c.is_ascii_lowercase());
    if !is_word || names_command(args) {
        return None;
    }
    let error = command().try_get_matches_from(["meshload", first]).err()?;
    error
        .get(ContextKind::SuggestedSubcommand)
        .is_some()
        .then_some(error)
}

#[cfg(test)]
mod tests;

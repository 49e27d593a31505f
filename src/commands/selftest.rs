//! `meshload selftest`: measures what this machine can resolve, in about fifteen seconds, or six.

use super::environment::environment;
use super::failure::CommandError;
use super::signals::Signals;
use super::stand_in::StandIn;
use crate::cli::new_seed;
use crate::engine::{Job, launch};
use crate::exit::Exit;
use crate::measure::{Distribution, Histogram, RunResult};
use crate::spec::{BadSpec, LoadOptions, Offered, Options, Pacing, RunSpec, Target};
use crate::units::{Nanos, Rate};

/// The lengths of the runs, in milliseconds.
struct Lengths {
    pacing: u64,
    /// The run with the known answer.
    known: u64,
    /// The time in that run in which the server does not answer.
    freeze: u64,
}

/// Runs each pacing mode against a server that answers at once, then one run against a server that
/// freezes.
pub fn selftest(is_short: bool) -> Result<Exit, CommandError> {
    let lengths = if is_short {
        Lengths {
            pacing: 1_000,
            known: 2_500,
            freeze: 250,
        }
    } else {
        Lengths {
            pacing: 3_000,
            known: 5_000,
            freeze: 500,
        }
    };
    let signals = Signals::listen()?;
    let length = Nanos::from_millis(lengths.pacing);
    outln!("pacing and latency floor: 800 requests/s for {length}, a server that answers at once");
    outln!("  pacing   late p50   late p99   latency p50   service p50   spinning");
    let hotel = StandIn::start(&["--service-time", "constant:0"])?;
    for (name, pacing) in [
        ("timer", Pacing::Timer),
        ("auto", Pacing::Auto),
        ("spin", Pacing::Spin),
    ] {
        let load = LoadOptions {
            threads: 1,
            pacing,
            ..LoadOptions::default()
        };
        let result = measure(spec(hotel.url(), 800.0, length, load), &signals)?;
        outln!("{}", pacing_row(name, &result));
    }
    known_answer(&lengths, &signals)
}

/// Measures a server that freezes for S in a run of T. The share of requests slower than x is (S - x) / T,
/// so the 95th percentile is S - 0.05 T and the 99th S - 0.01 T.
fn known_answer(lengths: &Lengths, signals: &Signals) -> Result<Exit, CommandError> {
    let [known, freeze, at] =
        [lengths.known, lengths.freeze, lengths.known * 2 / 5].map(Nanos::from_millis);
    let stall = format!("{freeze}@{at}");
    let flags = ["--service-time", "constant:0", "--stall", &stall];
    let hotel = StandIn::start(&flags)?;
    let load = LoadOptions {
        threads: 1,
        connections: 100,
        ..LoadOptions::default()
    };
    let result = measure(spec(hotel.url(), 1_000.0, known, load), signals)?;
    let tally = result.overall();
    outln!("\nknown answer: 1000 requests/s for {known}, a server that freezes for {freeze}");
    outln!("              expected   measured   uncorrected");
    let latency = tally.latency_with_censored();
    let mut is_right = true;
    for (name, share) in [("p95", 0.95), ("p99", 0.99)] {
        let slower = (1.0 - share) * lengths.known as f64;
        let expected = (lengths.freeze as f64 - slower) / 1e3;
        let seconds = |histogram: &Histogram| histogram.value_at_quantile(share) as f64 / 1e9;
        let (measured, uncorrected) = (seconds(&latency), seconds(&tally.service));
        outln!("  {name}         {expected:>7.3} s  {measured:>7.3} s  {uncorrected:>10.4} s");
        is_right &= (measured / expected - 1.0).abs() < 0.1;
    }
    if is_right {
        outln!("\nthe known answer came back within a tenth");
        return Ok(Exit::Done);
    }
    Err(CommandError::new(
        Exit::NotTrustworthy,
        "the known answer did not come back: this machine is too busy to measure on",
    ))
}

/// A run of this length at this rate per second.
fn spec(url: &str, rate: f64, length: Nanos, load: LoadOptions) -> Result<RunSpec, BadSpec> {
    let options = Options {
        load,
        ..Options::default()
    };
    let rate = Rate::per_second(rate).map_or(Offered::Max, Offered::Rate);
    let mut spec = RunSpec::to(vec![Target::parse(url)?], rate, options);
    spec.load.duration = length;
    spec.load.seed = new_seed();
    Ok(spec)
}

fn measure(spec: Result<RunSpec, BadSpec>, signals: &Signals) -> Result<RunResult, CommandError> {
    let job = Job {
        spec: spec.map_err(CommandError::failed)?,
        script: None,
        prints_to_stderr: false,
        environment: environment(),
    };
    let finished = launch(&job, &mut |_| {}, &|| signals.received().is_some());
    let finished = finished
        .map_err(|error| CommandError::new(signals.received().unwrap_or(Exit::Failed), error))?;
    match signals.received() {
        Some(exit) => Err(CommandError::new(exit, "interrupted")),
        None => Ok(finished.result),
    }
}

fn pacing_row(pacing: &str, result: &RunResult) -> String {
    let tally = result.overall();
    let micros = |histogram: &Histogram, pick: fn(&Distribution) -> u64| {
        Distribution::of(histogram).map_or_else(
            || "-".to_owned(),
            |figures| format!("{:.1} us", pick(&figures) as f64 / 1e3),
        )
    };
    let spun: f64 = result
        .generator
        .threads
        .iter()
        .map(|thread| thread.spin_seconds)
        .sum();
    format!(
        "  {pacing:<6} {:>10} {:>10} {:>13} {:>13} {:>8.0} percent of a core",
        micros(&tally.late, |figures| figures.p50),
        micros(&tally.late, |figures| figures.p99),
        micros(&tally.latency, |figures| figures.p50),
        micros(&tally.service, |figures| figures.p50),
        spun / result.window.stop.as_secs_f64() * 100.0,
    )
}

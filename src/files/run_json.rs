//! run.json: every figure of a run for other programs, and the whole histograms, from which a result is
//! rebuilt exactly.
//!
//! An absent field was not measured; 0 means zero. Later versions may add fields, but do not change the
//! meaning of these.

mod fields;

use self::fields::{Counters, Figures, Histograms};
use super::encoded;
use crate::measure::{
    Distribution, Ending, Environment, Errors, GeneratorUse, Histogram, Interval, Note, RouteTally,
    RunResult, StatusCounts, Tally, TargetResult, coarse, sum,
};
use crate::resources::Resources;
use crate::spec::{RunSpec, Target, Window};
use crate::units::Nanos;
use crate::verdict::{JudgedRun, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

const FORMAT: &str = "meshload.run/1";
/// The largest sum of all counts in a file. Below it, no sum over a part of the file overflows.
const MOST: u64 = 1 << 62;

/// Why bytes are not a run.json or collect.json.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// The file was cut short, or never held a result.
    #[error("this is not a whole run.json ({0}); was the run interrupted while it was written?")]
    Broken(String),
    /// The file has another format, from another version of meshload.
    #[error(
        "its format is `{0}` and this program reads `{FORMAT}`; use the meshload that wrote it"
    )]
    Version(String),
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Document {
    format: String,
    #[serde(rename = "loop")]
    loop_kind: LoopKind,
    outcome: Ending,
    verdict: Verdict,
    notes: Vec<String>,
    /// The notes as codes and fields, in the same order; absent in results from before there were codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(with = "Vec<Note>"))]
    note_data: Vec<Value>,
    seed: u64,
    window: WindowBlock,
    #[serde(flatten)]
    all: Block,
    generator: GeneratorUse,
    environment: Environment,
    spec: RunSpec,
    /// Per URL the same block, when there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    targets: Vec<Block>,
    /// Where a collector ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resources: Option<Resources>,
}

/// Whether requests had due times.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
enum LoopKind {
    Open,
    /// Latencies are not corrected, and there are none: only service times.
    Closed,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct WindowBlock {
    start_unix_ns: Nanos,
    warmup_ns: Nanos,
    duration_ns: Nanos,
    guard_ns: Nanos,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Block {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(default)]
    addresses: Vec<String>,
    requests: Requests,
    errors: Errors,
    status: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latency_ns: Option<Latency>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    success_ns: Option<Distribution>,
    #[serde(flatten, skip_deserializing)]
    figures: Figures,
    routes: BTreeMap<String, Route>,
    intervals: Vec<Interval>,
    thread_rates: Vec<f64>,
    histograms: Histograms,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Requests {
    #[serde(flatten)]
    counters: Counters,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scheduled_by_ledger: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate_offered: Option<f64>,
    rate_achieved: f64,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Latency {
    #[serde(flatten)]
    figures: Distribution,
    /// Unfinished requests among them, at their age.
    censored: u64,
    /// Percentiles that the unfinished could still raise.
    lower_bound: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Route {
    requests: u64,
    status: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latency_ns: Option<Distribution>,
    /// In place of latencies in a closed loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service_ns: Option<Distribution>,
    histograms: RouteHistograms,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RouteHistograms {
    #[serde(with = "encoded")]
    #[cfg_attr(test, schemars(with = "String"))]
    latency: Histogram,
    #[serde(with = "encoded")]
    #[cfg_attr(test, schemars(with = "String"))]
    censored: Histogram,
}

/// Writes a run.json.
pub fn run_to_json(run: &JudgedRun) -> Vec<u8> {
    let JudgedRun {
        result, verdict, ..
    } = run;
    let blocks = || result.targets.iter().map(|target| block(result, target));
    let (all, targets) = match result.targets.as_slice() {
        [only] => (block(result, only), Vec::new()),
        _ => (overall_block(result), blocks().collect()),
    };
    let window = result.window;
    let document = Document {
        format: FORMAT.to_owned(),
        loop_kind: if result.is_open_loop() {
            LoopKind::Open
        } else {
            LoopKind::Closed
        },
        outcome: result.ending,
        verdict: verdict.clone(),
        notes: result.notes.iter().map(Note::to_string).collect(),
        // Cannot fail: a note has no map with keys that are not text.
        note_data: result.notes.iter().flat_map(serde_json::to_value).collect(),
        seed: result.spec.load.seed,
        window: WindowBlock {
            start_unix_ns: result.start_unix + window.start,
            warmup_ns: window.start,
            duration_ns: window.length(),
            guard_ns: window.stop - window.end,
        },
        all,
        generator: result.generator.clone(),
        environment: result.environment.clone(),
        spec: result.spec.clone(),
        targets,
        resources: result.resources.clone(),
    };
    // Cannot fail: maps have string keys and numbers are finite.
    let mut bytes = serde_json::to_vec_pretty(&document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// The block over all targets.
fn overall_block(result: &RunResult) -> Block {
    let mut rates = Vec::new();
    for target in &result.targets {
        rates.extend_from_slice(&target.thread_rates);
    }
    Block {
        thread_rates: rates,
        ..tally_block(result, result.overall())
    }
}

/// The block of one target.
fn block(result: &RunResult, target: &TargetResult) -> Block {
    let mut block = tally_block(result, &target.tally);
    block.url = Some(target.target.url.clone());
    block.addresses = target.addresses.clone();
    block.requests.scheduled_by_ledger = target.scheduled_by_ledger;
    block.intervals = target.intervals.clone();
    block.thread_rates = target.thread_rates.clone();
    block
}

fn tally_block(result: &RunResult, tally: &Tally) -> Block {
    let seconds = result.window.length().as_secs_f64();
    let per_second = |count: u64| {
        if seconds > 0.0 {
            count as f64 / seconds
        } else {
            0.0
        }
    };
    Block {
        url: None,
        addresses: Vec::new(),
        requests: Requests {
            counters: Counters::of(tally),
            scheduled_by_ledger: None,
            rate_offered: result.is_open_loop().then(|| per_second(tally.scheduled)),
            rate_achieved: per_second(tally.finished_in_window),
        },
        errors: tally.errors,
        status: by_code(&tally.status),
        latency_ns: latency(result, tally),
        success_ns: successes(result, tally),
        figures: Figures::of(tally),
        routes: tally
            .routes
            .iter()
            .map(|(name, route)| (name.clone(), route_block(result, route)))
            .collect(),
        intervals: Vec::new(),
        thread_rates: Vec::new(),
        histograms: Histograms::of(tally),
    }
}

fn latency(result: &RunResult, tally: &Tally) -> Option<Latency> {
    if !result.is_open_loop() {
        return None;
    }
    let percentiles = tally.latency_percentiles();
    let bounds = percentiles
        .iter()
        .filter(|percentile| percentile.is_lower_bound);
    Some(Latency {
        figures: Distribution::of(&tally.latency_with_censored())?,
        censored: tally.censored.len(),
        lower_bound: bounds
            .map(|percentile| percentile.name.to_owned())
            .collect(),
    })
}

/// Response times of the replies with a status below 400.
fn successes(result: &RunResult, tally: &Tally) -> Option<Distribution> {
    let mut successes = if result.is_open_loop() {
        tally.latency.clone()
    } else {
        tally.service.clone()
    };
    // Cannot fail: every time in `bad_status` is also in the histogram that it is taken from.
    let _ = successes.subtract(&tally.bad_status);
    Distribution::of(&successes)
}

fn route_block(result: &RunResult, route: &RouteTally) -> Route {
    let figures = Distribution::of(&sum(&route.latency, &route.censored));
    let (latency_ns, service_ns) = if result.is_open_loop() {
        (figures, None)
    } else {
        (None, figures)
    };
    Route {
        requests: route.requests,
        status: by_code(&route.status),
        latency_ns,
        service_ns,
        histograms: RouteHistograms {
            latency: route.latency.clone(),
            censored: route.censored.clone(),
        },
    }
}

/// Reads a run.json, with the verdict that it was given when it was measured.
///
/// # Errors
/// [`FormatError`] for anything but a whole run.json of this version.
pub fn run_from_json(bytes: &[u8]) -> Result<JudgedRun, FormatError> {
    #[derive(Deserialize)]
    struct Head {
        format: String,
    }
    let broken = |error: serde_json::Error| FormatError::Broken(error.to_string());
    let head: Head = serde_json::from_slice(bytes).map_err(broken)?;
    if head.format != FORMAT {
        return Err(FormatError::Version(head.format));
    }
    let document: Document = serde_json::from_slice(bytes).map_err(broken)?;
    let WindowBlock {
        start_unix_ns,
        warmup_ns,
        duration_ns,
        guard_ns,
    } = document.window;
    let blocks = if document.targets.is_empty() {
        vec![document.all]
    } else {
        document.targets
    };
    if blocks.len() != document.spec.targets.len() {
        return Err(FormatError::Broken("a target is missing".to_owned()));
    }
    let counted = blocks.iter().flat_map(counts_in);
    if counted.fold(0, u64::saturating_add) > MOST {
        return Err(FormatError::Broken(
            "it counts more than any run can".to_owned(),
        ));
    }
    let end = warmup_ns + duration_ns;
    let targets = document.spec.targets.iter().zip(blocks);
    let result = RunResult {
        targets: targets
            .map(|(target, block)| target_result(target.clone(), block))
            .collect::<Result<_, _>>()?,
        environment: document.environment,
        ending: document.outcome,
        start_unix: start_unix_ns - warmup_ns,
        window: Window {
            start: warmup_ns,
            end,
            stop: end + guard_ns,
        },
        generator: document.generator,
        notes: notes(document.notes, &document.note_data),
        resources: document.resources,
        spec: document.spec,
    };
    Ok(JudgedRun::with_verdict(result, document.verdict))
}

/// The notes from their codes and fields. A note without a code that this version knows is kept as text.
fn notes(texts: Vec<String>, data: &[Value]) -> Vec<Note> {
    let coded = |at: usize| data.get(at).and_then(|data| Note::deserialize(data).ok());
    let notes = texts.into_iter().enumerate();
    notes
        .map(|(at, text)| coded(at).unwrap_or(Note::Text { text }))
        .collect()
}

/// All counts of a block that are added up somewhere: by target, route, status and interval.
fn counts_in(block: &Block) -> impl Iterator<Item = u64> {
    let of_routes = block.routes.values().flat_map(|route| {
        let by_code = route.status.values().copied();
        by_code.chain([route.requests])
    });
    let of_intervals = block.intervals.iter().flat_map(|interval| {
        let optional = [interval.scheduled, interval.backlog];
        [interval.completed, interval.failed, interval.in_flight]
            .into_iter()
            .chain(optional.into_iter().flatten())
            .chain([interval.bytes_read])
    });
    let of_requests = block.requests.counters.0.into_iter();
    (of_requests.chain(block.errors.counts()))
        .chain(block.status.values().copied())
        .chain(of_routes)
        .chain(of_intervals)
}

fn target_result(target: Target, block: Block) -> Result<TargetResult, FormatError> {
    let mut tally = Tally {
        errors: block.errors,
        status: counts(&block.status)?,
        ..Tally::default()
    };
    block.requests.counters.put_into(&mut tally);
    block.histograms.put_into(&mut tally);
    for (name, route) in block.routes {
        tally.routes.insert(name, route_tally(route)?);
    }
    Ok(TargetResult {
        target,
        addresses: block.addresses,
        scheduled_by_ledger: block.requests.scheduled_by_ledger,
        tally,
        intervals: block.intervals,
        thread_rates: block.thread_rates,
    })
}

fn route_tally(route: Route) -> Result<RouteTally, FormatError> {
    let or_coarse = |histogram: Histogram| {
        if histogram.is_empty() {
            coarse()
        } else {
            histogram
        }
    };
    Ok(RouteTally {
        requests: route.requests,
        status: counts(&route.status)?,
        latency: or_coarse(route.histograms.latency),
        censored: or_coarse(route.histograms.censored),
    })
}

/// Counts by status code as JSON has them, with the codes as text.
fn by_code(counts: &StatusCounts) -> BTreeMap<String, u64> {
    counts
        .iter()
        .map(|(code, count)| (code.to_string(), count))
        .collect()
}

fn counts(status: &BTreeMap<String, u64>) -> Result<StatusCounts, FormatError> {
    let mut counts = StatusCounts::default();
    for (code, count) in status {
        let code = code
            .parse()
            .map_err(|_| FormatError::Broken(format!("`{code}` is not a status code")))?;
        counts.add(code, *count);
    }
    Ok(counts)
}

#[cfg(test)]
mod schema;
#[cfg(test)]
mod tests;

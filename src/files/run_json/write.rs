//! A judged run as run.json.

use super::fields::{Counters, Figures, Histograms};
use super::{
    Block, Document, FORMAT, Latency, LoopKind, Requests, Route, RouteHistograms, WindowBlock,
};
use crate::measure::{
    Distribution, Note, RouteTally, RunResult, StatusCounts, Tally, TargetResult, sum,
};
use crate::verdict::JudgedRun;
use std::collections::BTreeMap;

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
    Block {
        url: None,
        addresses: Vec::new(),
        requests: Requests {
            counters: Counters::of(tally),
            scheduled_by_ledger: None,
            rate_offered: result
                .is_open_loop()
                .then(|| result.per_second(tally.scheduled)),
            rate_achieved: result.per_second(tally.finished_in_window),
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

/// Counts by status code as JSON has them, with the codes as text.
fn by_code(counts: &StatusCounts) -> BTreeMap<String, u64> {
    counts
        .iter()
        .map(|(code, count)| (code.to_string(), count))
        .collect()
}

//! A run.json as a judged run.

use super::{Block, Document, FORMAT, FormatError, Route, WindowBlock};
use crate::measure::{
    Histogram, Note, RouteTally, RunResult, StatusCounts, Tally, TargetResult, coarse,
};
use crate::spec::{Target, Window};
use crate::verdict::JudgedRun;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The largest sum of all counts in a file. Below it, no sum over a part of the file overflows.
const MOST: u64 = 1 << 62;

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
        return Err(FormatError::Version(head.format, FORMAT));
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

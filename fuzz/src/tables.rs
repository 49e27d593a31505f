//! Files of result folders, which may be from anywhere: what `report` and `compare` read.

use meshload::compare::{Step, Steps, capacity, compare, costs};
use meshload::files::{
    collection_from_json, comparison_csv, cost_csv, hlog_blocks, resources_csv, run_from_json,
    run_to_json, samples_csv, samples_from_csv,
};
use meshload::measure::Distribution;
use meshload::resources::timeline;
use meshload::study::{StudyFolder, overhead_csv, overheads, steps, sums};
use meshload::verdict::{percentile_intervals, verdict};

/// Between the files in one input.
const NEXT_FILE: &[u8] = b"\n=====\n";

/// The files of an input; those that are missing are empty.
fn files<const N: usize>(mut bytes: &[u8]) -> [&[u8]; N] {
    std::array::from_fn(|_| {
        let end = bytes
            .windows(NEXT_FILE.len())
            .position(|at| at == NEXT_FILE);
        let file = &bytes[..end.unwrap_or(bytes.len())];
        bytes = end.map_or(&[], |end| &bytes[end + NEXT_FILE.len()..]);
        file
    })
}

fn compare_with_itself(steps: &[Step]) {
    let steps = Steps::from(steps);
    let comparison = compare(&steps, &steps);
    for metric in comparison.rates.iter().flat_map(|rate| &rate.metrics) {
        let apart = metric.difference.value;
        // The largest numbers add up to no number, and that differs from itself.
        let is_none = !metric.base.value.is_finite();
        assert!(apart == 0.0 || is_none, "{}: {apart}", metric.metric.name());
    }
    let _ = (capacity(&steps), costs(&steps));
    let comparisons = [comparison];
    let tables = [comparison_csv(&comparisons), cost_csv(&comparisons)];
    assert!(tables.iter().all(|table| !table.is_empty()));
}

/// Folders of the study: latency_stats.csv, k8s_full_metrics.csv, metadata.json and the log of wrk
/// at 100 requests per second. An arm does not differ from itself.
pub fn study(bytes: &[u8]) {
    let [latencies, pods, metadata, log] = files(bytes);
    let log = String::from_utf8_lossy(log).into_owned();
    let folder = StudyFolder {
        arm: "no_istio".to_owned(),
        latencies: latencies.to_vec(),
        pods: (!pods.is_empty()).then(|| pods.to_vec()),
        metadata: Some(metadata.to_vec()),
        logs: [("wrk_100rps_rep1.log".to_owned(), log)].into(),
    };
    if let Ok(steps) = steps(&folder) {
        compare_with_itself(&steps);
    }
    if let Ok(sums) = sums(pods) {
        let overheads = overheads((&sums, ""), (&sums, ""));
        assert!(!overhead_csv(&overheads).is_empty());
    }
}

/// collect.json and samples.csv: samples that were read are written as they were, and can be shown
/// over time.
pub fn samples(bytes: &[u8]) {
    let [collection, samples] = files(bytes);
    let log = samples_from_csv(samples);
    if let Ok(log) = &log {
        let again = samples_from_csv(&samples_csv(log)).expect("what was written");
        assert!(again.samples().eq(log.samples()));
    }
    if let (Ok(resources), Ok(log)) = (collection_from_json(collection), log) {
        assert_eq!(timeline(&log, &resources, 6).len(), 6);
        let _ = resources_csv(&log, &resources);
    }
}

/// run.json and latency.hlog: a result that was read is written as it was, and has figures.
pub fn run_json(bytes: &[u8]) {
    let [run, log] = files(bytes);
    if let Some(blocks) = hlog_blocks(log, "latency") {
        let histograms: Vec<_> = blocks.into_iter().map(|block| block.histogram).collect();
        let _ = histograms.iter().filter_map(Distribution::of).count();
        let _ = percentile_intervals(&histograms);
    }
    let Ok(stored) = run_from_json(run) else {
        return;
    };
    let text = run_to_json(&stored);
    let again = run_from_json(&text).expect("what was written");
    let text_again = run_to_json(&again);
    assert!(
        text == text_again,
        "a result changed as it was written and read"
    );
    let _ = verdict(&stored.result);
    compare_with_itself(&[Step::of(&stored)]);
}

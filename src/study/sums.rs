//! The study's own sums over the application's pods, which its comparison of two arms is made of.

use super::file_names::PODS_CSV;
use super::step_id::StepId;
use crate::files::{BadTable, CsvTable, finite};
use std::collections::BTreeMap;

/// Sums of the columns [`SUMMED`] over the application's rows, by arm and by rate in millionths of a
/// request per second, as the mean over repetitions. As in the study, an empty cell adds nothing. A
/// column that is absent, or holds no number at all, has no sum.
pub type StudySums = BTreeMap<(String, u64), ColumnSums>;

/// One sum per column of [`SUMMED`].
pub(super) type ColumnSums = [Option<f64>; 4];

/// The columns that the study adds up.
pub(super) const SUMMED: [&str; 4] = [
    "CPU_Total(m)",
    "Memory_WorkingSet(Mi)",
    "Net_RX(KB/s)",
    "Net_TX(KB/s)",
];

/// The only CPU column in folders of the study's first generation, which had no sidecars.
pub(super) const OLD_CPU: &str = "CPU(m)";

/// Adds up a k8s_full_metrics.csv.
///
/// # Errors
/// [`BadTable`] for a table that is cut short, or lacks a needed column.
pub fn sums(bytes: &[u8]) -> Result<StudySums, BadTable> {
    let table = CsvTable::read(PODS_CSV, bytes)?;
    let mut sums: BTreeMap<(String, u64), BTreeMap<u32, ColumnSums>> = BTreeMap::new();
    for row in table.rows() {
        if row.need("Category")? != "application" {
            continue;
        }
        let step = StepId::of_pod(&row)?;
        let arm = row.get("Arm").unwrap_or_default().to_owned();
        let sums = sums.entry((arm, step.rate_millionths)).or_default();
        let sums = sums.entry(step.repetition).or_default();
        for (sum, name) in sums.iter_mut().zip(SUMMED) {
            let old = if name == SUMMED[0] { OLD_CPU } else { name };
            let cell = row.get(name).or_else(|| row.get(old));
            if let Some(number) = cell.and_then(finite) {
                *sum = Some(sum.unwrap_or_default() + number);
            }
        }
    }
    let mean = |by_repetition: BTreeMap<u32, ColumnSums>| {
        std::array::from_fn(|at| {
            let sums: Vec<f64> = by_repetition.values().filter_map(|sums| sums[at]).collect();
            (!sums.is_empty()).then(|| sums.iter().sum::<f64>() / sums.len() as f64)
        })
    };
    Ok(sums
        .into_iter()
        .map(|(at, sums)| (at, mean(sums)))
        .collect())
}

//! How rows of the study's tables are matched with steps.

use crate::files::{BadTable, CsvRow};

/// The rate and the repetition by which rows of different tables belong together. The rate is an
/// integer, because tables spell the same rate differently (`100`, `100.0`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StepId {
    pub rate_millionths: u64,
    pub repetition: u32,
}

impl StepId {
    /// The step of a repetition at a rate in requests per second.
    pub fn new(rate: f64, repetition: u32) -> StepId {
        StepId {
            rate_millionths: (rate * 1e6).round() as u64,
            repetition,
        }
    }

    /// The step to which a row of the table of pods belongs; without a repetition it is the first.
    ///
    /// # Errors
    /// [`BadTable`] when the row has no rate.
    pub fn of_pod(row: &CsvRow<'_>) -> Result<StepId, BadTable> {
        let repetition = row.get("Repetition").and_then(|text| text.parse().ok());
        Ok(StepId::new(row.number("RPS")?, repetition.unwrap_or(1)))
    }
}

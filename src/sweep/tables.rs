//! The tables over all steps of a sweep: those of the study, and tidy.csv with every figure.

use crate::files::TidyTable;
use crate::study::{StudyMetadata, StudyTables};
use crate::verdict::JudgedRun;

/// The tables over all steps of a sweep. Of each step its rows are kept, and not the run.
#[derive(Debug, Default)]
pub struct SweepTables {
    study: StudyTables,
    tidy: TidyTable,
}

impl SweepTables {
    /// Adds a step; its run says which one it is.
    pub fn add(&mut self, run: &JudgedRun) {
        self.study.add(run);
        self.tidy.add(run);
    }

    /// Every table by its file name.
    pub fn files(&self, metadata: &StudyMetadata) -> Vec<(&'static str, Vec<u8>)> {
        let mut files = self.study.files(metadata);
        files.push(("tidy.csv", self.tidy.bytes()));
        files
    }
}

#[cfg(test)]
mod tests;

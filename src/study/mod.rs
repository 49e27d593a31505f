//! The formats of the study that this program takes over: its folders are read as steps, and its tables
//! are written beside our own. No other room knows a column of the study.
//!
//! Pure. What is in a file is given and returned as bytes.

mod file_names;
mod folder;
mod overhead;
mod pods_csv;
mod tables;

pub use file_names::{LATENCIES_CSV, METADATA_JSON, PODS_CSV};
pub use folder::{
    STUDY_SUMMED, StudyFolder, StudySums, study_conditions, study_gaps, study_steps, study_sums,
};
pub use overhead::{StudyOverhead, study_overhead_csv, study_overhead_text, study_overheads};
pub use pods_csv::study_csv;
pub use tables::{StudyMetadata, StudyTables};

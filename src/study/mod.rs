//! The study's formats: its folders are read as steps, and its tables are written beside meshload's own.
//! No other room knows a column of the study.
//!
//! Pure: takes and returns the contents of files.

mod file_names;
mod folder;
mod latencies;
mod overhead;
mod pod_services;
mod pods_csv;
mod step_id;
mod sums;
mod tables;

pub use file_names::{LATENCIES_CSV, METADATA_JSON, PODS_CSV};
pub use folder::{StudyFolder, conditions, gaps, steps};
pub use overhead::{StudyOverhead, overhead_csv, overhead_text, overheads};
pub use pods_csv::pods_csv;
pub use sums::{StudySums, sums};
pub use tables::{StudyMetadata, StudyTables};

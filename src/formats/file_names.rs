//! The names of the tables in result folders that more than one place knows.

/// What pods used, with the study's columns.
pub const PODS_CSV: &str = "k8s_full_metrics.csv";
/// Latencies, a row per step, with the study's columns.
pub const LATENCIES_CSV: &str = "latency_stats.csv";
/// What is said of a whole study.
pub const METADATA_JSON: &str = "metadata.json";

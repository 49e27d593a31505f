//! The names of the study's files, which this program writes as well.

/// What pods used, with the study's columns.
pub const PODS_CSV: &str = "k8s_full_metrics.csv";
/// Latencies, a row per step, with the study's columns.
pub const LATENCIES_CSV: &str = "latency_stats.csv";
/// What is said of a whole study.
pub const METADATA_JSON: &str = "metadata.json";

//! Names of the study's files, which meshload writes as well.

/// What pods used; one row per pod and step.
pub const PODS_CSV: &str = "k8s_full_metrics.csv";
/// Latencies; one row per step.
pub const LATENCIES_CSV: &str = "latency_stats.csv";
/// The settings of a whole study.
pub const METADATA_JSON: &str = "metadata.json";

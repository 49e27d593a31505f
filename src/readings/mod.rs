//! Answers of kubelets and files of kernels and cgroups: bytes -> values -> samples.
//!
//! Pure. What a source leaves out or garbles is `None` or left out, never zero and never a panic. What
//! the samples mean over a window is the business of `resources`.

mod cgroup;
mod edge;
mod exposition;
mod metrics_api;
mod network;
mod proc_files;
mod quantity;
mod samples;
mod summary;

pub use cgroup::{CpuStat, IoStat, cgroup_path, cpu_stat, pressure_some_total};
pub use edge::{EDGE_COMMAND, EdgeReading, edge_reading};
pub use exposition::{MetricLine, metric_lines, seconds_to_nanos};
pub use metrics_api::{ContainerMetrics, parse_pod_metrics};
pub use network::{Interface, is_loopback, is_wire, network_sums};
pub use proc_files::{
    ProcessIo, ProcessStat, ProcessStatus, net_dev, process_io, process_stat, process_status,
    uptime,
};
pub use quantity::parse_quantity;
pub use samples::{EndpointSamples, MetricsEndpoint, samples_of};
pub use summary::{ContainerStats, Cpu, Io, Memory, Network, PodStats, Summary, parse_summary};

/// The lines of a file that can be read as text.
fn lines(text: &[u8]) -> impl Iterator<Item = &str> {
    text.split(|byte| *byte == b'\n')
        .filter_map(|line| std::str::from_utf8(line).ok())
}

/// A text that is not in the expected format at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

#[cfg(test)]
mod tests;

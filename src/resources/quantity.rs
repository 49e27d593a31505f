//! The quantities that can be measured of a container or pod, and their units.

use serde::{Deserialize, Serialize};

/// A quantity of a container or pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// CPU time that was used; a counter of nanoseconds.
    Cpu,
    /// CPU use in billionths of a core, which metrics-server has averaged over a window of unknown
    /// length. Its figures are given as those of `cpu` and marked as smoothed.
    CpuUsage,
    /// Memory in bytes that the kernel cannot reclaim easily.
    WorkingSet,
    /// Resident anonymous memory in bytes.
    Rss,
    /// Bytes received over the network (interfaces such as eth0 and ens3); a counter.
    NetworkRx,
    /// Bytes sent over the network; a counter.
    NetworkTx,
    /// Bytes received over the loopback interface, where a sidecar's interception shows; a counter.
    LoopbackRx,
    /// Bytes sent over the loopback interface; a counter.
    LoopbackTx,
    /// Bytes read from disks; a counter.
    DiskRead,
    /// Bytes written to disks; a counter.
    DiskWrite,
    /// Scheduler periods in which the container had a CPU limit and wanted to run; a counter.
    CpuPeriods,
    /// Those scheduler periods in which the container was stopped at its CPU limit; a counter.
    ThrottledPeriods,
    /// Time in which the container was stopped at its CPU limit; a counter of nanoseconds.
    ThrottledTime,
    /// Time in which some task waited for a CPU; a counter of nanoseconds.
    PsiCpu,
    /// Time in which some task waited for memory; a counter of nanoseconds.
    PsiMemory,
    /// Time in which some task waited for I/O; a counter of nanoseconds.
    PsiIo,
    /// The number of restarts of the container since it was made.
    Restarts,
    /// The number of the container's tasks that the kernel killed for lack of memory.
    OomKills,
}

/// The unit of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Unit {
    /// Thousandths of a core.
    #[serde(rename = "m")]
    Millicores,
    #[serde(rename = "B")]
    Bytes,
    #[serde(rename = "B/s")]
    BytesPerSecond,
    #[serde(rename = "1/s")]
    PerSecond,
    /// A share of the time in 0..=1. It is more than 1 where several CPUs add up.
    #[serde(rename = "ratio")]
    Ratio,
    /// A number of events in the window.
    #[serde(rename = "count")]
    Count,
}

impl Unit {
    /// The name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Millicores => "m",
            Unit::Bytes => "B",
            Unit::BytesPerSecond => "B/s",
            Unit::PerSecond => "1/s",
            Unit::Ratio => "ratio",
            Unit::Count => "count",
        }
    }
}

/// What the samples of a quantity are, and so how they become a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SampleKind {
    /// A number that grows with time. Its figure is the growth per second.
    Counter,
    /// A level. Its figure is the mean over time.
    Gauge,
    /// A number of events that happen now and then. Its figure is the number of them in the window.
    Events,
}

impl Quantity {
    /// All quantities.
    pub const ALL: [Quantity; 18] = [
        Quantity::Cpu,
        Quantity::CpuUsage,
        Quantity::WorkingSet,
        Quantity::Rss,
        Quantity::NetworkRx,
        Quantity::NetworkTx,
        Quantity::LoopbackRx,
        Quantity::LoopbackTx,
        Quantity::DiskRead,
        Quantity::DiskWrite,
        Quantity::CpuPeriods,
        Quantity::ThrottledPeriods,
        Quantity::ThrottledTime,
        Quantity::PsiCpu,
        Quantity::PsiMemory,
        Quantity::PsiIo,
        Quantity::Restarts,
        Quantity::OomKills,
    ];

    /// The quantities that are measured of a pod as a whole, because its containers share one network.
    pub const OF_PODS: [Quantity; 4] = [
        Quantity::NetworkRx,
        Quantity::NetworkTx,
        Quantity::LoopbackRx,
        Quantity::LoopbackTx,
    ];

    /// The quantities that are measured of each container.
    pub const OF_CONTAINERS: [Quantity; 13] = [
        Quantity::Cpu,
        Quantity::WorkingSet,
        Quantity::Rss,
        Quantity::DiskRead,
        Quantity::DiskWrite,
        Quantity::CpuPeriods,
        Quantity::ThrottledPeriods,
        Quantity::ThrottledTime,
        Quantity::PsiCpu,
        Quantity::PsiMemory,
        Quantity::PsiIo,
        Quantity::Restarts,
        Quantity::OomKills,
    ];

    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Quantity::Cpu => "cpu",
            Quantity::CpuUsage => "cpu_usage",
            Quantity::WorkingSet => "working_set",
            Quantity::Rss => "rss",
            Quantity::NetworkRx => "network_rx",
            Quantity::NetworkTx => "network_tx",
            Quantity::LoopbackRx => "loopback_rx",
            Quantity::LoopbackTx => "loopback_tx",
            Quantity::DiskRead => "disk_read",
            Quantity::DiskWrite => "disk_write",
            Quantity::CpuPeriods => "cpu_periods",
            Quantity::ThrottledPeriods => "throttled_periods",
            Quantity::ThrottledTime => "throttled_time",
            Quantity::PsiCpu => "psi_cpu",
            Quantity::PsiMemory => "psi_memory",
            Quantity::PsiIo => "psi_io",
            Quantity::Restarts => "restarts",
            Quantity::OomKills => "oom_kills",
        }
    }

    /// The quantity of this name in files.
    pub fn of_name(name: &str) -> Option<Quantity> {
        Quantity::ALL
            .into_iter()
            .find(|quantity| quantity.name() == name)
    }

    pub(super) fn kind(self) -> SampleKind {
        match self {
            Quantity::WorkingSet | Quantity::Rss | Quantity::CpuUsage => SampleKind::Gauge,
            Quantity::Restarts | Quantity::OomKills => SampleKind::Events,
            _ => SampleKind::Counter,
        }
    }

    /// The unit of the quantity's figures.
    pub fn unit(self) -> Unit {
        match self {
            Quantity::Cpu | Quantity::CpuUsage => Unit::Millicores,
            Quantity::WorkingSet | Quantity::Rss => Unit::Bytes,
            Quantity::CpuPeriods | Quantity::ThrottledPeriods => Unit::PerSecond,
            Quantity::ThrottledTime | Quantity::PsiCpu | Quantity::PsiMemory | Quantity::PsiIo => {
                Unit::Ratio
            }
            Quantity::Restarts | Quantity::OomKills => Unit::Count,
            _ => Unit::BytesPerSecond,
        }
    }

    /// Converts the level of raw samples, or their growth per second, to the unit of [`Quantity::unit`].
    pub(super) fn in_unit(self, raw: f64) -> f64 {
        match self {
            // A thousandth of a core is 1e6 nanoseconds of CPU per second, or 1e6 billionths of a core.
            Quantity::Cpu | Quantity::CpuUsage => raw / 1e6,
            Quantity::ThrottledTime | Quantity::PsiCpu | Quantity::PsiMemory | Quantity::PsiIo => {
                raw / 1e9
            }
            _ => raw,
        }
    }
}

//! What can be measured of a container or pod, and what its numbers mean.

use serde::{Deserialize, Serialize};

/// A quantity, as its raw samples hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// CPU time used; a counter of nanoseconds.
    Cpu,
    /// CPU use already divided by somebody else's window, in billionths of a core: metrics-server
    /// has nothing better. Its figures are those of `cpu`, marked smoothed.
    CpuUsage,
    /// Memory that cannot be taken back easily, in bytes.
    WorkingSet,
    /// Resident anonymous memory, in bytes.
    Rss,
    /// Bytes received from the wire (eth*, ens*, net*).
    NetworkRx,
    /// Bytes sent to the wire.
    NetworkTx,
    /// Bytes received over the loopback: where a sidecar's interception shows.
    LoopbackRx,
    /// Bytes sent over the loopback.
    LoopbackTx,
    /// Bytes read from disks.
    DiskRead,
    /// Bytes written to disks.
    DiskWrite,
    /// Scheduler periods in which the container had a CPU limit and wanted to run.
    CpuPeriods,
    /// Of these, periods in which it was stopped at its limit.
    ThrottledPeriods,
    /// Time stopped at its CPU limit; a counter of nanoseconds.
    ThrottledTime,
    /// Time in which some task waited for a CPU; a counter of nanoseconds.
    PsiCpu,
    /// Time in which some task waited for memory; a counter of nanoseconds.
    PsiMemory,
    /// Time in which some task waited for I/O; a counter of nanoseconds.
    PsiIo,
    /// How often the container was started again.
    Restarts,
    /// How often the kernel killed a task of it for want of memory.
    OomKills,
}

/// What a figure is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Unit {
    /// Thousandths of a core.
    #[serde(rename = "m")]
    Millicores,
    /// Bytes.
    #[serde(rename = "B")]
    Bytes,
    /// Bytes per second.
    #[serde(rename = "B/s")]
    BytesPerSecond,
    /// Per second.
    #[serde(rename = "1/s")]
    PerSecond,
    /// A share of the time, 0 to 1 (above 1 where several CPUs add up).
    #[serde(rename = "ratio")]
    Ratio,
    /// How often in the window.
    #[serde(rename = "count")]
    Count,
}

impl Unit {
    /// As it stands in tables.
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

/// How samples of a quantity become a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Grows with time; the figure is its growth per time.
    Counter,
    /// A level; the figure is its mean over time.
    Gauge,
    /// Happens now and then; the figure is how often.
    Events,
}

impl Quantity {
    /// All of them.
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

    /// Those that belong to a pod: its containers share one network.
    pub const OF_PODS: [Quantity; 4] = [
        Quantity::NetworkRx,
        Quantity::NetworkTx,
        Quantity::LoopbackRx,
        Quantity::LoopbackTx,
    ];

    /// Those that belong to each container.
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

    /// As it stands in files.
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

    /// The quantity of that name.
    pub fn of_name(name: &str) -> Option<Quantity> {
        Quantity::ALL
            .into_iter()
            .find(|quantity| quantity.name() == name)
    }

    pub(super) fn kind(self) -> Kind {
        match self {
            Quantity::WorkingSet | Quantity::Rss | Quantity::CpuUsage => Kind::Gauge,
            Quantity::Restarts | Quantity::OomKills => Kind::Events,
            _ => Kind::Counter,
        }
    }

    /// What its figures are counted in.
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

    /// What a raw number (a level, or growth per second) is in the figure's unit.
    pub(super) fn in_unit(self, raw: f64) -> f64 {
        match self {
            // Nanoseconds of CPU per second, or billionths of a core: a thousandth of a core is 1e6.
            Quantity::Cpu | Quantity::CpuUsage => raw / 1e6,
            Quantity::ThrottledTime | Quantity::PsiCpu | Quantity::PsiMemory | Quantity::PsiIo => {
                raw / 1e9
            }
            _ => raw,
        }
    }
}

//! What can be looked at: one list of metrics for thresholds, objectives, limits of a regression,
//! comparisons and tables, with one reader for every spelling of their names.

use super::figures::{Latency, ServiceFigures, StepFigures};
use crate::measure::Distribution;
use crate::resources::{Category, Part};

/// Something that a run or a step has a value of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// A time of requests, in nanoseconds.
    Time(TimeKind, Statistic),
    /// Replies that finished in the window over requests that were due in it.
    RateRatio,
    /// Requests that failed and replies with a status above 399, of all that ended.
    ErrorRate,
    /// Requests that had not ended when the load did.
    Unfinished,
    /// Replies of a status, or of a class of them (`5xx`).
    Status(StatusClass),
    /// Requests that were sent to a route.
    Requests,
    /// Thousandths of a core that a part used.
    Cpu(Part),
    /// CPU milliseconds of the application per finished request.
    CpuPerRequest,
    /// Bytes of working set of a part.
    Memory(Part),
    /// Bytes per second that the application received.
    NetworkRx,
    /// Bytes per second that the application sent.
    NetworkTx,
    /// Largest share of scheduler periods in which a container was stopped at its CPU limit.
    Throttled,
}

/// From which moment to which a time is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeKind {
    /// From when a request was due to its reply.
    Latency,
    /// From when it was sent to its reply.
    Service,
    /// The generator's part of how late it was sent.
    Late,
    /// The time in which no connection was free for it.
    Blocked,
}

/// A figure of a distribution of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// A percentile, by its place in [`Distribution::PERCENTILES`].
    Percentile(usize),
    /// The mean.
    Mean,
    /// The largest.
    Max,
}

impl Statistic {
    fn named(name: &str) -> Option<Statistic> {
        match name {
            "mean" => Some(Statistic::Mean),
            "max" => Some(Statistic::Max),
            _ => {
                let mut known = Distribution::PERCENTILES.iter();
                let at = known.position(|(known, _)| *known == name);
                at.map(Statistic::Percentile)
            }
        }
    }

    fn name(self) -> &'static str {
        match self {
            Statistic::Mean => "mean",
            Statistic::Max => "max",
            Statistic::Percentile(at) => Distribution::PERCENTILES[at].0,
        }
    }

    /// Reads a statistic that begins so many bytes into a text.
    pub fn parse(name: &str, at: usize) -> Result<Statistic, Misread> {
        Statistic::named(name).ok_or_else(|| {
            let names = Distribution::PERCENTILES.map(|(name, _)| name).join(" ");
            Misread {
                at,
                reason: format!("`{name}` is not known: {names} mean max"),
            }
        })
    }
}

/// A status, or a hundred of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusClass {
    /// One status.
    Code(u16),
    /// All statuses with this first digit.
    Hundred(u16),
}

impl StatusClass {
    fn named(name: &str) -> Option<StatusClass> {
        let number = |text: &str, range: std::ops::RangeInclusive<u16>| {
            let number = text.parse().ok();
            number.filter(|number| range.contains(number))
        };
        match name.strip_suffix("xx") {
            Some(first) => number(first, 1..=5).map(StatusClass::Hundred),
            None => number(name, 100..=599).map(StatusClass::Code),
        }
    }

    /// Whether a status belongs to it.
    pub fn contains(self, status: u16) -> bool {
        match self {
            StatusClass::Code(code) => status == code,
            StatusClass::Hundred(first) => status / 100 == first,
        }
    }
}

/// Where a text cannot be read, in bytes from its beginning, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    pub at: usize,
    pub reason: String,
}

/// The spellings of metrics, as error texts list them.
pub const KNOWN_METRICS: &str = "p50 p90 p99 p99.9 mean max (latency), service.p99, late.p99, blocked.p99, rate_ratio, error_rate, unfinished, status.5xx, route(\"GET /hotels\").p99, cpu.app, cpu.sidecar, cpu.total, cpu.node_proxy, cpu.waypoint, cpu.gateway, cpu.control_plane, memory.app, throttled, and of one service cpu.sidecar(\"frontend\")";

impl Metric {
    /// The mean latency.
    pub const MEAN: Metric = Metric::Time(TimeKind::Latency, Statistic::Mean);
    /// The median latency.
    pub const P50: Metric = Metric::Time(TimeKind::Latency, Statistic::Percentile(0));
    /// The 90th percentile of the latency.
    pub const P90: Metric = Metric::Time(TimeKind::Latency, Statistic::Percentile(2));
    /// The 99th percentile of the latency.
    pub const P99: Metric = Metric::Time(TimeKind::Latency, Statistic::Percentile(4));

    /// What is compared of two arms, in the order in which it is shown.
    pub const COMPARED: [Metric; 16] = [
        Metric::MEAN,
        Metric::P50,
        Metric::P90,
        Metric::P99,
        Metric::ErrorRate,
        Metric::Cpu(Part::Total),
        Metric::Cpu(Part::App),
        Metric::Cpu(Part::Sidecar),
        Metric::Cpu(Part::ControlPlane),
        Metric::Cpu(Part::NodeProxy),
        Metric::Cpu(Part::Waypoint),
        Metric::Cpu(Part::Gateway),
        Metric::CpuPerRequest,
        Metric::Memory(Part::Total),
        Metric::NetworkRx,
        Metric::NetworkTx,
    ];

    /// Reads a name in any of its spellings: as in thresholds (`p99`, `cpu.app`, `network.rx`), as in
    /// files (`latency_p99`, `cpu_app`) and without its unit as in the study's columns (`CPU_App`).
    pub fn parse(typed: &str) -> Result<Metric, Misread> {
        let name = typed.to_ascii_lowercase();
        let whole = match name.as_str() {
            "rate_ratio" => Some(Metric::RateRatio),
            "error_rate" | "errors" => Some(Metric::ErrorRate),
            "unfinished" => Some(Metric::Unfinished),
            "throttled" => Some(Metric::Throttled),
            "cpu" => Some(Metric::Cpu(Part::Total)),
            "cpu_per_request" => Some(Metric::CpuPerRequest),
            "memory" => Some(Metric::Memory(Part::Total)),
            latency => Statistic::named(latency).map(|one| Metric::Time(TimeKind::Latency, one)),
        };
        if let Some(metric) = whole {
            return Ok(metric);
        }
        let unknown = |word: &str| Misread {
            at: 0,
            reason: format!("`{word}` is not known; there are {KNOWN_METRICS}"),
        };
        let (family, member) = name.split_once(['.', '_']).ok_or_else(|| unknown(typed))?;
        let at = family.len() + 1;
        let part = || {
            Part::of_name(member).ok_or_else(|| Misread {
                at,
                reason: format!(
                    "`{member}` is not known: {}",
                    Part::ALL.map(Part::name).join(", ")
                ),
            })
        };
        let time = |kind| Ok(Metric::Time(kind, Statistic::parse(member, at)?));
        match (family, member) {
            ("latency", _) => time(TimeKind::Latency),
            ("service", _) => time(TimeKind::Service),
            ("late", _) => time(TimeKind::Late),
            ("blocked", _) => time(TimeKind::Blocked),
            ("status", _) => {
                let class = StatusClass::named(member).ok_or_else(|| Misread {
                    at,
                    reason: format!("`{member}` is no status: 503, or 5xx for all from 500 to 599"),
                })?;
                Ok(Metric::Status(class))
            }
            ("cpu", _) => Ok(Metric::Cpu(part()?)),
            ("memory", _) => Ok(Metric::Memory(part()?)),
            ("network", "rx") => Ok(Metric::NetworkRx),
            ("network", "tx") => Ok(Metric::NetworkTx),
            _ => Err(unknown(family)),
        }
    }

    /// The name in files.
    pub fn name(self) -> String {
        match self {
            Metric::Time(kind, statistic) => {
                let kind = match kind {
                    TimeKind::Latency => "latency",
                    TimeKind::Service => "service",
                    TimeKind::Late => "late",
                    TimeKind::Blocked => "blocked",
                };
                format!("{kind}_{}", statistic.name())
            }
            Metric::RateRatio => "rate_ratio".to_owned(),
            Metric::ErrorRate => "error_rate".to_owned(),
            Metric::Unfinished => "unfinished".to_owned(),
            Metric::Status(StatusClass::Code(code)) => format!("status_{code}"),
            Metric::Status(StatusClass::Hundred(first)) => format!("status_{first}xx"),
            Metric::Requests => "requests".to_owned(),
            Metric::Cpu(part) => format!("cpu_{}", part.name()),
            Metric::CpuPerRequest => "cpu_per_request".to_owned(),
            Metric::Memory(Part::Total) => "memory".to_owned(),
            Metric::Memory(part) => format!("memory_{}", part.name()),
            Metric::NetworkRx => "network_rx".to_owned(),
            Metric::NetworkTx => "network_tx".to_owned(),
            Metric::Throttled => "throttled".to_owned(),
        }
    }

    /// The unit of its values.
    pub fn unit(self) -> &'static str {
        match self {
            Metric::Time(..) => "ns",
            Metric::RateRatio | Metric::ErrorRate | Metric::Throttled => "share",
            Metric::Unfinished | Metric::Status(_) | Metric::Requests => "count",
            Metric::Cpu(_) => "m",
            Metric::CpuPerRequest => "ms",
            Metric::Memory(_) => "B",
            Metric::NetworkRx | Metric::NetworkTx => "B/s",
        }
    }

    /// Whether a collector finds it.
    pub fn needs_collector(self) -> bool {
        matches!(
            self,
            Metric::Cpu(_)
                | Metric::CpuPerRequest
                | Metric::Memory(_)
                | Metric::NetworkRx
                | Metric::NetworkTx
                | Metric::Throttled
        )
    }

    /// Its value in a step; `None` where the step does not have it.
    pub fn of(self, step: &StepFigures) -> Option<f64> {
        match self {
            Metric::Time(..) => self.latency_of(step).map(|latency| latency.ns),
            Metric::ErrorRate => step.error_rate,
            Metric::Cpu(part) => step.cpu(part).ok(),
            Metric::CpuPerRequest => {
                let cpu = step.cpu(Part::Total).ok()?;
                (step.achieved > 0.0).then(|| cpu / step.achieved)
            }
            Metric::Memory(Part::Total) => over_services(step, |one| one.memory_bytes),
            Metric::NetworkRx => over_services(step, |one| one.network_rx_bytes_per_s),
            Metric::NetworkTx => over_services(step, |one| one.network_tx_bytes_per_s),
            Metric::RateRatio
            | Metric::Unfinished
            | Metric::Status(_)
            | Metric::Requests
            | Metric::Memory(_)
            | Metric::Throttled => None,
        }
    }

    /// The latency in a step that it is, with how far that can be relied on; `None` for other metrics.
    pub fn latency_of(self, step: &StepFigures) -> Option<&Latency> {
        match self {
            Metric::Time(TimeKind::Latency, statistic) => step.latency.get(statistic.name()),
            _ => None,
        }
    }
}

/// The sum over the application's services; `None` without one, or when one has no figure.
fn over_services(step: &StepFigures, of: impl Fn(&ServiceFigures) -> Option<f64>) -> Option<f64> {
    let services = step.services.iter();
    let services = services.filter(|one| one.category == Category::Application);
    let mut services = services.peekable();
    services.peek()?;
    services.try_fold(0.0, |sum, service| Some(sum + of(service)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_name_is_read() {
        for (metric, spellings) in [
            (
                Metric::P99,
                ["p99", "latency.p99", "latency_p99"].as_slice(),
            ),
            (Metric::MEAN, &["mean", "latency_mean"]),
            (Metric::Cpu(Part::App), &["cpu.app", "cpu_app", "CPU_App"]),
            (Metric::Cpu(Part::Total), &["cpu", "cpu.total", "cpu_total"]),
            (
                Metric::Cpu(Part::ControlPlane),
                &["cpu.control_plane", "cpu_control_plane"],
            ),
            (Metric::ErrorRate, &["errors", "error_rate"]),
            (Metric::NetworkRx, &["network.rx", "network_rx"]),
            (Metric::Memory(Part::Total), &["memory", "memory.total"]),
        ] {
            for typed in spellings {
                assert_eq!(Metric::parse(typed), Ok(metric), "{typed}");
            }
        }
    }

    #[test]
    fn names_in_files_are_read_back() {
        let more = [
            "service.p99.9",
            "status.5xx",
            "status.503",
            "memory.sidecar",
            "throttled",
            "rate_ratio",
            "unfinished",
        ];
        let more = more.map(|typed| Metric::parse(typed).expect("a metric"));
        for metric in Metric::COMPARED.into_iter().chain(more) {
            assert_eq!(Metric::parse(&metric.name()), Ok(metric));
        }
    }
}

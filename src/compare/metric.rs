//! The one list of metrics. Thresholds, objectives, limits of a regression, comparisons and tables all
//! take names, units and values from here, and one parser reads every spelling of a name.

use super::figures::{Latency, ServiceFigures, StepFigures};
use crate::measure::Distribution;
use crate::resources::Part;
use crate::units::{show_bytes, show_ns};

/// A quantity that a run or a step has a value of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// A statistic of one of the times of requests, in nanoseconds.
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
    /// CPU that a part used, in thousandths of a core.
    Cpu(Part),
    /// CPU milliseconds of the application per finished request.
    CpuPerRequest,
    /// Working set of a part, in bytes.
    Memory(Part),
    /// Bytes per second that the application received.
    NetworkRx,
    /// Bytes per second that the application sent.
    NetworkTx,
    /// Largest share of scheduler periods in which a container was stopped at its CPU limit.
    Throttled,
}

/// One of the times of a request, by the moments between which it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeKind {
    /// From the moment when the request was due to the end of its reply.
    Latency,
    /// From the moment when the request was sent to the end of its reply.
    Service,
    /// The part of the lag that the generator caused: a connection was free.
    Late,
    /// The part of the lag in which no connection was free.
    Blocked,
}

/// A statistic of a distribution of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// A percentile, by its place in [`Distribution::PERCENTILES`].
    Percentile(usize),
    Mean,
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

    /// Reads the name of a statistic, such as `p99.9` or `mean`. `at` is the place of the name in the
    /// whole text, in bytes.
    ///
    /// # Errors
    /// [`Misread`] at that place, with the names that there are.
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

/// One status of HTTP, or a class of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusClass {
    /// One status, from 100 to 599.
    Code(u16),
    /// All statuses with this first digit, from 1 to 5.
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

    /// Whether a status is this one, or of this class.
    pub fn contains(self, status: u16) -> bool {
        match self {
            StatusClass::Code(code) => status == code,
            StatusClass::Hundred(first) => status / 100 == first,
        }
    }
}

/// The place at which a text cannot be read, in bytes from its beginning, and the reason.
///
/// It is not yet an error for users: the caller knows the whole text and turns the place into a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    pub at: usize,
    pub reason: String,
}

/// What is measured in a metric's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricUnit {
    Nanoseconds,
    /// A share of a whole, from 0 to 1.
    Share,
    Count,
    /// Thousandths of a core.
    Millicores,
    /// Milliseconds of CPU time.
    CpuMilliseconds,
    Bytes,
    BytesPerSecond,
}

impl MetricUnit {
    /// The spelling in files.
    pub fn name(self) -> &'static str {
        match self {
            MetricUnit::Nanoseconds => "ns",
            MetricUnit::Share => "share",
            MetricUnit::Count => "count",
            MetricUnit::Millicores => "m",
            MetricUnit::CpuMilliseconds => "ms",
            MetricUnit::Bytes => "B",
            MetricUnit::BytesPerSecond => "B/s",
        }
    }

    /// A value in this unit, for people.
    pub fn show(self, value: f64) -> String {
        match self {
            MetricUnit::Nanoseconds => show_ns(value),
            MetricUnit::Share => format!("{:.3}%", value * 100.0),
            MetricUnit::Count => format!("{value}"),
            MetricUnit::Millicores => format!("{value:.1}m"),
            MetricUnit::CpuMilliseconds => format!("{value:.3}ms"),
            MetricUnit::Bytes => show_bytes(value),
            MetricUnit::BytesPerSecond => format!("{}/s", show_bytes(value)),
        }
    }
}

/// The spellings of metrics that thresholds can be about, as error texts list them.
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
    /// The 99.9th percentile of the latency.
    pub const P99_9: Metric = Metric::Time(TimeKind::Latency, Statistic::Percentile(5));

    /// The metrics of a comparison of two arms, in the order in which they are shown.
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
    ///
    /// # Errors
    /// [`Misread`] at the part of the name that is not known, with the names that there are.
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

    /// The name in thresholds, such as `p99`, `cpu.app` or `network.rx`.
    pub fn typed_name(self) -> String {
        let name = self.name();
        match self {
            Metric::Time(TimeKind::Latency, statistic) => statistic.name().to_owned(),
            Metric::Time(..)
            | Metric::Status(_)
            | Metric::Cpu(_)
            | Metric::Memory(_)
            | Metric::NetworkRx
            | Metric::NetworkTx => name.replacen('_', ".", 1),
            _ => name,
        }
    }

    /// The name in files, such as `latency_p99`, `cpu_app` or `network_rx`.
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

    /// The unit of the metric's values.
    pub fn unit(self) -> MetricUnit {
        match self {
            Metric::Time(..) => MetricUnit::Nanoseconds,
            Metric::RateRatio | Metric::ErrorRate | Metric::Throttled => MetricUnit::Share,
            Metric::Unfinished | Metric::Status(_) | Metric::Requests => MetricUnit::Count,
            Metric::Cpu(_) => MetricUnit::Millicores,
            Metric::CpuPerRequest => MetricUnit::CpuMilliseconds,
            Metric::Memory(_) => MetricUnit::Bytes,
            Metric::NetworkRx | Metric::NetworkTx => MetricUnit::BytesPerSecond,
        }
    }

    /// Whether only a collector can measure this.
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

    /// The value in a step, in [`unit`](Metric::unit); `None` where the step has none. Metrics of the
    /// requests of a single run, such as `status.503`, have values in runs alone.
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
            Metric::NetworkRx => over_networks(step, |one| one.network_rx_bytes_per_s),
            Metric::NetworkTx => over_networks(step, |one| one.network_tx_bytes_per_s),
            Metric::RateRatio
            | Metric::Unfinished
            | Metric::Status(_)
            | Metric::Requests
            | Metric::Memory(_)
            | Metric::Throttled => None,
        }
    }

    /// The latency in a step, with what is known of its reliability; `None` for metrics that are no
    /// latency, and where the step does not have this one.
    pub fn latency_of(self, step: &StepFigures) -> Option<&Latency> {
        match self {
            Metric::Time(TimeKind::Latency, statistic) => step.latency.get(statistic.name()),
            _ => None,
        }
    }
}

/// The sum over the application's services; `None` without one, or when one has no figure.
fn over_services(step: &StepFigures, of: impl Fn(&ServiceFigures) -> Option<f64>) -> Option<f64> {
    sum_over(step.application(), of)
}

/// The sum over those of the application's services that have a network of their own. The traffic of the
/// others is their nodes' and in no sum, as in [`network_of`](crate::resources::network_of).
fn over_networks(step: &StepFigures, of: impl Fn(&ServiceFigures) -> Option<f64>) -> Option<f64> {
    sum_over(step.application().filter(|one| one.has_own_network), of)
}

fn sum_over<'a>(
    services: impl Iterator<Item = &'a ServiceFigures>,
    of: impl Fn(&ServiceFigures) -> Option<f64>,
) -> Option<f64> {
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
            (Metric::P99_9, &["p99.9", "latency_p99.9"]),
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
    fn values_are_shown_with_their_unit() {
        for (unit, value, shown) in [
            (MetricUnit::Nanoseconds, 5e6, "5.00ms"),
            (MetricUnit::Share, 0.0125, "1.250%"),
            (MetricUnit::Count, 12.0, "12"),
            (MetricUnit::Millicores, 250.0, "250.0m"),
            (MetricUnit::CpuMilliseconds, 0.3504, "0.350ms"),
            (MetricUnit::Bytes, 0.0, "0.00B"),
            (MetricUnit::BytesPerSecond, 0.0, "0.00B/s"),
        ] {
            assert_eq!(unit.show(value), shown);
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
            assert_eq!(Metric::parse(&metric.typed_name()), Ok(metric));
        }
    }
}

//! The subject of a threshold: a metric of the whole run, of a route or of a service. This file reads the
//! subject and evaluates it on a run; names and units are those of [`Metric`].

use crate::compare::{KNOWN_METRICS, Metric, MetricUnit, Misread, Statistic, TimeKind};
use crate::measure::{Distribution, Histogram, RunResult, Tally, sum};
use crate::resources::{Part, Quantity, Resources};

/// A metric, and the part of the run that it is taken of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Subject {
    pub metric: Metric,
    of: Of,
}

/// The part of a run that a metric is taken of.
#[derive(Debug, Clone, PartialEq)]
enum Of {
    /// The whole run, or the whole application.
    All,
    Route(String),
    Service(String),
}

/// The value of a subject in a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    Exact(f64),
    /// A lower bound: unfinished requests could raise the value.
    AtLeast(f64),
    /// No value, with the reason.
    Unknown(String),
}

impl From<Result<f64, String>> for Found {
    fn from(found: Result<f64, String>) -> Found {
        found.map_or_else(Found::Unknown, Found::Exact)
    }
}

impl Subject {
    /// Reads the subject at the beginning of a text. Also returns its length in bytes.
    pub fn parse(text: &str) -> Result<(Subject, usize), Misread> {
        let head = word(text);
        if head.is_empty() {
            return Err(Misread {
                at: 0,
                reason: format!("here should be a quantity: {KNOWN_METRICS}"),
            });
        }
        if head == "route" {
            return route(text);
        }
        let metric = Metric::parse(head)?;
        if is_of_steps_alone(metric) {
            return Err(Misread {
                at: 0,
                reason: format!("`{head}` is compared with a baseline only: --max-regression"),
            });
        }
        let rest = &text[head.len()..];
        // The study's columns have their unit in the name, as in `CPU_App(m)`.
        let unit = "(m)";
        let is_column = matches!(metric, Metric::Cpu(_)) && rest.starts_with(unit);
        let end = head.len() + if is_column { unit.len() } else { 0 };
        let has_services = matches!(
            metric,
            Metric::Cpu(_) | Metric::Memory(_) | Metric::Throttled
        );
        if !has_services || !text[end..].starts_with('(') {
            let of = Of::All;
            return Ok((Subject { metric, of }, end));
        }
        let (name, end) = quoted(text, end)?;
        let of = Of::Service(name);
        Ok((Subject { metric, of }, end))
    }

    /// The subject for the kind of load of a run: a closed loop has no latencies, so service times take their
    /// place.
    pub fn in_loop_of(&self, result: &RunResult) -> Subject {
        let metric = match self.metric {
            Metric::Time(TimeKind::Latency, statistic) if !result.is_open_loop() => {
                Metric::Time(TimeKind::Service, statistic)
            }
            other => other,
        };
        Subject {
            metric,
            of: self.of.clone(),
        }
    }

    /// The value in a run, in the unit of the metric; counts become shares of all with `as_share`.
    pub fn value(&self, result: &RunResult, as_share: bool) -> Found {
        let service = match &self.of {
            Of::Route(name) => return of_route(name, self.metric, result.overall(), as_share),
            Of::Service(name) => Some(name.as_str()),
            Of::All => None,
        };
        let tally = result.overall();
        let counted = |count: u64, all: u64| match as_share {
            true => share(count, all),
            false => Found::Exact(count as f64),
        };
        match self.metric {
            Metric::Time(kind, statistic) => time(result, tally, kind, statistic),
            Metric::RateRatio => share(tally.finished_in_window, tally.scheduled),
            Metric::ErrorRate => {
                let rate = tally.error_rate();
                rate.ok_or_else(|| "no request ended".to_owned()).into()
            }
            Metric::Unfinished => counted(tally.unfinished, tally.scheduled),
            Metric::Status(class) => {
                let found = tally.status.iter();
                let found = found.filter(|(status, _)| class.contains(*status));
                counted(found.map(|(_, count)| count).sum(), tally.completed)
            }
            Metric::Cpu(part) => used(result, Quantity::Cpu, part, service).into(),
            Metric::Memory(part) => used(result, Quantity::WorkingSet, part, service).into(),
            Metric::Throttled => throttled(result, service).into(),
            Metric::Requests | Metric::CpuPerRequest | Metric::NetworkRx | Metric::NetworkTx => {
                Found::Unknown("a run by itself has no such figure".to_owned())
            }
        }
    }
}

/// Whether only steps that are compared have a value of this metric.
fn is_of_steps_alone(metric: Metric) -> bool {
    matches!(
        metric.unit(),
        MetricUnit::CpuMilliseconds | MetricUnit::BytesPerSecond
    )
}

/// The letters, digits, underscores and dots at the beginning of a text.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'));
    &text[..end.unwrap_or(text.len())]
}

/// Reads a name in brackets and quotes, `("name")`, at a place. Also returns the place behind it.
fn quoted(text: &str, at: usize) -> Result<(String, usize), Misread> {
    let misread = |reason: &str| Misread {
        at,
        reason: reason.to_owned(),
    };
    let rest = text[at..].strip_prefix("(\"");
    let rest = rest.ok_or_else(|| misread("here should be a name, as in (\"frontend\")"))?;
    let end = rest.find("\")");
    let end = end.ok_or_else(|| misread("the name has no end: (\"...\")"))?;
    Ok((rest[..end].to_owned(), at + 2 + end + 2))
}

fn route(text: &str) -> Result<(Subject, usize), Misread> {
    let (name, end) = quoted(text, "route".len())?;
    let rest = text[end..].strip_prefix('.').ok_or_else(|| Misread {
        at: end,
        reason: "here should be .p99, .mean, .max, .error_rate or .requests".to_owned(),
    })?;
    let member = word(rest);
    let at = end + 1;
    let metric = match member {
        "error_rate" => Metric::ErrorRate,
        "requests" => Metric::Requests,
        _ => Metric::Time(TimeKind::Latency, Statistic::parse(member, at)?),
    };
    let of = Of::Route(name);
    Ok((Subject { metric, of }, at + member.len()))
}

fn share(part: u64, of: u64) -> Found {
    if of == 0 {
        return Found::Unknown("no request was counted".to_owned());
    }
    Found::Exact(part as f64 / of as f64)
}

fn time(result: &RunResult, tally: &Tally, kind: TimeKind, statistic: Statistic) -> Found {
    let is_open = result.is_open_loop();
    if !is_open && kind != TimeKind::Service {
        return Found::Unknown("a closed loop has service times alone: service.p99".to_owned());
    }
    let histogram = match kind {
        TimeKind::Latency => &tally.latency_with_censored(),
        TimeKind::Service => &tally.service,
        TimeKind::Late => &tally.late,
        TimeKind::Blocked => &tally.blocked,
    };
    if let (TimeKind::Latency, Statistic::Percentile(at)) = (kind, statistic) {
        let percentiles = tally.latency_percentiles();
        return match percentiles.get(at) {
            Some(found) if found.is_lower_bound => Found::AtLeast(found.value as f64),
            Some(found) => Found::Exact(found.value as f64),
            None => Found::Unknown("no request was completed".to_owned()),
        };
    }
    let is_cut = kind == TimeKind::Latency && tally.unfinished > 0;
    figure(histogram, statistic, is_cut)
}

fn figure(histogram: &Histogram, statistic: Statistic, is_cut: bool) -> Found {
    let Some(figures) = Distribution::of(histogram) else {
        return Found::Unknown("no request was completed".to_owned());
    };
    let value = match statistic {
        Statistic::Percentile(at) => figures.percentiles()[at] as f64,
        Statistic::Mean => figures.mean,
        Statistic::Max => figures.max as f64,
    };
    if is_cut {
        Found::AtLeast(value)
    } else {
        Found::Exact(value)
    }
}

fn of_route(name: &str, metric: Metric, tally: &Tally, as_share: bool) -> Found {
    let Some(route) = tally.routes.get(name) else {
        return Found::Unknown(format!("no request went to the route {name}"));
    };
    match metric {
        Metric::Time(_, statistic) => {
            let is_cut = !route.censored.is_empty();
            figure(&sum(&route.latency, &route.censored), statistic, is_cut)
        }
        Metric::ErrorRate => match route.error_rate() {
            Some(rate) => Found::Exact(rate),
            None => Found::Unknown(format!("no request of the route {name} has ended")),
        },
        _ if as_share => share(route.requests, tally.scheduled),
        _ => Found::Exact(route.requests as f64),
    }
}

fn collected(result: &RunResult) -> Result<&Resources, String> {
    let resources = result.resources.as_ref();
    resources.ok_or_else(|| "no collector ran: --collect".to_owned())
}

fn used(
    result: &RunResult,
    quantity: Quantity,
    part: Part,
    service: Option<&str>,
) -> Result<f64, String> {
    let used = collected(result)?.used(part, service, quantity);
    used.map_err(|why| why.to_string())
}

fn throttled(result: &RunResult, service: Option<&str>) -> Result<f64, String> {
    let pods = collected(result)?.pods_of(Part::Total, service);
    let pods = pods.map_err(|why| why.to_string())?;
    let containers = pods.iter().flat_map(|pod| &pod.containers);
    let shares = containers.filter_map(|container| container.throttling());
    shares.max_by(f64::total_cmp).ok_or_else(|| {
        "no container has a figure of how often it was throttled; none may have a CPU limit"
            .to_owned()
    })
}

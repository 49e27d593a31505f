//! What a threshold looks at: a quantity of a run, by the name that people write.

use crate::measure::{Distribution, Histogram, RouteTally, RunResult, Tally, sum};
use crate::resources::{Part, Quantity, Resources};

/// A quantity of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Subject {
    /// A time of all requests.
    Time(Clock, Statistic),
    /// Finished in the window over scheduled.
    RateRatio,
    /// Failed requests and statuses above 399, of all that ended.
    ErrorRate,
    /// Requests that had not ended when the load did.
    Unfinished,
    /// Replies of a status, or of a class of them (`5xx`).
    Status(StatusClass),
    /// Something of one route.
    Route(String, RouteSubject),
    /// CPU of the application, or of one of its services.
    Cpu(Part, Option<String>),
    /// Working set, likewise.
    Memory(Part, Option<String>),
    /// Largest share of throttled periods of a container, likewise.
    Throttled(Option<String>),
}

/// From when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// Due to done.
    Latency,
    /// Sent to done.
    Service,
    /// The generator's part of the lag.
    Late,
    /// The wait for a free connection.
    Blocked,
}

/// Which figure of a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Statistic {
    /// By its place in [`Distribution::PERCENTILES`].
    Percentile(usize),
    Mean,
    Max,
}

/// Something of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RouteSubject {
    Time(Statistic),
    ErrorRate,
    Requests,
}

/// A status, or a hundred of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatusClass {
    Code(u16),
    Hundred(u16),
}

/// What a subject is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Time,
    Share,
    /// A number, or with % a share of all.
    Count,
    Cores,
    Bytes,
}

impl Kind {
    /// What a limit looks like.
    pub fn example(self) -> &'static str {
        match self {
            Kind::Time => "time: 50ms, 1.5s",
            Kind::Share => "share: 1%, 0.01",
            Kind::Count => "number or share: 10, 1%",
            Kind::Cores => "amount of CPU: 250m, 1.5",
            Kind::Bytes => "amount of memory: 64Mi, 1.5GB",
        }
    }
}

/// What was measured.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    Exact(f64),
    /// It is that or more.
    AtLeast(f64),
    /// And why.
    Unknown(String),
}

impl From<Result<f64, String>> for Found {
    fn from(found: Result<f64, String>) -> Found {
        found.map_or_else(Found::Unknown, Found::Exact)
    }
}

const SUBJECTS: &str = "p50 p90 p99 p99.9 mean max (latency), service.p99, late.p99, blocked.p99, rate_ratio, error_rate, unfinished, status.5xx, route(\"GET /hotels\").p99, cpu.app, cpu.sidecar, cpu.total, cpu.node_proxy, cpu.waypoint, cpu.gateway, cpu.control_plane, memory.app, throttled, and of one service cpu.sidecar(\"frontend\")";

/// Where it goes wrong, in bytes, and why.
type Bad = (usize, String);

impl Subject {
    /// Reads a subject at the beginning of a text: what it is, and how many bytes it takes.
    pub fn parse(text: &str) -> Result<(Subject, usize), Bad> {
        let head = word(text);
        if head.is_empty() {
            return Err((0, format!("here should be what is looked at: {SUBJECTS}")));
        }
        let end = head.len();
        if head == "route" {
            return route(text);
        }
        let simple = match head {
            "rate_ratio" => Some(Subject::RateRatio),
            "error_rate" => Some(Subject::ErrorRate),
            "unfinished" => Some(Subject::Unfinished),
            _ => statistic(head).map(|one| Subject::Time(Clock::Latency, one)),
        };
        if let Some(subject) = simple {
            return Ok((subject, end));
        }
        if head == "throttled" {
            let (service, end) = of_service(text, end)?;
            return Ok((Subject::Throttled(service), end));
        }
        let Some((family, member)) = head.split_once('.') else {
            return Err((0, format!("`{head}` is not known; there are {SUBJECTS}")));
        };
        let at = family.len() + 1;
        let clock = match family {
            "latency" => Some(Clock::Latency),
            "service" => Some(Clock::Service),
            "late" => Some(Clock::Late),
            "blocked" => Some(Clock::Blocked),
            _ => None,
        };
        if let Some(clock) = clock {
            let found = statistic(member).ok_or_else(|| no_statistic(at, member))?;
            return Ok((Subject::Time(clock, found), end));
        }
        match family {
            "status" => {
                let class = status(member).ok_or_else(|| {
                    (
                        at,
                        format!("`{member}` is no status: 503, or 5xx for all from 500 to 599"),
                    )
                })?;
                Ok((Subject::Status(class), end))
            }
            "cpu" | "memory" => {
                let part = Part::of_name(member).ok_or_else(|| {
                    (
                        at,
                        format!(
                            "`{member}` is not known: {}",
                            Part::ALL.map(Part::name).join(", ")
                        ),
                    )
                })?;
                let (service, end) = of_service(text, end)?;
                let subject = if family == "cpu" {
                    Subject::Cpu(part, service)
                } else {
                    Subject::Memory(part, service)
                };
                Ok((subject, end))
            }
            _ => Err((0, format!("`{family}` is not known; there are {SUBJECTS}"))),
        }
    }

    /// What it is counted in.
    pub fn kind(&self) -> Kind {
        match self {
            Subject::Time(..) | Subject::Route(_, RouteSubject::Time(_)) => Kind::Time,
            Subject::RateRatio
            | Subject::ErrorRate
            | Subject::Throttled(_)
            | Subject::Route(_, RouteSubject::ErrorRate) => Kind::Share,
            Subject::Unfinished
            | Subject::Status(_)
            | Subject::Route(_, RouteSubject::Requests) => Kind::Count,
            Subject::Cpu(..) => Kind::Cores,
            Subject::Memory(..) => Kind::Bytes,
        }
    }

    /// Whether it is what a collector finds.
    pub fn needs_collector(&self) -> bool {
        matches!(
            self,
            Subject::Cpu(..) | Subject::Memory(..) | Subject::Throttled(_)
        )
    }

    /// The same where the run has it: a closed loop has service times in place of latencies.
    pub fn in_loop_of(&self, result: &RunResult) -> Subject {
        match self {
            Subject::Time(Clock::Latency, statistic) if !result.is_open_loop() => {
                Subject::Time(Clock::Service, *statistic)
            }
            other => other.clone(),
        }
    }

    /// Its value in a run; `as_share` of all where it is counted.
    pub fn of(&self, result: &RunResult, as_share: bool) -> Found {
        let tally = result.overall();
        let counted = |count: u64, all: u64| match as_share {
            true => share(count, all),
            false => Found::Exact(count as f64),
        };
        match self {
            Subject::Time(clock, statistic) => time(result, tally, *clock, *statistic),
            Subject::RateRatio => share(tally.finished_in_window, tally.scheduled),
            Subject::ErrorRate => {
                let rate = tally.error_rate();
                rate.ok_or_else(|| "no request ended".to_owned()).into()
            }
            Subject::Unfinished => counted(tally.unfinished, tally.scheduled),
            Subject::Status(class) => {
                let is_meant = |status: u16| match class {
                    StatusClass::Code(code) => status == *code,
                    StatusClass::Hundred(first) => status / 100 == *first,
                };
                let found = tally.status.iter().filter(|(status, _)| is_meant(*status));
                counted(found.map(|(_, count)| count).sum(), tally.completed)
            }
            Subject::Route(name, subject) => match tally.routes.get(name) {
                Some(route) => of_route(route, *subject, tally.scheduled, as_share),
                None => Found::Unknown(format!("no request went to the route {name}")),
            },
            Subject::Cpu(part, service) => {
                used(result, Quantity::Cpu, *part, service.as_deref()).into()
            }
            Subject::Memory(part, service) => {
                used(result, Quantity::WorkingSet, *part, service.as_deref()).into()
            }
            Subject::Throttled(service) => throttled(result, service.as_deref()).into(),
        }
    }
}

/// Letters, digits, underscores and dots.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'));
    &text[..end.unwrap_or(text.len())]
}

/// A name in quotes and brackets at a place: the name, and where it ends.
fn quoted(text: &str, at: usize) -> Result<(String, usize), Bad> {
    let rest = text[at..].strip_prefix("(\"");
    let rest =
        rest.ok_or_else(|| (at, "here should be a name, as in (\"frontend\")".to_owned()))?;
    let end = rest
        .find("\")")
        .ok_or_else(|| (at, "the name has no end: (\"...\")".to_owned()))?;
    Ok((rest[..end].to_owned(), at + 2 + end + 2))
}

fn of_service(text: &str, at: usize) -> Result<(Option<String>, usize), Bad> {
    if !text[at..].starts_with('(') {
        return Ok((None, at));
    }
    let (name, end) = quoted(text, at)?;
    Ok((Some(name), end))
}

fn route(text: &str) -> Result<(Subject, usize), Bad> {
    let (name, end) = quoted(text, "route".len())?;
    let rest = text[end..].strip_prefix('.').ok_or_else(|| {
        (
            end,
            "here should be .p99, .mean, .max, .error_rate or .requests".to_owned(),
        )
    })?;
    let member = word(rest);
    let at = end + 1;
    let subject = match member {
        "error_rate" => RouteSubject::ErrorRate,
        "requests" => RouteSubject::Requests,
        _ => RouteSubject::Time(statistic(member).ok_or_else(|| no_statistic(at, member))?),
    };
    Ok((Subject::Route(name, subject), at + member.len()))
}

fn no_statistic(at: usize, member: &str) -> Bad {
    let names = Distribution::PERCENTILES.map(|(name, _)| name).join(" ");
    (at, format!("`{member}` is not known: {names} mean max"))
}

fn statistic(name: &str) -> Option<Statistic> {
    match name {
        "mean" => Some(Statistic::Mean),
        "max" => Some(Statistic::Max),
        _ => {
            let mut known = Distribution::PERCENTILES.iter();
            known
                .position(|(known, _)| *known == name)
                .map(Statistic::Percentile)
        }
    }
}

fn status(name: &str) -> Option<StatusClass> {
    match name.strip_suffix("xx") {
        Some(first) => first
            .parse()
            .ok()
            .filter(|first| (1..=5).contains(first))
            .map(StatusClass::Hundred),
        None => name
            .parse()
            .ok()
            .filter(|code| (100..=599).contains(code))
            .map(StatusClass::Code),
    }
}

fn share(part: u64, of: u64) -> Found {
    if of == 0 {
        return Found::Unknown("no request was counted".to_owned());
    }
    Found::Exact(part as f64 / of as f64)
}

fn time(result: &RunResult, tally: &Tally, clock: Clock, statistic: Statistic) -> Found {
    let is_open = result.is_open_loop();
    if !is_open && clock != Clock::Service {
        return Found::Unknown("a closed loop has service times alone: service.p99".to_owned());
    }
    let histogram = match clock {
        Clock::Latency => &tally.latency_with_censored(),
        Clock::Service => &tally.service,
        Clock::Late => &tally.late,
        Clock::Blocked => &tally.blocked,
    };
    if let (Clock::Latency, Statistic::Percentile(at)) = (clock, statistic) {
        let percentiles = tally.latency_percentiles();
        return match percentiles.get(at) {
            Some(found) if found.is_lower_bound => Found::AtLeast(found.value as f64),
            Some(found) => Found::Exact(found.value as f64),
            None => Found::Unknown("no request was completed".to_owned()),
        };
    }
    let is_cut = clock == Clock::Latency && tally.unfinished > 0;
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

fn of_route(route: &RouteTally, subject: RouteSubject, scheduled: u64, as_share: bool) -> Found {
    match subject {
        RouteSubject::Time(statistic) => {
            let is_cut = !route.censored.is_empty();
            figure(&sum(&route.latency, &route.censored), statistic, is_cut)
        }
        RouteSubject::ErrorRate => share(route.status.bad(), route.status.total()),
        RouteSubject::Requests if as_share => share(route.requests, scheduled),
        RouteSubject::Requests => Found::Exact(route.requests as f64),
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

//! Tables of single runs.

use super::table::{Cell, Table};
use crate::measure::{Distribution, RouteTally, are_few, doubt_mark, sum};
use crate::resources::{ContainerUse, PodUse, Quantity};
use crate::units::{show_bytes, show_ns};
use crate::verdict::{MeasuredRun, PercentileInterval};

/// The percentiles of every kind of time: latency, service, late, blocked, and those of connections.
pub fn times_table(run: &MeasuredRun) -> Table {
    let mut columns = vec!["time"];
    columns.extend(Distribution::PERCENTILES.map(|(name, _)| name));
    columns.push("max");
    let mut table = Table::new(
        "Times",
        "Latency from the moment a request was due; service from when it was sent; late is the generator's part of the lag, blocked what no connection was free for. * has fewer than 10 samples beyond it; >= is a lower bound, which unfinished requests could raise.",
        &columns,
    );
    let tally = run.judged.result.overall();
    if run.judged.result.is_open_loop() {
        let cells = tally.latency_percentiles().into_iter().map(|one| {
            let bound = if one.is_lower_bound { ">=" } else { "" };
            let mark = doubt_mark(are_few(one.beyond));
            let time = one.value as f64;
            Cell::number(time, format!("{bound}{}{mark}", show_ns(time)))
        });
        let max = tally.latency_with_censored().max() as f64;
        let mut row = vec![Cell::from("latency")];
        row.extend(cells);
        let bound = if tally.unfinished > 0 { ">=" } else { "" };
        row.push(Cell::number(max, format!("{bound}{}", show_ns(max))));
        table.rows.push(row);
        table.rows.extend(interval_row(&run.intervals));
    }
    for (name, histogram) in [
        ("service", &tally.service),
        ("late", &tally.late),
        ("blocked", &tally.blocked),
        ("connect", &tally.connect),
        ("TLS handshake", &tally.handshake),
        ("first byte", &tally.first_byte),
    ] {
        if let Some(times) = Distribution::of(histogram) {
            let percentiles = Distribution::PERCENTILES.iter();
            let cells = percentiles.filter_map(|(name, _)| percentile_cell(&times, name));
            let max = Cell::number(times.max as f64, show_ns(times.max as f64));
            let row = [Cell::from(name)].into_iter().chain(cells).chain([max]);
            table.rows.push(row.collect());
        }
    }
    table
}

/// The confidence intervals of the latency's percentiles; `None` without any.
fn interval_row(intervals: &[PercentileInterval]) -> Option<Vec<Cell>> {
    if intervals.is_empty() {
        return None;
    }
    let end = |time: Option<u64>| time.map_or("?".to_owned(), |time| show_ns(time as f64));
    let cells = intervals
        .iter()
        .map(|one| Cell::from(format!("{} to {}", end(one.low), end(one.high))));
    let row = [Cell::from("95 % interval")].into_iter().chain(cells);
    Some(row.chain([Cell::from("-")]).collect())
}

/// How requests ended: with a status, with an error, or not at all.
pub fn endings_table(run: &MeasuredRun) -> Table {
    let mut table = Table::new(
        "How requests ended",
        "Requests due in the measured window; they add up to what was scheduled. The text below has the errors by kind.",
        &["ending", "requests", "share"],
    );
    let tally = run.judged.result.overall();
    let statuses = tally.status.iter();
    let statuses = statuses.map(|(status, count)| (format!("status {status}"), count));
    let rest = [
        ("failed".to_owned(), tally.failed),
        (
            "unfinished when the load ended".to_owned(),
            tally.unfinished,
        ),
    ];
    for (ending, count) in statuses.chain(rest) {
        if count == 0 {
            continue;
        }
        let share = count as f64 / tally.scheduled.max(1) as f64;
        table.rows.push(vec![
            Cell::from(ending),
            Cell::number(count as f64, count.to_string()),
            Cell::number(share, format!("{:.3}%", share * 100.0)),
        ]);
    }
    table
}

/// A row per route, of one run or several. The column of runs is left out for a run without a name.
pub fn routes_table(runs: &[MeasuredRun]) -> Table {
    let mut table = Table::new(
        "Routes",
        "Unfinished requests count with their age. Percentiles have two digits; * has fewer than 10 samples beyond it.",
        &[
            "run",
            "route",
            "requests",
            "status above 399",
            "p50",
            "p90",
            "p99",
            "p99.9",
            "max",
        ],
    );
    for run in runs {
        let tally = run.judged.result.overall();
        for (name, route) in &tally.routes {
            table.rows.push(route_row(&run.name, name, route));
        }
    }
    if runs.iter().all(|run| run.name.is_empty()) {
        table.columns.remove(0);
        for row in &mut table.rows {
            row.remove(0);
        }
    }
    table
}

fn route_row(run: &str, name: &str, route: &RouteTally) -> Vec<Cell> {
    let count = |count: u64| Cell::number(count as f64, count.to_string());
    let mut row = vec![
        Cell::from(run),
        Cell::from(name),
        count(route.requests),
        count(route.status.bad()),
    ];
    let times = Distribution::of(&sum(&route.latency, &route.censored));
    match times {
        Some(times) => {
            const SHOWN: [&str; 4] = ["p50", "p90", "p99", "p99.9"];
            row.extend(
                SHOWN
                    .iter()
                    .filter_map(|name| percentile_cell(&times, name)),
            );
            row.push(Cell::number(times.max as f64, show_ns(times.max as f64)));
        }
        None => row.extend((0..5).map(|_| Cell::from("-"))),
    }
    row
}

/// The percentile of this name, marked when few samples lie beyond it; `None` for an unknown name.
fn percentile_cell(times: &Distribution, name: &str) -> Option<Cell> {
    let mut known = Distribution::PERCENTILES.iter().zip(times.percentiles());
    let ((_, share), time) = known.find(|((known, _), _)| *known == name)?;
    let mark = doubt_mark(times.has_few_beyond(*share));
    let time = time as f64;
    Some(Cell::number(time, format!("{}{mark}", show_ns(time))))
}

/// A row per container.
pub fn containers_table(pods: &[PodUse]) -> Table {
    let mut table = Table::new(
        "Containers",
        "Over the measured window. Throttled: share of scheduler periods in which the container was stopped at its CPU limit. Waited: share of the time in which one of its tasks waited (PSI).",
        &[
            "namespace",
            "pod",
            "container",
            "role",
            "CPU (m)",
            "memory",
            "throttled",
            "waited for CPU",
            "for memory",
            "for I/O",
            "restarts",
            "quality of CPU",
        ],
    );
    let rows = pods.iter().flat_map(|pod| {
        pod.containers
            .iter()
            .map(move |one| container_row(pod, one))
    });
    table.rows = rows.collect();
    table
}

fn container_row(pod: &PodUse, container: &ContainerUse) -> Vec<Cell> {
    let value = |quantity| container.figure(quantity).and_then(|figure| figure.value);
    let share = |share: f64| format!("{:.2}%", share * 100.0);
    let waited = |quantity| Cell::maybe(value(quantity), share);
    let quality = container
        .figure(Quantity::Cpu)
        .map(|figure| figure.quality.text());
    vec![
        Cell::from(pod.namespace.as_str()),
        Cell::from(pod.pod.as_str()),
        Cell::from(container.name.as_str()),
        Cell::from(container.role.name()),
        Cell::maybe(value(Quantity::Cpu), |cpu| format!("{cpu:.1}")),
        Cell::maybe(value(Quantity::WorkingSet), show_bytes),
        Cell::maybe(container.throttling(), share),
        waited(Quantity::PsiCpu),
        waited(Quantity::PsiMemory),
        waited(Quantity::PsiIo),
        Cell::maybe(value(Quantity::Restarts), |count| format!("{count:.0}")),
        Cell::from(quality.unwrap_or_default()),
    ]
}

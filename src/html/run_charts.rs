//! Charts of single runs: percentiles, and what happened second by second.

use super::chart::{Axis, Chart, Mark, Panel, Point, Series, Stroke};
use crate::measure::{Distribution, FEW_BEYOND, Histogram, Interval, RunResult, doubt_mark};
use crate::resources::{Bucket, Role};
use crate::spec::Phase;
use crate::units::Nanos;
use crate::verdict::{MeasuredRun, PercentileInterval};

/// A title with the run's name before it, where the run has one.
fn called(run: &MeasuredRun, what: &str) -> String {
    if run.name.is_empty() {
        what.to_owned()
    } else {
        format!("{}, {what}", run.name)
    }
}

/// Nanoseconds per millisecond.
const MS: f64 = 1e6;
/// How far the time of a line in the interval log may lie from the middle of its interval, in seconds:
/// the log rounds times to milliseconds.
const HALF_A_CENTISECOND: f64 = 0.005;
/// Points of the percentile curve per power of ten.
const PER_DECADE: i32 = 12;

/// Draws the percentile curves of one or several runs over an axis of nines, as HdrHistogram's plotter
/// does.
pub fn percentile_chart(runs: &[MeasuredRun]) -> Chart {
    let (mut series, mut marks) = (Vec::new(), Vec::new());
    for (number, run) in runs.iter().enumerate() {
        let tally = run.judged.result.overall();
        let is_open = run.judged.result.is_open_loop();
        let hue = super::arm_charts::hue_of(number);
        let first = if is_open { "latency" } else { "service time" };
        series.push(Series {
            name: called(run, first),
            hue,
            stroke: Stroke::Solid,
            points: curve(&tally.response_times(is_open)),
        });
        if is_open && runs.len() == 1 {
            series.push(Series {
                name: "service time".to_owned(),
                hue: 2,
                stroke: Stroke::Dashed,
                points: curve(&tally.service),
            });
        }
        marks.extend(few_from(&tally.response_times(is_open)).map(|x| Mark {
            x,
            label: called(run, FEW),
            hue,
        }));
        let intervals: Vec<Point> = run.intervals.iter().filter_map(spread).collect();
        if !intervals.is_empty() {
            series.push(Series {
                name: called(run, "95 % intervals"),
                hue,
                stroke: Stroke::None,
                points: intervals,
            });
        }
    }
    Chart {
        name: "percentiles".to_owned(),
        title: "Percentiles".to_owned(),
        caption: "The share of requests that took no longer than a time; those that were not finished count with their age. Intervals are those of one run, over blocks of a second; what changes more slowly is not in them.".to_owned(),
        x: Axis::nines("share of requests"),
        panels: vec![Panel {
            marks: in_one_place(marks),
            ..Panel::of_lines(Axis::log("time (ms)"), series)
        }],
    }
}

const FEW: &str = "fewer than 10 samples beyond from here on";
/// The colour of lines and marks that belong to no single run.
const NEUTRAL: usize = 6;

/// Joins the marks of runs with nearly the same number of requests into one. Of several marks at one
/// place only the last would be visible, and their names would take the room of the curves.
fn in_one_place(marks: Vec<Mark>) -> Vec<Mark> {
    let places = marks.iter().map(|mark| mark.x);
    let (low, high) = places.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), x| {
        (low.min(x), high.max(x))
    });
    if marks.len() < 2 || high > 1.02 * low {
        return marks;
    }
    vec![Mark {
        x: low,
        label: FEW.to_owned(),
        hue: NEUTRAL,
    }]
}

/// The place on a percentile curve, 1 / (1 - share), from which fewer than [`FEW_BEYOND`] samples lie
/// beyond; `None` for a histogram with too few samples.
fn few_from(histogram: &Histogram) -> Option<f64> {
    let place = histogram.len() as f64 / FEW_BEYOND as f64;
    (place > 1.0).then_some(place)
}

/// An interval of a percentile as a point with a spread; `None` where the run was too short for one of
/// the ends.
fn spread(interval: &PercentileInterval) -> Option<Point> {
    let share = Distribution::PERCENTILES
        .iter()
        .find(|(name, _)| *name == interval.name)?
        .1;
    let (low, high) = interval.low.zip(interval.high)?;
    Some(Point {
        x: 1.0 / (1.0 - share),
        y: Some(interval.value as f64 / MS),
        spread: Some((low as f64 / MS, high as f64 / MS)),
    })
}

/// The points of a percentile curve, from the fastest request to the slowest.
fn curve(histogram: &Histogram) -> Vec<Point> {
    if histogram.is_empty() {
        return Vec::new();
    }
    let end = (histogram.len() as f64).max(10.0);
    let places = (0..).map(|step| 10f64.powf(f64::from(step) / f64::from(PER_DECADE)));
    let places = places.take_while(|place| *place < end);
    let points = places.map(|place| {
        let value = histogram.value_at_quantile(1.0 - 1.0 / place);
        Point::new(place, Some(value as f64 / MS))
    });
    let last = Point::new(end, Some(histogram.max() as f64 / MS));
    points.chain([last]).collect()
}

/// Draws latency, lag, rates, backlog and the CPU of pods over one axis of time. `number` tells the
/// charts of a page apart.
pub fn time_chart(run: &MeasuredRun, number: usize) -> Chart {
    let result = &run.judged.result;
    let panels = [
        latency_panel(result),
        lag_panel(run),
        rate_panel(result),
        backlog_panel(result),
        cpu_panel(&run.timeline),
    ];
    let shaded = outside_window(result);
    let panels = panels
        .into_iter()
        .filter(|panel| !panel.is_empty())
        .map(|panel| Panel {
            shaded: shaded.clone(),
            ..panel
        });
    let title = if run.name.is_empty() {
        "Over time".to_owned()
    } else {
        format!("Over time: {}", run.name)
    };
    let end = result
        .targets
        .iter()
        .flat_map(|target| &target.intervals)
        .map(end_s);
    let mut x = Axis::linear("seconds since the load began");
    x.range = end.max_by(f64::total_cmp).map(|end| (0.0, end));
    Chart {
        name: format!("over_time_{number}"),
        title,
        caption: "Second by second: times by when requests finished, scheduled by when they were due. Grey: warm-up and guard; what was due there is not in the figures. Lag is how late requests were sent; late is the generator's part of it, the rest waited for a free connection. * has fewer than 10 samples beyond it in some second.".to_owned(),
        x,
        panels: panels.collect(),
    }
}

fn start_s(interval: &Interval) -> f64 {
    interval.start.as_secs_f64()
}

fn end_s(interval: &Interval) -> f64 {
    (interval.start + interval.duration).as_secs_f64()
}

fn middle_s(interval: &Interval) -> f64 {
    f64::midpoint(start_s(interval), end_s(interval))
}

/// Start and end of warm-up and guard in seconds since the load began. All targets have the same phases,
/// so those of the first are taken.
fn outside_window(result: &RunResult) -> Vec<(f64, f64)> {
    let intervals = result
        .targets
        .first()
        .into_iter()
        .flat_map(|target| &target.intervals);
    let mut stretches: Vec<(f64, f64)> = Vec::new();
    for interval in intervals.filter(|interval| interval.phase != Phase::Window) {
        let (start, end) = (start_s(interval), end_s(interval));
        match stretches.last_mut() {
            Some(last) if (last.1 - start).abs() < 1e-6 => last.1 = end,
            _ => stretches.push((start, end)),
        }
    }
    stretches
}

/// One line per target, with a point per interval. A single target is not named.
fn over_targets(
    result: &RunResult,
    what: &str,
    (hue, stroke): (usize, Stroke),
    of: impl Fn(&Interval) -> Option<f64>,
) -> Vec<Series> {
    let is_alone = result.targets.len() == 1;
    let targets = result.targets.iter().enumerate();
    targets
        .map(|(number, target)| Series {
            name: if is_alone {
                what.to_owned()
            } else {
                format!("{what} of {}", target.target.url)
            },
            hue: hue + number * 3,
            stroke,
            points: target
                .intervals
                .iter()
                .map(|interval| Point::new(middle_s(interval), of(interval)))
                .collect(),
        })
        .collect()
}

/// Picks a figure of a distribution, in nanoseconds.
type Pick = fn(&Distribution) -> f64;

/// Lines of figures of the distribution that `of` takes from each interval, in milliseconds.
fn times(
    result: &RunResult,
    of: fn(&Interval) -> Option<&Distribution>,
    lines: &[(&str, usize, Stroke, Pick)],
) -> Vec<Series> {
    let intervals = || result.targets.iter().flat_map(|target| &target.intervals);
    let series = lines.iter().flat_map(|(name, hue, stroke, pick)| {
        let name = marked(name, intervals().filter_map(of));
        over_targets(result, &name, (*hue, *stroke), move |interval| {
            Some(pick(of(interval)?) / MS)
        })
    });
    series.collect()
}

/// The name of a line that shows a percentile of each second, marked where a second has few samples
/// beyond it.
fn marked<'a>(name: &str, seconds: impl IntoIterator<Item = &'a Distribution>) -> String {
    let mut known = Distribution::PERCENTILES.iter();
    let shown = known.find(|(percentile, _)| name.ends_with(percentile));
    let mut seconds = seconds.into_iter();
    let has_few = shown.is_some_and(|(_, share)| seconds.any(|one| one.has_few_beyond(*share)));
    format!("{name}{}", doubt_mark(has_few))
}

fn latency_panel(result: &RunResult) -> Panel {
    const LINES: [(&str, usize, Stroke, Pick); 3] = [
        ("p50", 0, Stroke::Solid, |times| times.p50 as f64),
        ("p99", 1, Stroke::Solid, |times| times.p99 as f64),
        ("max", 3, Stroke::Dotted, |times| times.max as f64),
    ];
    let (label, series) = if result.is_open_loop() {
        (
            "latency (ms)",
            times(result, |one| one.latency.as_ref(), &LINES),
        )
    } else {
        (
            "service time (ms)",
            times(result, |one| one.service.as_ref(), &LINES),
        )
    };
    Panel::of_lines(Axis::log(label), series)
}

fn lag_panel(run: &MeasuredRun) -> Panel {
    const LATE: [(&str, usize, Stroke, Pick); 1] =
        [("late p99", 6, Stroke::Dashed, |times| times.p99 as f64)];
    let intervals = run
        .judged
        .result
        .targets
        .first()
        .map(|target| &target.intervals);
    let lag = |name: &str, hue, pick: Pick| Series {
        name: marked(name, run.lag.iter().map(|(_, times)| times)),
        hue,
        stroke: Stroke::Solid,
        points: intervals
            .into_iter()
            .flatten()
            .filter(|_| !run.lag.is_empty())
            .map(|interval| {
                // The log has no line for a second in which no request finished.
                let middle = middle_s(interval);
                let is_this = |at: &Nanos| (at.as_secs_f64() - middle).abs() < HALF_A_CENTISECOND;
                let found = run.lag.iter().find(|(at, _)| is_this(at));
                Point::new(middle, found.map(|(_, times)| pick(times) / MS))
            })
            .collect(),
    };
    let mut series = vec![
        lag("lag p50", 4, |times| times.p50 as f64),
        lag("lag p99", 7, |times| times.p99 as f64),
    ];
    series.extend(times(&run.judged.result, |one| one.late.as_ref(), &LATE));
    series.retain(|one| !one.points.is_empty());
    Panel::of_lines(Axis::log("lag (ms)"), series)
}

fn rate_panel(result: &RunResult) -> Panel {
    let per_second = |count: u64, interval: &Interval| {
        let seconds = interval.duration.as_secs_f64();
        (seconds > 0.0).then(|| count as f64 / seconds)
    };
    let mut series = over_targets(result, "scheduled", (6, Stroke::Dotted), |one| {
        per_second(one.scheduled?, one)
    });
    series.extend(over_targets(
        result,
        "completed",
        (2, Stroke::Solid),
        |one| per_second(one.completed, one),
    ));
    series.extend(over_targets(result, "failed", (1, Stroke::Solid), |one| {
        per_second(one.failed, one)
    }));
    Panel::of_lines(Axis::linear("per second"), series)
}

fn backlog_panel(result: &RunResult) -> Panel {
    let mut series = over_targets(result, "backlog", (3, Stroke::Solid), |one| {
        Some(one.backlog? as f64)
    });
    // A target that never had a backlog gets no line.
    series.retain(|one| {
        one.points
            .iter()
            .any(|point| point.y.is_some_and(|y| y > 0.0))
    });
    Panel::of_lines(Axis::linear("requests waiting"), series)
}

/// Draws the CPU over the time of a collection without a load.
pub fn collection_chart(timeline: &[Bucket]) -> Chart {
    Chart {
        name: "over_time_1".to_owned(),
        title: "Over time".to_owned(),
        caption: String::new(),
        x: Axis::linear("seconds since the beginning"),
        panels: vec![cpu_panel(timeline)],
    }
}

/// CPU by kind of pod and role.
fn cpu_panel(timeline: &[Bucket]) -> Panel {
    let mut kinds: Vec<_> = timeline
        .iter()
        .flat_map(|stretch| stretch.cpu_m.keys())
        .collect();
    kinds.sort();
    kinds.dedup();
    let series = kinds.into_iter().enumerate().map(|(hue, kind)| {
        let (category, role) = kind;
        let points = timeline.iter().map(|stretch| {
            let cpu = stretch.cpu_m.get(kind).copied().flatten();
            Point::new(stretch.span.start as f64 / 1e9, cpu)
        });
        let mut points: Vec<Point> = points.collect();
        // Steps are level until the next point, so the last stretch needs a point at its end.
        if let (Some(stretch), Some(last)) = (timeline.last(), points.last().copied()) {
            points.push(Point::new(stretch.span.end as f64 / 1e9, last.y));
        }
        Series {
            name: match role {
                Role::App => category.to_string(),
                role => format!("{category} {}", role.name()),
            },
            hue,
            stroke: Stroke::Steps,
            points,
        }
    });
    Panel::of_lines(Axis::linear("CPU (m)"), series.collect())
}

//! Figures over a window from samples that have times of their own.
//!
//! Two neighbouring samples tell what happened between them and nothing else. A pair that straddles an edge
//! of the window counts in proportion to its part in the window, provided that the load was on between
//! both samples: growth from before the load began tells nothing about the load.

use super::span::Span;
use super::time_axis::TimedValue;

/// The growth of a counter in a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct CounterGrowth {
    /// The growth in the covered part of the window.
    pub increase: f64,
    /// Nanoseconds of the window that pairs of samples cover.
    pub covered: i64,
    /// The number of times at which the counter was reset, or time went back, in the window.
    pub breaks: usize,
}

/// The level of a gauge in a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct GaugeLevel {
    /// The mean over the covered time.
    pub mean: f64,
    /// The largest sample.
    pub max: u64,
    /// The last sample.
    pub last: u64,
    /// Nanoseconds of the window that pairs of samples cover; 0 with a single sample.
    pub covered: i64,
}

/// Nanoseconds after the load's end up to which a sample still counts as taken under load. The counters at
/// the window's end are read a moment after it. Without a guard the load ends there, too, and that moment
/// would make the whole pair useless.
const SLACK: i64 = 1_000_000_000;

/// Whether the same counter went on from one sample to the next: time advances, the value does not fall,
/// and both samples give the same start of the container, if they give one.
fn continues(from: &TimedValue, to: &TimedValue) -> bool {
    let same_epoch = match (from.epoch, to.epoch) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    };
    to.at > from.at && to.value >= from.value && same_epoch
}

/// The growth of a counter in `window`, from samples in the order in which they were received. Pairs that
/// are not within `steady`, the time under load, are left out. `None` when no pair covers any of the window.
pub(super) fn counter(values: &[TimedValue], window: Span, steady: Span) -> Option<CounterGrowth> {
    let mut over = CounterGrowth {
        increase: 0.0,
        covered: 0,
        breaks: 0,
    };
    for pair in values.windows(2) {
        let [from, to] = [&pair[0], &pair[1]];
        if !continues(from, to) {
            let inside = |at: i64| at >= window.start && at <= window.end;
            over.breaks += usize::from(inside(from.at) || inside(to.at));
            continue;
        }
        let part = part_of(from, to, window, steady);
        let share = part as f64 / (to.at - from.at) as f64;
        over.increase += (to.value - from.value) as f64 * share;
        over.covered = over.covered.saturating_add(part);
    }
    // Where time went back, pairs overlap and count a part of the window twice. Scaling takes their mean.
    if over.covered > window.length() {
        over.increase *= window.length() as f64 / over.covered as f64;
        over.covered = window.length();
    }
    (over.covered > 0).then_some(over)
}

/// The nanoseconds of the window that a pair of samples covers; 0 for a pair that is not within `steady`.
fn part_of(from: &TimedValue, to: &TimedValue, window: Span, steady: Span) -> i64 {
    let pair = Span {
        start: from.at,
        end: to.at,
    };
    let steady = Span {
        end: steady.end.saturating_add(SLACK),
        ..steady
    };
    if pair.within(steady) != pair {
        return 0;
    }
    pair.within(window).length()
}

/// The mean, maximum and last value of a level in `window`. Between two samples the level is taken as a
/// straight line. `None` when no sample lies in the window and no pair covers a part of it.
pub(super) fn gauge(values: &[TimedValue], window: Span, steady: Span) -> Option<GaugeLevel> {
    let inside = |value: &&TimedValue| value.at >= window.start && value.at <= window.end;
    let (mut area, mut covered, mut highest) = (0.0, 0i64, 0.0f64);
    for pair in values.windows(2) {
        let [from, to] = [&pair[0], &pair[1]];
        if to.at <= from.at || from.epoch != to.epoch {
            continue;
        }
        let part = part_of(from, to, window, steady);
        if part == 0 {
            continue;
        }
        let clipped = Span {
            start: from.at,
            end: to.at,
        }
        .within(window);
        let slope = (to.value as f64 - from.value as f64) / (to.at - from.at) as f64;
        let middle = (clipped.start - from.at) as f64 + part as f64 / 2.0;
        area += (from.value as f64 + slope * middle) * part as f64;
        // Where an edge of the window cuts the line between two samples, the level there counts, too.
        for cut in [clipped.start, clipped.end] {
            highest = highest.max(from.value as f64 + slope * (cut - from.at) as f64);
        }
        covered = covered.saturating_add(part);
    }
    let max = values.iter().filter(inside).map(|one| one.value).max();
    let last = values.iter().rfind(inside).map(|one| one.value);
    let (max, last) = match (max, last) {
        (Some(max), Some(last)) => (max, last),
        // No sample lies in the window, and two samples around it cover it.
        _ if covered > 0 => {
            let mean = (area / covered as f64).round() as u64;
            (mean, mean)
        }
        _ => return None,
    };
    Some(GaugeLevel {
        mean: if covered > 0 {
            area / covered as f64
        } else {
            last as f64
        },
        max: max.max(highest.round() as u64),
        last,
        covered: covered.min(window.length()),
    })
}

/// The number of events in `window`: the last count before its end, less the last count before its start
/// or, without one, the first count in it. `None` without a count before the end.
pub(super) fn events(values: &[TimedValue], window: Span) -> Option<u64> {
    let last = values.iter().rfind(|one| one.at <= window.end)?;
    let before = values.iter().rfind(|one| one.at <= window.start);
    let first = before.or_else(|| values.iter().find(|one| one.at <= window.end))?;
    Some(last.value.saturating_sub(first.value))
}

/// The growth per second between neighbouring samples, each with the index of the later sample; `None`
/// where the counter was reset between the two.
pub(super) fn rates(values: &[TimedValue]) -> impl Iterator<Item = (usize, Option<f64>)> + '_ {
    values.windows(2).enumerate().map(|(at, pair)| {
        let [from, to] = [&pair[0], &pair[1]];
        let rate = continues(from, to)
            .then(|| (to.value - from.value) as f64 / (to.at - from.at) as f64 * 1e9);
        (at + 1, rate)
    })
}

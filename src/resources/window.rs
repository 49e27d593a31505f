//! Figures over a window from samples with times of their own.
//!
//! Two neighbouring samples say what happened between them, and only that. A pair that straddles an
//! edge of the window counts in proportion, provided that the load was on between both: growth
//! from before the load began says nothing about the load.

/// A stretch of time: nanoseconds on the run's axis, negative before the load began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// From.
    pub start: i64,
    /// To.
    pub end: i64,
}

impl Span {
    /// Its length; 0 when it ends before it starts.
    pub fn length(self) -> i64 {
        self.end.saturating_sub(self.start).max(0)
    }

    /// What lies in both.
    pub fn within(self, other: Span) -> Span {
        Span {
            start: self.start.max(other.start),
            end: self.end.min(other.end),
        }
    }
}

/// A number at a moment of the run's axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub at: i64,
    pub value: u64,
    pub epoch: Option<crate::units::Nanos>,
}

/// What a counter did in a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CounterOver {
    /// Growth in the covered part.
    pub increase: f64,
    /// Nanoseconds of the window that pairs of samples cover.
    pub covered: i64,
    /// How often it began anew, or time went back, in the window.
    pub breaks: usize,
}

/// What a level did in a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GaugeOver {
    /// Mean over the covered time.
    pub mean: f64,
    /// Largest sample.
    pub max: u64,
    /// Last sample.
    pub last: u64,
    /// Nanoseconds of the window that pairs of samples cover; 0 with a single sample.
    pub covered: i64,
}

/// What is read at the window's end is read a moment after it; where the load ends there, too, that
/// moment must not take the whole pair with it.
const SLACK: i64 = 1_000_000_000;

/// The same counter goes on from one to the other: time advances, nothing is lost, and nobody says
/// that the container was started in between.
fn continues(from: &Mark, to: &Mark) -> bool {
    let same_epoch = match (from.epoch, to.epoch) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    };
    to.at > from.at && to.value >= from.value && same_epoch
}

/// Growth of a counter in `window`. Samples are in the order of arrival; pairs that reach out of
/// `steady` are left out. `None` when no pair covers any of it.
pub(super) fn counter(marks: &[Mark], window: Span, steady: Span) -> Option<CounterOver> {
    let mut over = CounterOver {
        increase: 0.0,
        covered: 0,
        breaks: 0,
    };
    for pair in marks.windows(2) {
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
    // Where time went back, stretches overlap: what they say together is their mean.
    if over.covered > window.length() {
        over.increase *= window.length() as f64 / over.covered as f64;
        over.covered = window.length();
    }
    (over.covered > 0).then_some(over)
}

fn part_of(from: &Mark, to: &Mark, window: Span, steady: Span) -> i64 {
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

/// Mean, maximum and last of a level in `window`; `None` without a sample in it.
pub(super) fn gauge(marks: &[Mark], window: Span, steady: Span) -> Option<GaugeOver> {
    let inside = |mark: &&Mark| mark.at >= window.start && mark.at <= window.end;
    let (mut area, mut covered, mut highest) = (0.0, 0i64, 0.0f64);
    for pair in marks.windows(2) {
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
        // Where the window cuts a pair, what lies at the cut is part of it.
        for cut in [clipped.start, clipped.end] {
            highest = highest.max(from.value as f64 + slope * (cut - from.at) as f64);
        }
        covered = covered.saturating_add(part);
    }
    let max = marks.iter().filter(inside).map(|mark| mark.value).max();
    let last = marks.iter().rfind(inside).map(|mark| mark.value);
    let (max, last) = match (max, last) {
        (Some(max), Some(last)) => (max, last),
        // No sample in the window, but two around it.
        _ if covered > 0 => {
            let mean = (area / covered as f64).round() as u64;
            (mean, mean)
        }
        _ => return None,
    };
    Some(GaugeOver {
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

/// How often something happened in `window`: the last count in it or before its end, less the last
/// before its start (or the first in it). `None` without a count by its end.
pub(super) fn events(marks: &[Mark], window: Span) -> Option<u64> {
    let last = marks.iter().rfind(|mark| mark.at <= window.end)?;
    let before = marks.iter().rfind(|mark| mark.at <= window.start);
    let first = before.or_else(|| marks.iter().find(|mark| mark.at <= window.end))?;
    Some(last.value.saturating_sub(first.value))
}

/// Growth per second between neighbouring samples, each with the time of the later one; `None`
/// where the counter does not go on from one to the other.
pub(super) fn rates(marks: &[Mark]) -> impl Iterator<Item = (usize, Option<f64>)> + '_ {
    marks.windows(2).enumerate().map(|(at, pair)| {
        let [from, to] = [&pair[0], &pair[1]];
        let rate = continues(from, to)
            .then(|| (to.value - from.value) as f64 / (to.at - from.at) as f64 * 1e9);
        (at + 1, rate)
    })
}

//! Samples as a series over time: growth per second between neighbours, and levels as they are.

use super::quantity::Kind;
use super::reduce::Axis;
use super::window::rates;
use super::{NodeClock, Quantity, SampleLog, Source, Spans, Subject};

/// A point of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesRow<'a> {
    /// Whom.
    pub subject: &'a Subject,
    /// What.
    pub quantity: Quantity,
    /// Who says so.
    pub source: Source,
    /// When it reached us; nanoseconds since the load began.
    pub received_ns: i64,
    /// When it was measured, on our clock; nanoseconds since the load began.
    pub sampled_ns: i64,
    /// In the quantity's unit; for counters, since the sample before. `None` where the counter did
    /// not go on from the sample before.
    pub value: Option<f64>,
}

/// Every series, sorted by subject, quantity and source. A counter's first sample is no rate yet.
pub fn series<'a>(log: &'a SampleLog, spans: Spans, clocks: &[NodeClock]) -> Vec<SeriesRow<'a>> {
    let axis = Axis { spans, clocks };
    let mut rows = Vec::new();
    for subject in log.subjects() {
        for quantity in Quantity::ALL {
            for source in Source::BEST_FIRST {
                let points = log.points(subject, quantity, source);
                let marks = axis.marks(subject, source, points);
                let row = |at: usize, value: Option<f64>| SeriesRow {
                    subject,
                    quantity,
                    source,
                    received_ns: axis.spans.relative(points[at].received),
                    sampled_ns: marks[at].at,
                    value: value.map(|raw| quantity.in_unit(raw)),
                };
                match quantity.kind() {
                    Kind::Counter => {
                        rows.extend(rates(&marks).map(|(at, rate)| row(at, rate)));
                    }
                    Kind::Gauge | Kind::Events => {
                        let levels = marks.iter().enumerate();
                        rows.extend(levels.map(|(at, mark)| row(at, Some(mark.value as f64))));
                    }
                }
            }
        }
    }
    rows
}

//! Samples as series over time, for files that list them: the growth of counters per second between two
//! samples, and levels as they were sampled.

use super::quantity::SampleKind;
use super::time_axis::TimeAxis;
use super::window::rates;
use super::{NodeClock, Quantity, SampleLog, Source, Spans, Subject};

/// One sample of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesRow<'a> {
    pub subject: &'a Subject,
    pub quantity: Quantity,
    pub source: Source,
    /// The moment at which the sample was received: nanoseconds since the load began, negative before.
    pub received_ns: i64,
    /// The moment at which the sample was measured, on the generator's clock: nanoseconds since the load
    /// began, negative before.
    pub sampled_ns: i64,
    /// The level, or the growth of a counter per second since the sample before, in the unit of
    /// [`Quantity::unit`]. `None` where the counter was reset since the sample before.
    pub value: Option<f64>,
}

/// Every series, sorted by subject, quantity and source. The first sample of a counter has no row, because
/// no rate follows from it.
pub fn series<'a>(log: &'a SampleLog, spans: Spans, clocks: &[NodeClock]) -> Vec<SeriesRow<'a>> {
    let axis = TimeAxis { spans, clocks };
    let mut rows = Vec::new();
    for subject in log.subjects() {
        for quantity in Quantity::ALL {
            for source in Source::BEST_FIRST {
                let points = log.points(subject, quantity, source);
                let values = axis.place(subject, source, points);
                let row = |at: usize, value: Option<f64>| SeriesRow {
                    subject,
                    quantity,
                    source,
                    received_ns: axis.spans.relative(points[at].received),
                    sampled_ns: values[at].at,
                    value: value.map(|raw| quantity.in_unit(raw)),
                };
                match quantity.kind() {
                    SampleKind::Counter => {
                        rows.extend(rates(&values).map(|(at, rate)| row(at, rate)));
                    }
                    SampleKind::Gauge | SampleKind::Events => {
                        let levels = values.iter().enumerate();
                        rows.extend(levels.map(|(at, level)| row(at, Some(level.value as f64))));
                    }
                }
            }
        }
    }
    rows
}

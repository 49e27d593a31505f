//! The run's time axis: nanoseconds since the load began, on the generator's clock.

use super::figures::{NodeClock, Spans};
use super::{SamplePoint, Source, Subject};
use crate::units::Nanos;

/// A value at a moment of the run's axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimedValue {
    /// Nanoseconds since the load began, negative before.
    pub at: i64,
    pub value: u64,
    pub epoch: Option<Nanos>,
}

/// Puts the times of samples on the run's axis.
pub(super) struct TimeAxis<'a> {
    pub spans: Spans,
    pub clocks: &'a [NodeClock],
}

impl TimeAxis<'_> {
    /// The points of a series, whose times are corrected by the offset of the node's clock where the
    /// source uses that clock and the offset is known.
    pub fn place(
        &self,
        subject: &Subject,
        source: Source,
        points: &[SamplePoint],
    ) -> Vec<TimedValue> {
        let clock = self.clocks.iter().find(|clock| clock.node == subject.node);
        let clock = clock.filter(|_| source.is_stamped_by_node());
        let corrected = |stamp| clock.map_or(stamp, |clock| clock.offset.to_generator(stamp));
        let place = |point: &SamplePoint| TimedValue {
            at: self.spans.relative(corrected(point.stamp)),
            value: point.value,
            epoch: point.epoch,
        };
        points.iter().map(place).collect()
    }
}

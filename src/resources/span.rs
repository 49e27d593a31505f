//! Intervals on the run's time axis.

/// An interval of time, in nanoseconds since the load began; negative before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub start: i64,
    pub end: i64,
}

impl Span {
    /// The length in nanoseconds; 0 when the interval ends before it starts.
    pub fn length(self) -> i64 {
        self.end.saturating_sub(self.start).max(0)
    }

    /// The part of this interval that lies within the other.
    pub fn within(self, other: Span) -> Span {
        Span {
            start: self.start.max(other.start),
            end: self.end.min(other.end),
        }
    }
}

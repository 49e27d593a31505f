//! What an observer learns while the load runs.

use crate::clock::RunClock;
use crate::measure::{Interval, RequestRow, Slice};
use crate::spec::Window;

/// What happens while the load is on.
pub enum Event<'a> {
    /// All connections are open and the clock has started. The window says what is ahead.
    Started(RunClock, Window),
    /// An interval of the target with this index is complete. The slice has its histograms.
    Interval(usize, &'a Interval, &'a Slice),
    /// Requests of one worker of the target with this index, and the names of their routes.
    Requests(usize, &'a [RequestRow], &'a [String]),
}

//! Quantities and their spelling: durations, rates and bytes, as users type them and as wrk prints them.
//!
//! The room is pure and gives quantities no meaning: what a rate schedules is the business of
//! `schedule`.

mod duration;
mod rate;
mod show;
pub mod text;

pub use duration::{Nanos, parse_duration};
pub use rate::{Rate, parse_rate};
pub use show::{pad_unit, show_bytes, show_count, show_ns, show_seconds, show_time_us};

/// A quantity that could not be understood: what was typed and what is expected instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{typed}` is not a {quantity}: {cure}")]
pub struct BadQuantity {
    pub typed: String,
    /// The expected quantity, such as "duration".
    pub quantity: &'static str,
    /// How the quantity is written.
    pub cure: &'static str,
}

//! Quantities and their spelling: nanoseconds, rates, bytes; how people type them and how wrk prints them.
//!
//! Pure. Ends where a quantity gets a meaning: what a rate schedules is `schedule`'s business.

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
    /// What was typed.
    pub typed: String,
    /// What it should have been, such as "duration".
    pub quantity: &'static str,
    /// How to write it.
    pub cure: &'static str,
}

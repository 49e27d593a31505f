//! Texts for the terminal and in Markdown. Nothing here opens a file or asks a clock, so the same result
//! gives the same bytes.

mod comparison;
mod findings;
mod live;
mod outcome;
mod resources;
mod spectrum;
mod steps;
mod summary;
mod sweep;
mod thresholds;
mod wrk_text;

pub use comparison::{
    Layout, certainty, comparison_text, estimate_text, saturated, show_difference,
};
pub use findings::findings_text;
pub use live::live_line;
pub use outcome::outcome_text;
pub use resources::resources_text;
pub use steps::{one_repetition, steps_table};
pub use summary::{series_markdown, summary_markdown};
pub use sweep::{capacity_line, show_length, step_header, step_line, step_title, steps_text};
pub use thresholds::{regressions_text, thresholds_text};
pub use wrk_text::wrk_text;

#[cfg(test)]
mod tests;

//! Pages and plots: values in, HTML, SVG and PNG out. Opens no file and asks no clock, so the same
//! values give the same bytes.
//!
//! A [`Page`] is sections of charts, tables and notes. A [`Chart`] says what is shown; only `paint`
//! knows how it is drawn, for files and pages alike.

mod arm_charts;
mod arm_tables;
mod chart;
mod comparison;
mod document;
mod layout;
mod paint;
mod run_charts;
mod run_tables;
mod services;
mod table;

pub use chart::Chart;
pub use document::Page;
pub use layout::{About, Compared, collection_page, comparison_page, run_page, sweep_page};
pub use paint::{png_file, svg_file};

#[cfg(test)]
mod tests;

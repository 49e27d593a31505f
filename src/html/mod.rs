//! Pages and plots: values in, HTML, SVG and PNG out. Opens no file and asks no clock, so the same
//! values give the same bytes.
//!
//! A [`Page`] is sections of charts, tables and notes. A [`Chart`] says what is shown; only `paint`
//! knows how it is drawn, for files and pages alike.

mod arms;
mod chart;
mod comparison;
mod page;
mod pages;
mod paint;
mod runs;
mod services;
mod table;

pub use chart::Chart;
pub use page::Page;
pub use pages::{About, Compared, collection_page, comparison_page, run_page, sweep_page};
pub use paint::{png_file, svg_file};

#[cfg(test)]
mod tests;

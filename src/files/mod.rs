//! The formats of files: values to bytes and back.
//!
//! Pure: opens no file. `store` knows where files lie, and writes them whole.

mod collection_json;
mod comparison_csv;
mod csv_rows;
mod csv_table;
mod encoded;
mod findings_json;
mod hlog;
mod junit;
mod resources_csv;
mod run_json;
mod tidy_csv;

pub use collection_json::{collection_from_json, collection_to_json};
pub use comparison_csv::{comparison_csv, cost_csv};
pub use csv_rows::{intervals_csv, requests_csv_header, requests_csv_rows, summary_csv};
pub use csv_table::{BadTable, CsvRow, CsvTable, finite, table};
pub use findings_json::findings_to_json;
pub use hlog::{HLOG_TAGS, HlogBlock, hlog_blocks, hlog_header, hlog_lines};
pub use junit::junit_xml;
pub use resources_csv::{resources_csv, resources_window_csv, samples_csv, samples_from_csv};
pub use run_json::{FormatError, run_from_json, run_to_json};
pub use tidy_csv::TidyTable;

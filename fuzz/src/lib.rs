//! What must hold of bytes from outside, one function per fuzz target. `tests/corpus.rs` of the
//! program takes this file in and holds the same against the committed corpora.

pub mod readings;
pub mod tables;
pub mod wire;

/// Panics where the property does not hold.
pub type Property = fn(&[u8]);

/// The targets: `fuzz_targets/NAME.rs`, `corpus/NAME`, and what must hold.
pub const TARGETS: [(&str, Property); 8] = [
    ("chunked", wire::chunked),
    ("exposition", readings::exposition),
    ("node_files", readings::node_files),
    ("response", wire::response),
    ("run_json", tables::run_json),
    ("samples", tables::samples),
    ("study", tables::study),
    ("summary", readings::summary),
];

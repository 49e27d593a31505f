//! The fuzz targets' corpora, without a fuzzer: what was found worth keeping still holds.

#[path = "support/properties.rs"]
mod properties;

use std::path::Path;

fn each_of(folder: &str, property: impl Fn(&[u8])) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(folder);
    let mut count = 0;
    for entry in std::fs::read_dir(&path).expect("a corpus") {
        let path = entry.expect("an entry").path();
        property(&std::fs::read(&path).expect("a file"));
        count += 1;
    }
    assert!(count > 0, "{folder} is empty");
}

#[test]
fn replies_are_understood_wherever_they_are_cut() {
    each_of("corpus/response", properties::response);
}

#[test]
fn chunks_give_back_what_was_put_into_them() {
    each_of("corpus/chunks", properties::chunks);
}

#[test]
fn what_kubelets_and_kernels_say_is_read_or_refused() {
    for folder in ["corpus/summary", "corpus/exposition", "fixtures/kubelet"] {
        each_of(folder, properties::summary);
        each_of(folder, properties::exposition);
    }
}

#[test]
fn tables_are_read_or_refused() {
    each_of("corpus/tables", properties::tables);
}

#[test]
fn results_are_written_as_they_were_read() {
    each_of("corpus/run_json", properties::run_json);
}

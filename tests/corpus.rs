//! What the fuzz targets hold, held against their committed corpora: without cargo-fuzz, and with
//! every change.

#[path = "../fuzz/src/lib.rs"]
mod properties;

use std::fs;
use std::path::{Path, PathBuf};

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> = paths.collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", folder.display());
    paths
}

#[test]
fn the_corpora_keep_what_the_fuzz_targets_promise() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (target, property) in properties::TARGETS {
        for file in files_in(&corpora.join(target)) {
            // Shown where the property does not hold.
            println!("{}", file.display());
            property(&fs::read(&file).expect("a readable file"));
        }
    }
    let folders = files_in(&corpora);
    assert_eq!(folders.len(), properties::TARGETS.len(), "{folders:?}");
}

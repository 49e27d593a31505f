//! Tests that files are whole or absent, and that errors name the path and the cure.

use super::*;
use crate::files::run_to_json;
use crate::measure::sample;
use crate::verdict::JudgedRun;
use std::fs;
use std::path::Path;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[track_caller]
fn assert_says(error: &StoreError, path: &Path, cure: &str) {
    let text = error.to_string();
    let path = path.display().to_string();
    assert!(text.contains(&path) && text.contains(cure), "{text}");
}

#[test]
fn a_folder_that_holds_anything_is_not_written_into() {
    let home = folder();
    fs::write(home.path().join("mine.txt"), "precious").expect("a file");
    let error = ResultFolder::create(home.path()).expect_err("not empty");
    assert!(matches!(error, StoreError::NotEmpty(_)), "{error}");
    assert_says(&error, home.path(), "new folder");
    assert_eq!(names(home.path()), ["mine.txt"]);
}

#[test]
fn an_empty_folder_is_used_and_missing_parents_are_made() {
    let home = folder();
    ResultFolder::create(home.path()).expect("the empty folder itself");
    let deep = home.path().join("results/2026/a");
    ResultFolder::create(&deep).expect("a deep folder");
    assert!(deep.is_dir());
}

#[test]
fn a_place_that_is_a_file_is_refused_with_a_cure() {
    let home = folder();
    let file = home.path().join("file");
    fs::write(&file, "").expect("a file");
    let error = ResultFolder::create(&file).expect_err("a file");
    assert_says(&error, &file, "choose another place");
    let below = file.join("below");
    let error = ResultFolder::create(&below).expect_err("below a file");
    assert_says(&error, &below, "choose another place");
}

#[test]
fn a_growing_file_is_partial_until_it_is_finished() {
    let home = folder();
    let results = ResultFolder::create(home.path()).expect("a folder");
    let mut log = results.begin("latency.hlog").expect("a file");
    log.append(b"one\n").expect("a line");
    log.append(b"two\n").expect("a line");
    assert_eq!(names(home.path()), ["latency.hlog.partial"]);
    // If the program is killed now, what was measured is still there.
    let partial = fs::read(home.path().join("latency.hlog.partial")).expect("the file");
    assert_eq!(partial, b"one\ntwo\n");
    log.finish().expect("a finished file");
    assert_eq!(names(home.path()), ["latency.hlog"]);
    let whole = fs::read(home.path().join("latency.hlog")).expect("the file");
    assert_eq!(whole, b"one\ntwo\n");
}

#[test]
fn a_file_that_was_not_finished_stays_partial() {
    let home = folder();
    let mut log = PartialFile::begin(&home.path().join("log")).expect("a file");
    log.append(b"half").expect("a line");
    drop(log);
    assert_eq!(names(home.path()), ["log.partial"]);
}

#[test]
fn a_whole_file_takes_the_place_of_an_old_one() {
    let home = folder();
    let path = home.path().join("out.json");
    write_file(&path, b"a long old text").expect("a file");
    write_file(&path, b"new").expect("a file");
    assert_eq!(fs::read(&path).expect("the file"), b"new");
    assert_eq!(names(home.path()), ["out.json"]);
}

#[test]
fn a_full_disk_is_named_with_its_cure() {
    let full = Path::new("/dev/full");
    if !full.exists() {
        eprintln!("not checked: this system has no /dev/full");
        return;
    }
    let error = write_file(full, b"anything").expect_err("a full disk");
    assert_says(&error, full, "make room");
    let mut log = PartialFile::begin(full).expect("the device opens");
    let error = log.append(b"line\n").expect_err("a full disk");
    assert_says(&error, full, "write somewhere else");
}

#[test]
fn devices_are_written_straight_into() {
    write_file(Path::new("/dev/null"), b"anything").expect("nothing to fail");
    assert!(!Path::new("/dev/null.partial").exists());
}

#[test]
fn a_file_in_a_folder_that_is_missing_is_refused_by_its_own_name() {
    let home = folder();
    let path = home.path().join("missing/out.json");
    let error = write_file(&path, b"text").expect_err("no folder");
    assert_says(&error, &path, "check the path");
}

#[test]
fn a_finished_folder_is_read_back_with_its_verdict() {
    let home = folder();
    let sample = sample::troubled();
    let judged = JudgedRun::judge(sample.result);
    let results = ResultFolder::create(home.path()).expect("a folder");
    results.write("wrk.txt", b"text").expect("a file");
    assert!(matches!(load(home.path()), Err(StoreError::NoResult(_))));
    let json = run_to_json(&judged);
    results.finish(RUN_JSON, &json).expect("a finished folder");
    let loaded = load(home.path()).expect("a result");
    assert_eq!(loaded.verdict, judged.verdict);
    assert_eq!(loaded.result.overall().scheduled, 2_000);
    assert_eq!(names(home.path()), ["run.json", "wrk.txt"]);
}

#[test]
fn a_folder_that_is_missing_or_unfinished_says_so() {
    let home = folder();
    let missing = home.path().join("missing");
    let error = load(&missing).expect_err("no folder");
    assert_says(&error, &missing, "cannot read");
    let error = load(home.path()).expect_err("an empty folder");
    assert_says(&error, home.path(), "no run.json");
    fs::write(home.path().join("run.json.partial"), "{").expect("a file");
    let error = load(home.path()).expect_err("an unfinished folder");
    assert_says(&error, home.path(), "not the folder of a finished run");
}

#[test]
fn a_broken_result_names_its_file() {
    let home = folder();
    let path = home.path().join("run.json");
    for text in ["", "{", "{\"format\":\"meshload.run/7\"}"] {
        fs::write(&path, text).expect("a file");
        let error = load(home.path()).expect_err("a broken file");
        assert!(matches!(error, StoreError::Unreadable { .. }), "{error}");
        assert_says(&error, &path, "");
    }
    fs::remove_file(&path).expect("gone");
    fs::create_dir(&path).expect("a folder");
    assert_says(
        &load(home.path()).expect_err("a folder"),
        &path,
        "cannot read",
    );
}

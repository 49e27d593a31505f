//! What the operating system refuses: descriptors, folders, disks.

use super::{arguments, measured};
use crate::support::{Meshload, RawServer, beside_others, path_text};
use std::fs;

#[test]
fn too_few_descriptors_name_the_limit_and_the_cure() {
    let _machine = beside_others();
    let server = RawServer::ok();
    let url = server.url();
    let limit = "ulimit -Hn 64; ulimit -n 64";
    let output = Meshload::after(limit, arguments("-R 100 -d 1s -c 500", &url)).run();
    output.assert_failed(1, &["ulimit -n", "-c"]);
    assert_eq!(server.requests(), 0, "{output}");
}

#[test]
fn a_low_soft_limit_is_raised() {
    let _machine = beside_others();
    let server = RawServer::ok();
    let url = server.url();
    let output = Meshload::after("ulimit -Sn 64", arguments("-R 100 -d 1s -c 100", &url)).run();
    measured(&output).all_complete(100);
    assert_eq!(server.connections(), 100 + 1, "{output}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named_before_any_request() {
    let _machine = beside_others();
    let server = RawServer::ok();
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("a-file");
    fs::write(&file, "not a folder").expect("a file");
    let folder = file.join("results");
    let folder = path_text(&folder);
    let output = Meshload::new(["-R", "100", "-d", "1s", "-o", folder, &server.url()]).run();
    assert!(matches!(output.code, Some(1 | 2)), "{output}");
    assert!(output.stderr.contains(folder), "{output}");
    assert_eq!(server.requests(), 0, "{output}");
}

#[test]
fn a_folder_with_something_in_it_is_not_written_over() {
    let _machine = beside_others();
    let server = RawServer::ok();
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("run.json"), "of last week").expect("a file");
    let path = path_text(folder.path());
    let output = Meshload::new(["-R", "100", "-d", "1s", "-o", path, &server.url()]).run();
    output.assert_failed(2, &["-o", path]);
    assert_eq!(server.requests(), 0, "{output}");
    let kept = fs::read_to_string(folder.path().join("run.json"));
    assert_eq!(kept.expect("still there"), "of last week");
}

#[test]
fn a_full_disk_is_named_and_the_text_is_still_printed() {
    let _machine = beside_others();
    let server = RawServer::ok();
    let output = Meshload::new([
        "-R",
        "100",
        "-d",
        "1s",
        "--json",
        "/dev/full",
        &server.url(),
    ])
    .run();
    output.assert_failed(1, &["/dev/full"]);
    assert!(output.stdout.contains("Requests/sec:"), "{output}");
}

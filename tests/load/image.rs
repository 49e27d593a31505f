//! What the container image holds is enough for the binary.

use crate::support::{Hotel, beside_others};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Copies the binary and the libraries that it asks for into an empty root folder, as the image has them.
fn make_bare_root(root: &Path) {
    let binary = env!("CARGO_BIN_EXE_meshload");
    let listed = Command::new("ldd").arg(binary).output();
    let listed = listed.expect("ldd is installed");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let libraries = listed
        .split_whitespace()
        .filter(|word| word.starts_with('/'));
    for library in libraries {
        let place = root.join(&library[1..]);
        fs::create_dir_all(place.parent().expect("a folder")).expect("made");
        fs::copy(library, place).expect("copied");
    }
    fs::copy(binary, root.join("meshload")).expect("copied");
    let results = root.join("results");
    fs::create_dir(&results).expect("made");
    fs::set_permissions(&results, fs::Permissions::from_mode(0o777)).expect("allowed");
    fs::set_permissions(root, fs::Permissions::from_mode(0o755)).expect("allowed");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("lua/mixed-workload_type_1.lua");
    fs::copy(script, root.join("mix.lua")).expect("copied");
}

#[test]
#[ignore = "needs root, ldd and chroot"]
fn the_binary_works_without_a_shell_a_user_or_files_of_the_system() {
    let _machine = beside_others();
    let home = tempfile::tempdir().expect("a folder");
    make_bare_root(home.path());
    let meshload = |words: &[&str]| {
        let root = home.path().to_str().expect("a path");
        let run = Command::new("chroot")
            .args(["--userspec=65532:65532", root, "/meshload"])
            .args(words)
            .output();
        let run = run.expect("chroot starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (run.status.code(), text(&run.stdout) + &text(&run.stderr))
    };
    assert_eq!(meshload(&["--version"]).0, Some(0));
    let hotel = Hotel::start(["--service-time", "constant:5ms"]);
    let (code, text) = meshload(&[
        "-R",
        "50",
        "-d",
        "1s",
        "-t",
        "1",
        "-s",
        "/mix.lua",
        hotel.url(),
        "-o",
        "/results/a",
    ]);
    assert!(matches!(code, Some(0 | 4)), "{code:?} {text}");
    assert!(home.path().join("results/a/run.json").exists(), "{text}");
    let (code, text) = meshload(&["report", "/results/a"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(home.path().join("results/a/report.html").exists(), "{text}");
    let (code, text) = meshload(&["-R", "5", "-d", "1s", "http://nowhere.invalid/"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("nowhere.invalid"), "{text}");
}

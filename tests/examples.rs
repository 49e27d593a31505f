//! The examples that people copy: they are of this program and no other, and what the image holds is
//! enough for the binary.
#![allow(clippy::print_stderr)] // what is skipped is said

mod support;

use meshload::cli::{self, Request};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Hotel, machine};

fn tree(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(tree(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The words of a shell's command, with their quotes taken away.
fn words(command: &str) -> Vec<String> {
    let pattern = regex_lite::Regex::new(r"'([^']*)'|(\S+)").expect("a pattern");
    let found = pattern.captures_iter(command);
    let word = |found: regex_lite::Captures| {
        found
            .get(1)
            .or(found.get(2))
            .map(|word| word.as_str().to_owned())
    };
    let is_of_meshload = |word: &String| !["#", "&", ">"].contains(&word.as_str());
    found.filter_map(word).take_while(is_of_meshload).collect()
}

/// The commands of a text that begin with `meshload`: to the end of the line, of a folded YAML text, or
/// of what shells take for one.
fn commands(text: &str) -> Vec<String> {
    let continued = regex_lite::Regex::new(r"\s*\\\n\s*").expect("a pattern");
    let joined = continued.replace_all(text, " ");
    let mut commands: Vec<String> = Vec::new();
    for line in joined.lines().map(str::trim) {
        let line = line.strip_prefix("- ").unwrap_or(line);
        let line = line.strip_prefix("run: ").unwrap_or(line);
        let line = line.split(" || ").next().unwrap_or_default();
        if line.starts_with("meshload ") {
            commands.push(line.to_owned());
        } else if let (true, Some(last)) = (line.starts_with("--"), commands.last_mut()) {
            *last += &format!(" {line}");
        }
    }
    commands
}

#[track_caller]
fn assert_understood(command: &str) {
    // A script that takes the flags of all of its commands from "$@" has them in a line of its own.
    let set = "-R 400 -d 30s --warmup 10s -s load/mix.lua http://hotel:5000";
    let command = command.replace("\"$@\"", set);
    let parsed = cli::parse(words(&command).into_iter().map(Into::into));
    assert!(
        parsed.is_ok(),
        "{command}: {}",
        parsed.err().map_or(String::new(), |e| e.to_string())
    );
}

#[test]
fn the_commands_of_the_pipelines_are_understood() {
    for (path, least) in [("docs/ci/github.yml", 5), ("docs/ci/gitlab.yml", 3)] {
        let text = read(path);
        let parsed: Result<Value, _> = serde_saphyr::from_str(&text);
        assert!(parsed.is_ok(), "{path}: {parsed:?}");
        let commands = commands(&text);
        assert!(commands.len() >= least, "{path}: {commands:?}");
        commands
            .iter()
            .for_each(|command| assert_understood(command));
    }
}

#[test]
fn the_commands_of_the_readme_are_understood() {
    let commands = commands(&read("README.md"));
    let whole =
        |command: &&String| !command.contains(['[', '<', '|', '…']) && !command.contains("...");
    let whole: Vec<&String> = commands.iter().filter(whole).collect();
    assert!(whole.len() >= 10, "{commands:?}");
    for command in whole {
        let command = command.split("   ").next().unwrap_or_default();
        assert_understood(&command.replace(" URL", " http://host/"));
    }
}

#[test]
fn the_job_is_understood_and_bound_to_rights_that_exist() {
    let documents = |path: &str| -> Vec<Value> {
        let text = read(path);
        let parts = text.split("\n---\n");
        let parsed = parts
            .map(|part| serde_saphyr::from_str(part).unwrap_or_else(|bad| panic!("{path}: {bad}")));
        parsed.collect()
    };
    let job = documents("docs/ci/job.yaml");
    let of_kind = |kind: &'static str| job.iter().filter(move |one| one["kind"] == kind);
    let container =
        &of_kind("Job").next().expect("a job")["spec"]["template"]["spec"]["containers"][0];
    let args = container["args"].as_array().expect("arguments");
    let args = args.iter().map(|arg| arg.as_str().expect("a text"));
    let parsed = cli::parse(["meshload"].into_iter().chain(args).map(Into::into));
    let Ok(Request::Run(request)) = parsed else {
        panic!("{parsed:?}");
    };
    assert_eq!(request.thresholds.len(), 2);
    assert!(
        request
            .spec
            .script
            .is_some_and(|script| tree(&format!(".{}", script.path.display())).exists())
    );
    let roles: Vec<Value> = documents("docs/rbac.yaml");
    let names: Vec<&Value> = roles.iter().map(|role| &role["metadata"]["name"]).collect();
    for binding in of_kind("ClusterRoleBinding").chain(of_kind("RoleBinding")) {
        let role = &binding["roleRef"]["name"];
        assert!(names.contains(&role), "{role} is not among {names:?}");
    }
}

/// Copies the binary and the libraries that it asks for into an empty root folder, as the image has them.
fn bare_root(root: &Path) -> bool {
    let binary = env!("CARGO_BIN_EXE_meshload");
    let Ok(listed) = Command::new("ldd").arg(binary).output() else {
        return false;
    };
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
    let script = tree("lua/mixed-workload_type_1.lua");
    fs::copy(script, root.join("mix.lua")).expect("copied");
    true
}

#[test]
fn the_binary_works_without_a_shell_a_user_or_files_of_the_system() {
    let _machine = machine();
    let home = tempfile::tempdir().expect("a folder");
    let can = bare_root(home.path())
        && Command::new("chroot")
            .arg("/")
            .arg("true")
            .status()
            .is_ok_and(|status| status.success());
    if !can {
        eprintln!("skipped: needs root, ldd and chroot for a bare root folder");
        return;
    }
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

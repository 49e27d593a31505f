//! The examples that people copy are understood by this very program.

use meshload::cli::{self, Request};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

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

/// Holds the commands of a page's indented examples against the command line's parser.
#[track_caller]
fn assert_page_understood(page: &str, least: usize) {
    let text = read(page);
    let examples = text.lines().filter(|line| line.starts_with("    "));
    let commands = commands(&examples.collect::<Vec<_>>().join("\n"));
    let whole =
        |command: &&String| !command.contains(['[', '<', '|', '…']) && !command.contains("...");
    let whole: Vec<&String> = commands.iter().filter(whole).collect();
    assert!(whole.len() >= least, "{page}: {commands:?}");
    for command in whole {
        let command = command.split("   ").next().unwrap_or_default();
        assert_understood(&command.replace(" URL", " http://host/"));
    }
}

#[test]
fn the_commands_of_the_readme_are_understood() {
    assert_page_understood("README.md", 10);
}

#[test]
fn the_commands_for_people_from_the_study_are_understood() {
    assert_page_understood("docs/from-the-study.md", 8);
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

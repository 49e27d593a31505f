//! The walls of the house: which room may import which, read from the sources themselves.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Left may use right, nothing else. `docs/architecture.md` shows the same table with the reasons.
const TABLE: &str = "
    units      ->
    schedule   -> units
    wire       -> units
    spec       -> units schedule
    resources  -> units
    readings   -> units resources
    manifests  -> units readings resources
    findings   -> units resources
    measure    -> units spec resources
    judge      -> units spec measure resources
    formats    -> units spec measure judge findings resources
    exit       ->
    version    ->
    clock      -> units
    script     -> units clock
    transport  -> units spec
    engine     -> units schedule spec wire measure clock script transport
    kube       -> units spec measure resources clock
    collect    -> units spec readings manifests findings resources clock kube
    operate    -> units spec manifests resources clock kube
    store      -> units spec measure judge formats resources
    hotel      -> units clock
    render     -> units spec measure judge findings formats resources
    report     -> units spec measure judge resources render
    sweep      -> units schedule spec measure judge formats store version
    cli        -> units schedule spec judge hotel sweep exit version
    commands   -> units spec measure judge findings formats resources clock engine kube collect operate hotel store render report sweep cli exit version
";

/// Rooms that ask no clock, open no file and no socket, and know no runtime.
const PURE: [&str; 11] = [
    "readings",
    "manifests",
    "findings",
    "resources",
    "units",
    "schedule",
    "wire",
    "spec",
    "measure",
    "judge",
    "formats",
];
const WORLDLY: [&str; 6] = [
    "std::fs",
    "std::net",
    "std::thread",
    "tokio::",
    "crate::clock",
    "std::env",
];

fn table() -> BTreeMap<&'static str, Vec<&'static str>> {
    let rows = TABLE.lines().filter_map(|line| line.split_once("->"));
    rows.map(|(room, others)| (room.trim(), others.split_whitespace().collect()))
        .collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}

/// The room of a file, its lines before the tests, and the file.
fn rooms() -> Vec<(String, String, PathBuf)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = sources(&src)
        .into_iter()
        .filter(|file| !file.ends_with("tests.rs") && !file.ends_with("sample.rs"));
    files
        .filter_map(|file| {
            let inside = file.strip_prefix(&src).expect("inside src");
            let first = inside.components().next().expect("a component");
            let room = first.as_os_str().to_string_lossy().replace(".rs", "");
            let text = fs::read_to_string(&file).expect("readable");
            let code = text
                .split("#[cfg(test)]")
                .next()
                .unwrap_or_default()
                .to_owned();
            (room != "lib" && room != "main").then_some((room, code, file))
        })
        .collect()
}

/// Names after `crate::`, also inside braces (`use crate::{a, b}`).
fn imports(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for line in code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
    {
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            assert!(
                !rest.starts_with('{'),
                "one room per `use` line, so that it can be read: {line}"
            );
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            names.push(rest[..end].to_owned());
        }
    }
    names
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let table = table();
    let mut seen = 0;
    for (room, code, file) in rooms() {
        let allowed = table.get(room.as_str());
        let allowed = allowed.unwrap_or_else(|| panic!("{room} is not in the table"));
        for name in imports(&code).into_iter().filter(|name| *name != room) {
            assert!(
                allowed.contains(&name.as_str()),
                "{} imports {name}, which the table does not allow",
                file.display()
            );
            seen += 1;
        }
    }
    assert!(seen > 50, "the imports were not found: {seen}");
}

#[test]
fn pure_rooms_do_not_touch_the_world() {
    for (room, code, file) in rooms() {
        if !PURE.contains(&room.as_str()) {
            continue;
        }
        for word in WORLDLY {
            assert!(!code.contains(word), "{} uses {word}", file.display());
        }
    }
}

#[test]
fn only_the_clock_asks_the_time_and_only_the_roof_prints() {
    for (room, code, file) in rooms() {
        let allows = |lint: &str| code.contains(&format!("allow({lint}"));
        assert!(
            room == "clock" || !allows("clippy::disallowed_methods"),
            "{} lifts the ban on clocks",
            file.display()
        );
        assert!(
            room == "commands" || !allows("clippy::print"),
            "{} lifts the ban on printing",
            file.display()
        );
    }
}

#[test]
fn the_architecture_page_shows_the_same_table() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let page = fs::read_to_string(page).expect("docs/architecture.md");
    for line in TABLE.lines().filter(|line| !line.trim().is_empty()) {
        assert!(
            page.contains(line),
            "docs/architecture.md lacks the row `{line}`"
        );
    }
}

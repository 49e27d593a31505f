//! The pages under docs/ and the README: every word, flag and link that a reader follows leads somewhere.

use regex_lite::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Column names and keys that docs/result-folder.md, docs/measuring.md or docs/sweep.md use without
/// defining them, because the page of terms does.
const KEYS: [&str; 41] = [
    "scheduled",
    "scheduled_by_ledger",
    "completed",
    "failed",
    "unfinished",
    "neglected",
    "in_flight",
    "latency_ns",
    "service_ns",
    "late_ns",
    "blocked_ns",
    "connect_ns",
    "handshake_ns",
    "first_byte_ns",
    "censored",
    "lower_bound",
    "timeout",
    "goaways",
    "resets",
    "refused",
    "coverage",
    "presence",
    "quality",
    "low_coverage",
    "restarted",
    "smoothed",
    "working_set",
    "throttled_periods",
    "throttled_time",
    "psi_cpu",
    "app",
    "sidecar",
    "gateway",
    "waypoint",
    "node-proxy",
    "control-plane",
    "spread",
    "resolved",
    "noise",
    "per_request_ms",
    "idle_m",
];

fn tree(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

/// Files below a folder whose names end so.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found
}

fn pages() -> Vec<PathBuf> {
    let mut pages = files(&tree("docs"), ".md");
    pages.push(tree("README.md"));
    pages.push(tree("CHANGELOG.md"));
    pages.push(tree("CONTRIBUTING.md"));
    pages
}

/// The first column of the tables of docs/terminology.md, row by row.
fn term_cells() -> Vec<String> {
    let page = read(&tree("docs/terminology.md"));
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    cells
        .map(|cell| cell.trim().to_owned())
        .filter(|cell| cell != "term")
        .collect()
}

/// Every spelling that the page defines: in bold, or as code.
fn terms() -> BTreeSet<String> {
    let spelling = pattern(r"\*\*([^*]+)\*\*|`([^`]+)`");
    let mut terms = BTreeSet::new();
    for cell in term_cells() {
        for found in spelling.captures_iter(&cell) {
            let term = found.get(1).or(found.get(2)).expect("one of both");
            terms.insert(term.as_str().to_owned());
        }
    }
    terms
}

#[test]
fn every_verdict_code_and_reason_is_a_term() {
    let terms = terms();
    let code = pattern(r#"(?:Level::\w+,|reason\(|_CODE: &str =)\s*"([a-z_]+)""#);
    let mut codes = BTreeSet::new();
    for file in files(&tree("src/verdict"), ".rs") {
        let text = read(&file);
        codes.extend(code.captures_iter(&text).map(|found| found[1].to_owned()));
    }
    assert!(codes.len() >= 10, "the codes were not found: {codes:?}");
    let page = read(&tree("docs/terminology.md"));
    for code in codes {
        // The reasons of `not_held` are explained in its row.
        let is_there = terms.contains(&code) || page.contains(&format!("`{code}`"));
        assert!(is_there, "docs/terminology.md does not define {code}");
    }
}

#[test]
fn every_code_of_a_note_is_a_term() {
    let terms = terms();
    let schema = read(&tree("docs/schema/run.schema.json"));
    let code = pattern(r#""code": \{\s*"const": "([a-z0-9_]+)""#);
    let codes: BTreeSet<&str> = code
        .captures_iter(&schema)
        .filter_map(|found| Some(found.get(1)?.as_str()))
        .collect();
    assert!(codes.len() >= 10, "the codes were not found: {codes:?}");
    for code in codes {
        let is_there = terms.contains(code);
        assert!(is_there, "docs/terminology.md does not define {code}");
    }
}

#[test]
fn keys_of_the_result_folder_are_terms() {
    let terms = terms();
    let pages = ["result-folder", "measuring", "sweep"];
    let pages = pages
        .map(|name| read(&tree(&format!("docs/{name}.md"))))
        .concat();
    for key in KEYS {
        assert!(pages.contains(key), "no page uses {key} any more");
        assert!(
            terms.contains(key),
            "docs/terminology.md does not define {key}"
        );
    }
}

#[test]
fn no_term_is_defined_twice() {
    let name = pattern(r"^(?:\*\*([^*]+)\*\*|`([^`]+)`)");
    let mut seen = BTreeSet::new();
    for cell in term_cells() {
        let found = name
            .captures(&cell)
            .unwrap_or_else(|| panic!("{cell}: no term"));
        let term = found.get(1).or(found.get(2)).expect("one of both");
        assert!(
            seen.insert(term.as_str().to_owned()),
            "{cell} is there twice"
        );
    }
    assert!(seen.len() > 80, "the terms were not found: {seen:?}");
}

#[test]
fn every_flag_is_on_the_page_of_flags() {
    let page = read(&tree("docs/flags.md"));
    let flag = pattern(r"(?m)^\s+(?:-[A-Za-z], )?(--[a-z][a-z0-9_-]+)");
    let commands = [
        "run", "sweep", "check", "collect", "compare", "report", "hotel", "demo", "selftest",
    ];
    for command in commands {
        let help = Command::new(env!("CARGO_BIN_EXE_meshload"))
            .args([command, "--help"])
            .output()
            .expect("meshload starts");
        let help = String::from_utf8_lossy(&help.stdout);
        for found in flag.captures_iter(&help) {
            let flag = &found[1];
            assert!(
                page.contains(&format!("`{flag}`")) || page.contains(&format!("{flag} ")),
                "docs/flags.md lacks {flag} of meshload {command}"
            );
        }
    }
}

/// The anchor that forges give to a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_leads_to_a_page_and_a_heading() {
    let link = pattern(r"\]\(([^)\s]+)\)");
    let mut seen = 0;
    for page in pages() {
        let text = read(&page);
        for found in link.captures_iter(&text) {
            let target = &found[1];
            if target.contains("://") {
                continue;
            }
            seen += 1;
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let here = page.parent().expect("a folder");
            let file = if path.is_empty() {
                page.clone()
            } else {
                here.join(path)
            };
            let from = page.display();
            assert!(file.exists(), "{from}: {target} leads nowhere");
            if !heading.is_empty() {
                let there = read(&file);
                let headings = there.lines().filter_map(|line| line.strip_prefix('#'));
                let mut anchors = headings.map(|line| anchor(line.trim_start_matches('#')));
                assert!(
                    anchors.any(|one| one == heading),
                    "{from}: no heading {target}"
                );
            }
        }
    }
    assert!(seen > 100, "the links were not found: {seen}");
}

#[test]
fn every_file_of_the_tree_that_a_page_names_is_there() {
    let file = pattern(
        r"\b(?:src|tests|benches|lua|docs|fuzz)/[\w./-]+\.(?:rs|sh|lua|toml|yaml|yml|json|md)\b",
    );
    let mut seen = 0;
    // The changelog may name what was there once.
    for page in pages()
        .iter()
        .filter(|page| !page.ends_with("CHANGELOG.md"))
    {
        for found in file.find_iter(&read(page)) {
            let (page, name) = (page.display(), found.as_str());
            assert!(tree(name).exists(), "{page}: {name} is not there");
            seen += 1;
        }
    }
    assert!(seen > 20, "the names were not found: {seen}");
}

#[test]
fn every_record_has_a_number_of_its_own_and_a_row_in_the_index() {
    let index = read(&tree("docs/decisions/README.md"));
    let mut numbers = BTreeSet::new();
    for record in files(&tree("docs/decisions"), ".md") {
        let name = record.file_name().unwrap_or_default().to_string_lossy();
        let Some((number, _)) = name.split_once('-') else {
            continue; // the index
        };
        assert!(numbers.insert(number.to_owned()), "{number} is there twice");
        assert!(index.contains(&format!("({name})")), "{name} is in no row");
        let title = format!("# {number}. ");
        assert!(read(&record).starts_with(&title), "{name}: {title}");
    }
    assert!(numbers.len() > 40, "{numbers:?}");
}

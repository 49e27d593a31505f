//! The walls of the house: which room may import which, read from the sources themselves.

use std::collections::{BTreeMap, BTreeSet};
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
    statistics ->
    verdict    -> units spec measure resources statistics
    compare    -> units spec measure resources statistics verdict
    gate       -> units measure resources statistics verdict compare
    files      -> units spec measure findings resources statistics verdict compare gate
    study      -> units spec measure resources verdict compare files
    exit       ->
    version    ->
    clock      -> units
    script     -> units clock
    transport  -> units spec
    engine     -> units schedule spec wire measure clock script transport
    kube       -> units spec measure resources clock
    collect    -> units spec readings manifests findings resources clock kube
    operate    -> units spec manifests resources clock kube
    store      -> units spec measure resources verdict compare files study
    hotel      -> units clock
    text       -> units spec measure findings resources statistics verdict compare gate
    html       -> units spec measure resources statistics verdict compare text
    sweep      -> units schedule spec measure verdict compare gate files study store version
    cli        -> units schedule spec gate hotel sweep exit version
    commands   -> units spec measure statistics verdict compare gate files study findings resources clock engine kube collect operate hotel store text html sweep cli exit version
";

/// Rooms that ask no clock, open no file and no socket, and know no runtime.
const PURE: [&str; 15] = [
    "readings",
    "manifests",
    "findings",
    "resources",
    "units",
    "schedule",
    "wire",
    "spec",
    "measure",
    "statistics",
    "verdict",
    "compare",
    "gate",
    "files",
    "study",
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

/// One source file of a room.
struct Source {
    /// The folder of `src`, or the file's own name, to which the file belongs.
    room: String,
    file: PathBuf,
    /// The path of the module, such as `["engine", "pool"]`.
    module: Vec<String>,
    /// The text without items that are compiled for tests only.
    code: String,
}

/// All source files but `lib.rs`, `main.rs` and those that are compiled for tests only.
fn rooms() -> Vec<Source> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let is_test = |file: &Path| {
        let inside = file.strip_prefix(&src).expect("inside src");
        let in_folder = inside.iter().any(|part| part == "tests");
        in_folder || inside.ends_with("tests.rs") || inside.ends_with("sample.rs")
    };
    let files = sources(&src).into_iter().filter(|file| !is_test(file));
    files
        .filter_map(|file| {
            let inside = file.strip_prefix(&src).expect("inside src");
            let mut module: Vec<String> = inside
                .with_extension("")
                .iter()
                .map(|part| part.to_string_lossy().into_owned())
                .collect();
            if module.last().is_some_and(|last| last == "mod") {
                module.pop();
            }
            let room = module.first().expect("a component").clone();
            let text = fs::read_to_string(&file).expect("readable");
            let code = without_tests(&text);
            (room != "lib" && room != "main").then_some(Source {
                room,
                file,
                module,
                code,
            })
        })
        .collect()
}

/// Leaves out each item behind a `#[cfg(test)]`. Formatted code closes an item with a brace at the item's
/// own indentation, or ends it with a semicolon before any brace opens.
fn without_tests(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.push_str(line);
            kept.push('\n');
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let close = format!("{indent}}}");
        let mut is_open = false;
        for line in lines.by_ref() {
            is_open |= line.ends_with('{');
            if line == close || line.ends_with("{}") || (!is_open && line.ends_with([';', ','])) {
                break;
            }
        }
    }
    kept
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
    for Source {
        room, code, file, ..
    } in rooms()
    {
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
    for Source {
        room, code, file, ..
    } in rooms()
    {
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
    for Source {
        room, code, file, ..
    } in rooms()
    {
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

/// Paths that a `use` tree names, such as `a::b` and `a::c` for `a::{b, c}`.
fn expand(tree: &str) -> Vec<String> {
    let Some((prefix, rest)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![path.trim().to_owned()];
    };
    let inner = rest.trim().strip_suffix('}').unwrap_or(rest);
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    parts
        .flat_map(|part| expand(part.trim()))
        .map(|path| format!("{}{path}", prefix.trim()))
        .collect()
}

/// The imports of a file: each path, and whether it is exported again (`pub use`).
fn uses(code: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        let is_public = line.starts_with("pub");
        let tree = match is_public {
            true => line.split_once(" use ").map(|(_, tree)| tree),
            false => line.strip_prefix("use "),
        };
        let Some(tree) = tree else { continue };
        let mut tree = tree.to_owned();
        while !tree.ends_with(';') {
            tree.push_str(lines.next().unwrap_or(";").trim());
        }
        let paths = expand(tree.trim_end_matches(';'));
        found.extend(paths.into_iter().map(|path| (path, is_public)));
    }
    found
}

/// Paths that begin with `super::` outside of `use`, such as `super::statistics::summary`.
fn inline_paths(code: &str) -> Vec<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let lines = code.lines().filter(|line| {
        let line = line.trim_start();
        !line.starts_with("//") && !line.starts_with("use ")
    });
    lines
        .flat_map(|line| {
            line.match_indices("super::")
                .map(move |(at, _)| &line[at..])
        })
        .map(|rest| rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())].to_owned())
        .collect()
}

/// The files of a room, by module path, with what each exports again from its children.
struct Modules<'a> {
    by_path: BTreeMap<&'a [String], &'a Source>,
}

impl Modules<'_> {
    /// The module of the file in which a path is defined, seen from `from`; `None` outside of the room.
    fn home(&self, from: &[String], path: &str) -> Option<Vec<String>> {
        let parts: Vec<&str> = path.split("::").collect();
        let mut at: Vec<String> = from.to_vec();
        let mut rest = &parts[..];
        match rest.first()? {
            &"crate" => {
                at.clear();
                rest = &rest[1..];
            }
            &"self" => rest = &rest[1..],
            &"super" => {}
            child => {
                at.push((*child).to_owned());
                let is_child = self.by_path.contains_key(&at[..]);
                at.pop();
                if !is_child {
                    return None;
                }
            }
        }
        while rest.first() == Some(&"super") {
            at.pop();
            rest = &rest[1..];
        }
        self.descend(at, rest)
    }

    fn descend(&self, mut at: Vec<String>, mut rest: &[&str]) -> Option<Vec<String>> {
        while let Some(part) = rest.first() {
            at.push((*part).to_owned());
            if !self.by_path.contains_key(&at[..]) {
                at.pop();
                break;
            }
            rest = &rest[1..];
        }
        let source = self.by_path.get(&at[..])?;
        let Some(name) = rest.first() else {
            return Some(at);
        };
        let exports = uses(&source.code);
        let export = exports
            .iter()
            .filter(|(_, is_public)| *is_public)
            .find(|(path, _)| path.rsplit("::").next() == Some(name));
        match export {
            Some((path, _)) => self.home(&at, path).filter(|home| *home != at),
            None => Some(at),
        }
    }
}

/// The files that each file of a room imports from. Exporting a child's names again is no import.
fn imports_between_files(sources: &[&Source]) -> BTreeMap<Vec<String>, BTreeSet<Vec<String>>> {
    let by_path = sources
        .iter()
        .map(|source| (&source.module[..], *source))
        .collect();
    let modules = Modules { by_path };
    let edges = |source: &Source| {
        let imported = uses(&source.code)
            .into_iter()
            .filter(|(_, is_public)| !is_public);
        imported
            .map(|(path, _)| path)
            .chain(inline_paths(&source.code))
            .filter_map(|path| modules.home(&source.module, &path))
            .filter(|home| *home != source.module)
            .collect()
    };
    sources
        .iter()
        .map(|source| (source.module.clone(), edges(source)))
        .collect()
}

/// Files that can be reached from themselves, after all that lead nowhere have been taken away.
fn circle(mut edges: BTreeMap<Vec<String>, BTreeSet<Vec<String>>>) -> Vec<String> {
    loop {
        let ends: Vec<_> = edges
            .iter()
            .filter(|(_, to)| !to.iter().any(|to| edges.contains_key(to)))
            .map(|(from, _)| from.clone())
            .collect();
        if ends.is_empty() {
            break;
        }
        edges.retain(|from, _| !ends.contains(from));
    }
    loop {
        let reached: BTreeSet<_> = edges.values().flatten().cloned().collect();
        let before = edges.len();
        edges.retain(|from, _| reached.contains(from));
        if edges.len() == before {
            break;
        }
    }
    edges.into_keys().map(|module| module.join("::")).collect()
}

#[test]
fn files_of_a_room_do_not_import_each_other_in_circles() {
    let all = rooms();
    let rooms: BTreeSet<&str> = all.iter().map(|source| &source.room[..]).collect();
    let (mut edges, mut found) = (0, Vec::new());
    for room in rooms {
        let own: Vec<&Source> = all.iter().filter(|source| source.room == room).collect();
        let imports = imports_between_files(&own);
        edges += imports.values().map(BTreeSet::len).sum::<usize>();
        let circle = circle(imports);
        if !circle.is_empty() {
            found.push((room, circle));
        }
    }
    assert!(found.is_empty(), "circles of files: {found:?}");
    assert!(edges > 100, "the imports were not found: {edges}");
}

#[test]
fn a_circle_of_files_is_found() {
    let source = |name: &str, code: &str| Source {
        room: "room".to_owned(),
        file: PathBuf::from(name),
        module: match name {
            "mod" => vec!["room".to_owned()],
            name => vec!["room".to_owned(), name.to_owned()],
        },
        code: code.to_owned(),
    };
    let found = |sources: [Source; 3]| circle(imports_between_files(&sources.each_ref()));
    let exports = "mod a;\nmod b;\npub use b::{\n    B,\n};\n";
    let a = "use super::{B, c::D};\n";
    assert_eq!(
        found([
            source("mod", exports),
            source("a", a),
            source("b", "use super::a::A;\n")
        ]),
        ["room::a", "room::b"]
    );
    assert!(
        found([
            source("mod", exports),
            source("a", a),
            source("b", "use std::fmt;\n")
        ])
        .is_empty()
    );
}

/// Public types of one name in different rooms, with the reason why each stays.
const NAMESAKES: &[(&str, &str)] = &[(
    "Source",
    "where samples come from (resources), and where a worker's requests come from (engine)",
)];

/// Names of public types: `pub struct`, `pub enum`, `pub trait` and `pub type` outside of functions.
fn public_types(code: &str) -> Vec<String> {
    let name_of = |line: &str| {
        let (kind, rest) = line.strip_prefix("pub ")?.split_once(' ')?;
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        let is_type = ["struct", "enum", "trait", "type"].contains(&kind);
        is_type.then(|| rest[..end.unwrap_or(rest.len())].to_owned())
    };
    code.lines().filter_map(name_of).collect()
}

#[test]
fn no_two_rooms_have_public_types_of_one_name() {
    let mut rooms_of: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in rooms() {
        for name in public_types(&source.code) {
            rooms_of
                .entry(name)
                .or_default()
                .insert(source.room.clone());
        }
    }
    assert!(rooms_of.len() > 100, "the types were not found");
    rooms_of.retain(|_, rooms| rooms.len() > 1);
    let listed: BTreeSet<&str> = NAMESAKES.iter().map(|(name, _)| *name).collect();
    let unlisted: Vec<_> = rooms_of
        .iter()
        .filter(|(name, _)| !listed.contains(&name[..]))
        .collect();
    assert!(unlisted.is_empty(), "one name, two rooms: {unlisted:?}");
    for name in listed {
        assert!(rooms_of.contains_key(name), "{name} has no namesake now");
    }
}

/// The first line of each undocumented public function, type or trait. Fields and variants need no
/// documentation, and items within functions cannot be public.
fn undocumented(code: &str) -> Vec<&str> {
    const ITEMS: [&str; 7] = [
        "pub fn ",
        "pub const fn ",
        "pub async fn ",
        "pub unsafe fn ",
        "pub struct ",
        "pub enum ",
        "pub trait ",
    ];
    let lines: Vec<&str> = code.lines().collect();
    let is_documented = |at: usize| {
        let before = lines[..at].iter().rev();
        // Attributes and remarks on them stand between the documentation and the item; a blank line, a
        // brace or a statement ends the search.
        let mut before =
            before.take_while(|line| !line.is_empty() && !line.ends_with([';', '{', '}']));
        before.any(|line| line.trim_start().starts_with("///"))
    };
    let is_item = |line: &str| ITEMS.iter().any(|item| line.trim_start().starts_with(item));
    let items = lines.iter().enumerate().filter(|(_, line)| is_item(line));
    items
        .filter(|(at, _)| !is_documented(*at))
        .map(|(_, line)| line.trim())
        .collect()
}

#[test]
fn modules_functions_and_types_are_documented() {
    let mut missing = Vec::new();
    for source in rooms() {
        let file = source.file.display();
        if !source.code.starts_with("//! ") {
            missing.push(format!("{file}: a header that says what it is for"));
        }
        let items = undocumented(&source.code).into_iter();
        missing.extend(items.map(|item| format!("{file}: {item}")));
    }
    assert!(missing.is_empty(), "undocumented: {missing:#?}");
}

/// The signature of each public function, from its name to the brace of its body.
fn public_signatures(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = code.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if !line.starts_with("pub ") || !line.contains("fn ") {
            continue;
        }
        let mut signature = line.to_owned();
        while !signature.ends_with(['{', ';', '}']) {
            signature.push_str(lines.next().unwrap_or(";"));
        }
        found.push(signature);
    }
    found
}

/// The most fields that a tuple in a signature has. A parenthesis after a name opens a list of
/// parameters, and any other one a tuple.
fn widest_tuple(signature: &str) -> usize {
    let mut open: Vec<(bool, usize)> = Vec::new();
    let (mut widest, mut before) = (0, ' ');
    for c in signature.chars() {
        match c {
            '(' => open.push((
                !before.is_alphanumeric() && !['_', '>'].contains(&before),
                1,
            )),
            '<' | '[' => open.push((false, 1)),
            ')' | ']' => {
                let (is_tuple, fields) = open.pop().unwrap_or_default();
                let fields = fields - usize::from(before == ',');
                widest = widest.max(if is_tuple { fields } else { 0 });
            }
            '>' if before != '-' => {
                open.pop();
            }
            ',' => {
                if let Some((_, fields)) = open.last_mut() {
                    *fields += 1;
                }
            }
            _ => {}
        }
        before = match c {
            // What stands after an arrow is a type.
            '>' if before == '-' => ' ',
            c if c.is_whitespace() => before,
            c => c,
        };
    }
    widest
}

#[test]
fn no_public_function_has_a_tuple_of_more_than_two_fields() {
    assert_eq!(
        widest_tuple("pub fn f(a: &[(u8, u8)], of: fn(u8, u8, u8)) -> Vec<(A<B, C>, D, E)> {"),
        3
    );
    assert_eq!(widest_tuple("pub fn f(&self) -> (A, B, C,) {"), 3);
    assert_eq!(
        widest_tuple("pub fn f<T: Fn(A, B, C) -> D>(a: (u8, u8), b: T, c: u8) -> () {"),
        2
    );
    let mut wide = Vec::new();
    let mut seen = 0;
    for source in rooms() {
        for signature in public_signatures(&source.code) {
            seen += 1;
            if widest_tuple(&signature) > 2 {
                wide.push(format!("{}: {signature}", source.file.display()));
            }
        }
    }
    assert!(seen > 500, "the functions were not found: {seen}");
    assert!(
        wide.is_empty(),
        "give the fields names in a type: {wide:#?}"
    );
}

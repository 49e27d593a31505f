//! Two things that only a build knows. Compiled Lua modules (cjson, luasocket) look for Lua's functions in
//! the program that loads them. And `--version` and every result name the commit and the target.
#![allow(clippy::print_stdout)] // this is how a build script speaks

use std::process::Command;

fn main() {
    println!("cargo::rustc-link-arg-bins=-rdynamic");
    println!("cargo::rerun-if-changed=build.rs");
    // The sources, too: a commit with changes on top of it is another program.
    for path in ["src", "lua", "Cargo.toml", "Cargo.lock", ".git/logs/HEAD"] {
        if std::path::Path::new(path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let target = std::env::var("TARGET").unwrap_or_default();
    println!("cargo::rustc-env=MESHLOAD_TARGET={target}");
    println!("cargo::rustc-env=MESHLOAD_BUILD={}", build());
}

/// The commit, with `-dirty` where the sources differ from it; what kind of build it is where that
/// changes what is measured, or where nobody knows the commit.
fn build() -> String {
    if std::env::var("PROFILE").as_deref() != Ok("release") {
        return "debug build".to_owned();
    }
    committed()
        .or_else(packaged)
        .unwrap_or_else(|| "unknown commit".to_owned())
}

fn committed() -> Option<String> {
    let words = [
        "describe",
        "--always",
        "--dirty",
        "--abbrev=10",
        "--exclude=*",
    ];
    let output = Command::new("git").args(words).output().ok()?;
    let is_ours = output.status.success() && std::path::Path::new(".git").exists();
    let text = String::from_utf8(output.stdout).ok()?;
    is_ours.then(|| text.trim().to_owned())
}

/// In what `cargo package` makes there is no repository, but a note of it.
fn packaged() -> Option<String> {
    let note = std::fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, after) = note.split_once("\"sha1\"")?;
    let commit = after.split('"').nth(1)?;
    Some(commit.chars().take(10).collect())
}

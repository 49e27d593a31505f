//! Compiled Lua modules (cjson, luasocket) look for Lua's functions in the program that loads them.
#![allow(clippy::print_stdout)] // this is how a build script speaks

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-link-arg-bins=-rdynamic");
}

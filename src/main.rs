//! Parse, call one command, map its outcome to an exit code.

fn main() {}

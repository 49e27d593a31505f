//! Tests that start the program as a user does and aim it at servers of their own. Each claims
//! the machine, alone (`support::machine`) or beside others (`support::beside_others`).
#![allow(clippy::disallowed_methods)] // deadlines of child processes are real time
#![allow(clippy::print_stderr)] // a test says what it could not check
#![allow(clippy::too_many_lines)] // a story is read from top to bottom

mod compare;
mod doors;
mod faults;
mod http2;
mod image;
mod known_answer;
mod old_folders;
mod peers;
mod pipeline;
mod scripts;
#[path = "../support/mod.rs"]
mod support;
mod sweep;

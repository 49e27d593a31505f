//! Scripts: LuaJIT states that make requests and look at replies, with the API that wrk and wrk2 have.
//!
//! Each worker has one state, which never leaves its thread; one more runs `setup` and `done`. The room
//! deals in bytes and values: what a request contains is the business of `wire`, when it is sent is
//! that of `engine`.

mod address;
mod environment;
mod error;
mod main_state;
mod port;
mod value;
mod worker;

pub use error::ScriptError;
pub use main_state::{DoneSummary, MainScript, Statistics};
pub use port::{Port, Question};
pub use value::Value;
pub use worker::WorkerScript;

use std::net::SocketAddr;
use std::path::PathBuf;

/// What a script is given before it is loaded.
#[derive(Debug, Clone)]
pub struct ScriptSpec {
    /// The script's file, for error messages and for modules beside it.
    pub path: PathBuf,
    /// The script's text.
    pub source: Vec<u8>,
    /// The arguments that follow `--` on the command line.
    pub args: Vec<String>,
    pub url: String,
    pub scheme: String,
    pub host: String,
    /// `None` when the URL names no port.
    pub port: Option<u16>,
    pub path_and_query: String,
    /// The headers of `-H`.
    pub headers: Vec<(String, String)>,
    pub addrs: Vec<SocketAddr>,
    /// The seed from which each worker's seed of `math.random` follows.
    pub seed: u64,
    /// Whether the user chose the seed: the script's own `math.randomseed` then does nothing.
    pub seed_pinned: bool,
    /// Whether `print` and `io.write` go to stderr.
    pub prints_to_stderr: bool,
}

#[cfg(test)]
mod tests;

//! Scripts: LuaJIT states that make requests and look at replies, with the API that wrk and wrk2 have.
//!
//! One state per worker, which never leaves its thread, and one more for `setup` and `done`. Ends
//! at bytes and values: what a request contains is `wire`'s business, when it is sent `engine`'s.

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
    /// Its file, for error messages and for modules beside it.
    pub path: PathBuf,
    /// Its text.
    pub source: Vec<u8>,
    /// What follows `--` on the command line.
    pub args: Vec<String>,
    /// The URL as given.
    pub url: String,
    /// The URL's scheme.
    pub scheme: String,
    /// The URL's host.
    pub host: String,
    /// The URL's port, when it names one.
    pub port: Option<u16>,
    /// The URL's path and query.
    pub path_and_query: String,
    /// The `-H` lines.
    pub headers: Vec<(String, String)>,
    /// The target's addresses.
    pub addrs: Vec<SocketAddr>,
    /// Seeds the random numbers of each worker.
    pub seed: u64,
    /// Whether the user chose the seed: the script's own `math.randomseed` then does nothing.
    pub seed_pinned: bool,
    /// Whether `print` and `io.write` go to stderr.
    pub prints_to_stderr: bool,
}

#[cfg(test)]
mod tests;

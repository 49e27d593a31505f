//! What people type, and what is meant by it.

mod cluster;
mod commands;
mod repetition;
mod run;
mod sweep;

use super::*;
use crate::schedule::ArrivalProcess;
use crate::spec::{CollectFrom, KubeletRoute, Offered, Pacing, ProcessChoice};
use crate::units::Nanos;
use crate::version::{VERSION, VERSION_AND_TARGET};

const URL: &str = "http://h/";

fn parsed(line: &[&str]) -> Result<Request, BadArguments> {
    let words = std::iter::once(&"meshload").chain(line);
    parse(words.map(OsString::from))
}

#[track_caller]
fn run(line: &[&str]) -> RunRequest {
    match parsed(line) {
        Ok(Request::Run(request)) => *request,
        other => panic!("{line:?}: {other:?}"),
    }
}

/// The run of these flags before a URL, at 100/s.
#[track_caller]
fn with(flags: &[&str]) -> RunRequest {
    run(&[&["-R", "100"], flags, &[URL]].concat())
}

#[track_caller]
fn refusal(line: &[&str]) -> String {
    match parsed(line) {
        Ok(request) => panic!("{line:?} was taken as {request:?}"),
        Err(error) => error.to_string(),
    }
}

fn rate(per_second: f64) -> Offered {
    Offered::Rate(Rate::per_second(per_second).expect("a rate"))
}

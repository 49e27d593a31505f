//! The only rooms that know all others; each reads as a paragraph. They and `main` alone print.

/// A line on stdout. A reader that has gone away, as `head` does, is no failure of a measurement's.
macro_rules! outln {
    ($($words:tt)*) => {{
        let _ = std::io::Write::write_fmt(
            &mut std::io::stdout().lock(),
            format_args!("{}\n", format_args!($($words)*)),
        );
    }};
}

/// A line on stderr, likewise.
macro_rules! status {
    ($($words:tt)*) => {{
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr().lock(),
            format_args!("{}\n", format_args!($($words)*)),
        );
    }};
}

mod baseline;
mod check;
mod collect;
mod collection;
mod compare;
mod demo;
mod environment;
mod hotel;
mod live;
mod measurement;
mod output_files;
mod outputs;
mod pages;
mod pipeline;
mod report;
mod run;
mod selftest;
mod signals;
mod stand_in;
mod sweep;
mod trial;

#[cfg(test)]
mod tests;

use crate::cli::Request;
use crate::exit::Exit;
use std::io::Write;

/// Does what was asked and says how it went.
pub fn execute(request: Request) -> Exit {
    match request {
        Request::Run(request) => run::run(&request),
        Request::Report(request) => report::report(&request),
        Request::Hotel(spec) => hotel::hotel(&spec),
        Request::Demo { output, duration } => demo::demo(output, duration),
        Request::Selftest { is_short } => selftest::selftest(is_short),
        Request::Check(request) => check::check(&request),
        Request::Collect(request) => collect::collect(&request),
        Request::Compare(request) => compare::compare(&request),
        Request::Sweep(request) => sweep::sweep(&request),
        Request::Print(text) => {
            // A reader that has gone away, as `head` does, is not an error.
            let _ = std::io::stdout().write_all(&text);
            Exit::Done
        }
    }
}

/// Tells what went wrong, and what would cure it.
fn fail(exit: Exit, error: &dyn std::fmt::Display) -> Exit {
    status!("meshload: {error}");
    exit
}

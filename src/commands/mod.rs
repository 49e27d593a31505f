//! One file per command, and what several commands share. This room alone knows all others, and only it
//! and `main` print.

/// Prints a line on stdout. A reader that has closed the pipe, as `head` does, is no failure of the
/// measurement, so errors are ignored.
macro_rules! outln {
    ($($words:tt)*) => {{
        let _ = std::io::Write::write_fmt(
            &mut std::io::stdout().lock(),
            format_args!("{}\n", format_args!($($words)*)),
        );
    }};
}

/// Prints a line on stderr. Errors are ignored, because there is no further place to report them.
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
mod failure;
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
use failure::CommandError;
use std::io::Write;

/// Carries a command out.
pub fn execute(request: Request) -> Exit {
    let ended = match request {
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
            // A reader that has closed the pipe, as `head` does, is not an error.
            let _ = std::io::stdout().write_all(&text);
            Ok(Exit::Done)
        }
    };
    ended.unwrap_or_else(CommandError::report)
}

//! Parse, call one command, map its outcome to an exit code.
#![allow(clippy::print_stderr)]

use meshload::cli::{self, BadArguments};
use meshload::commands;
use meshload::exit::Exit;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse(std::env::args_os()) {
        Ok(request) => commands::execute(request).into(),
        Err(BadArguments::Clap(message)) => {
            // Help and version are answers, not errors. A closed pipe is nobody's fault.
            let _ = message.print();
            if message.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            }
            .into()
        }
        Err(error @ (BadArguments::Spec(_) | BadArguments::Plan(_))) => {
            eprintln!("error: {error}\n\nFor more information, try '--help'.");
            Exit::Usage.into()
        }
    }
}

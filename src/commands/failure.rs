//! How a command that failed ends.

use crate::exit::Exit;
use std::fmt::Display;
use std::io;

/// Why a command ends before its work is done: the exit code, and the message with cause and cure.
#[derive(Debug)]
pub struct CommandError {
    exit: Exit,
    message: String,
}

impl CommandError {
    /// A failure with this exit code.
    pub fn new(exit: Exit, error: impl Display) -> CommandError {
        let message = error.to_string();
        CommandError { exit, message }
    }

    /// A failure because of the command line, a plan, or a path that a flag names.
    pub fn usage(error: impl Display) -> CommandError {
        CommandError::new(Exit::Usage, error)
    }

    /// A failure of the work itself.
    pub fn failed(error: impl Display) -> CommandError {
        CommandError::new(Exit::Failed, error)
    }

    /// Prints the message on stderr; returns the exit code.
    pub fn report(self) -> Exit {
        fail(self.exit, &self.message)
    }
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> CommandError {
        CommandError::failed(error)
    }
}

/// Prints an error, which names the cause and the cure, and returns the exit code. For a command that
/// goes on after an error, and for its last one.
pub fn fail(exit: Exit, error: &dyn Display) -> Exit {
    status!("meshload: {error}");
    exit
}

//! How a command that failed ends.

use crate::exit::Exit;

/// Prints an error, which names the cause and the cure, and returns the exit code.
pub fn fail(exit: Exit, error: &dyn std::fmt::Display) -> Exit {
    status!("meshload: {error}");
    exit
}

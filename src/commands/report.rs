//! `meshload report`: the text of a run again, from its folder alone.

use super::fail;
use crate::exit::Exit;
use crate::render::{outcome_text, wrk_text};
use crate::store::{StoreError, load};
use std::io::Write;
use std::path::Path;

/// Prints what the run printed.
pub fn report(folder: &Path) -> Exit {
    let (result, verdict) = match load(folder) {
        Ok(loaded) => loaded,
        Err(error @ StoreError::Unreadable { .. }) => return fail(Exit::Failed, &error),
        Err(error) => return fail(Exit::Usage, &error),
    };
    let text = wrk_text(&result) + &outcome_text(&result, &verdict);
    // A reader that has gone away, as `head` does, is not an error.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Exit::Done
}

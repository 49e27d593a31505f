//! `meshload report`: the text of a run again, from its folder alone.

use super::fail;
use crate::exit::Exit;
use crate::render::{outcome_text, resources_text, wrk_text};
use crate::store::{StoreError, load, load_collection};
use std::io::Write;
use std::path::Path;

/// Prints what the run printed.
pub fn report(folder: &Path) -> Exit {
    match load_collection(folder) {
        Ok(Some(resources)) => {
            let _ = std::io::stdout().write_all(resources_text(&resources).as_bytes());
            return Exit::Done;
        }
        Ok(None) => {}
        Err(error) => return fail(Exit::Failed, &error),
    }
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

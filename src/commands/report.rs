//! `meshload report`: what a folder holds, from the folder alone.

use super::fail;
use crate::exit::Exit;
use crate::render::{outcome_text, resources_text, steps_table, wrk_text};
use crate::store::{RUN_JSON, StoreError, load, load_collection, load_steps};
use std::io::Write;
use std::path::Path;

/// Prints what a run or a collection printed, or the steps of a sweep or of the study.
pub fn report(folder: &Path) -> Exit {
    match text(folder) {
        Ok(text) => {
            // A reader that has gone away, as `head` does, is not an error.
            let _ = std::io::stdout().write_all(text.as_bytes());
            Exit::Done
        }
        Err(error @ (StoreError::Unreadable { .. } | StoreError::BadTable { .. })) => {
            fail(Exit::Failed, &error)
        }
        Err(error) => fail(Exit::Usage, &error),
    }
}

fn text(folder: &Path) -> Result<String, StoreError> {
    if let Some(resources) = load_collection(folder)? {
        return Ok(resources_text(&resources));
    }
    let holds_steps = ["plan.json", "latency_stats.csv"]
        .iter()
        .any(|name| folder.join(name).exists());
    if holds_steps && !folder.join(RUN_JSON).exists() {
        let set = load_steps(folder)?;
        let tables = set
            .arms
            .iter()
            .map(|arm| steps_table(&arm.name, &arm.steps));
        let notes = set.notes.iter().map(|note| format!("note: {note}\n"));
        return Ok(tables.chain(notes).collect());
    }
    let (result, verdict) = load(folder)?;
    Ok(wrk_text(&result) + &outcome_text(&result, &verdict))
}

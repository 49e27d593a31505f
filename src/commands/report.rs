//! `meshload report`: shows what a result folder holds, from its files alone.

use super::failure::CommandError;
use super::pages::{NotWritten, shown_runs, write_page};
use crate::cli::ReportRequest;
use crate::compare::{Steps, common_rate};
use crate::exit::Exit;
use crate::html::{About, Page, collection_page, run_page, sweep_page};
use crate::store::{
    PLAN_JSON, RUN_JSON, STEPS, StepSet, StoreError, load_collection, load_measured, load_steps,
};
use crate::study::LATENCIES_CSV;
use crate::text::{one_repetition, outcome_text, resources_text, steps_table, wrk_text};
use std::io::Write;
use std::path::Path;

/// Prints what a run or a collection printed, or the steps of a sweep or of the study, and writes the
/// page with its plots.
pub fn report(request: &ReportRequest) -> Result<Exit, CommandError> {
    let (text, page) = contents(&request.folder).map_err(|error| match error {
        StoreError::Unreadable { .. } | StoreError::BadTable { .. } => CommandError::failed(error),
        _ => CommandError::usage(error),
    })?;
    // A reader that has closed the pipe, as `head` does, is not an error.
    let _ = std::io::stdout().write_all(text.as_bytes());
    let folder = request.output.as_ref().unwrap_or(&request.folder);
    write_page(&page, folder).map_err(CommandError::failed)?;
    status!("report: {}", folder.join("report.html").display());
    Ok(Exit::Done)
}

/// Writes a folder's page and plots into it.
///
/// # Errors
/// [`NotWritten`] when the folder cannot be read or written.
pub fn draw(folder: &Path) -> Result<(), NotWritten> {
    let (_, page) = contents(folder)?;
    write_page(&page, folder)
}

/// The text and the page of a folder of any kind.
fn contents(folder: &Path) -> Result<(String, Page), StoreError> {
    if let Some(collected) = load_collection(folder)? {
        let mut page = collection_page(&collected.resources, &collected.timeline);
        page.lead.extend(collected.notes);
        return Ok((resources_text(&collected.resources), page));
    }
    let holds_steps = [PLAN_JSON, STEPS, LATENCIES_CSV]
        .iter()
        .any(|name| folder.join(name).exists());
    if holds_steps && !folder.join(RUN_JSON).exists() {
        return Ok(contents_of_steps(folder, &load_steps(folder)?));
    }
    let run = load_measured(folder)?;
    let text = wrk_text(&run.judged.result) + &outcome_text(&run.judged);
    let mut page = run_page(&run);
    page.lead.extend(run.notes);
    Ok((text, page))
}

fn contents_of_steps(folder: &Path, set: &StepSet) -> (String, Page) {
    let tables = set
        .arms
        .iter()
        .map(|arm| steps_table(&arm.name, &arm.set()));
    let steps: Steps<'_> = set.arms.iter().flat_map(|arm| &arm.steps).collect();
    let first = one_repetition(&steps);
    let notes = set.notes.iter().map(|note| format!("note: {note}\n"));
    let lead = first.map(|first| format!("{first}\n"));
    let text = lead.into_iter().chain(tables).chain(notes).collect();
    let (shown, unread) = shown_runs(&set.arms, common_rate(&set.arms));
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = full.file_name().unwrap_or_default().to_string_lossy();
    let first = first.map(str::to_owned).into_iter().collect();
    let notes = [first, set.notes.clone(), unread].concat();
    let about = About {
        name: &name,
        plan: set.plan.as_deref(),
        notes: &notes,
    };
    (text, sweep_page(about, &set.arms, &shown))
}

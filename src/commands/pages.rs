//! Writes pages with their plots, and refuses to overwrite files that are not from an earlier report.

use crate::compare::ArmSteps;
use crate::html::{Page, png_file, svg_file};
use crate::store::{StoreError, load_measured, make_folder, read_if_there, write_file};
use crate::units::Rate;
use crate::verdict::{Level, MeasuredRun};
use std::path::{Path, PathBuf};

const PAGE: &str = "report.html";
/// The text by which a page that meshload wrote is recognised.
const MADE_BY: &[u8] = b"name=\"generator\" content=\"meshload";

/// Why a page was not written.
#[derive(Debug, thiserror::Error)]
pub enum NotWritten {
    /// A file that meshload did not write is in its place.
    #[error(
        "{} exists and is not from an earlier report, so it is not overwritten; name another folder with -o",
        .0.display()
    )]
    Foreign(PathBuf),
    /// The plotting library failed.
    #[error("plot {0}: {1}")]
    Plot(String, String),
    /// The operating system refused the file.
    #[error("{0}; the report can be written elsewhere with -o")]
    Store(#[from] StoreError),
}

/// Whether meshload wrote the page that a folder holds.
fn is_ours(folder: &Path) -> Result<bool, NotWritten> {
    let page = read_if_there(&folder.join(PAGE))?;
    Ok(page.is_some_and(|page| {
        let head = &page[..page.len().min(1024)];
        head.windows(MADE_BY.len()).any(|window| window == MADE_BY)
    }))
}

/// Checks that none of these files of a folder would overwrite a file that meshload did not write.
///
/// # Errors
/// [`NotWritten::Foreign`] for the first that exists without a page of meshload beside it.
pub fn claim<'a>(
    folder: &Path,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<(), NotWritten> {
    if is_ours(folder)? {
        return Ok(());
    }
    let paths = names
        .into_iter()
        .chain([PAGE])
        .map(|name| folder.join(name));
    let foreign = paths.into_iter().find(|path| path.exists());
    foreign.map_or(Ok(()), |path| Err(NotWritten::Foreign(path)))
}

/// Writes the page, plots/*.svg and plots/*.png.
///
/// # Errors
/// [`NotWritten`]; a file that is not from an earlier report is not overwritten.
pub fn write_page(page: &Page, folder: &Path) -> Result<(), NotWritten> {
    let plots = folder.join("plots");
    let mut files = Vec::new();
    for chart in page.charts() {
        let png = png_file(chart).map_err(|why| NotWritten::Plot(chart.name.clone(), why))?;
        files.push((
            plots.join(format!("{}.svg", chart.name)),
            svg_file(chart).into_bytes(),
        ));
        files.push((plots.join(format!("{}.png", chart.name)), png));
    }
    let names: Vec<String> = page
        .charts()
        .flat_map(|chart| ["svg", "png"].map(|ending| format!("plots/{}.{ending}", chart.name)))
        .collect();
    claim(folder, names.iter().map(String::as_str))?;
    // The page comes first: it marks the plots as meshload's, so that a report that was interrupted can be
    // made again.
    make_folder(&plots)?;
    write_file(&folder.join(PAGE), page.html().as_bytes())?;
    for (path, bytes) in &files {
        write_file(path, bytes)?;
    }
    Ok(())
}

/// One run of each arm at a rate, and notes on the runs that could not be read.
pub fn shown_runs(arms: &[ArmSteps], rate: Option<Rate>) -> (Vec<MeasuredRun>, Vec<String>) {
    let (mut runs, mut notes) = (Vec::new(), Vec::new());
    let Some(rate) = rate else {
        return (runs, notes);
    };
    for arm in arms {
        let Some(folder) = arm.folder_at(rate) else {
            continue;
        };
        match load_measured(folder) {
            Ok(mut run) => {
                let step = run.judged.result.spec.step.as_ref();
                let repetition = step.map_or(1, |step| step.repetition);
                run.name = format!("{} at {rate}/s, repetition {repetition}", arm.name);
                // When every run of an arm at the rate is INVALID, one of them is shown and marked.
                if run.judged.verdict.level == Level::Invalid {
                    run.name += " (INVALID)";
                }
                notes.extend(run.notes.iter().map(|note| format!("{}: {note}", run.name)));
                runs.push(run);
            }
            Err(error) => notes.push(error.to_string()),
        }
    }
    (runs, notes)
}

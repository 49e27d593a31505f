//! Pages and their plots, written: into the folder they are about, or where they are wanted.

use crate::compare::ArmSteps;
use crate::html::{Page, png_file, svg_file};
use crate::store::{StoreError, load_measured, make_folder, read_if_there, write_file};
use crate::units::Rate;
use crate::verdict::{Level, MeasuredRun};
use std::path::{Path, PathBuf};

/// The page's name in its folder.
const PAGE: &str = "report.html";
/// By this a page of ours is known.
const MADE_BY: &[u8] = b"name=\"generator\" content=\"meshload";

/// Why a page was not written.
#[derive(Debug, thiserror::Error)]
pub enum NotWritten {
    /// Something of somebody else's is in its place.
    #[error(
        "{} is there and is not of an earlier report: it is left alone; name another folder with -o",
        .0.display()
    )]
    Foreign(PathBuf),
    /// The plotting library failed.
    #[error("plot {0}: {1}")]
    Plot(String, String),
    /// The operating system said no.
    #[error("{0}; the report can be written elsewhere with -o")]
    Store(#[from] StoreError),
}

/// Whether a folder's report is an earlier one of ours.
fn is_ours(folder: &Path) -> Result<bool, NotWritten> {
    let page = read_if_there(&folder.join(PAGE))?;
    Ok(page.is_some_and(|page| {
        let head = &page[..page.len().min(1024)];
        head.windows(MADE_BY.len()).any(|window| window == MADE_BY)
    }))
}

/// Looks that nothing of somebody else's lies in the places of these files of a folder.
///
/// # Errors
/// [`NotWritten::Foreign`] for the first that is there, without a report of ours beside it.
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
/// [`NotWritten`]; nothing that is not of an earlier report is touched.
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
    // The page says whose the plots are, so that a report that was cut short can be made again.
    make_folder(&plots)?;
    write_file(&folder.join(PAGE), page.html().as_bytes())?;
    for (path, bytes) in &files {
        write_file(path, bytes)?;
    }
    Ok(())
}

/// One run of each arm at a rate, as far as there are any, with what could not be read of them.
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
                // Where no run of a rate can be believed, one that cannot is shown.
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

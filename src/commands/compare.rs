//! `meshload compare`: what one arm costs over another.

use super::failure::{CommandError, fail};
use super::pages::{NotWritten, claim, shown_runs, write_page};
use crate::cli::CompareRequest;
use crate::compare::{
    ArmSteps, Comparison, Steps, common_rate, compare as compare_steps, differing_conditions,
};
use crate::exit::Exit;
use crate::files::{comparison_csv, cost_csv};
use crate::gate::{Gate, MaxRegression, Pairing, regressions};
use crate::html::{Compared, comparison_page};
use crate::statistics::BLOCKS_FOR_AN_INTERVAL;
use crate::store::{folder_and_arm, load_steps, make_folder, only_arm, write_file};
use crate::study::{self, StudyOverhead, StudySums};
use crate::text::{Layout, comparison_text, regressions_text};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

/// One side of a comparison.
struct Side {
    folder: PathBuf,
    arm: ArmSteps,
    sums: StudySums,
}

/// Compares arms or folders, and shows and writes the differences.
pub fn compare(request: &CompareRequest) -> Result<Exit, CommandError> {
    let (sides, notes) = sides(request).map_err(CommandError::usage)?;
    for note in &notes {
        status!("note: {note}");
    }
    let Some((base, others)) = sides.split_first() else {
        return Err(CommandError::usage(
            "there is nothing to compare; name two folders",
        ));
    };
    let compared: Vec<Compared> = others.iter().map(|other| compared(base, other)).collect();
    let text = if request.as_study {
        let tables = others.iter().map(|other| {
            let pair = format!("{} against {}", other.arm.name, base.arm.name);
            format!("{pair}: {}", study::overhead_text(&overheads(base, other)))
        });
        tables.collect()
    } else {
        let layout = if request.markdown {
            Layout::Markdown
        } else {
            Layout::Text
        };
        all_texts(&compared, layout)
    };
    // A reader that has closed the pipe, as `head` does, is not an error.
    let _ = std::io::stdout().write_all(text.as_bytes());
    let written = request
        .folder
        .as_ref()
        .map(|folder| write(folder, &sides, &compared, &notes));
    let exit = gate(&request.limits, base, others);
    match written {
        Some(Err(error)) => Err(CommandError::failed(format!("-o: {error}"))),
        _ => Ok(exit),
    }
}

/// Checks the limits of the others against the first side, at every rate with enough blocks.
fn gate(limits: &[MaxRegression], base: &Side, others: &[Side]) -> Exit {
    if limits.is_empty() {
        return Exit::Done;
    }
    let (mut exit, mut is_unchecked) = (Exit::Done, true);
    for other in others {
        let pairing = match base.folder == other.folder {
            true => Pairing::Blocks,
            false => Pairing::Apart,
        };
        let sets = [base.arm.set(), other.arm.set()];
        for rate in Steps::common_rates(&sets) {
            let [ones, others] = sets.each_ref().map(|steps| steps.at(rate).valid());
            let name = format!("{} at {rate}/s, {}", base.arm.name, other.arm.name);
            if !pairing.are_enough(&ones, &others) {
                status!("note: {name}: too few runs to tell a regression from chance");
                continue;
            }
            let found = regressions(limits, &ones, &others, pairing);
            is_unchecked = false;
            let gate = Gate {
                regressions: found,
                ..Gate::default()
            };
            outln!("{}", regressions_text(&name, &gate.regressions).trim_end());
            if gate.fails() {
                exit = Exit::Threshold;
            }
        }
    }
    if is_unchecked {
        let least = BLOCKS_FOR_AN_INTERVAL;
        return fail(
            Exit::Usage,
            &format!(
                "--max-regression: no rate has {least} repetitions in both, so nothing could fail; measure more"
            ),
        );
    }
    exit
}

fn compared(base: &Side, other: &Side) -> Compared {
    Compared {
        comparison: compare_steps(&base.arm.set(), &other.arm.set()),
        differing_conditions: differing_conditions(&base.arm.conditions, &other.arm.conditions),
    }
}

fn all_texts(compared: &[Compared], layout: Layout) -> String {
    let texts = compared
        .iter()
        .map(|one| comparison_text(&one.comparison, &one.differing_conditions, layout));
    texts.collect::<Vec<_>>().join("\n")
}

fn overheads(base: &Side, other: &Side) -> Vec<(f64, [StudyOverhead; 4])> {
    study::overheads((&base.sums, &base.arm.name), (&other.sums, &other.arm.name))
}

fn write(
    folder: &Path,
    sides: &[Side],
    compared: &[Compared],
    left_out: &[String],
) -> Result<(), NotWritten> {
    let tables = [
        "comparison.csv",
        "cost.csv",
        "comparison.md",
        "compare_overhead_summary.csv",
    ];
    claim(folder, tables)?;
    make_folder(folder)?;
    let comparisons: Vec<Comparison> = compared.iter().map(|one| one.comparison.clone()).collect();
    write_file(
        &folder.join("comparison.csv"),
        &comparison_csv(&comparisons),
    )?;
    write_file(&folder.join("cost.csv"), &cost_csv(&comparisons))?;
    let markdown = all_texts(compared, Layout::Markdown);
    write_file(&folder.join("comparison.md"), markdown.as_bytes())?;
    // The study's table has room for one pair of arms.
    if let [base, other, ..] = sides {
        let overheads = overheads(base, other);
        if !overheads.is_empty() {
            let table = study::overhead_csv(&overheads);
            write_file(&folder.join("compare_overhead_summary.csv"), &table)?;
        }
    }
    let arms: Vec<ArmSteps> = sides.iter().map(|side| side.arm.clone()).collect();
    let (shown, notes) = shown_runs(&arms, common_rate(&arms));
    let mut page = comparison_page(&arms, compared, &shown);
    page.lead.extend(left_out.iter().cloned().chain(notes));
    write_page(&page, folder)
}

/// The arms to compare: all arms of one folder, or the one arm that each of several arguments names.
fn sides(request: &CompareRequest) -> Result<(Vec<Side>, Vec<String>), String> {
    let (mut sides, mut notes) = (Vec::new(), Vec::new());
    for typed in &request.sides {
        let (folder, arm) = folder_and_arm(typed);
        let set = load_steps(&folder).map_err(|error| error.to_string())?;
        notes.extend(
            set.notes
                .iter()
                .map(|note| format!("{}: {note}", folder.display())),
        );
        let sums = set.sums.clone();
        let mut chosen = set
            .chosen(&folder, arm.as_deref())
            .map_err(|error| error.to_string())?;
        let is_alone = request.sides.len() == 1;
        if !is_alone || request.halves {
            let arm = only_arm(&folder, chosen).map_err(|error| error.to_string())?;
            chosen = vec![arm];
        }
        sides.extend(chosen.into_iter().map(|arm| Side {
            folder: folder.clone(),
            arm,
            sums: sums.clone(),
        }));
    }
    if request.halves {
        return match <[Side; 1]>::try_from(sides) {
            Ok([side]) => {
                let halves = Vec::from(halves(&side));
                if halves.iter().any(|half| half.arm.steps.is_empty()) {
                    return Err("--aa takes an arm with two repetitions at least".to_owned());
                }
                Ok((halves, notes))
            }
            Err(_) => Err("--aa takes one arm: DIR, or DIR:ARM".to_owned()),
        };
    }
    if sides.len() < 2 {
        let name = &sides[0].arm.name;
        return Err(format!(
            "there is only the arm {name}; name another folder, or use --aa for its two halves"
        ));
    }
    name_apart(&mut sides, request);
    Ok((sides, notes))
}

/// Names the sides as they were typed, when arms of two folders have the same name.
fn name_apart(sides: &mut [Side], request: &CompareRequest) {
    let names: BTreeSet<&str> = sides.iter().map(|side| side.arm.name.as_str()).collect();
    if names.len() == sides.len() || sides.len() != request.sides.len() {
        return;
    }
    for (side, typed) in sides.iter_mut().zip(&request.sides) {
        rename(side, &typed.display().to_string());
    }
}

fn rename(side: &mut Side, name: &str) {
    let before = side.arm.name.clone();
    side.arm.rename(name);
    side.sums = std::mem::take(&mut side.sums)
        .into_iter()
        .map(|((arm, rate), sums)| {
            let arm = if arm == before { name.to_owned() } else { arm };
            ((arm, rate), sums)
        })
        .collect();
}

/// The odd repetitions of an arm and the even ones. The pairs are neighbours in time, as blocks are.
fn halves(side: &Side) -> [Side; 2] {
    let [odd, even] = side.arm.set().halves();
    [("odd", odd), ("even", even)].map(|(half, steps)| Side {
        folder: side.folder.clone(),
        arm: side.arm.part(format!("{} ({half})", side.arm.name), steps),
        sums: StudySums::new(),
    })
}

//! `meshload sweep`: reads the plan, opens the folder, and runs the steps.

mod account;
mod arm_commands;
mod cooldown;
mod driver;
mod hooks;
mod metadata;
mod thresholds;
mod undo_log;

use super::failure::{CommandError, fail};
use super::signals::Signals;
use crate::cli::{SweepRequest, read_plan};
use crate::clock::unix_now;
use crate::exit::Exit;
use crate::sweep::{Cooldown, Ended, SweepFolder, SweepPlan, run};
use crate::text::steps_text;
use crate::units::Nanos;
use std::path::{Path, PathBuf};

pub use account::Account;
pub use driver::Driver;

/// Carries a plan out, or with `--dry-run` or `--print-plan` only shows it.
pub fn sweep(request: &SweepRequest) -> Result<Exit, CommandError> {
    let (plan, script) = chosen_plan(request).map_err(CommandError::usage)?;
    if request.print_plan {
        outln!("{}", with_absolute_paths(plan).to_toml().trim_end());
        return Ok(Exit::Done);
    }
    let script = script.map_or_else(|| read_script(&plan), |text| Ok(Some(text)));
    let script = script.map_err(CommandError::usage)?;
    if let Some(message) = missing_manifest(&plan) {
        return Err(CommandError::usage(message));
    }
    if request.dry_run {
        outln!("{}", dry_run(&plan).trim_end());
        return Ok(Exit::Done);
    }
    let signals = Signals::listen()?;
    let begun = unix_now();
    let place = request.folder.clone();
    let place = place.unwrap_or_else(|| new_folder(&plan, begun));
    let folder = SweepFolder::open(&place, &plan, script.as_deref(), begun);
    let folder = folder.map_err(|error| CommandError::usage(format!("-o: {error}")))?;
    if !request.quiet {
        for warning in plan.warnings() {
            status!("note: {warning}");
        }
    }
    let mut driver = Driver::new(&plan, &folder, script, signals.clone(), request.quiet);
    let ended = run(&plan, None, &folder, &mut driver);
    Ok(match show_end(ended, &place, &signals) {
        Exit::Done => thresholds::judge(&plan, &driver.account),
        exit => exit,
    })
}

/// Prints how the sweep ended; returns the exit code.
fn show_end(
    ended: Result<Ended, crate::sweep::SweepError>,
    place: &Path,
    signals: &Signals,
) -> Exit {
    let place = place.display();
    let again = format!("the same command with -o {place} goes on from here");
    match ended {
        Ok(Ended::Done) => {
            outln!("Results in {place}");
            Exit::Done
        }
        Ok(Ended::Interrupted) => {
            status!("meshload: interrupted; {again}");
            signals.received().unwrap_or(Exit::Interrupted)
        }
        Ok(Ended::Failures(reasons)) => fail(
            Exit::Failed,
            &format!(
                "{} steps failed; {again}\n  {}",
                reasons.len(),
                reasons.join("\n  ")
            ),
        ),
        Ok(Ended::Arm(reason)) => {
            // A signal that ended a command of the arm decides the exit code, not the failed command.
            let exit = signals.received().unwrap_or(Exit::Failed);
            fail(exit, &format!("{reason}\n{again}"))
        }
        Err(error) => fail(Exit::Failed, &format!("{error}\n{again}")),
    }
}

/// The plan of the flags, of the plan file, or of the folder that is resumed. A folder holds the text of
/// the script too.
fn chosen_plan(request: &SweepRequest) -> Result<(SweepPlan, Option<String>), String> {
    if let Some(plan) = &request.plan {
        return Ok((with_seed_of_folder(plan, request), None));
    }
    if let Some(path) = &request.file {
        let unreadable = |error| {
            format!(
                "cannot read the plan {}: {error}; give a plan's file, or a URL with http://",
                path.display()
            )
        };
        let typed = std::fs::read_to_string(path).map_err(unreadable)?;
        let plan = read_plan(path, &typed).map_err(|bad| bad.to_string())?;
        return Ok((plan, None));
    }
    let folder = request.folder.as_deref().unwrap_or(Path::new(""));
    let found = SweepFolder::plan_of(folder).map_err(|error| format!("-o: {error}"))?;
    if found.as_ref().is_some_and(|(plan, _)| plan.until.is_some()) {
        let folder = folder.display();
        return Err(format!(
            "-o: {folder} holds repeated runs; repeat the `meshload run` command that began them"
        ));
    }
    found.ok_or_else(|| {
        let folder = folder.display();
        format!("-o: {folder} holds no sweep to go on with; give a plan's file, or a URL and flags")
    })
}

/// The plan with absolute paths. Paths in a plan file are relative to that file, and it is not known where
/// the user will save this one.
fn with_absolute_paths(mut plan: SweepPlan) -> SweepPlan {
    for path in plan.paths_mut() {
        if let Ok(absolute) = std::path::absolute(&*path) {
            *path = absolute;
        }
    }
    plan
}

fn missing_manifest(plan: &SweepPlan) -> Option<String> {
    let mut manifests = plan.arms.iter().flat_map(|arm| &arm.apply);
    let missing = manifests.find(|path| !path.exists())?;
    let missing = missing.display();
    Some(format!("apply: {missing} does not exist; check the path"))
}

/// The plan with the seed of the sweep that the folder holds, unless the user chose a seed: a seed that was
/// drawn anew must not make a resumed sweep another sweep.
fn with_seed_of_folder(plan: &SweepPlan, request: &SweepRequest) -> SweepPlan {
    let mut plan = plan.clone();
    let before = request
        .folder
        .as_deref()
        .and_then(|folder| SweepFolder::plan_of(folder).ok()?);
    if let (Some((before, _)), false) = (before, request.seed_pinned) {
        plan.seed = before.seed;
    }
    plan
}

/// `results/<name>_<time>`, with the study's form of the time (UTC).
fn new_folder(plan: &SweepPlan, begun: Nanos) -> PathBuf {
    PathBuf::from("results").join(format!("{}_{}", plan.name, metadata::stamp(begun)))
}

fn read_script(plan: &SweepPlan) -> Result<Option<String>, String> {
    let Some(path) = &plan.load.script else {
        return Ok(None);
    };
    // The folder keeps the text in a JSON file, so a script that is not UTF-8 is refused here.
    let read = std::fs::read_to_string(path);
    let unreadable = |error| {
        let path = path.display();
        format!("-s: cannot read {path}: {error}; check the path")
    };
    read.map(Some).map_err(unreadable)
}

/// The table of all steps with their times, for `--dry-run`.
fn dry_run(plan: &SweepPlan) -> String {
    let rest = match plan.cooldown {
        Cooldown::Fixed(rest) => rest,
        // The shortest rest that an adaptive cooldown makes.
        Cooldown::Adaptive => cooldown::SHORTEST,
    };
    let steps = plan.steps();
    let mut notes = plan.warnings();
    if plan.cooldown == Cooldown::Adaptive {
        let (shortest, longest) = (cooldown::SHORTEST, cooldown::LONGEST);
        notes.push(format!(
            "the rest is adaptive: from {shortest} to {longest}"
        ));
    }
    let first = &plan.warm_up_first;
    if !first.length.is_zero() {
        notes.push(format!(
            "{} at {}/s and {} of rest come before each arm that is made anew",
            first.length, first.rate, first.rest
        ));
    }
    if plan.find_capacity.is_some() {
        notes
            .push("the search chooses its own rates between the lowest and the highest".to_owned());
        return format!(
            "up to some twenty steps for each of {} arms, one arm after the other\n",
            plan.arms.len()
        ) + &notes
            .iter()
            .map(|note| format!("note: {note}\n"))
            .collect::<String>();
    }
    steps_text(&steps, plan.load_time(), rest, &notes)
}

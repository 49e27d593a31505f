//! Several runs of one question: held against a baseline until the intervals are narrow enough.

use super::baseline::{Against, how_many};
use super::fail;
use super::measurement::{Measured, Setting, Written, measure};
use super::pipeline;
use super::run::{exit_of_nothing, no_answer};
use super::signals::Signals;
use crate::cli::{Outputs, Repetition, RunRequest};
use crate::exit::Exit;
use crate::formats::junit_xml;
use crate::judge::{
    Conditions, Gate, Level, Outcome, StepFigures, Verdict, add_conditions, are_believed,
    are_narrow, regressions, step_figures,
};
use crate::measure::Ending;
use crate::render::{
    StepTitle, regressions_text, series_markdown, step_header, step_line, steps_table,
    thresholds_text,
};
use crate::spec::{RunSpec, StepLabel, Target};
use crate::store::{Growing, ResultFolder, STEPS, StoreError};
use crate::units::Nanos;
use std::collections::BTreeSet;

/// The file that says what came of the gate.
const GATE_JSON: &str = "gate.json";
/// Load after the window where the user has not chosen it.
const GUARD: Nanos = Nanos::SECOND;
/// What is measured, as an arm.
const NEW: &str = "new";
/// What it is measured against in turns, likewise.
const BASELINE: &str = "baseline";

/// Makes the runs, says what came of them, and judges.
pub fn repeat(request: &RunRequest, repetition: &Repetition, script: Option<Vec<u8>>) -> Exit {
    let baseline = repetition.baseline.as_ref();
    let against = baseline
        .map(|baseline| Against::load(baseline, &repetition.limits, &request.spec))
        .transpose();
    let against = match against {
        Ok(against) => against,
        Err(message) => return fail(Exit::Usage, &message),
    };
    let (needed, most) = match how_many(repetition, against.as_ref()) {
        Ok(numbers) => numbers,
        Err(message) => return fail(Exit::Usage, &message),
    };
    let places = match Places::open(&request.outputs) {
        Ok(places) => places,
        Err(message) => return fail(Exit::Usage, &message),
    };
    let signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return fail(Exit::Failed, &error),
    };
    if !request.outputs.quiet {
        for note in &request.notes {
            note!("note: {note}");
        }
    }
    let mut series = Series {
        request,
        repetition,
        against,
        script,
        signals,
        most,
        number: 0,
        runs: Vec::new(),
        outcomes: Vec::new(),
        conditions: Conditions::new(),
    };
    match series.make(needed) {
        Ok(()) => series.conclude(places),
        Err(exit) if series.runs.is_empty() => {
            places.abandon();
            exit
        }
        Err(exit) => {
            note!(
                "meshload: broken off after {} runs; what follows is of these",
                series.runs.len()
            );
            series.conclude(places);
            exit
        }
    }
}

/// Where the result goes besides the folders of the runs.
struct Places {
    folder: Option<ResultFolder>,
    summary: Option<Growing>,
    junit: Option<Growing>,
}

impl Places {
    /// Opens every place before the first request.
    fn open(outputs: &Outputs) -> Result<Places, String> {
        let named = |flag: &'static str| move |error: StoreError| format!("{flag}: {error}");
        let begin = |flag, path: &Option<std::path::PathBuf>| {
            let place = path.as_ref().map(|path| Growing::begin(path));
            place.transpose().map_err(named(flag))
        };
        let folder = outputs.folder.as_ref();
        Ok(Places {
            summary: begin("--summary-md", &outputs.summary)?,
            junit: begin("--junit", &outputs.junit)?,
            folder: folder
                .map(|path| ResultFolder::create(path))
                .transpose()
                .map_err(named("-o"))?,
        })
    }
}

/// The runs as they are made.
struct Series<'a> {
    request: &'a RunRequest,
    repetition: &'a Repetition,
    against: Option<Against>,
    script: Option<Vec<u8>>,
    signals: Signals,
    /// So many that can be believed are enough in any case.
    most: usize,
    /// Of the last run.
    number: u32,
    /// All runs of both sides.
    runs: Vec<(StepFigures, Verdict)>,
    /// What came of the thresholds in each run of the new side that can be believed.
    outcomes: Vec<Vec<Outcome>>,
    /// Under which the new side was measured.
    conditions: Conditions,
}

impl Series<'_> {
    /// Repetition after repetition, until the intervals are narrow or there are enough. A repetition
    /// that is INVALID is made again, at most as often as there are runs to make.
    fn make(&mut self, needed: usize) -> Result<(), Exit> {
        for repetition in 1..=2 * self.most as u32 {
            for arm in self.order(repetition) {
                self.run(arm, repetition)?;
            }
            if self.is_enough(needed) {
                break;
            }
        }
        Ok(())
    }

    /// Repetitions in which the rate was not held have no latencies to compare, so others are made in
    /// their place, unless that is the rule.
    fn is_enough(&self, needed: usize) -> bool {
        let believed = self.believed_repetitions().len();
        if self.against.is_none() {
            return believed >= self.most;
        }
        let is_held = |step: &&StepFigures| step.stability.is_held() == Some(true);
        let new = self.believed(NEW);
        let held = new.iter().filter(is_held).count();
        let is_lost = held * 2 <= believed;
        let is_narrow = || are_narrow(&self.gate().regressions);
        match believed {
            few if few < needed => false,
            all if all >= self.most => held >= needed || is_lost,
            _ => is_narrow(),
        }
    }

    /// Who goes first changes from block to block, so that neither is always the one that finds the
    /// caches warm.
    fn order(&self, repetition: u32) -> &'static [&'static str] {
        match self.live() {
            Some(_) if repetition % 2 == 1 => &[BASELINE, NEW],
            Some(_) => &[NEW, BASELINE],
            None => &[NEW],
        }
    }

    /// The system that is measured in turns with the new one.
    fn live(&self) -> Option<&Target> {
        self.against.as_ref()?.live.as_ref()
    }

    fn spec(&self, arm: &str, repetition: u32) -> RunSpec {
        let mut spec = self.request.spec.clone();
        if let (BASELINE, Some(live)) = (arm, self.live()) {
            spec.targets = vec![live.clone()];
        }
        // Both sides of a block are given the very same arrivals.
        spec.load.seed = spec.load.seed.wrapping_add(u64::from(repetition) - 1);
        if !self.request.guard_is_given {
            // What is in flight at the end could raise every percentile of a short run.
            spec.load.guard = GUARD;
        }
        spec.step = Some(StepLabel {
            number: self.number,
            arm: arm.to_owned(),
            repetition,
        });
        spec
    }

    fn run(&mut self, arm: &str, repetition: u32) -> Result<(), Exit> {
        self.number += 1;
        let spec = self.spec(arm, repetition);
        let name = format!("{:04}-{arm}-rep{repetition}", self.number);
        let folder = self.request.outputs.folder.as_ref();
        let outputs = Outputs {
            folder: folder.map(|folder| folder.join(STEPS).join(&name)),
            // What there is to say about the collector is said once.
            quiet: self.request.outputs.quiet || self.number > 1,
            ..Outputs::default()
        };
        let setting = Setting {
            script: self.script.clone(),
            outputs: &outputs,
            guard_is_given: self.request.guard_is_given,
            title: format!("{arm} {repetition} "),
            hides_progress: self.request.outputs.quiet,
            prints_to_stderr: true,
        };
        match measure(spec, &setting, &self.signals) {
            Ok(measured) => self.take(measured, arm, repetition),
            Err(error) => {
                let exit = self.signals.received();
                Err(fail(exit.unwrap_or(exit_of_nothing(&error)), &error))
            }
        }
    }

    /// Writes a run, tells it in a line, and keeps what is held against the others.
    fn take(&mut self, measured: Measured, arm: &str, repetition: u32) -> Result<(), Exit> {
        let thresholds = self.request.thresholds.iter();
        let thresholds: Vec<Outcome> = thresholds
            .map(|one| one.judge(&measured.finished.result))
            .collect();
        let (mut finished, verdict, Written { errors, .. }) = measured.write(&Gate::default());
        let result = &finished.result;
        let figures = step_figures(result, &verdict);
        if self.number == 1 {
            tell!("{}", step_header());
        }
        let title = StepTitle {
            number: self.number,
            of: self.planned(),
            arm,
            rate: figures.rate,
            repetition,
        };
        tell!(
            "{}",
            step_line(&title, result, &verdict, &figures.stability)
        );
        if let Some(error) = errors.first() {
            return Err(fail(Exit::Failed, error));
        }
        if let Some(error) = &finished.script_error {
            return Err(fail(Exit::Failed, &format!("the script failed: {error}")));
        }
        if result.ending == Ending::Interrupted {
            note!("meshload: interrupted; what was measured until then is above");
            return Err(self.signals.received().unwrap_or(Exit::Interrupted));
        }
        if let Some(why) = no_answer(result) {
            return Err(fail(Exit::Failed, &why));
        }
        if arm == NEW && verdict.level != Level::Invalid {
            add_conditions(&mut self.conditions, result);
            self.outcomes.push(thresholds);
        }
        self.runs.push((figures, verdict));
        finished.done().map_err(|error| fail(Exit::Failed, &error))
    }

    fn planned(&self) -> usize {
        let sides = self.order(1).len();
        (self.most * sides).max(self.number as usize)
    }

    /// The repetitions in which every side can be believed.
    fn believed_repetitions(&self) -> BTreeSet<u32> {
        let repetitions = |is_wanted: &dyn Fn(&Verdict) -> bool| -> BTreeSet<u32> {
            let runs = self.runs.iter().filter(|(_, verdict)| is_wanted(verdict));
            runs.map(|(step, _)| step.repetition).collect()
        };
        let is_invalid = |verdict: &Verdict| verdict.level == Level::Invalid;
        &repetitions(&|_| true) - &repetitions(&is_invalid)
    }

    /// The runs of a side in those repetitions.
    fn believed(&self, arm: &str) -> Vec<StepFigures> {
        let repetitions = self.believed_repetitions();
        let steps = self.runs.iter().map(|(step, _)| step);
        let believed =
            steps.filter(|step| step.arm == arm && repetitions.contains(&step.repetition));
        believed.cloned().collect()
    }

    fn thresholds(&self) -> Vec<Outcome> {
        let thresholds = self.request.thresholds.iter().enumerate();
        let over_runs = thresholds.map(|(at, threshold)| {
            let runs = self.outcomes.iter().map(|run| run[at].clone());
            threshold.over(&runs.collect::<Vec<_>>())
        });
        over_runs.collect()
    }

    /// Whether the runs of each side say something, and at least one of a repetition in which all do.
    fn is_believed(&self) -> bool {
        let sides = self.order(1).iter().map(|arm| {
            let runs = self.runs.iter().filter(|(step, _)| step.arm == *arm);
            runs.map(|(_, verdict)| verdict.clone()).collect::<Vec<_>>()
        });
        sides.into_iter().all(|verdicts| are_believed(&verdicts))
            && !self.believed_repetitions().is_empty()
    }

    fn gate(&self) -> Gate {
        let held_against = self.against.as_ref().map(|against| {
            let base = match self.live() {
                Some(_) => self.believed(BASELINE),
                None => against.steps.clone(),
            };
            let new = self.believed(NEW);
            regressions(&self.repetition.limits, &base, &new, against.pairing)
        });
        Gate {
            thresholds: self.thresholds(),
            regressions: held_against.unwrap_or_default(),
        }
    }

    fn tell(&self, gate: &Gate) {
        let thresholds = thresholds_text(&gate.thresholds);
        let Some(against) = &self.against else {
            let steps = self.runs.iter().map(|(step, _)| step.clone());
            let table = steps_table(NEW, &steps.collect::<Vec<_>>());
            return tell!("{}", (table + &thresholds).trim_end());
        };
        let regressions = regressions_text(&against.name, &gate.regressions);
        tell!("{}", (thresholds + &regressions).trim_end());
        for one in against.unlike(&self.conditions) {
            note!("note: not the same as in the baseline: {one}");
        }
    }

    /// Shows and writes what came of all runs.
    fn conclude(&self, places: Places) -> Exit {
        let gate = self.gate();
        self.tell(&gate);
        let verdicts = self.runs.iter().map(|(_, verdict)| verdict.clone());
        let verdicts: Vec<Verdict> = verdicts.collect();
        let is_believed = self.is_believed();
        let targets = self.request.spec.targets.iter();
        let urls: Vec<&str> = targets.map(|target| target.url.as_str()).collect();
        let baseline = self.against.as_ref().map(|against| against.name.as_str());
        let summary = series_markdown(&urls, &self.runs, baseline, &gate);
        pipeline::show(&summary, is_believed, &gate);
        let mut exit = match () {
            () if !is_believed => Exit::NotTrustworthy,
            () if gate.fails() => Exit::Threshold,
            () => Exit::Done,
        };
        let junit = junit_xml(&urls, &verdicts, &gate);
        for error in places.write(summary.as_bytes(), &junit, &gate) {
            exit = fail(Exit::Failed, &error);
        }
        exit
    }
}

impl Places {
    /// Leaves the folders of runs that were measured.
    fn abandon(self) {
        if let Some(folder) = self.folder {
            folder.abandon();
        }
    }

    fn write(self, summary: &[u8], junit: &[u8], gate: &Gate) -> Vec<StoreError> {
        let complete = |mut file: Growing, bytes: &[u8]| {
            file.append(bytes)?;
            file.finish()
        };
        let gate = serde_json::to_vec_pretty(gate).unwrap_or_default();
        let written = [
            self.summary.map(|file| complete(file, summary)),
            self.junit.map(|file| complete(file, junit)),
            self.folder.map(|folder| folder.finish(GATE_JSON, &gate)),
        ];
        let written = written.into_iter().flatten();
        written.filter_map(Result::err).collect()
    }
}

//! Several runs of one question: held against a baseline until the intervals are narrow enough.

use super::baseline::{LoadedBaseline, trial_of};
use super::fail;
use super::measurement::{Measured, Setting, Written, measure};
use super::pipeline;
use super::run::{exit_of_nothing, no_answer};
use super::signals::Signals;
use crate::cli::{Outputs, Repetition, RunRequest};
use crate::exit::Exit;
use crate::formats::junit_xml;
use crate::judge::{
    Conditions, Gate, JudgedRun, Level, Outcome, Step, Steps, Trial, Verdict, add_conditions,
};
use crate::measure::Ending;
use crate::render::{
    regressions_text, series_markdown, step_header, step_line, steps_table, thresholds_text,
};
use crate::spec::{RunSpec, StepLabel, Target};
use crate::store::{Growing, ResultFolder, STEPS, StoreError};
use crate::units::Nanos;

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
        .map(|baseline| LoadedBaseline::load(baseline, &repetition.limits, &request.spec))
        .transpose();
    let against = match against {
        Ok(against) => against,
        Err(message) => return fail(Exit::Usage, &message),
    };
    let trial = match trial_of(repetition, against.as_ref()) {
        Ok(trial) => trial,
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
        against,
        script,
        signals,
        trial,
        number: 0,
        runs: Vec::new(),
        verdicts: Vec::new(),
        outcomes: Vec::new(),
        conditions: Conditions::new(),
    };
    match series.make() {
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
    against: Option<LoadedBaseline>,
    script: Option<Vec<u8>>,
    signals: Signals,
    trial: Trial,
    /// Of the last run.
    number: u32,
    /// All runs of both sides.
    runs: Vec<Step>,
    verdicts: Vec<Verdict>,
    /// What came of the thresholds in each run of the new side that can be believed.
    outcomes: Vec<Vec<Outcome>>,
    /// Under which the new side was measured.
    conditions: Conditions,
}

impl Series<'_> {
    /// Repetition after repetition, until the intervals are narrow or there are enough. A repetition
    /// that is INVALID is made again, at most as often as there are runs to make.
    fn make(&mut self) -> Result<(), Exit> {
        for repetition in 1..=self.trial.last_repetition() {
            for arm in self.order(repetition) {
                self.run(arm, repetition)?;
            }
            if self.trial.is_enough(&Steps::from(&self.runs)) {
                break;
            }
        }
        Ok(())
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
            Ok(measured) => self.take(measured, arm),
            Err(error) => {
                let exit = self.signals.received();
                Err(fail(exit.unwrap_or(exit_of_nothing(&error)), &error))
            }
        }
    }

    /// Writes a run, tells it in a line, and keeps what is held against the others.
    fn take(&mut self, measured: Measured, arm: &str) -> Result<(), Exit> {
        let thresholds = self.request.thresholds.iter();
        let thresholds: Vec<Outcome> = thresholds
            .map(|one| one.judge(&measured.finished.result))
            .collect();
        let (mut finished, verdict, Written { errors, .. }) = measured.write(&Gate::default());
        let result = &finished.result;
        let run = JudgedRun::with_verdict(result.clone(), verdict.clone());
        let step = run.step();
        if self.number == 1 {
            tell!("{}", step_header());
        }
        tell!("{}", step_line(&step.key, self.planned(), &run));
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
        self.runs.push(step);
        self.verdicts.push(verdict);
        finished.done().map_err(|error| fail(Exit::Failed, &error))
    }

    fn planned(&self) -> usize {
        let sides = self.order(1).len();
        (self.trial.most * sides).max(self.number as usize)
    }

    fn thresholds(&self) -> Vec<Outcome> {
        let thresholds = self.request.thresholds.iter().enumerate();
        let over_runs = thresholds.map(|(at, threshold)| {
            let runs = self.outcomes.iter().map(|run| run[at].clone());
            threshold.over(&runs.collect::<Vec<_>>())
        });
        over_runs.collect()
    }

    fn gate(&self) -> Gate {
        Gate {
            thresholds: self.thresholds(),
            regressions: self.trial.regressions(&Steps::from(&self.runs)),
        }
    }

    fn tell(&self, gate: &Gate) {
        let thresholds = thresholds_text(&gate.thresholds);
        let Some(against) = &self.against else {
            let table = steps_table(NEW, &Steps::from(&self.runs));
            return tell!("{}", (table + &thresholds).trim_end());
        };
        let regressions = regressions_text(&against.name, &gate.regressions);
        tell!("{}", (thresholds + &regressions).trim_end());
        for one in against.differing_conditions(&self.conditions) {
            note!("note: not the same as in the baseline: {one}");
        }
    }

    /// Shows and writes what came of all runs.
    fn conclude(&self, places: Places) -> Exit {
        let gate = self.gate();
        self.tell(&gate);
        let steps = Steps::from(&self.runs);
        let is_believed = self.trial.is_believed(&steps);
        let targets = self.request.spec.targets.iter();
        let urls: Vec<&str> = targets.map(|target| target.url.as_str()).collect();
        let baseline = self.against.as_ref().map(|against| against.name.as_str());
        let summary = series_markdown(&urls, &steps, baseline, &gate);
        pipeline::show(&summary, is_believed, &gate);
        let mut exit = match () {
            () if !is_believed => Exit::NotTrustworthy,
            () if gate.fails() => Exit::Threshold,
            () => Exit::Done,
        };
        let junit = junit_xml(&urls, &self.verdicts, &gate);
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

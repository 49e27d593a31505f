//! `meshload run --repeat` and `--baseline`: a sweep of one rate whose repetitions end as soon as enough
//! is known, and what came of it.

use super::baseline::{LoadedBaseline, trial_of};
use super::failure::{CommandError, fail};
use super::output_files::{FlagFiles, write_outputs};
use super::outputs::{GateSource, gate_flag_outputs, gate_outputs};
use super::pipeline;
use super::signals::Signals;
use super::sweep::{Account, Driver};
use crate::cli::{Repetition, RunRequest};
use crate::clock::unix_now;
use crate::compare::Steps;
use crate::exit::Exit;
use crate::gate::{BASELINE_ARM, Gate, NEW_ARM, Outcome, Trial};
use crate::spec::{ClusterOptions, LoadOptions, RunSpec};
use crate::sweep::{
    Arm, Cooldown, Ended, Order, StepThreshold, SweepError, SweepFolder, SweepPlan, Until,
    WarmUpFirst, run,
};
use crate::text::{regressions_text, series_markdown, steps_table, thresholds_text};
use crate::units::Nanos;
use std::path::Path;

/// The guard (load after the window) that a trial has when the user gives none. Without it the requests in
/// flight at the end of the window could raise every percentile of a short run.
const GUARD: Nanos = Nanos::SECOND;

/// Makes the runs that are not in the folder yet, shows the comparison, and decides how the process exits.
pub fn trial(
    request: &RunRequest,
    repetition: &Repetition,
    script: Option<Vec<u8>>,
) -> Result<Exit, CommandError> {
    let (spec, outputs) = (&request.spec, &request.outputs);
    let baseline = repetition.baseline.as_ref();
    let baseline = baseline.map(|one| LoadedBaseline::load(one, &repetition.limits, spec));
    let baseline = baseline.transpose().map_err(CommandError::usage)?;
    let trial = trial_of(repetition, baseline.as_ref()).map_err(CommandError::usage)?;
    let not_text = |_| CommandError::usage("-s: the script is not UTF-8; save it as that");
    let script = script
        .map(String::from_utf8)
        .transpose()
        .map_err(not_text)?;
    let plan = plan_of(request, &trial, baseline.as_ref()).map_err(CommandError::usage)?;
    let gate_files = FlagFiles::begin(gate_flag_outputs(), outputs).map_err(CommandError::usage)?;
    let folder = match &outputs.folder {
        Some(path) => SweepFolder::open(path, &plan, script.as_deref(), unix_now())
            .map_err(|error| CommandError::usage(format!("-o: {error}")))?,
        None => SweepFolder::unsaved(unix_now()),
    };
    let signals = Signals::listen()?;
    if !outputs.quiet {
        for note in &request.notes {
            status!("note: {note}");
        }
    }
    let mut driver = Driver::new(&plan, &folder, script, signals.clone(), outputs.quiet);
    let ended = run(&plan, Some(&trial), &folder, &mut driver);
    let cut_short = cut_short(&ended, driver.exit, &signals);
    let outcome = TrialOutcome {
        request,
        trial: &trial,
        baseline: baseline.as_ref(),
        account: &driver.account,
    };
    Ok(match cut_short {
        Some(exit) if driver.account.records.is_empty() => exit,
        Some(exit) => {
            let runs = driver.account.records.len();
            status!("meshload: ended after {runs} runs; what follows is about these");
            outcome.conclude(gate_files, folder.path());
            exit
        }
        None => {
            let exit = outcome.conclude(gate_files, folder.path());
            // The script's done() may have failed although every run was made.
            driver.exit.unwrap_or(exit)
        }
    })
}

/// How the process exits when not all runs were made; `None` when they were.
fn cut_short(
    ended: &Result<Ended, SweepError>,
    of_run: Option<Exit>,
    signals: &Signals,
) -> Option<Exit> {
    let by_signal = signals.received();
    match ended {
        Ok(Ended::Done) => None,
        Ok(Ended::Interrupted) => {
            status!("meshload: interrupted; what was measured until then is above");
            Some(by_signal.unwrap_or(Exit::Interrupted))
        }
        Ok(Ended::Failures(_)) => by_signal.or(of_run).or(Some(Exit::Failed)),
        Ok(Ended::Arm(reason)) => Some(fail(by_signal.unwrap_or(Exit::Failed), reason)),
        Err(error) => Some(fail(Exit::Failed, error)),
    }
}

/// The runs as the plan of a sweep: one rate, the new system, and the system that is measured in turns
/// with it.
fn plan_of(
    request: &RunRequest,
    trial: &Trial,
    baseline: Option<&LoadedBaseline>,
) -> Result<SweepPlan, String> {
    let spec = &request.spec;
    let rate = spec.fixed_rate();
    let rate = rate.ok_or("-R: runs are compared at a fixed rate; give -R a number")?;
    let load = &spec.load;
    let mut plan = SweepPlan {
        name: "run".to_owned(),
        rates: vec![rate],
        repetitions: trial.most as u32,
        order: Order::Interleaved,
        seed: seed_of(request),
        warmup: load.warmup,
        measure: load.duration,
        guard: if load.guard_pinned { load.guard } else { GUARD },
        verify: false,
        cache_flush: false,
        cooldown: Cooldown::Fixed(Nanos::ZERO),
        warm_up_first: WarmUpFirst::none(),
        until: Some(Until::of(
            trial,
            baseline.map(|one| one.name.as_str()),
            load,
        )),
        load: load_options(spec),
        http: spec.http.clone(),
        reach: spec.reach.clone(),
        tls: spec.tls.clone(),
        recording: spec.recording.clone(),
        cluster: cluster_options(spec),
        arms: arms(spec, baseline),
        ..SweepPlan::default()
    };
    let about_new = request.thresholds.iter().map(|fail_if| StepThreshold {
        fail_if: fail_if.clone(),
        arm: Some(NEW_ARM.to_owned()),
        rate: None,
    });
    plan.thresholds = about_new.collect();
    plan.validate().map_err(|bad| bad.to_string())?;
    Ok(plan)
}

/// The seed of the runs. Runs that resume a folder keep the seed of its plan, unless the user chose one.
fn seed_of(request: &RunRequest) -> u64 {
    let load = &request.spec.load;
    let folder = request.outputs.folder.as_deref();
    let before = folder.and_then(|folder| SweepFolder::plan_of(folder).ok()?);
    match before {
        Some((before, _)) if !load.seed_pinned => before.seed,
        _ => load.seed,
    }
}

/// The arms of the plan. Its order is interleaved: the arm that goes first changes from block to block, so
/// that neither arm always finds the caches warm.
fn arms(spec: &RunSpec, baseline: Option<&LoadedBaseline>) -> Vec<Arm> {
    let arm = |name: &str, urls: &[String]| Arm {
        name: name.to_owned(),
        url: urls.first().cloned().unwrap_or_default(),
        more_urls: urls.get(1..).unwrap_or_default().to_vec(),
        ..Arm::default()
    };
    let live = baseline.and_then(|baseline| baseline.live.as_ref());
    let base = live.map(|live| arm(BASELINE_ARM, std::slice::from_ref(&live.url)));
    let urls: Vec<String> = spec.targets.iter().map(|one| one.url.clone()).collect();
    base.into_iter().chain([arm(NEW_ARM, &urls)]).collect()
}

fn load_options(spec: &RunSpec) -> LoadOptions {
    let load = &spec.load;
    let script = spec.script.as_ref();
    LoadOptions {
        script: script.map(|script| script.path.clone()),
        script_args: script.map_or_else(Vec::new, |script| script.args.clone()),
        headers: spec.headers.clone(),
        process: load.process,
        threads: load.threads,
        connections: load.connections,
        max_connections: Some(load.max_connections),
        pipeline: load.pipeline,
        pacing: load.pacing,
        timeout: load.timeout,
        abort_after: load.abort_after,
    }
}

fn cluster_options(spec: &RunSpec) -> ClusterOptions {
    let collect = spec.collect.clone();
    ClusterOptions {
        collect: collect.from,
        namespaces: collect.namespaces,
        all_namespaces: collect.all_namespaces,
        kubeconfig: collect.access.kubeconfig,
        context: collect.access.context,
        kube_url: collect.access.url,
        kubelet: collect.access.kubelet,
        exec: collect.exec,
        interval: collect.interval,
    }
}

/// The runs that were made, and what they are compared with.
struct TrialOutcome<'a> {
    request: &'a RunRequest,
    trial: &'a Trial,
    baseline: Option<&'a LoadedBaseline>,
    account: &'a Account<'a>,
}

impl TrialOutcome<'_> {
    fn gate(&self) -> Gate {
        Gate {
            thresholds: self.thresholds(),
            regressions: self.trial.regressions(&self.account.steps()),
        }
    }

    /// One outcome per threshold, over the new runs that are not INVALID.
    fn thresholds(&self) -> Vec<Outcome> {
        let thresholds = self.request.thresholds.iter().enumerate();
        let over_runs = thresholds.map(|(at, threshold)| {
            let valid = self.account.records.iter().filter(|one| one.is_valid());
            let outcomes = valid.flat_map(|record| &record.outcomes);
            let outcomes = outcomes.filter(|one| one.threshold == at);
            let outcomes: Vec<Outcome> = outcomes.map(|one| one.outcome.clone()).collect();
            threshold.over(&outcomes)
        });
        over_runs.collect()
    }

    fn show(&self, steps: &Steps<'_>, gate: &Gate) {
        let thresholds = thresholds_text(&gate.thresholds);
        let Some(baseline) = self.baseline else {
            let table = steps_table(NEW_ARM, steps);
            return outln!("{}", (table + &thresholds).trim_end());
        };
        let regressions = regressions_text(&baseline.name, &gate.regressions);
        outln!("{}", (thresholds + &regressions).trim_end());
        for one in baseline.differing_conditions(&self.account.conditions) {
            status!("note: not the same as in the baseline: {one}");
        }
    }

    /// Shows and writes the comparison of all runs.
    fn conclude(&self, gate_files: FlagFiles<GateSource>, folder: Option<&Path>) -> Exit {
        let (steps, gate) = (self.account.steps(), self.gate());
        self.show(&steps, &gate);
        let verdicts = self.account.records.iter().map(|one| one.verdict.clone());
        let targets = self.request.spec.targets.iter();
        let urls: Vec<&str> = targets.map(|target| target.url.as_str()).collect();
        let baseline = self.baseline.map(|baseline| baseline.name.as_str());
        let source = GateSource {
            is_believed: self.trial.is_believed(&steps),
            verdicts: verdicts.collect(),
            markdown: series_markdown(&urls, &steps, baseline, &gate),
            urls: urls.into_iter().map(str::to_owned).collect(),
            gate,
        };
        pipeline::show(&source);
        let mut exit = match () {
            () if !source.is_believed => Exit::NotTrustworthy,
            () if source.gate.fails() => Exit::Threshold,
            () => Exit::Done,
        };
        let mut errors = gate_files.write(&source);
        if let Some(folder) = folder {
            errors.extend(write_outputs(folder, gate_outputs(), &source));
        }
        for error in errors {
            exit = fail(Exit::Failed, &error);
        }
        exit
    }
}

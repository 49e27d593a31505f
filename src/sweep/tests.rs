//! The plan's order, what comes next, and what becomes of a sweep whose steps fail, are interrupted,
//! or were measured before; with a driver that measures nothing.

use super::*;
use crate::compare::Step;
use crate::compare::sample_steps;
use crate::files::run_to_json;
use crate::gate::{Trial, TrialBase};
use crate::measure::{Ending, sample};
use crate::spec::{LoadOptions, Offered, StepKey};
use crate::store::PLAN_JSON;
use crate::study::StudyMetadata;
use crate::units::{Nanos, Rate};
use crate::verdict::{JudgedRun, Level, Stability};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn arm(name: &str) -> Arm {
    Arm {
        name: name.to_owned(),
        url: "http://127.0.0.1:5000".to_owned(),
        ..Arm::default()
    }
}

fn rates(rates: &[f64]) -> Vec<Rate> {
    let rates = rates.iter().map(|rate| Rate::per_second(*rate));
    rates.map(|rate| rate.expect("a rate")).collect()
}

fn plan(arms: &[&str], of: &[f64], repetitions: u32) -> SweepPlan {
    SweepPlan {
        rates: rates(of),
        repetitions,
        arms: arms.iter().map(|name| arm(name)).collect(),
        ..SweepPlan::default()
    }
}

/// A step that was measured; whether its rate was held, where that is known.
fn found(key: &StepKey, is_good: Option<bool>) -> Step {
    let mut step = sample_steps::step(&key.arm, key.rate.as_f64(), key.repetition);
    step.key.number = key.number;
    step.figures.stability = match is_good {
        Some(true) => Stability::Held,
        Some(false) => Stability::NotHeld {
            reasons: Vec::new(),
        },
        None => Stability::Unknown {
            reason: "unknown".to_owned(),
        },
    };
    step
}

fn plans() -> impl Strategy<Value = SweepPlan> {
    let order = prop_oneof![
        Just(Order::Sequential),
        Just(Order::Interleaved),
        Just(Order::Random)
    ];
    let block = prop_oneof![Just(None), Just(Some(Block::Rate)), Just(Some(Block::Pass))];
    (1..4usize, 1..5usize, 1..5u32, order, block, any::<u64>()).prop_map(
        |(arms, count, repetitions, order, block, seed)| {
            let of: Vec<f64> = (1..=count).map(|rate| rate as f64 * 100.0).collect();
            SweepPlan {
                order,
                block,
                seed,
                ..plan(&["a", "b", "c"][..arms], &of, repetitions)
            }
        },
    )
}

proptest! {
    #[test]
    fn every_step_is_there_once_in_an_order_that_its_plan_fixes(plan in plans()) {
        let steps = plan.steps();
        let all: BTreeSet<_> = steps.iter().map(|step| (&step.arm, step.rate, step.repetition)).collect();
        prop_assert_eq!(all.len(), plan.arms.len() * plan.rates.len() * plan.repetitions as usize);
        prop_assert_eq!(all.len(), steps.len());
        prop_assert!(steps.iter().enumerate().all(|(at, step)| step.number as usize == at + 1));
        prop_assert_eq!(&steps, &plan.steps());
        // Nobody is measured twice before everybody was measured once.
        if plan.order != Order::Sequential {
            prop_assert!(steps.is_sorted_by_key(|step| step.repetition));
        }
        // All arms of a block are given the same arrivals.
        for step in &steps {
            let same = steps.iter().filter(|one| (one.rate, one.repetition) == (step.rate, step.repetition));
            prop_assert!(same.clone().all(|one| plan.seed_of(one) == plan.seed_of(step)));
        }
    }

    #[test]
    fn whatever_was_measured_before_the_rest_is_measured_once(plan in plans(), done in prop::collection::vec(any::<bool>(), 48)) {
        let steps = plan.steps();
        let mut progress = Progress::default();
        let before = steps.iter().zip(&done).filter(|(_, done)| **done);
        progress.measured.extend(before.map(|(step, _)| found(step, Some(true))));
        let before = progress.measured.len();
        while let Some(step) = next(&plan, &progress, None) {
            prop_assert!(progress.measured.iter().all(|one| one.key != step));
            progress.measured.push(found(&step, Some(true)));
        }
        prop_assert_eq!(progress.measured.len(), steps.len());
        prop_assert!(progress.measured[before..].is_sorted_by_key(|one| one.key.number));
    }

    #[test]
    fn a_step_is_known_by_what_it_measures_and_not_by_its_number(plan in plans(), shift in 1..1_000u32) {
        let mut progress = Progress::default();
        for step in plan.steps() {
            let number = step.number + shift;
            progress.measured.push(found(&StepKey { number, ..step }, Some(true)));
        }
        prop_assert_eq!(next(&plan, &progress, None), None);
    }

    #[test]
    fn a_search_ends_with_the_capacity_between_its_rates(capacity in 20.0..3_000.0f64, precision in 0.01..0.5f64) {
        let mut plan = plan(&["a"], &[100.0, 2_000.0], 1);
        plan.find_capacity = Some(CapacitySearch { slo: None, precision });
        let mut progress = Progress::default();
        while let Some(step) = next(&plan, &progress, None) {
            let is_good = Some(step.rate.as_f64() <= capacity);
            progress.measured.push(found(&step, is_good));
            prop_assert!(progress.measured.len() < 40, "it ends");
        }
        let numbers: BTreeSet<u32> = progress.measured.iter().map(|one| one.key.number).collect();
        prop_assert_eq!(numbers.len(), progress.measured.len());
        prop_assert!(is_settled(&plan, &progress, "a"));
        let Bracket { good, bad } = bracket(&progress, "a");
        prop_assert!(good.is_none_or(|good| good.as_f64() <= capacity));
        prop_assert!(bad.is_none_or(|bad| bad.as_f64() > capacity));
        match (good, bad) {
            (Some(good), Some(bad)) => prop_assert!(bad.as_f64() / good.as_f64() - 1.0 <= precision),
            (Some(good), None) => prop_assert_eq!(good.as_f64(), 2_000.0),
            (None, bad) => prop_assert_eq!(bad.map(Rate::as_f64), Some(100.0)),
        }
    }

    #[test]
    fn a_plan_comes_back_from_its_own_text(plan in plans(), flags in any::<[bool; 6]>()) {
        let mut plan = plan;
        plan.verify = flags[0];
        plan.cooldown = if flags[1] { Cooldown::Adaptive } else { Cooldown::Fixed(Nanos::from_millis(1500)) };
        plan.stop_when = flags[2].then_some(StopWhen::Unstable);
        plan.warm_up_first = if flags[3] { WarmUpFirst::none() } else { WarmUpFirst::default() };
        plan.arms[0].meshed = flags[4].then_some(flags[5]);
        plan.arms[0].labels = BTreeMap::from([("istio.io/rev".to_owned(), "canary".to_owned())]);
        plan.arms[0].patch = vec![Patch {
            api_version: "apps/v1".to_owned(),
            kind: "Deployment".to_owned(),
            name: "frontend".to_owned(),
            namespace: None,
            merge: serde_json::json!({ "spec": { "replicas": 2, "list": [1, 2] } }),
        }];
        // TOML holds whole numbers up to an i64.
        plan.seed >>= 1;
        let back = SweepPlan::from_toml(&plan.to_toml());
        prop_assert_eq!(back.as_ref(), Ok(&plan));
        prop_assert!(plan.differences(&plan).is_empty());
    }
}

fn order_of(plan: &SweepPlan) -> String {
    let steps = plan.steps();
    let names = steps
        .iter()
        .map(|step| format!("{}{}", step.arm, step.rate));
    names.collect::<Vec<_>>().join(" ")
}

#[test]
fn arms_take_turns_forwards_and_backwards() {
    let mut plan = plan(&["a", "b"], &[1.0, 2.0], 2);
    assert_eq!(order_of(&plan), "a1 a2 a1 a2 b1 b2 b1 b2");
    assert!(plan.warnings()[0].contains("interleaved"));
    plan.order = Order::Interleaved;
    assert_eq!(order_of(&plan), "a1 b1 b2 a2 a1 b1 b2 a2");
    assert!(plan.warnings().is_empty());
    // Changing the arm costs minutes: it is done once in a pass.
    plan.arms[1].before = vec!["make".to_owned()];
    assert_eq!(order_of(&plan), "a1 a2 b1 b2 b1 b2 a1 a2");
    plan.block = Some(Block::Rate);
    assert_eq!(order_of(&plan), "a1 b1 b2 a2 a1 b1 b2 a2");
}

#[test]
fn a_seed_fixes_a_random_order_and_another_gives_another() {
    let mut plan = plan(&["a", "b"], &[1.0, 2.0, 3.0, 4.0], 3);
    plan.order = Order::Random;
    let orders: BTreeSet<String> = (0..20)
        .map(|seed| {
            plan.seed = seed;
            order_of(&plan)
        })
        .collect();
    assert!(orders.len() > 15, "{orders:?}");
}

fn measured(plan: &SweepPlan, outcomes: &[(f64, bool)]) -> Progress {
    let mut progress = Progress::default();
    for (rate, is_good) in outcomes {
        let step = next(plan, &progress, None).expect("a step");
        assert_eq!(step.rate.as_f64(), *rate);
        progress.measured.push(found(&step, Some(*is_good)));
    }
    progress
}

#[test]
fn a_rate_that_is_not_held_is_measured_again_and_the_higher_ones_left_out() {
    let mut plan = plan(&["a"], &[100.0, 200.0, 300.0, 400.0], 1);
    plan.stop_when = Some(StopWhen::Unstable);
    let next_rate = |progress: &Progress| {
        let step = next(&plan, progress, None);
        step.map(|step| step.rate.as_f64())
    };
    let progress = measured(&plan, &[(100.0, true), (200.0, false), (200.0, false)]);
    assert_eq!(progress.measured[2].key.repetition, 2);
    assert_eq!(progress.measured[2].key.number, 5);
    assert_eq!(next_rate(&progress), None);
    // One hiccup is no verdict.
    let progress = measured(
        &plan,
        &[(100.0, true), (200.0, false), (200.0, true), (300.0, true)],
    );
    assert_eq!(next_rate(&progress), Some(400.0));
    // Not held once, and then it cannot be told: that ends, too.
    let mut doubtful = measured(&plan, &[(100.0, true), (200.0, false)]);
    while let Some(step) = next(&plan, &doubtful, None) {
        doubtful.measured.push(found(&step, None));
        assert!(doubtful.measured.len() < 12, "it ends");
    }
    // It cannot be told because the generator failed, and the sweep goes on.
    let mut unknown = measured(&plan, &[(100.0, true)]);
    unknown.measured[0] = found(&unknown.measured[0].key, None);
    assert_eq!(next_rate(&unknown), Some(200.0));
}

#[test]
fn a_search_that_learns_nothing_ends() {
    let mut plan = plan(&["a", "b"], &[100.0, 200.0], 1);
    plan.find_capacity = Some(CapacitySearch {
        slo: None,
        precision: 0.1,
    });
    let mut progress = Progress::default();
    while let Some(step) = next(&plan, &progress, None) {
        progress.measured.push(found(&step, None));
        assert!(progress.measured.len() < 20, "it ends");
    }
    assert_eq!(bracket(&progress, "a"), Bracket::default());
    assert!(!is_settled(&plan, &progress, "a"));
    assert!(progress.measured.iter().any(|one| one.key.arm == "b"));
}

#[test]
fn repetitions_are_made_until_enough_can_be_believed() {
    let mut plan = plan(&["new"], &[100.0], 2);
    plan.order = Order::Interleaved;
    let trial = Trial::new(TrialBase::None, Vec::new(), Some(2)).expect("a trial");
    let mut progress = Progress::default();
    let mut repetitions = Vec::new();
    while let Some(step) = next(&plan, &progress, Some(&trial)) {
        let mut one = found(&step, Some(true));
        if step.repetition == 1 {
            one.figures.level = Some(Level::Invalid);
        }
        repetitions.push(step.repetition);
        progress.measured.push(one);
    }
    // The first is INVALID, so a third is made in its place.
    assert_eq!(repetitions, [1, 2, 3]);
}

#[test]
fn a_trial_goes_on_in_the_middle_of_a_block_and_with_seeds_in_a_row() {
    let mut plan = plan(&["baseline", "new"], &[100.0], 6);
    plan.order = Order::Interleaved;
    plan.seed = 7;
    let trial = Trial::new(TrialBase::InTurns, Vec::new(), None).expect("a trial");
    plan.until = Some(Until::of(&trial, Some("http://other")));
    let steps = plan.steps();
    let seeds = steps[..4].iter().map(|step| plan.seed_of(step));
    assert_eq!(seeds.collect::<Vec<_>>(), [7, 7, 8, 8]);
    let mut progress = Progress::default();
    let before = steps[..3].iter().map(|step| found(step, Some(true)));
    progress.measured.extend(before);
    // The second block begins with the other arm.
    let step = next(&plan, &progress, Some(&trial)).expect("a step");
    assert_eq!((step.arm.as_str(), step.repetition), ("baseline", 2));
    assert_eq!(step, steps[3]);
}

#[test]
fn plans_say_where_they_differ() {
    let one = plan(&["a", "b"], &[1.0], 1);
    let mut other = one.clone();
    other.measure = Nanos::from_secs(30);
    other.arms[1].url = "http://127.0.0.1:6000".to_owned();
    let differences = one.differences(&other);
    assert_eq!(
        differences,
        [
            "arm[2].url: \"http://127.0.0.1:5000\" there, \"http://127.0.0.1:6000\" here",
            "measure: \"60s\" there, \"30s\" here",
        ]
    );
}

/// A plan.json as it was written before plans had `recording` and `abort_after`.
const OLD_PLAN: &str = r#"{
  "name": "two", "rates": [100, 200], "repetitions": 2, "order": "interleaved", "seed": 7,
  "warmup": "1s", "measure": "2s", "guard": "0s", "verify": false, "cache_flush": false,
  "cooldown": "0s", "switch": false,
  "warm_up_first": { "rate": 500, "length": "0s", "rest": "0s" },
  "load": {
    "script_args": [], "headers": ["A: 1", "Host: shop"], "process": "exp", "threads": 4,
    "connections": 100, "pipeline": 1, "pacing": "auto", "timeout": "2s"
  },
  "http": { "http2": false, "streams": 1, "no_keepalive": false },
  "reach": { "resolve": [], "local_addresses": [] },
  "tls": { "insecure": false, "min": "1.2", "no_resumption": false },
  "cluster": {
    "collect": "auto", "interval": "2s", "namespaces": [], "all_namespaces": false,
    "kubelet": "proxy", "exec": true
  },
  "arm": [{ "name": "a", "url": "http://127.0.0.1:5000", "collect": "process:name=hotel" }]
}"#;

#[test]
fn an_old_plan_means_what_it_meant() {
    let old: SweepPlan = serde_json::from_str(OLD_PLAN).expect("a plan");
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let today = SweepPlan {
        name: "two".to_owned(),
        order: Order::Interleaved,
        seed: 7,
        warmup: Nanos::from_secs(1),
        measure: Nanos::from_secs(2),
        guard: Nanos::ZERO,
        verify: false,
        cache_flush: false,
        cooldown: Cooldown::Fixed(Nanos::ZERO),
        warm_up_first: WarmUpFirst::none(),
        load: LoadOptions {
            headers: vec![header("A", "1"), header("Host", "shop")],
            ..LoadOptions::of_sweep()
        },
        arms: vec![Arm {
            collect: Some("process:name=hotel".parse().expect("a source")),
            ..arm("a")
        }],
        ..plan(&["a"], &[100.0, 200.0], 2)
    };
    assert!(
        old.differences(&today).is_empty(),
        "{:?}",
        old.differences(&today)
    );
    assert_eq!(old, today);
    let spec = old.run_spec(&old.steps()[0]).expect("a question");
    assert!(spec.recording.spectrum && spec.load.abort_after.is_none());
    // What was not said then is a difference to a plan that says it.
    let mut asks_more = today.clone();
    asks_more.load.abort_after = Some(Nanos::from_secs(5));
    asks_more.recording.requests_csv = true;
    let wanted = [
        "load.abort_after: null there, \"5s\" here",
        "recording.requests_csv: false there, true here",
    ];
    assert_eq!(old.differences(&asks_more), wanted);
}

/// A driver that measures nothing: what each step does is told beforehand.
struct Puppet {
    plan: SweepPlan,
    /// By number of the measurement, from 0: what happens instead of a result.
    fates: BTreeMap<usize, Fate>,
    measured: Vec<u32>,
    found: Vec<u32>,
    is_interrupted: bool,
    arms: Vec<String>,
    refuses: Option<usize>,
    rests: usize,
}

#[derive(Clone, Copy)]
enum Fate {
    Fails,
    Interrupted,
    NothingCompleted,
}

impl Puppet {
    fn new(plan: &SweepPlan, fates: impl IntoIterator<Item = (usize, Fate)>) -> Puppet {
        Puppet {
            plan: plan.clone(),
            fates: fates.into_iter().collect(),
            measured: Vec::new(),
            found: Vec::new(),
            is_interrupted: false,
            arms: Vec::new(),
            refuses: None,
            rests: 0,
        }
    }
}

impl Puppet {
    fn place(&self, arm: &str) -> Option<usize> {
        self.plan.arms.iter().position(|one| one.name == arm)
    }
}

impl ArmSetup for Puppet {
    fn restore_leftovers(&mut self) -> Result<bool, String> {
        Ok(false)
    }
    fn set_up_arm(&mut self, arm: &str) -> Result<Vec<String>, String> {
        let arm = self.place(arm).expect("an arm of the plan");
        self.arms.push(format!("+{arm}"));
        if self.refuses == Some(arm) {
            return Err("no such mesh".to_owned());
        }
        Ok(Vec::new())
    }
    fn tear_down_arm(&mut self, arm: &str) -> Result<(), String> {
        let arm = self.place(arm).expect("an arm of the plan");
        self.arms.push(format!("-{arm}"));
        Ok(())
    }
}

impl Measurer for Puppet {
    fn prepare(&mut self, _: &StepKey) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }
    fn measure(&mut self, step: &StepKey, folder: Option<&Path>) -> StepEnd {
        let fate = self.fates.get(&self.measured.len()).copied();
        self.measured.push(step.number);
        let mut result = match fate {
            Some(Fate::NothingCompleted) => sample::empty().result,
            _ => sample::ordinary().result,
        };
        result.spec.step = Some(step.label());
        result.spec.load.offered = Offered::Rate(step.rate);
        if matches!(fate, Some(Fate::Interrupted)) {
            result.ending = Ending::Interrupted;
            self.is_interrupted = true;
        }
        if matches!(fate, Some(Fate::Fails)) {
            return StepEnd::Failed("nobody answers".to_owned());
        }
        let run = JudgedRun::judge(result);
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder).expect("a folder");
            let json = run_to_json(&run);
            std::fs::write(folder.join("run.json"), json).expect("a file");
        }
        match fate {
            Some(Fate::Interrupted) => StepEnd::Interrupted,
            _ => StepEnd::Measured(Box::new(run)),
        }
    }
    fn cool_down(&mut self) -> String {
        self.rests += 1;
        "briefly".to_owned()
    }
}

impl Observer for Puppet {
    fn now(&self) -> Nanos {
        Nanos::from_secs(1)
    }
    fn is_interrupted(&self) -> bool {
        self.is_interrupted
    }
    fn on_event(&mut self, _: &Event, _: usize) {}
    fn on_step_found(&mut self, step: &StepKey, _: &JudgedRun) {
        self.found.push(step.number);
    }
    fn on_step_finished(&mut self, _: &StepKey, _: &JudgedRun) {}
    fn metadata(&self) -> StudyMetadata {
        StudyMetadata::default()
    }
}

fn open(path: &Path, plan: &SweepPlan) -> SweepFolder {
    SweepFolder::open(path, plan, None, Nanos::from_secs(1)).expect("a folder")
}

fn journal(path: &Path) -> Vec<Event> {
    let bytes = std::fs::read(path.join("journal.jsonl")).expect("a journal");
    let lines = Line::read_all(&bytes).into_iter();
    lines.map(|line| line.event).collect()
}

#[test]
fn steps_that_fail_or_bring_nothing_home_are_done_when_the_sweep_goes_on() {
    let home = tempfile::tempdir().expect("a folder");
    let plan = plan(&["a"], &[1.0, 2.0, 3.0, 4.0], 1);
    let folder = open(home.path(), &plan);
    let mut driver = Puppet::new(&plan, [(1, Fate::Fails), (2, Fate::NothingCompleted)]);
    let ended = run(&plan, None, &folder, &mut driver).expect("a sweep");
    let Ended::Failures(reasons) = ended else {
        panic!("{ended:?}");
    };
    assert_eq!(
        reasons,
        [
            "0002-a-2-rep1: nobody answers",
            "0003-a-3-rep1: not one request was completed"
        ]
    );
    assert_eq!(driver.measured, [1, 2, 3, 4]);
    drop(folder);
    let folder = open(home.path(), &plan);
    let mut driver = Puppet::new(&plan, []);
    assert_eq!(
        run(&plan, None, &folder, &mut driver).expect("a sweep"),
        Ended::Done
    );
    assert_eq!(driver.measured, [2, 3]);
    // Between two steps there is a rest, after the last there is none.
    assert_eq!(driver.rests, 1);
    let finished = journal(home.path());
    let finished = finished
        .iter()
        .filter(|event| matches!(event, Event::StepFinished { .. }));
    assert_eq!(finished.count(), 4);
}

#[test]
fn three_failures_in_a_row_end_a_sweep_and_the_system_is_put_back() {
    let home = tempfile::tempdir().expect("a folder");
    let plan = plan(&["a"], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 1);
    let folder = open(home.path(), &plan);
    let fates = [0, 2, 3, 4].map(|at| (at, Fate::Fails));
    let mut driver = Puppet::new(&plan, fates);
    let ended = run(&plan, None, &folder, &mut driver).expect("a sweep");
    assert!(
        matches!(ended, Ended::Failures(ref reasons) if reasons.len() == 4),
        "{ended:?}"
    );
    assert_eq!(driver.measured, [1, 2, 3, 4, 5]);
    assert_eq!(driver.arms, ["+0", "-0"]);
}

#[test]
fn an_interrupted_step_is_set_aside_and_measured_again() {
    let home = tempfile::tempdir().expect("a folder");
    let plan = plan(&["a", "b"], &[1.0, 2.0], 1);
    let folder = open(home.path(), &plan);
    let mut driver = Puppet::new(&plan, [(2, Fate::Interrupted)]);
    assert_eq!(
        run(&plan, None, &folder, &mut driver).expect("a sweep"),
        Ended::Interrupted
    );
    assert_eq!(driver.arms, ["+0", "-0", "+1", "-1"]);
    drop(folder);
    let folder = open(home.path(), &plan);
    let mut driver = Puppet::new(&plan, []);
    assert_eq!(
        run(&plan, None, &folder, &mut driver).expect("a sweep"),
        Ended::Done
    );
    assert_eq!(driver.measured, [3, 4]);
    assert_eq!(driver.arms, ["+1", "-1"]);
    assert!(home.path().join("aside/0003-b-1-rep1.1/run.json").exists());
    let events = journal(home.path());
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::SetAside { .. }))
    );
    assert!(
        matches!(
            events.last(),
            Some(Event::Ended {
                measured: 4,
                failed: 0,
                ..
            })
        ),
        "{events:?}"
    );
}

#[test]
fn an_arm_that_cannot_be_made_is_unmade_and_ends_the_sweep() {
    let home = tempfile::tempdir().expect("a folder");
    let plan = plan(&["a", "b"], &[1.0], 1);
    let folder = open(home.path(), &plan);
    let mut driver = Puppet::new(&plan, []);
    driver.refuses = Some(1);
    let ended = run(&plan, None, &folder, &mut driver).expect("a sweep");
    assert_eq!(ended, Ended::Arm("no such mesh".to_owned()));
    assert_eq!(driver.arms, ["+0", "-0", "+1", "-1"]);
    assert_eq!(driver.measured, [1]);
}

#[test]
fn a_journal_that_was_torn_is_read_and_written_on() {
    let home = tempfile::tempdir().expect("a folder");
    let plan = plan(&["a"], &[1.0], 1);
    std::fs::write(home.path().join(".lock"), "").expect("a file");
    let folder = open(home.path(), &plan);
    std::fs::write(home.path().join("journal.jsonl"), "{\"unix_ns\":1,\"eve").expect("a file");
    let mut driver = Puppet::new(&plan, []);
    assert_eq!(
        run(&plan, None, &folder, &mut driver).expect("a sweep"),
        Ended::Done
    );
    assert!(matches!(
        journal(home.path())[0],
        Event::Began { measured: 0, .. }
    ));
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let home = tempfile::tempdir().expect("a folder");
    let plan = plan(&["a"], &[1.0], 1);
    std::fs::write(home.path().join("mine.txt"), "precious").expect("a file");
    let error = SweepFolder::open(home.path(), &plan, None, Nanos::ZERO).expect_err("not empty");
    assert!(error.to_string().contains("not empty"), "{error}");
    let home = tempfile::tempdir().expect("a folder");
    std::fs::write(home.path().join(PLAN_JSON), "{}").expect("a file");
    let error = SweepFolder::open(home.path(), &plan, None, Nanos::ZERO).expect_err("no plan");
    assert!(error.to_string().contains("plan.json"), "{error}");
}

#[test]
fn a_finished_step_of_another_order_is_not_measured_again() {
    let home = tempfile::tempdir().expect("a folder");
    let plan = plan(&["a", "b"], &[1.0, 2.0], 1);
    let folder = open(home.path(), &plan);
    let mut driver = Puppet::new(&plan, [(2, Fate::Interrupted)]);
    run(&plan, None, &folder, &mut driver).expect("a sweep");
    assert_eq!(driver.measured, [1, 2, 3]);
    drop(folder);
    // Steps whose numbers and folders are those of another order, as an earlier version may have had.
    let steps = home.path().join("steps");
    for (from, number) in [("0001-a-1-rep1", 12), ("0002-a-2-rep1", 11)] {
        let bytes = std::fs::read(steps.join(from).join("run.json")).expect("a run");
        let mut json: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        json["spec"]["step"]["number"] = number.into();
        let to = steps.join(from.replace("000", "009"));
        std::fs::rename(steps.join(from), &to).expect("renamed");
        std::fs::write(to.join("run.json"), json.to_string()).expect("a file");
    }
    let folder = open(home.path(), &plan);
    let mut driver = Puppet::new(&plan, []);
    let ended = run(&plan, None, &folder, &mut driver).expect("a sweep");
    assert_eq!(ended, Ended::Done);
    assert_eq!((driver.found, driver.measured), (vec![12, 11], vec![3, 4]));
}

#[test]
fn a_sweep_that_is_kept_nowhere_measures_all_the_same() {
    let plan = plan(&["a"], &[1.0, 2.0], 1);
    let folder = SweepFolder::nowhere(Nanos::from_secs(1));
    let mut driver = Puppet::new(&plan, []);
    let ended = run(&plan, None, &folder, &mut driver).expect("a sweep");
    assert_eq!(ended, Ended::Done);
    assert_eq!(driver.measured, [1, 2]);
}

//! Whole sweeps whose steps fail, are interrupted or were measured before, with a driver that measures nothing.

use super::*;

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
    fn on_event(&mut self, _: &JournalEvent, _: usize) {}
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

fn journal(path: &Path) -> Vec<JournalEvent> {
    let bytes = std::fs::read(path.join("journal.jsonl")).expect("a journal");
    let lines = bytes.split(|byte| *byte == b'\n');
    let whole = lines.filter_map(|line| serde_json::from_slice::<JournalLine>(line).ok());
    whole.map(|line| line.event).collect()
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
        .filter(|event| matches!(event, JournalEvent::StepFinished { .. }));
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
            .any(|event| matches!(event, JournalEvent::SetAside { .. }))
    );
    assert!(
        matches!(
            events.last(),
            Some(JournalEvent::Ended {
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
        JournalEvent::Began { measured: 0, .. }
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
    let folder = SweepFolder::unsaved(Nanos::from_secs(1));
    let mut driver = Puppet::new(&plan, []);
    let ended = run(&plan, None, &folder, &mut driver).expect("a sweep");
    assert_eq!(ended, Ended::Done);
    assert_eq!(driver.measured, [1, 2]);
}

//! Making an arm, seeing that it is what it should be, and putting the system back.

use super::super::check;
use super::super::signals::Signals;
use super::hooks::{self, Hook};
use crate::collect::preflight;
use crate::findings::{Finding, State};
use crate::kube::ObjectName;
use crate::operate::{Membership, Operator, Undo};
use crate::spec::{CollectFrom, RunSpec, StepKey};
use crate::store::{read_if_there, remove_if_there, write_file};
use crate::sweep::{Arm, SweepPlan};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What was changed and not yet put back; on the disk before it is changed.
const UNDO_JSON: &str = "undo.json";

/// The ways back.
pub struct UndoLog {
    path: Option<PathBuf>,
    kept: UndoFile,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct UndoFile {
    /// The arm whose commands have to unmake it.
    arm: Option<String>,
    /// What is to be done to the cluster; it is done last to first.
    cluster: Vec<Undo>,
}

impl UndoLog {
    /// None yet.
    pub fn empty(folder: Option<&Path>) -> UndoLog {
        UndoLog {
            path: folder.map(|folder| folder.join(UNDO_JSON)),
            kept: UndoFile::default(),
        }
    }

    /// Those that an earlier process left behind, in the sweep's folder.
    ///
    /// # Errors
    /// When the file cannot be read or understood.
    pub fn left_in(folder: Option<&Path>) -> Result<UndoLog, String> {
        let mut log = UndoLog::empty(folder);
        let Some(path) = &log.path else {
            return Ok(log);
        };
        let bytes = read_if_there(path).map_err(|error| error.to_string())?;
        if let Some(bytes) = bytes {
            log.kept = serde_json::from_slice(&bytes).map_err(|error| {
                format!(
                    "{}: {error}; it says how the system is put back: do that, then remove it",
                    path.display()
                )
            })?;
        }
        Ok(log)
    }

    fn keep(&mut self, undo: Undo) -> Result<(), String> {
        self.kept.cluster.push(undo);
        self.write()
    }

    /// The arm's commands are about to make it, or (`None`) have unmade it.
    fn keep_arm(&mut self, arm: Option<&str>) -> Result<(), String> {
        self.kept.arm = arm.map(str::to_owned);
        self.write()
    }

    /// On the disk as here; without anything to put back there is no file.
    fn write(&self) -> Result<(), String> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let outcome = if self.kept == UndoFile::default() {
            remove_if_there(path)
        } else {
            let json = serde_json::to_vec_pretty(&self.kept).unwrap_or_default();
            write_file(path, &json)
        };
        outcome.map_err(|error| error.to_string())
    }

    /// The arm that was made by commands and not unmade.
    pub fn arm(&self) -> Option<&str> {
        self.kept.arm.as_deref()
    }

    /// Whether the cluster has to be put back.
    pub fn is_of_cluster(&self) -> bool {
        !self.kept.cluster.is_empty()
    }

    /// Puts the cluster back, last change first.
    ///
    /// # Errors
    /// What could not be put back; it and what came before it are kept for another try.
    pub fn take_back(&mut self, operator: &Operator) -> Result<(), String> {
        while let Some(undo) = self.kept.cluster.last() {
            operator.undo(undo).map_err(|error| {
                format!(
                    "the cluster could not be put back: {error}; {UNDO_JSON} in the sweep's folder has what is left to do"
                )
            })?;
            self.kept.cluster.pop();
            // A full disk must not keep the rest from being put back; to do it twice does no harm.
            let _ = self.write();
        }
        self.write()
    }
}

/// What making an arm needs.
pub struct ArmCommands<'a> {
    /// The plan that it belongs to.
    pub plan: &'a SweepPlan,
    /// The arm.
    pub arm: &'a Arm,
    /// The cluster, where there is one.
    pub operator: Option<&'a Operator>,
    /// What its steps ask, at whatever rate.
    pub spec: RunSpec,
    /// The text of the sweep's script.
    pub script: Option<&'a [u8]>,
    /// Where hooks log.
    pub log: &'a Path,
    /// Ends waiting.
    pub signals: &'a Signals,
}

impl ArmCommands<'_> {
    /// The application's namespace.
    pub fn namespace(&self) -> String {
        let named = self.spec.collect.namespaces.first().cloned();
        let default = || self.operator.map(|one| one.default_namespace.clone());
        named.or_else(default).unwrap_or_default()
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("MESHLOAD_ARM", self.arm.name.clone()),
            ("MESHLOAD_URL", self.arm.url.clone()),
            ("MESHLOAD_NAMESPACE", self.namespace()),
        ]
    }

    fn hooks(&self, name: &str, commands: &[String], is_stoppable: bool) -> Result<(), String> {
        self.hooks_with(name, commands, is_stoppable, self.environment())
    }

    fn hooks_with(
        &self,
        name: &str,
        commands: &[String],
        is_stoppable: bool,
        environment: Vec<(&'static str, String)>,
    ) -> Result<(), String> {
        for command in commands {
            let hook = Hook {
                name,
                command,
                environment: &environment,
                log: self.log,
            };
            hooks::run(&hook, is_stoppable.then_some(self.signals))?;
        }
        Ok(())
    }

    /// Makes it, and sees that it is what it should be; says what was done and found.
    ///
    /// # Errors
    /// Why not, with the cure.
    pub fn make(&self, undo: &mut UndoLog) -> Result<Vec<String>, String> {
        let mut notes = Vec::new();
        if !self.arm.before.is_empty() || !self.arm.after.is_empty() {
            undo.keep_arm(Some(&self.arm.name))?;
        }
        self.hooks("before", &self.arm.before, true)?;
        self.change(undo, &mut notes)?;
        self.hooks("verify", &self.arm.verify, true)?;
        if self.plan.verify {
            self.verify(&mut notes)?;
        }
        Ok(notes)
    }

    /// Unmakes what commands made, if they did; changes of the cluster are taken back besides.
    ///
    /// # Errors
    /// Which command failed; the next session tries it again.
    pub fn unmake(&self, undo: &mut UndoLog) -> Result<(), String> {
        if undo.arm() != Some(&self.arm.name) {
            return Ok(());
        }
        self.hooks("after", &self.arm.after, false)?;
        undo.keep_arm(None)
    }

    /// Runs the commands that come before each of its steps; says which.
    ///
    /// # Errors
    /// Which command failed.
    pub fn reset(&self, step: &StepKey) -> Result<Vec<String>, String> {
        let mut environment = self.environment();
        environment.push(("MESHLOAD_RATE", step.rate.to_string()));
        environment.push(("MESHLOAD_REPETITION", step.repetition.to_string()));
        self.hooks_with("reset", &self.arm.reset, true, environment)?;
        let commands = self.arm.reset.iter();
        Ok(commands
            .map(|command| format!("reset: {command}"))
            .collect())
    }

    fn change(&self, undo: &mut UndoLog, notes: &mut Vec<String>) -> Result<(), String> {
        let arm = self.arm;
        let switches = self.plan.switch && arm.meshed.is_some();
        if arm.apply.is_empty() && arm.patch.is_empty() && !switches {
            return Ok(());
        }
        let operator = self.operator.ok_or(
            "there is no cluster to change; give --kubeconfig or --kube-url, or leave apply, patch and switch out",
        )?;
        let namespace = self.namespace();
        let mut keep = |change| undo.keep(change);
        for path in &arm.apply {
            let place = path.display();
            let yaml = std::fs::read_to_string(path)
                .map_err(|error| format!("apply: cannot read {place}: {error}; check the path"))?;
            let applied = operator.apply(&yaml, &namespace, &mut keep);
            notes.extend(applied.map_err(|error| format!("apply: {place}: {error}"))?);
        }
        for patch in &arm.patch {
            let object = ObjectName {
                api_version: patch.api_version.clone(),
                kind: patch.kind.clone(),
                namespace: patch.namespace.clone().unwrap_or(namespace.clone()),
                name: patch.name.clone(),
            };
            let changed = operator.patch(&object, &merge_of(&patch.merge)?, &mut keep);
            let changed = changed.map_err(|error| format!("patch: {error}"))?;
            notes.push(if changed {
                format!("{object} patched")
            } else {
                format!("{object} is as it should be")
            });
        }
        let is_interrupted = || self.signals.received().is_some();
        if let (true, Some(into_mesh)) = (switches, arm.meshed) {
            let switched = operator.switch(
                &namespace,
                &arm.labels,
                into_mesh,
                &mut keep,
                &is_interrupted,
            );
            notes.extend(switched.map_err(|error| format!("switch: {error}"))?);
        }
        let settled = operator.settle(&namespace, &is_interrupted);
        settled.map_err(|error| error.to_string())
    }

    /// Target, cluster, labels and mesh.
    fn verify(&self, notes: &mut Vec<String>) -> Result<(), String> {
        let script = self.script.map(<[u8]>::to_vec);
        let mut findings = check::try_target(self.spec.clone(), script, self.signals);
        let from_cluster = matches!(
            self.spec.collect.from,
            CollectFrom::Kube | CollectFrom::Auto
        );
        if from_cluster && self.operator.is_some() {
            findings.extend(preflight(&self.spec.collect));
        }
        let bad: Vec<String> = findings
            .iter()
            .filter(|finding| finding.state == State::Bad)
            .map(told)
            .collect();
        if !bad.is_empty() {
            return Err(format!(
                "the arm {} cannot be measured:\n  {}\n--skip-verify measures nonetheless",
                self.arm.name,
                bad.join("\n  ")
            ));
        }
        let warnings = findings.iter().filter(|one| one.state == State::Warn);
        notes.extend(warnings.map(told));
        self.verify_mesh(notes)
    }

    fn verify_mesh(&self, notes: &mut Vec<String>) -> Result<(), String> {
        let arm = self.arm;
        if arm.meshed.is_none() && arm.labels.is_empty() {
            return Ok(());
        }
        let Some(operator) = self.operator else {
            if !arm.labels.is_empty() {
                return Err("there is no cluster whose labels could be looked at; give --kubeconfig or --kube-url".to_owned());
            }
            if arm.meshed == Some(true) {
                return Err("there is no cluster in which it could be seen that every pod is in the mesh; give --kubeconfig, --kube-url or --collect kube, or --skip-verify".to_owned());
            }
            notes.push("not verified that no pod is in the mesh: there is no cluster".to_owned());
            return Ok(());
        };
        let verified = operator.verify(Membership {
            namespace: &self.namespace(),
            labels: &arm.labels,
            meshed: arm.meshed,
        });
        notes.extend(verified.map_err(|error| error.to_string())?);
        Ok(())
    }
}

fn told(finding: &Finding) -> String {
    let cure = finding.cure.as_ref();
    let cure = cure.map_or(String::new(), |cure| format!("; {cure}"));
    format!("{}: {}{cure}", finding.name, finding.message)
}

/// A table, or a text with JSON or YAML in it.
fn merge_of(typed: &Value) -> Result<Value, String> {
    match typed {
        Value::String(text) => serde_saphyr::from_str(text)
            .map_err(|error| format!("patch: merge is neither JSON nor YAML: {error}")),
        table => Ok(table.clone()),
    }
}

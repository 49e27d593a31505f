//! Sets an arm up, verifies that it is what the plan says, and tears it down: commands of the user, changes
//! of the cluster, checks.

use super::super::check;
use super::super::signals::Signals;
use super::hooks::{self, Hook};
use super::undo_log::UndoLog;
use crate::collect::preflight;
use crate::findings::{Finding, State};
use crate::kube::ObjectName;
use crate::operate::{Membership, Operator};
use crate::spec::{CollectFrom, RunSpec, StepKey};
use crate::sweep::{Arm, SweepPlan};
use serde_json::Value;
use std::path::Path;

/// An arm with what setting it up needs.
pub struct ArmCommands<'a> {
    pub plan: &'a SweepPlan,
    pub arm: &'a Arm,
    /// Changes the cluster; `None` when the sweep has no cluster.
    pub operator: Option<&'a Operator>,
    /// The specification of the arm's runs; the rate in it is not used.
    pub spec: RunSpec,
    /// The text of the script.
    pub script: Option<&'a [u8]>,
    /// The file that receives the output of the user's commands.
    pub log: &'a Path,
    /// A signal ends commands and waits.
    pub signals: &'a Signals,
}

impl ArmCommands<'_> {
    /// The application's namespace; empty without a cluster.
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

    fn run_hooks(&self, name: &str, commands: &[String], is_stoppable: bool) -> Result<(), String> {
        self.run_hooks_with(name, commands, is_stoppable, self.environment())
    }

    fn run_hooks_with(
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

    /// Sets the arm up and verifies it; returns notes on what was done and found.
    ///
    /// # Errors
    /// Why the arm cannot be measured, with the cure.
    pub fn set_up(&self, undo: &mut UndoLog) -> Result<Vec<String>, String> {
        let mut notes = Vec::new();
        if !self.arm.before.is_empty() || !self.arm.after.is_empty() {
            undo.set_arm(Some(&self.arm.name))?;
        }
        self.run_hooks("before", &self.arm.before, true)?;
        self.change_cluster(undo, &mut notes)?;
        self.run_hooks("verify", &self.arm.verify, true)?;
        if self.plan.verify {
            self.verify(&mut notes)?;
        }
        Ok(notes)
    }

    /// Runs the `after` commands, if the `before` commands were run. Changes of the cluster are undone by
    /// [`UndoLog::roll_back`].
    ///
    /// # Errors
    /// The command that failed; the next session runs it again.
    pub fn tear_down(&self, undo: &mut UndoLog) -> Result<(), String> {
        if undo.arm() != Some(&self.arm.name) {
            return Ok(());
        }
        self.run_hooks("after", &self.arm.after, false)?;
        undo.set_arm(None)
    }

    /// Runs the `reset` commands, which come before each step of the arm; returns a note for each.
    ///
    /// # Errors
    /// The command that failed.
    pub fn reset(&self, step: &StepKey) -> Result<Vec<String>, String> {
        let mut environment = self.environment();
        environment.push(("MESHLOAD_RATE", step.rate.to_string()));
        environment.push(("MESHLOAD_REPETITION", step.repetition.to_string()));
        self.run_hooks_with("reset", &self.arm.reset, true, environment)?;
        let commands = self.arm.reset.iter();
        Ok(commands
            .map(|command| format!("reset: {command}"))
            .collect())
    }

    /// Makes the changes of the cluster that the plan asks for, and waits until the pods are ready.
    fn change_cluster(&self, undo: &mut UndoLog, notes: &mut Vec<String>) -> Result<(), String> {
        let arm = self.arm;
        let switches = self.plan.switch && arm.meshed.is_some();
        if arm.apply.is_empty() && arm.patch.is_empty() && !switches {
            return Ok(());
        }
        let operator = self.operator.ok_or(
            "there is no cluster to change; give --kubeconfig or --kube-url, or leave apply, patch and switch out",
        )?;
        let namespace = self.namespace();
        let mut keep = |change| undo.add(change);
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
                format!("{object} needs no change")
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

    /// Checks target, cluster, labels and membership in the mesh.
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
            .map(finding_text)
            .collect();
        if !bad.is_empty() {
            return Err(format!(
                "the arm {} cannot be measured:\n  {}\n--skip-verify measures nonetheless",
                self.arm.name,
                bad.join("\n  ")
            ));
        }
        let warnings = findings.iter().filter(|one| one.state == State::Warn);
        notes.extend(warnings.map(finding_text));
        self.verify_mesh(notes)
    }

    fn verify_mesh(&self, notes: &mut Vec<String>) -> Result<(), String> {
        let arm = self.arm;
        if arm.meshed.is_none() && arm.labels.is_empty() {
            return Ok(());
        }
        let Some(operator) = self.operator else {
            if !arm.labels.is_empty() {
                return Err("labels cannot be checked, because there is no cluster; give --kubeconfig or --kube-url".to_owned());
            }
            if arm.meshed == Some(true) {
                return Err("that every pod is in the mesh cannot be checked, because there is no cluster; give --kubeconfig, --kube-url or --collect kube, or --skip-verify".to_owned());
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

fn finding_text(finding: &Finding) -> String {
    let cure = finding.cure.as_ref();
    let cure = cure.map_or(String::new(), |cure| format!("; {cure}"));
    format!("{}: {}{cure}", finding.name, finding.message)
}

/// The patch as a value. A plan has it as a table, or as a text in JSON or YAML.
fn merge_of(typed: &Value) -> Result<Value, String> {
    match typed {
        Value::String(text) => serde_saphyr::from_str(text)
            .map_err(|error| format!("patch: merge is neither JSON nor YAML: {error}")),
        table => Ok(table.clone()),
    }
}

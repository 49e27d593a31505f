//! What a sweep has changed and has still to undo. It is written to disk before each change, so that a
//! later process can undo the changes of one that was killed.

use crate::operate::{Operator, Undo};
use crate::store::{read_if_there, remove_if_there, write_file};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const UNDO_JSON: &str = "undo.json";

/// The changes that are not undone yet.
pub struct UndoLog {
    /// The path of the undo file; `None` for a sweep without a folder.
    path: Option<PathBuf>,
    file: UndoFile,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct UndoFile {
    /// The arm that was set up by commands and has to be torn down by commands.
    arm: Option<String>,
    /// Changes of the cluster, in the order in which they were made; they are undone in reverse.
    cluster: Vec<Undo>,
}

impl UndoLog {
    /// A log without changes.
    pub fn empty(folder: Option<&Path>) -> UndoLog {
        UndoLog {
            path: folder.map(|folder| folder.join(UNDO_JSON)),
            file: UndoFile::default(),
        }
    }

    /// The changes that an earlier process left in the sweep's folder.
    ///
    /// # Errors
    /// The undo file cannot be read or understood.
    pub fn read_from(folder: Option<&Path>) -> Result<UndoLog, String> {
        let mut log = UndoLog::empty(folder);
        let Some(path) = &log.path else {
            return Ok(log);
        };
        let bytes = read_if_there(path).map_err(|error| error.to_string())?;
        if let Some(bytes) = bytes {
            log.file = serde_json::from_slice(&bytes).map_err(|error| {
                format!(
                    "{}: {error}; the file lists what has to be restored: restore it by hand, then remove the file",
                    path.display()
                )
            })?;
        }
        Ok(log)
    }

    /// Records a change of the cluster that is about to be made.
    ///
    /// # Errors
    /// The undo file cannot be written; the change must not be made then.
    pub fn add(&mut self, undo: Undo) -> Result<(), String> {
        self.file.cluster.push(undo);
        self.write()
    }

    /// Records that commands are about to set an arm up, or with `None` that they have torn it down.
    ///
    /// # Errors
    /// The undo file cannot be written.
    pub fn set_arm(&mut self, arm: Option<&str>) -> Result<(), String> {
        self.file.arm = arm.map(str::to_owned);
        self.write()
    }

    /// Writes the undo file, or removes it when nothing is left to undo.
    fn write(&self) -> Result<(), String> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let outcome = if self.file == UndoFile::default() {
            remove_if_there(path)
        } else {
            let json = serde_json::to_vec_pretty(&self.file).unwrap_or_default();
            write_file(path, &json)
        };
        outcome.map_err(|error| error.to_string())
    }

    /// The arm that was set up by commands and not torn down.
    pub fn arm(&self) -> Option<&str> {
        self.file.arm.as_deref()
    }

    /// Whether changes of the cluster have to be undone.
    pub fn has_cluster_changes(&self) -> bool {
        !self.file.cluster.is_empty()
    }

    /// Undoes the changes of the cluster, the last one first.
    ///
    /// # Errors
    /// A change that could not be undone. It and the changes before it stay in the log for another try.
    pub fn roll_back(&mut self, operator: &Operator) -> Result<(), String> {
        while let Some(undo) = self.file.cluster.last() {
            operator.undo(undo).map_err(|error| {
                format!(
                    "the cluster could not be restored: {error}; {UNDO_JSON} in the sweep's folder lists what is left to do"
                )
            })?;
            self.file.cluster.pop();
            // A full disk must not keep the other changes from being undone. A change that stays in the
            // file is undone twice, which does no harm.
            let _ = self.write();
        }
        self.write()
    }
}

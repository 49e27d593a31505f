//! The folder of one run or one collection. The file run.json or collect.json is written last, so a folder
//! that has one is complete.

use super::error::StoreError;
use super::partial_file::{PartialFile, write_file};
use crate::files::{collection_from_json, run_from_json};
use crate::resources::Resources;
use crate::verdict::JudgedRun;
use std::fs;
use std::path::{Path, PathBuf};

/// The file of a run's result, which makes the run's folder complete.
pub const RUN_JSON: &str = "run.json";
/// The file of a collection without a load, which makes its folder complete.
pub const COLLECT_JSON: &str = "collect.json";

/// A folder that is being filled with results.
#[derive(Debug)]
pub struct ResultFolder {
    path: PathBuf,
    /// The outermost folder that had to be made; `None` where the folder existed.
    made: Option<PathBuf>,
}

impl ResultFolder {
    /// Makes the folder and its missing parents. A folder that exists must be empty.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`] for a folder that holds something, [`StoreError::Refused`] for one that
    /// cannot be made or read.
    pub fn create(path: &Path) -> Result<ResultFolder, StoreError> {
        let missing = path
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        let made = missing.last().map(Path::to_owned);
        fs::create_dir_all(path).map_err(StoreError::refused("make the folder", path))?;
        let mut entries = fs::read_dir(path).map_err(StoreError::refused("read", path))?;
        if entries.next().is_some() {
            return Err(StoreError::NotEmpty(path.to_owned()));
        }
        Ok(ResultFolder {
            path: path.to_owned(),
            made,
        })
    }

    /// Removes everything that was made, because nothing was measured. The folder was empty before, so all
    /// files in it are those of the run.
    pub fn abandon(self) {
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let _ = fs::remove_file(entry.path());
        }
        if let Some(made) = &self.made {
            let own = self
                .path
                .ancestors()
                .take_while(|folder| folder.starts_with(made));
            for folder in own {
                // This fails on a folder that is not empty, because something else was put into it. Such a
                // folder has to stay.
                let _ = fs::remove_dir(folder);
            }
        }
    }

    /// Writes one file, whole or not at all.
    ///
    /// # Errors
    /// [`StoreError`] naming the file and the cure.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        write_file(&self.path.join(name), bytes)
    }

    /// The path that the folder was made at.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins a file that is written while the run goes on.
    ///
    /// # Errors
    /// [`StoreError`] naming the file and the cure.
    pub fn begin(&self, name: &str) -> Result<PartialFile, StoreError> {
        PartialFile::begin(&self.path.join(name))
    }

    /// Completes the folder with its last file, such as [`RUN_JSON`].
    ///
    /// # Errors
    /// [`StoreError`] naming the file and the cure.
    pub fn finish(self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.write(name, bytes)
    }
}

/// Reads the collect.json of a folder; `None` when it has none.
///
/// # Errors
/// [`StoreError`] when the file cannot be read or understood.
pub(super) fn load_resources(folder: &Path) -> Result<Option<Resources>, StoreError> {
    let path = folder.join(COLLECT_JSON);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(StoreError::refused("read", &path))?,
    };
    let read = collection_from_json(&bytes);
    read.map(Some)
        .map_err(|cause| StoreError::Unreadable { path, cause })
}

/// Reads the run.json of a folder: the result, and the verdict that was written with it.
///
/// # Errors
/// [`StoreError`] when there is no such folder, or no run.json in it, or one that cannot be understood.
pub fn load(folder: &Path) -> Result<JudgedRun, StoreError> {
    fs::read_dir(folder).map_err(StoreError::refused("read", folder))?;
    let path = folder.join(RUN_JSON);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(StoreError::NoResult(folder.to_owned()));
        }
        other => other.map_err(StoreError::refused("read", &path))?,
    };
    understood(path, &bytes)
}

/// Reads a file in the format of run.json under any name.
///
/// # Errors
/// [`StoreError`] when the file cannot be read or understood.
pub fn load_file(path: &Path) -> Result<JudgedRun, StoreError> {
    let bytes = fs::read(path).map_err(StoreError::refused("read", path))?;
    understood(path.to_owned(), &bytes)
}

fn understood(path: PathBuf, bytes: &[u8]) -> Result<JudgedRun, StoreError> {
    run_from_json(bytes).map_err(|cause| StoreError::Unreadable { path, cause })
}

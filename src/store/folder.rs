//! The folder of one run. run.json comes last, so a folder that has one is complete.

use super::files::{PartialFile, StoreError, write_file};
use crate::files::{collection_from_json, run_from_json};
use crate::resources::Resources;
use crate::verdict::JudgedRun;
use std::fs;
use std::path::{Path, PathBuf};

/// The file that makes a run's folder complete.
pub const RUN_JSON: &str = "run.json";
/// The file that makes the folder of a collection alone complete.
pub const COLLECT_JSON: &str = "collect.json";

/// A folder that is being filled.
#[derive(Debug)]
pub struct ResultFolder {
    path: PathBuf,
    /// The outermost folder that had to be made.
    made: Option<PathBuf>,
}

impl ResultFolder {
    /// Makes the folder, parents and all, and sees that it can be written.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`] when something is in it, otherwise what the system says.
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

    /// Takes everything away again, because nothing was measured; the folder was empty before.
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
                // Fails, as it should, on a folder that something else has been put into.
                let _ = fs::remove_dir(folder);
            }
        }
    }

    /// Writes one file.
    ///
    /// # Errors
    /// [`StoreError`] naming the file and the cure.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        write_file(&self.path.join(name), bytes)
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins a file that grows while the run goes on.
    ///
    /// # Errors
    /// [`StoreError`] naming the file and the cure.
    pub fn begin(&self, name: &str) -> Result<PartialFile, StoreError> {
        PartialFile::begin(&self.path.join(name))
    }

    /// Completes the folder with the file that says so, such as [`RUN_JSON`].
    ///
    /// # Errors
    /// [`StoreError`] naming the file and the cure.
    pub fn finish(self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.write(name, bytes)
    }
}

/// Reads the figures of a folder that a collection alone has filled; `None` when it is not one.
///
/// # Errors
/// [`StoreError`] for one that is not understood.
pub fn load_collection(folder: &Path) -> Result<Option<Resources>, StoreError> {
    let path = folder.join(COLLECT_JSON);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(StoreError::refused("read", &path))?,
    };
    let read = collection_from_json(&bytes);
    read.map(Some)
        .map_err(|cause| StoreError::Unreadable { path, cause })
}

/// Reads the result of a folder, and the verdict that it was given.
///
/// # Errors
/// [`StoreError`] when there is no such folder, no finished run in it, or one that is not understood.
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

/// Reads a run.json, whatever its name.
///
/// # Errors
/// [`StoreError`] when it cannot be read or understood.
pub fn load_file(path: &Path) -> Result<JudgedRun, StoreError> {
    let bytes = fs::read(path).map_err(StoreError::refused("read", path))?;
    understood(path.to_owned(), &bytes)
}

fn understood(path: PathBuf, bytes: &[u8]) -> Result<JudgedRun, StoreError> {
    run_from_json(bytes).map_err(|cause| StoreError::Unreadable { path, cause })
}

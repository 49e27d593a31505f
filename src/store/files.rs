//! Single files: written beside their place and moved there when they are complete.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// What went wrong with a file or folder, and what would cure it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system said no.
    #[error("cannot {action} {}: {cause}; {cure}", path.display())]
    Refused {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
        /// What to do.
        cure: &'static str,
    },
    /// Something is there already.
    #[error("{} is not empty; give a new folder, or empty it first", .0.display())]
    NotEmpty(PathBuf),
    /// The folder holds no finished run.
    #[error("{} holds no run.json: it is not the folder of a finished run, nor that of a sweep (plan.json), a collection (collect.json) or the study (latency_stats.csv)", .0.display())]
    NoResult(PathBuf),
    /// The folder holds nothing that could be compared.
    #[error("{} holds neither a run (run.json), nor a sweep (plan.json), nor repeated runs (steps), nor a folder of the study (latency_stats.csv)", .0.display())]
    NoSteps(PathBuf),
    /// The folder is that of a sweep in which no step came to its end.
    #[error(
        "{} is a sweep without a finished step ({}); the command that began it goes on with it",
        folder.display(),
        notes.first().map_or("none was begun", String::as_str)
    )]
    NoFinishedStep {
        /// The folder.
        folder: PathBuf,
        /// What was found instead, step by step.
        notes: Vec<String>,
    },
    /// No arm is called that.
    #[error("{} has no arm {arm}; it has {}", folder.display(), has.join(", "))]
    NoArm {
        /// The folder.
        folder: PathBuf,
        /// The name.
        arm: String,
        /// The names that there are.
        has: Vec<String>,
    },
    /// One arm is wanted, and there are several.
    #[error(
        "{} has the arms {}; name one of them, such as {}:{}",
        folder.display(),
        has.join(", "),
        folder.display(),
        has[0]
    )]
    SeveralArms {
        /// The folder.
        folder: PathBuf,
        /// Their names, two at least.
        has: Vec<String>,
    },
    /// The run did not come to its end.
    #[error("{} holds a run that was broken off, which cannot be compared; make it again", .0.display())]
    BrokenOff(PathBuf),
    /// A table cannot be understood.
    #[error("{}: {reason}", path.display())]
    BadTable {
        /// The file or its folder.
        path: PathBuf,
        /// Which table, where, and why.
        reason: String,
    },
    /// The result cannot be understood.
    #[error("{}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: crate::files::FormatError,
    },
}

impl StoreError {
    pub(super) fn refused(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(std::io::Error) -> StoreError {
        let path = path.to_owned();
        move |cause| StoreError::Refused {
            action,
            path,
            cure: cure(&cause),
            cause,
        }
    }
}

fn cure(cause: &std::io::Error) -> &'static str {
    match cause.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            "make room, or write somewhere else"
        }
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            "choose a place that you may write to"
        }
        std::io::ErrorKind::NotFound => "check the path",
        _ => "choose another place",
    }
}

/// A file that grows while the run goes on. Until it is finished its name ends in `.partial`, so
/// what was measured before a crash is still there.
#[derive(Debug)]
pub struct PartialFile {
    writer: BufWriter<File>,
    partial: PathBuf,
    path: PathBuf,
    is_empty: bool,
}

impl PartialFile {
    /// Begins a file.
    ///
    /// # Errors
    /// [`StoreError`] naming the file and the cure.
    pub fn begin(path: &Path) -> Result<PartialFile, StoreError> {
        // Devices and pipes (/dev/stderr, /dev/full) are written straight into.
        let is_special = fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir());
        let partial = if is_special {
            path.to_owned()
        } else {
            beside(path)
        };
        let file = File::create(&partial).map_err(StoreError::refused("write", path))?;
        Ok(PartialFile {
            writer: BufWriter::new(file),
            partial,
            path: path.to_owned(),
            is_empty: true,
        })
    }

    /// Appends, and hands what is there to the operating system.
    ///
    /// # Errors
    /// [`StoreError`] naming the file and the cure.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.is_empty &= bytes.is_empty();
        let written = self
            .writer
            .write_all(bytes)
            .and_then(|()| self.writer.flush());
        written.map_err(StoreError::refused("write", &self.path))
    }

    /// Completes the file under its own name.
    ///
    /// # Errors
    /// [`StoreError`] naming the file and the cure; what was written stays as `.partial`.
    pub fn finish(mut self) -> Result<(), StoreError> {
        let refused = || StoreError::refused("write", &self.path);
        self.writer.flush().map_err(refused())?;
        if self.partial == self.path {
            return Ok(());
        }
        self.writer.get_ref().sync_all().map_err(refused())?;
        fs::rename(&self.partial, &self.path).map_err(refused())?;
        self.is_empty = false;
        Ok(())
    }
}

impl Drop for PartialFile {
    /// A file that was begun and never written to leaves no trace.
    fn drop(&mut self) {
        if self.is_empty && self.partial != self.path {
            let _ = fs::remove_file(&self.partial);
        }
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    path.with_file_name(name)
}

/// Writes a file whole or not at all.
///
/// # Errors
/// [`StoreError`] naming the file and the cure.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut file = PartialFile::begin(path)?;
    file.append(bytes)?;
    file.finish()
}

//! The errors of files and folders, each with its cure.

use std::path::{Path, PathBuf};

/// An error of a file or folder. Its text names the path, the cause and a cure.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused to do something with a file or folder.
    #[error("cannot {action} {}: {cause}; {cure}", path.display())]
    Refused {
        /// The verb that the error's text continues with, such as `write`.
        action: &'static str,
        path: PathBuf,
        cause: std::io::Error,
        cure: &'static str,
    },
    /// The folder for new results holds something already.
    #[error("{} is not empty; give a new folder, or empty it first", .0.display())]
    NotEmpty(PathBuf),
    /// The folder holds no finished run.
    #[error("{} holds no run.json: it is not the folder of a finished run, nor that of a sweep (plan.json), a collection (collect.json) or the study (latency_stats.csv)", .0.display())]
    NoResult(PathBuf),
    /// The folder holds nothing that could be compared.
    #[error("{} holds neither a run (run.json), nor a sweep (plan.json), nor repeated runs (steps), nor a folder of the study (latency_stats.csv)", .0.display())]
    NoSteps(PathBuf),
    /// The folder is that of a sweep in which no step was finished.
    #[error(
        "{} is a sweep without a finished step ({}); the command that began it goes on with it",
        folder.display(),
        notes.first().map_or("none was begun", String::as_str)
    )]
    NoFinishedStep {
        folder: PathBuf,
        /// The reasons for which steps were left out, one for each.
        notes: Vec<String>,
    },
    /// The folder has no arm of the name that was asked for.
    #[error("{} has no arm {arm}; it has {}", folder.display(), has.join(", "))]
    NoArm {
        folder: PathBuf,
        /// The name that was asked for.
        arm: String,
        /// The names of the folder's arms.
        has: Vec<String>,
    },
    /// The folder has several arms, and the command needs one.
    #[error(
        "{} has the arms {}; name one of them, such as {}:{}",
        folder.display(),
        has.join(", "),
        folder.display(),
        has[0]
    )]
    SeveralArms {
        folder: PathBuf,
        /// The names of the arms, of which there are at least two.
        has: Vec<String>,
    },
    /// The run was interrupted or aborted.
    #[error("{} holds a run that was broken off, which cannot be compared; make it again", .0.display())]
    BrokenOff(PathBuf),
    /// A table of the study cannot be understood.
    #[error("{}: {reason}", path.display())]
    BadTable {
        /// The file, or the folder that holds it.
        path: PathBuf,
        /// The table, the place in it and what is wrong there.
        reason: String,
    },
    /// A file of JSON cannot be understood.
    #[error("{}: {cause}", path.display())]
    Unreadable {
        path: PathBuf,
        cause: crate::files::FormatError,
    },
}

impl StoreError {
    /// Turns an I/O error into one that names the action, the path and a cure.
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

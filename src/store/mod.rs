//! Result folders on the disk: how they are filled, and how those of runs, sweeps, collections and the study
//! are read. A file is there whole or not at all.
//!
//! This room reads and writes bytes. What they mean is the business of `files` and `study`.

mod append;
mod entries;
mod error;
mod folder;
mod lock;
mod measured;
mod partial_file;
mod plan_file;
mod steps;

pub use append::append_line;
pub use entries::{make_folder, move_aside, names_in, read_if_there, remove_if_there};
pub use error::StoreError;
pub use folder::{COLLECT_JSON, RUN_JSON, ResultFolder, load};
pub use lock::Lock;
pub use measured::{LoadedCollection, load_collection, load_measured};
pub use partial_file::{PartialFile, write_file};
pub use plan_file::{PLAN_JSON, PlanFile};
pub use steps::{STEPS, StepSet, folder_and_arm, load_steps, only_arm};

#[cfg(test)]
mod tests;

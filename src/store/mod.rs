//! The result folder: files that are there whole or not at all, and can be read years later.
//!
//! Ends where somebody is to be told: it formats nothing for people.

mod files;
mod folder;
mod lasting;
mod measured;
mod plan_file;
mod steps;

pub use files::{PartialFile, StoreError, write_file};
pub use folder::{COLLECT_JSON, RUN_JSON, ResultFolder, load, load_collection};
pub use lasting::{
    Lock, append_line, make_folder, move_aside, names_in, read_if_there, remove_if_there,
};
pub use measured::{Collected, load_collected, load_measured};
pub use plan_file::{PLAN_JSON, PlanFile};
pub use steps::{STEPS, StepSet, folder_and_arm, load_steps, only_arm};

#[cfg(test)]
mod tests;

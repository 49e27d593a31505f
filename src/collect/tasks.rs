//! Calls under way.

use crate::clock::Hold;
use tokio::task::JoinSet;

/// Calls under way, each in a task of its own. A task gives back what holds an advanced clock, so
/// that time goes on only after its end was noticed.
pub type Tasks = JoinSet<Option<Hold>>;

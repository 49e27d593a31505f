//! How a change is taken back, known before it is made.

use crate::kube::ObjectName;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One thing to do, so that the cluster is as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "undo", rename_all = "snake_case")]
pub enum Undo {
    /// Lay this over the object: what was changed gets its old value, what was added goes.
    Merge {
        /// Which.
        object: ObjectName,
        /// A JSON merge patch.
        patch: Value,
    },
    /// Take the object away: it was not there.
    Delete {
        /// Which.
        object: ObjectName,
    },
    /// Start the namespace's pods anew, so that they are what its labels say.
    Restart {
        /// Which.
        namespace: String,
    },
}

//! How a change is undone, known before it is made.

use crate::kube::ObjectName;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One step that restores a part of the cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "undo", rename_all = "snake_case")]
pub enum Undo {
    /// Patch an object: changed fields get their old values, added fields are removed.
    Merge {
        object: ObjectName,
        /// A JSON merge patch.
        patch: Value,
    },
    /// Delete an object that did not exist before.
    Delete { object: ObjectName },
    /// Restart the pods of a namespace, so that they follow its restored labels.
    Restart { namespace: String },
}

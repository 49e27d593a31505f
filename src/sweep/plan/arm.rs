//! The arms of a plan.

use crate::spec::CollectFrom;
use crate::units::text;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// An arm: a variant of the system, and the way to bring the system into it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Arm {
    /// The name of the arm in tables and folders.
    pub name: String,
    /// The target of the load.
    pub url: String,
    /// Further targets. Each of them gets the whole load.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub more_urls: Vec<String>,
    /// The namespace of the application; `None` for those of the plan's `[cluster]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Whether the application's pods must all be in the mesh (`true`) or all outside of it (`false`);
    /// `None` for no such check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meshed: Option<bool>,
    /// The source of figures, such as `process:name=frontend`; `None` for that of the plan's `[cluster]`.
    #[serde(skip_serializing_if = "Option::is_none", with = "text::optional")]
    pub collect: Option<CollectFrom>,
    /// Labels that the namespace must have.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Commands that set the arm up, such as `istioctl install -y`. They are run by `sh -c`, with
    /// MESHLOAD_ARM, MESHLOAD_URL and MESHLOAD_NAMESPACE in their environment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// Commands that undo what the commands of `before` have done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// Commands that are run before each step of the arm. They also have MESHLOAD_RATE and
    /// MESHLOAD_REPETITION in their environment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reset: Vec<String>,
    /// Commands that must succeed once the arm is set up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verify: Vec<String>,
    /// Manifests that the arm needs. What they change is restored when the arm is torn down.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub apply: Vec<PathBuf>,
    /// Changes to objects that exist. They are restored when the arm is torn down.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub patch: Vec<Patch>,
}

/// A change to an object of the cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// The group and version of the object's kind, such as `apps/v1`.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// The kind of the object, such as `Deployment`.
    pub kind: String,
    /// The name of the object.
    pub name: String,
    /// The namespace of the object; `None` for that of the arm.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub namespace: Option<String>,
    /// The change as a JSON merge patch (RFC 7396): a table, or a text that holds JSON or YAML.
    pub merge: serde_json::Value,
}

impl Arm {
    /// Whether setting the arm up changes the system.
    pub fn changes_something(&self, switch: bool) -> bool {
        let commands = [&self.before, &self.after];
        commands.iter().any(|list| !list.is_empty())
            || !self.apply.is_empty()
            || !self.patch.is_empty()
            || (switch && self.meshed.is_some())
    }
}

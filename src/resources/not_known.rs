//! Why a sum of what pods used is not known.

use serde::{Deserialize, Serialize};

/// Why a sum is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum NotKnown {
    /// No pod that could be meant was seen.
    #[error("no pod of {of} was seen")]
    NoPod {
        /// The service, category or part.
        of: String,
    },
    /// A container ran, and no sample tells what it used.
    #[error("{quantity} of {container} is not known: {why}")]
    NoSamples {
        /// The name of the quantity.
        quantity: String,
        /// `namespace/pod/container`.
        container: String,
        /// The reason that the container's figure has.
        why: String,
    },
    /// The table that the figures come from says nothing.
    #[error("the table has no figure of {of}")]
    NotInTable {
        /// The service.
        of: String,
    },
}

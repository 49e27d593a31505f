//! The reasons for which a sum over pods is not known.

use serde::{Deserialize, Serialize};

/// Why the resources that several pods used together are not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum NotKnown {
    /// No pod was seen that belongs to the sum.
    #[error("no pod of {of} was seen")]
    NoPod {
        /// The service, category or part that was asked for.
        of: String,
    },
    /// A container ran, and its use is not known because it has no samples.
    #[error("{quantity} of {container} is not known: {why}")]
    NoSamples {
        /// The name of the quantity.
        quantity: String,
        /// The container, as `namespace/pod/container`.
        container: String,
        /// The reason for which the container's figure is missing.
        why: String,
    },
    /// The figures come from a table of the study, which has none of the service.
    #[error("the table has no figure of {of}")]
    NotInTable {
        /// The name of the service.
        of: String,
    },
}

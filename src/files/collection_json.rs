//! collect.json: the figures of a collection that ran without a load.

use super::FormatError;
use crate::measure::Environment;
use crate::resources::Resources;
use crate::spec::CollectSpec;
use serde::{Deserialize, Serialize};

const FORMAT: &str = "meshload.collect/1";

#[derive(Serialize, Deserialize)]
struct Document {
    format: String,
    spec: CollectSpec,
    environment: Environment,
    resources: Resources,
}

/// Writes a collect.json.
pub fn collection_to_json(
    resources: &Resources,
    environment: &Environment,
    spec: &CollectSpec,
) -> Vec<u8> {
    let document = Document {
        format: FORMAT.to_owned(),
        spec: spec.clone(),
        environment: environment.clone(),
        resources: resources.clone(),
    };
    // Cannot fail: maps have string keys and numbers are finite.
    let mut bytes = serde_json::to_vec_pretty(&document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Reads the figures of a collect.json.
///
/// # Errors
/// [`FormatError`] for anything but a whole collect.json of this format.
pub fn collection_from_json(bytes: &[u8]) -> Result<Resources, FormatError> {
    let document: Document =
        serde_json::from_slice(bytes).map_err(|error| FormatError::Broken(error.to_string()))?;
    if document.format != FORMAT {
        return Err(FormatError::Version(document.format, FORMAT));
    }
    Ok(document.resources)
}

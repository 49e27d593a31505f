//! How a target is spoken to through TLS.

use super::BadSpec;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The oldest version of TLS that is spoken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum TlsVersion {
    /// TLS 1.2
    #[default]
    #[serde(rename = "1.2")]
    V1_2,
    /// TLS 1.3
    #[serde(rename = "1.3")]
    V1_3,
}

/// What `https://` targets are trusted by and shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct TlsSpec {
    /// Certificates (PEM) that are trusted in place of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Certificate chain (PEM) that is shown to servers that ask for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<PathBuf>,
    /// Its private key (PEM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Whoever answers is believed.
    pub insecure: bool,
    /// The oldest version that is spoken.
    pub min: TlsVersion,
    /// Whether every connection makes a whole handshake, without the tickets of those before it.
    pub no_resumption: bool,
}

impl TlsSpec {
    /// Checks what no single flag can know.
    ///
    /// # Errors
    /// [`BadSpec`] with the flag and the cure.
    pub fn validate(&self) -> Result<(), BadSpec> {
        match (&self.cert, &self.key) {
            (Some(_), None) => Err(BadSpec::new(
                "--cert",
                "a certificate without its key cannot be shown",
                "add --key FILE",
            )),
            (None, Some(_)) => Err(BadSpec::new(
                "--key",
                "a key without its certificate cannot be used",
                "add --cert FILE",
            )),
            _ if self.insecure && self.ca.is_some() => Err(BadSpec::new(
                "--insecure",
                "believes anybody, so --cacert would say nothing",
                "leave one of them out",
            )),
            _ => Ok(()),
        }
    }
}

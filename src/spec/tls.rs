//! How a target is spoken to through TLS.

use super::{BadSpec, Target};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::str::FromStr;

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

impl FromStr for TlsVersion {
    type Err = String;

    fn from_str(typed: &str) -> Result<TlsVersion, String> {
        match typed {
            "1.2" => Ok(TlsVersion::V1_2),
            "1.3" => Ok(TlsVersion::V1_3),
            _ => Err("use 1.2 or 1.3".to_owned()),
        }
    }
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
    /// Checks that somebody is trusted and shown what is asked for.
    ///
    /// # Errors
    /// [`BadSpec`] with the flag and the cure.
    pub fn suits(&self, targets: &[&Target]) -> Result<(), BadSpec> {
        let given = [
            ("--cacert", self.ca.is_some()),
            ("--cert", self.cert.is_some()),
            ("--insecure", self.insecure),
            ("--tls-min", self.min != TlsVersion::default()),
            ("--no-resumption", self.no_resumption),
        ];
        let flag = given.iter().find(|(_, is_given)| *is_given);
        let is_tls = targets.iter().any(|target| target.is_tls());
        match flag.filter(|_| !is_tls) {
            Some((flag, _)) => Err(BadSpec::new(
                flag,
                "no URL is https://",
                "write https://, or leave it out",
            )),
            None => Ok(()),
        }
    }

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

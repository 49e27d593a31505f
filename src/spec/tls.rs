//! The options of TLS: versions, trusted certificates, client certificates.

use super::{BadSpec, Target};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A version of TLS, as the oldest that is spoken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum TlsVersion {
    /// TLS 1.2
    #[default]
    #[value(name = "1.2")]
    #[serde(rename = "1.2")]
    V1_2,
    /// TLS 1.3
    #[value(name = "1.3")]
    #[serde(rename = "1.3")]
    V1_3,
}

/// The options of `https://` targets. They are flags of every command that sends requests, keys of
/// a plan's `[tls]`, and a part of run.json.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[command(next_help_heading = "TLS")]
#[serde(deny_unknown_fields, default)]
pub struct TlsOptions {
    /// Certificates (PEM) to trust in place of the system's
    #[arg(long = "cacert", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Certificate chain (PEM) to show to servers that ask for one; with --key
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<PathBuf>,
    /// Private key (PEM) of the certificate
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Trust any certificate; the result says so
    #[arg(long)]
    pub insecure: bool,
    /// Oldest version of TLS to speak
    #[arg(long = "tls-min", value_name = "VERSION", value_enum, default_value_t)]
    pub min: TlsVersion,
    /// Make a whole handshake for every connection, without tickets of earlier ones
    #[arg(long)]
    pub no_resumption: bool,
}

impl TlsOptions {
    /// Checks that there is a `https://` target where an option of TLS was given.
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

    /// Checks that the options can be carried out together.
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
                "trusts any certificate, so --cacert would change nothing",
                "leave one of them out",
            )),
            _ => Ok(()),
        }
    }
}

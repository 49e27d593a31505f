//! The flags of https:// targets.

use crate::spec::{TlsSpec, TlsVersion};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub(super) struct TlsArgs {
    /// Certificates (PEM) to trust in place of the system's
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
    /// Certificate (PEM) to show to servers that ask for one; with --key
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Believe whoever answers; the result says so
    #[arg(long)]
    insecure: bool,
    /// Oldest version of TLS to speak
    #[arg(long, value_name = "VERSION", default_value = "1.2")]
    tls_min: TlsVersion,
    /// Make a whole handshake for every connection
    #[arg(long)]
    no_resumption: bool,
}

impl TlsArgs {
    pub(super) fn into_spec(self) -> TlsSpec {
        TlsSpec {
            ca: self.cacert,
            cert: self.cert,
            key: self.key,
            insecure: self.insecure,
            min: self.tls_min,
            no_resumption: self.no_resumption,
        }
    }
}

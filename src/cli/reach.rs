//! The flags that say how targets are reached.

use super::values;
use crate::spec::{Endpoint, Reach, Resolve};
use clap::Args;
use std::net::IpAddr;

#[derive(Debug, Args)]
#[command(next_help_heading = "Reach")]
pub(super) struct ReachArgs {
    /// Address of a host and port, in place of what the name resolves to; repeatable
    #[arg(long, value_name = "HOST:PORT:ADDRESS")]
    resolve: Vec<Resolve>,
    /// Connect there, whatever the URL says: an ingress, with the URL's Host header
    #[arg(long, value_name = "ADDRESS:PORT")]
    connect_to: Option<Endpoint>,
    /// What the Host header says, in place of the URL's host and port
    #[arg(long, value_name = "NAME", value_parser = host)]
    host: Option<String>,
    /// Address of this machine to connect from; repeatable, used in turn, each with
    /// ports of its own
    #[arg(long, value_name = "ADDRESS")]
    local_address: Vec<IpAddr>,
}

/// As a header line it must be a whole one.
fn host(typed: &str) -> Result<String, String> {
    let (_, host) = values::header(&format!("Host: {typed}"))?;
    Ok(host)
}

impl ReachArgs {
    pub(super) fn into_spec(self) -> Reach {
        Reach {
            resolve: self.resolve,
            connect_to: self.connect_to,
            host: self.host,
            local_addresses: self.local_address,
        }
    }
}

//! The flags that say how targets are reached.

use super::values;
use crate::spec::{Endpoint, ProxyProtocol, Reach, Resolve};
use crate::units::{Nanos, parse_duration};
use clap::{Args, ValueEnum};
use std::net::IpAddr;

#[derive(Debug, Args)]
#[command(next_help_heading = "Reach")]
pub(super) struct ReachArgs {
    /// Address of a host and port, in place of what the name resolves to; repeatable
    #[arg(long, value_name = "HOST:PORT:ADDRESS")]
    resolve: Vec<Resolve>,
    /// Connect there, or to unix:PATH, whatever the URL says: an ingress, with the
    /// URL's Host header
    #[arg(long, value_name = "ADDRESS:PORT")]
    connect_to: Option<Endpoint>,
    /// What the Host header says, in place of the URL's host and port
    #[arg(long, value_name = "NAME", value_parser = host)]
    host: Option<String>,
    /// Address of this machine to connect from; repeatable, used in turn, each with
    /// ports of its own
    #[arg(long, value_name = "ADDRESS")]
    local_address: Vec<IpAddr>,
    /// Begin each connection with the PROXY protocol's header
    #[arg(long, value_name = "VERSION")]
    proxy_protocol: Option<Proxy>,
    /// Look names up again this often; connections to addresses that are gone end
    /// between two requests
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    dns_refresh: Option<Nanos>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Proxy {
    V1,
    V2,
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
            proxy_protocol: self.proxy_protocol.map(|version| match version {
                Proxy::V1 => ProxyProtocol::V1,
                Proxy::V2 => ProxyProtocol::V2,
            }),
            dns_refresh: self.dns_refresh,
        }
    }
}

//! The flags that say how targets are reached.

use crate::spec::{BadSpec, Endpoint, ProxyProtocol, Reach, Resolve};
use crate::units::{Nanos, parse_duration};
use clap::Args;
use std::net::IpAddr;

#[derive(Debug, Args)]
#[command(next_help_heading = "Reach")]
pub(super) struct ReachArgs {
    /// Address of a host and port, in place of what the name resolves to; repeatable
    #[arg(long, value_name = "HOST:PORT:ADDRESS")]
    resolve: Vec<Resolve>,
    /// Connect there, or to unix:PATH, whatever the URL says: an ingress, with the
    /// URL's Host header
    #[arg(long, value_name = "HOST:PORT")]
    connect_to: Option<Endpoint>,
    /// What the Host header says, in place of the URL's host and port; certificates
    /// are still those of the URL's host
    #[arg(long, value_name = "NAME", value_parser = host)]
    host: Option<String>,
    /// Address of this machine to connect from; repeatable, used in turn, each with
    /// ports of its own
    #[arg(long, value_name = "ADDRESS")]
    local_address: Vec<IpAddr>,
    /// Begin each connection with the PROXY protocol's header
    #[arg(long, value_name = "VERSION")]
    proxy_protocol: Option<ProxyProtocol>,
    /// Look names up again this often; connections to addresses that are gone end
    /// between two requests
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    dns_refresh: Option<Nanos>,
}

/// A name or an address, and perhaps a port.
fn host(typed: &str) -> Result<String, String> {
    let host: Result<http::uri::Authority, _> = typed.parse();
    match host {
        Ok(host) if !host.as_str().contains('@') => Ok(typed.to_owned()),
        _ => Err("give a name, such as shop.example or shop.example:8080".to_owned()),
    }
}

impl ReachArgs {
    /// The other headers of every request, and the Host where it is given.
    ///
    /// # Errors
    /// [`BadSpec`] when both say what it is.
    pub(super) fn with_host(
        &self,
        mut headers: Vec<(String, String)>,
    ) -> Result<Vec<(String, String)>, BadSpec> {
        let mut names = headers.iter().map(|(name, _)| name);
        let is_said = names.any(|name| name.eq_ignore_ascii_case("host"));
        match &self.host {
            Some(_) if is_said => Err(BadSpec::new(
                "--host",
                "-H says what the Host is, too",
                "leave one of them out",
            )),
            Some(host) => {
                headers.push(("Host".to_owned(), host.clone()));
                Ok(headers)
            }
            None => Ok(headers),
        }
    }

    pub(super) fn into_spec(self) -> Reach {
        Reach {
            resolve: self.resolve,
            connect_to: self.connect_to,
            local_addresses: self.local_address,
            proxy_protocol: self.proxy_protocol,
            dns_refresh: self.dns_refresh,
        }
    }
}

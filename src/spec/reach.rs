//! The ways to a target that differ from the usual one by name and route.

use super::target::UNIX;
use super::{BadSpec, Target};
use crate::units::Nanos;
use crate::units::text::{self, serde_as_text};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
// This room is pure; `core::net` has addresses as values, without sockets.
use core::net::IpAddr;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The shortest time between two look-ups. Resolvers are shared by whole clusters, so they are not asked more
/// often.
const SHORTEST_REFRESH: Nanos = Nanos::from_millis(100);

/// An address that stands for a host and port, in place of what its name resolves to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String"))]
pub struct Resolve {
    /// The URL's host.
    pub host: String,
    /// The URL's port.
    pub port: u16,
    /// The address that is connected to.
    pub address: IpAddr,
}

impl Resolve {
    /// Whether the address stands for this host and port.
    pub fn is_for(&self, host: &str, port: u16) -> bool {
        self.host.eq_ignore_ascii_case(host) && self.port == port
    }
}

/// An address without brackets; `None` where there is only one of the two brackets.
fn unbracketed(typed: &str) -> Option<&str> {
    match typed.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']'),
        None => Some(typed).filter(|typed| !typed.ends_with(']')),
    }
}

impl FromStr for Resolve {
    type Err = String;

    fn from_str(typed: &str) -> Result<Resolve, String> {
        let bad =
            || format!("`{typed}` is no HOST:PORT:ADDRESS, such as shop.example:443:10.0.0.1");
        let mut parts = typed.splitn(3, ':');
        let (host, port, address) = (parts.next(), parts.next(), parts.next());
        let host = host.filter(|host| !host.is_empty()).ok_or_else(bad)?;
        let port = port
            .and_then(|port| port.parse().ok())
            .filter(|port| *port > 0);
        let address = address.and_then(unbracketed);
        Ok(Resolve {
            host: host.to_owned(),
            port: port.ok_or_else(bad)?,
            address: address
                .and_then(|address| address.parse().ok())
                .ok_or_else(bad)?,
        })
    }
}

impl fmt::Display for Resolve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.host, self.port, self.address)
    }
}

/// The endpoint that is connected to in place of the URL's host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String"))]
pub enum Endpoint {
    /// A name or an address (without brackets), and a port.
    Tcp(String, u16),
    /// A socket of this machine, by its path.
    Unix(PathBuf),
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(typed: &str) -> Result<Endpoint, String> {
        let bad = || format!("`{typed}` is no HOST:PORT, such as 10.0.0.1:8443, and no unix:PATH");
        if let Some(path) = typed.strip_prefix(UNIX) {
            let path = Some(path).filter(|path| !path.is_empty());
            return Ok(Endpoint::Unix(path.ok_or_else(bad)?.into()));
        }
        let (host, port) = typed.rsplit_once(':').ok_or_else(bad)?;
        let port = port.parse().ok().filter(|port| *port > 0);
        let bare = unbracketed(host).ok_or_else(bad)?;
        let is_whole = !bare.is_empty() && (bare == host) != bare.contains(':');
        let host = is_whole.then(|| bare.to_owned()).ok_or_else(bad)?;
        Ok(Endpoint::Tcp(host, port.ok_or_else(bad)?))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Endpoint::Tcp(host, port) => write!(f, "{host}:{port}"),
            Endpoint::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

serde_as_text!(Resolve, Endpoint);

/// The version of the PROXY protocol, in which a connection begins with its source and destination
/// (<https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ProxyProtocol {
    /// A line of text
    V1,
    /// A binary header
    V2,
}

/// The options of how connections find their way. They are flags of every command that sends
/// requests, keys of a plan's `[reach]`, and a part of run.json.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[command(next_help_heading = "Reach")]
#[serde(deny_unknown_fields, default)]
pub struct ReachOptions {
    /// Address of a host and port, in place of what the name resolves to; repeatable
    #[arg(long, value_name = "HOST:PORT:ADDRESS")]
    pub resolve: Vec<Resolve>,
    /// Connect there, or to unix:PATH, whatever the URL says: an ingress, with the URL's Host
    /// header
    #[arg(long, value_name = "HOST:PORT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_to: Option<Endpoint>,
    /// Address of this machine to connect from; repeatable, used in turn, each with ports of its
    /// own
    #[arg(long = "local-address", value_name = "ADDRESS")]
    pub local_addresses: Vec<IpAddr>,
    /// Begin each connection with the PROXY protocol's header, before TLS
    #[arg(long, value_name = "VERSION", value_enum)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_protocol: Option<ProxyProtocol>,
    /// Look names up again this often; connections to addresses that are gone are closed between
    /// two requests [default: names are looked up once, before the load]
    #[arg(long, value_name = "DURATION")]
    #[serde(skip_serializing_if = "Option::is_none", with = "text::optional")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub dns_refresh: Option<Nanos>,
}

impl ReachOptions {
    /// Checks that the options can be carried out together.
    ///
    /// # Errors
    /// [`BadSpec`] with the flag and the cure.
    pub fn validate(&self) -> Result<(), BadSpec> {
        let bad = |flag, message, cure| Err(BadSpec::new(flag, message, cure));
        if self
            .dns_refresh
            .is_some_and(|every| every < SHORTEST_REFRESH)
        {
            let message = "would keep the resolver busy";
            return bad("--dns-refresh", message, "use at least 100ms");
        }
        Ok(())
    }

    /// Checks that these targets, which are measured beside each other, can be told apart by the
    /// server, and that every given address is used. `says_host`: all requests carry one Host header.
    ///
    /// # Errors
    /// [`BadSpec`] with the flag and the cure.
    pub fn suits(&self, targets: &[&Target], says_host: bool) -> Result<(), BadSpec> {
        let names: BTreeSet<(&str, &str)> = targets
            .iter()
            .map(|target| {
                (
                    if says_host { "" } else { &target.host },
                    target.path.as_str(),
                )
            })
            .collect();
        let urls: BTreeSet<&str> = targets.iter().map(|target| target.url.as_str()).collect();
        if self.connect_to.is_some() && names.len() < urls.len() {
            return Err(BadSpec::new(
                "--connect-to",
                "leads to one server, which could not tell these URLs apart",
                "give them hosts of their own and no --host, or leave it out",
            ));
        }
        let is_unix = match &self.connect_to {
            Some(endpoint) => matches!(endpoint, Endpoint::Unix(_)),
            None => targets.iter().all(|target| target.socket.is_some()),
        };
        if is_unix && !self.local_addresses.is_empty() {
            return Err(BadSpec::new(
                "--local-address",
                "a unix socket is reached from no address",
                "leave it out",
            ));
        }
        let asked = |one: &Resolve| match &self.connect_to {
            Some(Endpoint::Tcp(host, port)) => one.is_for(host, *port),
            Some(Endpoint::Unix(_)) => false,
            None => targets
                .iter()
                .filter(|target| target.socket.is_none())
                .any(|target| one.is_for(&target.host, target.port_or_default())),
        };
        match self.resolve.iter().find(|one| !asked(one)) {
            Some(one) => Err(BadSpec::new(
                "--resolve",
                format!("nothing goes to {}:{}", one.host, one.port),
                "give the host and the port that are connected to",
            )),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_comes_back() {
        for typed in ["shop.example:443:10.0.0.1", "h:80:::1"] {
            let resolve: Resolve = typed.parse().expect(typed);
            assert_eq!(resolve.to_string(), typed);
        }
        let bracketed: Resolve = "h:80:[::1]".parse().expect("an address");
        assert_eq!(
            bracketed.address,
            IpAddr::from_str("::1").expect("an address")
        );
        for typed in [
            "10.0.0.1:8443",
            "[::1]:80",
            "ingress:80",
            "unix:/run/app.sock",
        ] {
            let endpoint: Endpoint = typed.parse().expect(typed);
            assert_eq!(endpoint.to_string(), typed);
        }
    }

    #[test]
    fn what_is_none_says_what_one_looks_like() {
        for typed in [
            "",
            "h",
            "h:80",
            "h:80:nowhere",
            ":80:10.0.0.1",
            "h:0:10.0.0.1",
            "h:x:10.0.0.1",
            "h:80:[::1",
        ] {
            let bad = Resolve::from_str(typed).expect_err(typed);
            assert!(bad.contains("HOST:PORT:ADDRESS"), "{bad}");
        }
        for typed in [
            "", "h", ":80", "h:0", "h:99999", "::1:80", "[h]:80", "unix:",
        ] {
            let bad = Endpoint::from_str(typed).expect_err(typed);
            assert!(bad.contains("HOST:PORT"), "{bad}");
        }
    }

    #[test]
    fn addresses_to_connect_from_are_refused_only_where_all_targets_are_unix_sockets() {
        let socket = Target::parse("unix:/run/app.sock:/").expect("a target");
        let other = Target::parse("http://shop.example/").expect("a target");
        let reach = |connect_to: Option<&str>| ReachOptions {
            connect_to: connect_to.map(|typed| typed.parse().expect("an endpoint")),
            local_addresses: vec![IpAddr::from([127, 0, 0, 1])],
            ..ReachOptions::default()
        };
        let refuses = |reach: ReachOptions, targets: &[&Target]| {
            let bad = reach.suits(targets, false).err();
            bad.is_some_and(|bad| bad.to_string().contains("--local-address"))
        };
        assert!(refuses(reach(None), &[&socket]));
        assert!(refuses(reach(Some("unix:/run/app.sock")), &[&other]));
        assert!(!refuses(reach(None), &[&socket, &other]));
        assert!(!refuses(reach(Some("10.0.0.1:80")), &[&socket]));
    }
}

//! The addresses of a target, and how its name is resolved.

use crate::spec::{Endpoint, ReachOptions, Target};
use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

/// The address of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Tcp(SocketAddr),
    /// A Unix socket of this machine.
    Unix(PathBuf),
}

impl Address {
    /// IP address and port; `None` for a Unix socket.
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Address::Tcp(address) => Some(*address),
            Address::Unix(_) => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(address) => address.fmt(f),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The addresses of a target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Addresses that accept connections, in the resolver's order. Connections are spread over them.
    pub answering: Vec<Address>,
    /// Addresses that do not, with the reason.
    pub refused: Vec<(Address, String)>,
    /// What the TLS handshakes with the answering addresses agreed on.
    pub notes: Vec<String>,
}

/// Why a target cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The resolver does not know the name.
    #[error("cannot resolve {host}: {cause}; check the spelling, or use an address")]
    Unresolved { host: String, cause: String },
    /// No address accepts a connection.
    #[error("cannot connect to {address}: {cause}; is the server running, and is this its port?")]
    Unreachable {
        /// The first address tried.
        address: Address,
        cause: String,
    },
    /// The server does not speak the protocol that was asked for.
    #[error("{address}: {cause}")]
    Greeting {
        address: Address,
        /// What is wrong and what would cure it.
        cause: String,
    },
    /// A `--local-address` cannot be used.
    #[error("--local-address {address}: {cause}; give an address of this machine")]
    Local { address: IpAddr, cause: String },
    /// A signal arrived first.
    #[error("interrupted before the load began")]
    Interrupted,
}

/// The addresses of a target according to the flags or the resolver; each once, at least one.
///
/// # Errors
/// [`AddressError::Unresolved`].
pub fn look_up(target: &Target, reach: &ReachOptions) -> Result<Vec<Address>, AddressError> {
    match (&reach.connect_to, &target.socket) {
        (Some(Endpoint::Unix(path)), _) | (None, Some(path)) => {
            Ok(vec![Address::Unix(path.clone())])
        }
        (Some(Endpoint::Tcp(host, port)), _) => look_up_name(host, *port, reach),
        (None, None) => look_up_name(&target.host, target.port_or_default(), reach),
    }
}

fn look_up_name(host: &str, port: u16, reach: &ReachOptions) -> Result<Vec<Address>, AddressError> {
    let named = reach.resolve.iter().filter(|one| one.is_for(host, port));
    let named: Vec<SocketAddr> = named
        .map(|one| SocketAddr::new(one.address, port))
        .collect();
    match named.is_empty() {
        true => ask_resolver(host, port),
        false => Ok(each_once(named)),
    }
}

fn ask_resolver(host: &str, port: u16) -> Result<Vec<Address>, AddressError> {
    let unresolved = |cause| AddressError::Unresolved {
        host: host.to_owned(),
        cause,
    };
    let found = (host, port).to_socket_addrs();
    let found = each_once(found.map_err(|error| unresolved(error.to_string()))?);
    match found.is_empty() {
        true => Err(unresolved("no address".to_owned())),
        false => Ok(found),
    }
}

fn each_once(found: impl IntoIterator<Item = SocketAddr>) -> Vec<Address> {
    let mut addresses = Vec::new();
    for address in found.into_iter().map(Address::Tcp) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

//! From a target to the addresses that answer.

use crate::spec::{Endpoint, Reach, Target};
use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A socket of this machine.
    Unix(PathBuf),
}

impl Address {
    /// Address and port, where it has these.
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
    /// Those that accept connections, in the resolver's order; connections are spread over them.
    pub answering: Vec<Address>,
    /// Those that do not, with the reason.
    pub refused: Vec<(Address, String)>,
    /// What there is to know of those that answer.
    pub notes: Vec<String>,
}

/// Why a target cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The name means nothing to the resolver.
    #[error("cannot resolve {host}: {cause}; check the spelling, or use an address")]
    Unresolved {
        /// The name.
        host: String,
        /// What the resolver said.
        cause: String,
    },
    /// No address accepts a connection.
    #[error("cannot connect to {address}: {cause}; is the server running, and is this its port?")]
    Unreachable {
        /// The first address tried.
        address: Address,
        /// What the kernel said.
        cause: String,
    },
    /// Who is there does not speak as asked.
    #[error("{address}: {cause}")]
    Greeting {
        /// The address.
        address: Address,
        /// What is wrong, and the cure.
        cause: String,
    },
    /// Connections cannot come from where they should.
    #[error("--local-address {address}: {cause}; give an address of this machine")]
    Local {
        /// The address.
        address: IpAddr,
        /// What the kernel said.
        cause: String,
    },
    /// Nobody wants to know any more.
    #[error("interrupted before the load began")]
    Interrupted,
}

/// Where a target is said to be, each address once; at least one.
///
/// # Errors
/// [`AddressError::Unresolved`].
pub fn look_up(target: &Target, reach: &Reach) -> Result<Vec<Address>, AddressError> {
    match (&reach.connect_to, &target.socket) {
        (Some(Endpoint::Unix(path)), _) | (None, Some(path)) => {
            Ok(vec![Address::Unix(path.clone())])
        }
        (Some(Endpoint::Tcp(host, port)), _) => look_up_name(host, *port, reach),
        (None, None) => look_up_name(&target.host, target.port_or_default(), reach),
    }
}

fn look_up_name(host: &str, port: u16, reach: &Reach) -> Result<Vec<Address>, AddressError> {
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

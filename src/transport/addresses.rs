//! From a target to the addresses that answer.

use crate::spec::{Endpoint, Reach, Resolve, Target};
use crate::units::Nanos;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
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

    fn try_once(&self) -> io::Result<()> {
        match self {
            Address::Tcp(address) => {
                TcpStream::connect_timeout(address, PROBE_LIMIT.to_duration()).map(drop)
            }
            Address::Unix(path) => UnixStream::connect(path).map(drop),
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

/// How long a first connection may take.
const PROBE_LIMIT: Nanos = Nanos::from_secs(5);

/// The addresses of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// Those that accept connections, in the resolver's order; connections are spread over them.
    pub answering: Vec<Address>,
    /// Those that do not, with the reason.
    pub refused: Vec<(Address, String)>,
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
}

/// Finds where a target is and tries each address once. wrk takes the first that answers; here all that
/// answer are kept, because a name with several addresses stands for several servers.
///
/// # Errors
/// [`AddressError`] when the name or every address fails.
pub fn resolve(target: &Target, reach: &Reach) -> Result<Addresses, AddressError> {
    let mut addresses = Addresses {
        answering: Vec::new(),
        refused: Vec::new(),
    };
    for address in look_up(target, reach)? {
        match address.try_once() {
            Ok(()) => addresses.answering.push(address),
            Err(error) => addresses.refused.push((address, error.to_string())),
        }
    }
    match addresses.refused.first() {
        Some((address, cause)) if addresses.answering.is_empty() => {
            Err(AddressError::Unreachable {
                address: address.clone(),
                cause: cause.clone(),
            })
        }
        _ => Ok(addresses),
    }
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
        (Some(Endpoint::Tcp(host, port)), _) => ask_resolver(host, *port),
        (None, None) => {
            let (host, port) = (&target.host, target.port_or_default());
            let named = |one: &&Resolve| one.host.eq_ignore_ascii_case(host) && one.port == port;
            let named = reach.resolve.iter().filter(named);
            let named: Vec<SocketAddr> = named
                .map(|one| SocketAddr::new(one.address, port))
                .collect();
            match named.is_empty() {
                true => ask_resolver(host, port),
                false => Ok(each_once(named)),
            }
        }
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

//! From a host name to the addresses that answer.

use crate::spec::{Reach, Resolve};
use crate::units::Nanos;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};

/// How long a first connection may take.
const PROBE_LIMIT: Nanos = Nanos::from_secs(5);

/// The addresses of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// Those that accept connections, in the resolver's order; connections are spread over them.
    pub answering: Vec<SocketAddr>,
    /// Those that do not, with the reason.
    pub refused: Vec<(SocketAddr, String)>,
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
        address: SocketAddr,
        /// What the kernel said.
        cause: String,
    },
}

/// Finds where a host and port are and tries each address once. wrk takes the first that answers; here
/// all that answer are kept, because a name with several addresses stands for several servers.
///
/// # Errors
/// [`AddressError`] when the name or every address fails.
pub fn resolve(host: &str, port: u16, reach: &Reach) -> Result<Addresses, AddressError> {
    let named = |one: &&Resolve| one.host.eq_ignore_ascii_case(host) && one.port == port;
    let named: Vec<SocketAddr> = reach
        .resolve
        .iter()
        .filter(named)
        .map(|one| SocketAddr::new(one.address, port))
        .collect();
    match &reach.connect_to {
        Some(endpoint) => try_each(&endpoint.host, look_up(&endpoint.host, endpoint.port)?),
        None if named.is_empty() => try_each(host, look_up(host, port)?),
        None => try_each(host, named),
    }
}

fn unresolved(host: &str, cause: String) -> AddressError {
    AddressError::Unresolved {
        host: host.to_owned(),
        cause,
    }
}

fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>, AddressError> {
    let found = (host, port).to_socket_addrs();
    let found = found.map_err(|error| unresolved(host, error.to_string()))?;
    Ok(found.collect())
}

fn try_each(host: &str, found: Vec<SocketAddr>) -> Result<Addresses, AddressError> {
    let mut addresses = Addresses {
        answering: Vec::new(),
        refused: Vec::new(),
    };
    for address in found {
        if addresses.answering.contains(&address) {
            continue;
        }
        match TcpStream::connect_timeout(&address, PROBE_LIMIT.to_duration()) {
            Ok(_) => addresses.answering.push(address),
            Err(error) => addresses.refused.push((address, error.to_string())),
        }
    }
    match addresses.refused.first() {
        Some((address, cause)) if addresses.answering.is_empty() => {
            Err(AddressError::Unreachable {
                address: *address,
                cause: cause.clone(),
            })
        }
        None if addresses.answering.is_empty() => Err(unresolved(host, "no address".to_owned())),
        _ => Ok(addresses),
    }
}

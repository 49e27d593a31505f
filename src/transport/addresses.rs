//! From a host name to the addresses that answer.

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

/// Resolves a host and tries each of its addresses once. wrk takes the first that answers; here all
/// that answer are kept, because a name with several addresses stands for several servers.
///
/// # Errors
/// [`AddressError`] when the name or every address fails.
pub fn resolve(host: &str, port: u16) -> Result<Addresses, AddressError> {
    let unresolved = |cause: String| AddressError::Unresolved {
        host: host.to_owned(),
        cause,
    };
    let found = (host, port)
        .to_socket_addrs()
        .map_err(|error| unresolved(error.to_string()))?;
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
        None if addresses.answering.is_empty() => Err(unresolved("no address".into())),
        _ => Ok(addresses),
    }
}

//! The header of the PROXY protocol, which servers behind a proxy expect first on a connection.

use crate::spec::ProxyProtocol;
use ppp::{v1, v2};
use std::io;
use std::net::SocketAddr;

/// The header for a connection. `ends` are the client's and the server's address, or `None` for a Unix
/// socket.
///
/// # Errors
/// None known: two addresses of one family always have a header.
pub fn proxy_header(
    version: ProxyProtocol,
    ends: Option<(SocketAddr, SocketAddr)>,
) -> io::Result<Vec<u8>> {
    match (version, ends) {
        (ProxyProtocol::V1, Some(ends)) => Ok(v1::Addresses::from(ends).to_string().into_bytes()),
        (ProxyProtocol::V1, None) => Ok(v1::Addresses::Unknown.to_string().into_bytes()),
        (ProxyProtocol::V2, Some(ends)) => {
            let proxied = v2::Version::Two | v2::Command::Proxy;
            v2::Builder::with_addresses(proxied, v2::Protocol::Stream, ends).build()
        }
        (ProxyProtocol::V2, None) => {
            let own = v2::Version::Two | v2::Command::Local;
            let nowhere = v2::Addresses::Unspecified;
            v2::Builder::with_addresses(own, v2::Protocol::Unspecified, nowhere).build()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(from: &str, to: &str) -> Option<(SocketAddr, SocketAddr)> {
        Some((
            from.parse().expect("an address"),
            to.parse().expect("an address"),
        ))
    }

    #[test]
    fn the_first_version_is_a_line() {
        let said = |ends| proxy_header(ProxyProtocol::V1, ends).expect("a header");
        assert_eq!(
            said(ends("10.0.0.1:4000", "10.0.0.2:80")),
            b"PROXY TCP4 10.0.0.1 10.0.0.2 4000 80\r\n"
        );
        assert_eq!(
            said(ends("[::1]:4000", "[::2]:80")),
            b"PROXY TCP6 ::1 ::2 4000 80\r\n"
        );
        assert_eq!(said(None), b"PROXY UNKNOWN\r\n");
    }

    #[test]
    fn the_second_version_is_binary() {
        let said = |ends| proxy_header(ProxyProtocol::V2, ends).expect("a header");
        let mut wanted = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
        wanted.extend([10, 0, 0, 1, 10, 0, 0, 2, 0x0f, 0xa0, 0, 80]);
        assert_eq!(said(ends("10.0.0.1:4000", "10.0.0.2:80")), wanted);
        assert_eq!(said(None), b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0");
    }
}

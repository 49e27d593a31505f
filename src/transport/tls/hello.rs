//! Whether a port that is spoken to in the clear speaks TLS.

use super::TlsClient;
use crate::spec::TlsSpec;
use crate::units::Nanos;
use std::net::SocketAddr;

/// Who speaks TLS says so at once.
const LIMIT: Nanos = Nanos::from_millis(500);
/// Ports on which servers are wont to speak TLS.
const WONT: [u16; 2] = [443, 8443];

/// Whether a port is one on which servers are wont to speak TLS, so that it is worth a look before the
/// load.
pub fn is_wont_to_speak_tls(port: u16) -> bool {
    WONT.contains(&port)
}

/// Tries a handshake, whoever answers.
pub fn speaks_tls(address: SocketAddr) -> bool {
    let spec = TlsSpec {
        insecure: true,
        ..TlsSpec::default()
    };
    let host = address.ip().to_string();
    TlsClient::new(&spec, &host).is_ok_and(|client| client.probe(address, LIMIT).is_ok())
}

//! Finds out whether a port speaks TLS.

use super::{TlsClient, TlsTrouble};
use crate::spec::TlsOptions;
use crate::transport::socket::Socket;
use crate::units::Nanos;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// Time limit of the trial; TLS servers answer at once.
const LIMIT: Nanos = Nanos::from_millis(500);
/// Ports on which servers usually speak TLS.
const TLS_PORTS: [u16; 2] = [443, 8443];

/// Whether servers usually speak TLS on this port, so that a handshake before the load is worthwhile.
pub fn is_tls_port(port: u16) -> bool {
    TLS_PORTS.contains(&port)
}

/// Tries a handshake without verifying the server. A server that refuses it with a TLS alert speaks TLS.
pub fn speaks_tls(address: SocketAddr) -> bool {
    let spec = TlsOptions {
        insecure: true,
        ..TlsOptions::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let client = TlsClient::new(&spec, &address.ip().to_string(), false);
    let (Ok(runtime), Ok(client)) = (runtime, client) else {
        return false;
    };
    let trial = async {
        let socket = Socket::Left(TcpStream::connect(address).await?);
        client.handshake(socket).await
    };
    let trial = async { tokio::time::timeout(LIMIT.to_duration(), trial).await };
    match runtime.block_on(trial) {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => {
            let inner = error.get_ref();
            let trouble = inner.and_then(|inner| inner.downcast_ref::<TlsTrouble>());
            trouble.is_some_and(|why| !matches!(why, TlsTrouble::Plain | TlsTrouble::HungUp))
        }
        Err(_) => false,
    }
}

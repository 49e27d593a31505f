//! One handshake before the load: what a whole run would fail of is found out first.

use super::{TlsClient, TlsTrouble};
use crate::units::Nanos;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// How long a server may take to refuse a client that has shown nothing.
const REFUSAL: Nanos = Nanos::from_secs(1);
/// What servers answer that hang up on nobody; nginx says 400.
const REFUSALS: [&[u8]; 3] = [b" 400 ", b" 401 ", b" 403 "];

impl TlsClient {
    /// Makes one handshake with an address, within so much time, and tells what was agreed on: version
    /// and cipher.
    ///
    /// # Errors
    /// A [`TlsTrouble`], or what the kernel says.
    pub fn probe(&self, address: SocketAddr, limit: Nanos) -> Result<String, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let probed = runtime.block_on(async {
            let trial = tokio::time::timeout(limit.to_duration(), self.try_once(address));
            trial
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        });
        probed.map_err(|error| error.to_string())
    }

    async fn try_once(&self, address: SocketAddr) -> io::Result<String> {
        let mut stream = self.handshake(TcpStream::connect(address).await?).await?;
        let (_, session) = stream.get_ref();
        let version = session.protocol_version();
        let cipher = session.negotiated_cipher_suite();
        let agreed = format!(
            "{} with {}",
            version.map_or("?", |version| version.as_str().unwrap_or("?")),
            cipher.map_or("?", |cipher| cipher.suite().as_str().unwrap_or("?")),
        );
        if self.has_identity || self.was_asked() {
            self.see_whether_it_is_enough(&mut stream).await?;
        }
        Ok(agreed)
    }

    /// A server that has asked for a certificate refuses a client that shows none, or a strange one, after
    /// the handshake: with an alert, or with a status. A request for nothing in particular brings that to
    /// light.
    async fn see_whether_it_is_enough(&self, stream: &mut TlsStream<TcpStream>) -> io::Result<()> {
        let host = self.name.to_str();
        let nothing = format!("OPTIONS * HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let mut reply = [0; 64];
        let answered = async {
            stream.write_all(nothing.as_bytes()).await?;
            stream.flush().await?;
            stream.read(&mut reply).await
        };
        let answered = tokio::time::timeout(REFUSAL.to_duration(), answered).await;
        let Ok(answered) = answered else {
            return Ok(());
        };
        let count = answered.map_err(|error| self.explained(error))?;
        let is_refused = REFUSALS.iter().any(|status| {
            reply[..count]
                .windows(status.len())
                .any(|window| window == *status)
        });
        if is_refused {
            let status = String::from_utf8_lossy(&reply[..count]);
            let status = status.lines().next().unwrap_or_default().to_owned();
            return Err(io::Error::other(match self.has_identity {
                true => TlsTrouble::Refused(status),
                false => TlsTrouble::ClientCertificate,
            }));
        }
        Ok(())
    }
}

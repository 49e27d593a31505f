//! One connection before the load: what a whole run would fail of is found out first.

use super::Address;
use super::dial::{Dialer, Link};
use super::http2::Multiplex;
use super::stream::Stream;
use super::tls::{TlsClient, TlsTrouble};
use crate::units::Nanos;
use http::{Method, Request, StatusCode};
use std::io;
use std::pin::pin;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How long a server may take to refuse a client that has shown nothing.
const REFUSAL: Nanos = Nanos::from_secs(1);
/// What servers answer that hang up on nobody; nginx says 400.
const REFUSALS: [StatusCode; 3] = [
    StatusCode::BAD_REQUEST,
    StatusCode::UNAUTHORIZED,
    StatusCode::FORBIDDEN,
];

impl Dialer {
    /// Opens one connection to see whether more can be opened; over TLS it tells what was agreed on:
    /// version and cipher. In the clear and with HTTP/1.1 there is nothing to see.
    ///
    /// # Errors
    /// What stands in the way, with the cure.
    pub fn probe(&self, address: &Address) -> Result<Option<String>, String> {
        if !self.is_tls() && !self.http2 {
            return Ok(None);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let probed = runtime.block_on(self.try_once(address));
        probed.map_err(|error| error.to_string())
    }

    async fn try_once(&self, address: &Address) -> io::Result<Option<String>> {
        let socket = self.connect(address, 0).await?;
        let stream = self.secure(socket).await?;
        let agreed = agreed(&stream);
        let link = self.begin(stream).await?;
        if let Some(tls) = self.tls.as_ref().filter(|tls| tls.is_to_show_itself()) {
            // A server that has asked for a certificate refuses a client that shows none, or a strange
            // one, after the handshake: with an alert, or with a status. A request for nothing in
            // particular brings that to light.
            let name = tls.name();
            let status = ask_for_nothing(link, &name);
            let status = tokio::time::timeout(REFUSAL.to_duration(), status).await;
            let status = status.ok().transpose()?.flatten();
            if let Some(status) = status.filter(|status| REFUSALS.contains(status)) {
                return Err(io::Error::other(tls.refused(status)));
            }
        }
        Ok(agreed)
    }
}

impl TlsClient {
    fn refused(&self, status: StatusCode) -> TlsTrouble {
        match self.has_identity() {
            true => TlsTrouble::Refused(status.to_string()),
            false => TlsTrouble::ClientCertificate,
        }
    }
}

fn agreed(stream: &Stream) -> Option<String> {
    let Stream::Tls(stream, _) = stream else {
        return None;
    };
    let (_, session) = stream.get_ref();
    let version = session.protocol_version();
    let cipher = session.negotiated_cipher_suite();
    Some(format!(
        "{} with {}",
        version.map_or("?", |version| version.as_str().unwrap_or("?")),
        cipher.map_or("?", |cipher| cipher.suite().as_str().unwrap_or("?")),
    ))
}

/// The status of an answer, when one comes that has any.
async fn ask_for_nothing(link: Link, host: &str) -> io::Result<Option<StatusCode>> {
    match link {
        Link::Bytes(stream) => ask_in_bytes(stream, host).await,
        Link::Multiplex(multiplex) => ask_in_frames(*multiplex, host).await,
    }
}

async fn ask_in_bytes(mut stream: Stream, host: &str) -> io::Result<Option<StatusCode>> {
    let request = format!("OPTIONS * HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut reply = [0; 64];
    let count = stream.read(&mut reply).await?;
    let status = reply[..count].split(|byte| *byte == b' ').nth(1);
    Ok(status.and_then(|status| StatusCode::from_bytes(status).ok()))
}

async fn ask_in_frames(multiplex: Multiplex, host: &str) -> io::Result<Option<StatusCode>> {
    let Multiplex {
        mut send,
        connection,
        ..
    } = multiplex;
    let request = Request::builder()
        .method(Method::OPTIONS)
        .uri(format!("https://{host}/"))
        .body(())
        .map_err(io::Error::other)?;
    let reply = async {
        let (reply, _) = send.send_request(request, true)?;
        reply.await
    };
    let mut connection = pin!(connection);
    tokio::select! {
        reply = reply => Ok(Some(reply.map_err(io::Error::other)?.status())),
        ended = &mut connection => ended.map(|()| None).map_err(io::Error::other),
    }
}

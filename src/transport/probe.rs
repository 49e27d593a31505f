//! One connection before the load, to find what would make the whole run fail.

use super::Address;
use super::dial::{Dialer, Link};
use super::http2::{Http2Link, with_its_kind};
use super::stream::Stream;
use super::tls::TlsTrouble;
use crate::units::Nanos;
use http::{Method, Request, StatusCode};
use std::io;
use std::pin::pin;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How long a server may take to refuse a client without a certificate.
const REFUSAL: Nanos = Nanos::from_secs(1);
/// How many bytes of a refusal are read.
const ENOUGH: usize = 1024;

/// Why a connection cannot be used.
#[derive(Debug)]
pub enum ProbeError {
    /// It cannot be opened; another address may work.
    Connect(io::Error),
    /// The server does not speak the protocol that was asked for; the error names the cure.
    Greeting(io::Error),
}

impl Dialer {
    /// Opens one connection as the load will open them. Over TLS the result names the version and the
    /// cipher.
    ///
    /// # Errors
    /// [`ProbeError`].
    pub async fn probe(&self, address: &Address) -> Result<Option<String>, ProbeError> {
        let socket = self.connect(address, 0).await;
        let socket = socket.map_err(ProbeError::Connect)?;
        let stream = self.secure(socket).await.map_err(ProbeError::Greeting)?;
        let agreed = agreed(&stream);
        let accepted = async { self.check_acceptance(self.begin(stream).await?).await };
        let accepted = accepted.await.map_err(|error| self.name_hang_up(error));
        accepted.map_err(ProbeError::Greeting)?;
        Ok(agreed)
    }

    /// Explains a closed connection. A server that asks for a client certificate and rejects it may close
    /// the connection before its alert is read, which is then lost.
    fn name_hang_up(&self, error: io::Error) -> io::Error {
        let asking = self.tls.as_ref().filter(|tls| tls.was_asked());
        match asking {
            Some(tls) if is_hang_up(&error) => io::Error::other(match tls.has_identity() {
                true => TlsTrouble::Refused("it hung up".to_owned()),
                false => TlsTrouble::ClientCertificate,
            }),
            _ => error,
        }
    }

    /// Checks that the server accepts this client. A server that asks for a client certificate refuses
    /// a missing or unknown one only after the handshake: with an alert or, as nginx does, with an error
    /// page. An OPTIONS request shows which.
    async fn check_acceptance(&self, link: Link) -> io::Result<()> {
        let Some(tls) = self.tls.as_ref().filter(|tls| tls.was_asked()) else {
            return Ok(());
        };
        let name = tls.name();
        let asked = send_options(link, &name);
        let asked = tokio::time::timeout(REFUSAL.to_duration(), asked).await;
        // Any other refusal comes from the application, and the run will show it.
        let is_about_us = |text: &str| text.to_lowercase().contains("certificate");
        let (status, text) = match asked {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) if is_about_us(&error.to_string()) || is_hang_up(&error) => {
                return Err(error);
            }
            Ok(Err(_)) | Err(_) => return Ok(()),
        };
        match status.filter(|status| status.is_client_error() && is_about_us(&text)) {
            Some(status) if tls.has_identity() => {
                let refused = TlsTrouble::Refused(status.to_string());
                Err(io::Error::other(refused))
            }
            Some(_) => Err(io::Error::other(TlsTrouble::ClientCertificate)),
            None => Ok(()),
        }
    }
}

/// Whether the connection was reset. An orderly end would be an answer.
fn is_hang_up(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionReset | ConnectionAborted
    )
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

/// The status of an answer, if it has one, and the start of its text.
type Refusal = (Option<StatusCode>, String);

async fn send_options(link: Link, name: &str) -> io::Result<Refusal> {
    let host = match name.contains(':') {
        true => format!("[{name}]"),
        false => name.to_owned(),
    };
    match link {
        Link::Bytes(stream) => options_http1(stream, &host).await,
        Link::Http2(link) => options_http2(*link, &host).await,
    }
}

async fn options_http1(mut stream: Stream, host: &str) -> io::Result<Refusal> {
    let request = format!("OPTIONS / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut reply = Vec::new();
    let ended = stream.take(ENOUGH as u64).read_to_end(&mut reply).await;
    if reply.is_empty() {
        // An error after an answer, such as a missing close_notify, is no refusal.
        ended?;
    }
    let status = reply.split(|byte| *byte == b' ').nth(1);
    let status = status.and_then(|status| StatusCode::from_bytes(status).ok());
    Ok((status, String::from_utf8_lossy(&reply).into_owned()))
}

async fn options_http2(link: Http2Link, host: &str) -> io::Result<Refusal> {
    let Http2Link {
        mut send,
        connection,
        ..
    } = link;
    let request = Request::builder()
        .method(Method::OPTIONS)
        .uri(format!("https://{host}/"))
        .body(())
        .map_err(io::Error::other)?;
    let reply = async {
        let (reply, _) = send.send_request(request, true)?;
        let (head, mut body) = reply.await?.into_parts();
        let mut text = Vec::new();
        while let Some(piece) = body.data().await.transpose()? {
            text.extend_from_slice(&piece);
            if text.len() >= ENOUGH {
                break;
            }
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        Ok::<_, h2::Error>((Some(head.status), text))
    };
    let mut connection = pin!(connection);
    tokio::select! {
        reply = reply => reply.map_err(with_its_kind),
        ended = &mut connection => {
            ended.map(|()| (None, String::new())).map_err(with_its_kind)
        }
    }
}

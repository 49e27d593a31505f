//! A connection as a stream of bytes, with or without TLS.

use super::socket::Socket;
use super::tls::TlsClient;
use rustls::HandshakeKind;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

/// An open connection.
#[derive(Debug)]
pub enum Stream {
    /// Without TLS.
    Clear(Socket),
    /// With TLS. The client turns errors into messages that name the cure.
    Tls(Box<TlsStream<Socket>>, TlsClient),
}

impl Stream {
    /// Whether the TLS handshake resumed an earlier session.
    pub fn is_resumed(&self) -> bool {
        let Stream::Tls(stream, _) = self else {
            return false;
        };
        stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed)
    }
}

impl AsyncRead for Stream {
    #[inline]
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Stream::Clear(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream, tls) => Pin::new(stream.as_mut())
                .poll_read(cx, buffer)
                .map_err(|error| tls.explained(error)),
        }
    }
}

/// Over TLS, written bytes may stay in the session until `poll_flush` hands them to the kernel.
impl AsyncWrite for Stream {
    #[inline]
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Stream::Clear(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream, tls) => Pin::new(stream.as_mut())
                .poll_write(cx, bytes)
                .map_err(|error| tls.explained(error)),
        }
    }

    #[inline]
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Stream::Clear(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream, tls) => Pin::new(stream.as_mut())
                .poll_flush(cx)
                .map_err(|error| tls.explained(error)),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Stream::Clear(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream, _) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}

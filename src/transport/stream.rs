//! A connection as a stream of bytes, whatever carries it.

use super::tls::TlsClient;
use crate::units::Nanos;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::client::TlsStream;

/// What carries the bytes.
#[derive(Debug)]
pub enum Stream {
    /// A TCP connection.
    Tcp(TcpStream),
    /// A TCP connection with TLS on it, and who explains what goes wrong there.
    Tls(Box<TlsStream<TcpStream>>, TlsClient),
    /// The near end of a pipe in memory, whose far end a test holds.
    Memory(DuplexStream),
}

/// Opens a TCP connection without Nagle's delay, from `local` where that is given.
///
/// # Errors
/// What the kernel says, or `TimedOut` after `limit`.
pub async fn connect(
    address: SocketAddr,
    local: Option<IpAddr>,
    limit: Nanos,
) -> io::Result<TcpStream> {
    let stream = match local {
        None => within(limit, TcpStream::connect(address)).await?,
        Some(local) => {
            let socket = match address {
                SocketAddr::V4(_) => TcpSocket::new_v4()?,
                SocketAddr::V6(_) => TcpSocket::new_v6()?,
            };
            socket
                .bind(SocketAddr::new(local, 0))
                .map_err(|error| io::Error::new(error.kind(), format!("from {local}: {error}")))?;
            within(limit, socket.connect(address)).await?
        }
    };
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Speaks TLS on a connection, where that is wanted.
///
/// # Errors
/// What the kernel says, what the handshake failed of, or `TimedOut` after `limit`.
pub async fn secure(
    stream: TcpStream,
    tls: Option<&TlsClient>,
    limit: Nanos,
) -> io::Result<Stream> {
    let Some(tls) = tls else {
        return Ok(Stream::Tcp(stream));
    };
    let stream = within(limit, tls.handshake(stream)).await?;
    Ok(Stream::Tls(Box::new(stream), tls.clone()))
}

async fn within<T>(limit: Nanos, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let outcome = tokio::time::timeout(limit.to_duration(), work).await;
    outcome.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

impl Stream {
    /// Reads what has arrived into `buffer`; 0 bytes mean that the peer has closed.
    #[inline]
    pub fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        let read = match self {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
            Stream::Tls(stream, tls) => Pin::new(stream.as_mut())
                .poll_read(cx, &mut buffer)
                .map_err(|error| tls.explained(error)),
            Stream::Memory(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
        };
        read.map_ok(|()| buffer.filled().len())
    }

    /// Hands bytes over; says how many were taken. What TLS has taken and not yet handed to the
    /// kernel goes out with [`Stream::poll_flush`].
    #[inline]
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Stream::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream, tls) => Pin::new(stream.as_mut())
                .poll_write(cx, bytes)
                .map_err(|error| tls.explained(error)),
            Stream::Memory(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    /// Ready when the kernel has all that was written.
    #[inline]
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Tls(stream, tls) => Pin::new(stream.as_mut())
                .poll_flush(cx)
                .map_err(|error| tls.explained(error)),
            // These keep nothing back.
            Stream::Tcp(_) | Stream::Memory(_) => Poll::Ready(Ok(())),
        }
    }
}

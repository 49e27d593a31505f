//! An HTTP/2 connection whose server's SETTINGS have arrived.

use super::stream::Stream;
use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};
use h2::{Ping, PingPong};
use std::cell::Cell;
use std::fmt;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Flow-control window of one stream, in bytes; the default of hyper's client.
const STREAM_WINDOW: u32 = 2 << 20;
/// Flow-control window of the connection, in bytes; the default of hyper's client. Bytes that are read
/// are released at once.
const CONNECTION_WINDOW: u32 = 5 << 20;

/// How many reset streams h2 remembers, because replies to them may still arrive.
const MOST_RESET_STREAMS: usize = 10_000;

/// An HTTP/2 connection, on which requests go side by side.
pub struct Http2Link {
    pub send: SendRequest<Bytes>,
    /// Must be polled for anything to happen. It is ready when the connection has ended.
    pub connection: Connection<ReadCounter, Bytes>,
    read: Rc<Cell<u64>>,
}

impl Http2Link {
    /// Exchanges prefaces and waits for the answer to a PING, by which time the SETTINGS have arrived.
    ///
    /// # Errors
    /// When the connection breaks or the server does not speak HTTP/2.
    pub async fn open(stream: Stream) -> io::Result<Http2Link> {
        let read = Rc::new(Cell::new(0));
        // Over TLS the handshake has agreed on HTTP/2, so errors have other reasons.
        let is_agreed = matches!(stream, Stream::Tls(..));
        let explain = |error: h2::Error| match is_agreed {
            true => with_its_kind(error),
            false => no_http2(&error),
        };
        let counter = ReadCounter {
            stream,
            read: read.clone(),
        };
        let opening = Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .enable_push(false)
            // Requests that are given up reset their streams; that is not the server's fault.
            .max_local_error_reset_streams(None)
            .max_concurrent_reset_streams(MOST_RESET_STREAMS)
            .handshake(counter);
        let (send, mut connection) = opening.await.map_err(explain)?;
        let pings = connection.ping_pong();
        let mut pings = pings.ok_or_else(|| io::Error::other("no PING can be sent"))?;
        pings.send_ping(Ping::opaque()).map_err(explain)?;
        let first = std::future::poll_fn(|cx| poll_first_pong(&mut connection, &mut pings, cx));
        match first.await {
            Ok(true) => {}
            Ok(false) if is_agreed => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(false) => return Err(no_http2(&"it closed the connection")),
            Err(error) => return Err(explain(error)),
        }
        Ok(Http2Link {
            send,
            connection,
            read,
        })
    }

    /// Bytes read since the last call.
    pub fn take_read(&self) -> u64 {
        self.read.take()
    }
}

impl fmt::Debug for Http2Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2Link").finish_non_exhaustive()
    }
}

/// Polls for the answer to the first PING; `false` when the connection was closed before it.
fn poll_first_pong(
    connection: &mut Connection<ReadCounter, Bytes>,
    pings: &mut PingPong,
    cx: &mut Context<'_>,
) -> Poll<Result<bool, h2::Error>> {
    if let Poll::Ready(ended) = pin!(connection).poll(cx) {
        return Poll::Ready(ended.map(|()| false));
    }
    pings.poll_pong(cx).map_ok(|_| true)
}

/// The error as an `io::Error` of the kernel's kind, by which a reset differs from an orderly end.
pub(super) fn with_its_kind(error: h2::Error) -> io::Error {
    let kind = error.get_io().map(io::Error::kind);
    io::Error::new(kind.unwrap_or(io::ErrorKind::Other), error)
}

fn no_http2(why: &dyn fmt::Display) -> io::Error {
    io::Error::other(format!(
        "the server does not speak HTTP/2 here ({why}); leave --http2 out"
    ))
}

/// A stream that counts the bytes read from it. Writes pass through.
pub struct ReadCounter {
    stream: Stream,
    read: Rc<Cell<u64>>,
}

impl AsyncRead for ReadCounter {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let count = buffer.filled().len() - before;
        self.read.update(|sum| sum + count as u64);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ReadCounter {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

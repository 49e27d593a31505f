//! An HTTP/2 connection, opened far enough that its server's limits are known.

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

/// What a server may send ahead on one stream, and
const STREAM_WINDOW: u32 = 2 << 20;
/// on all streams together: hyper's client allows as much, and what is read is given back at once.
const CONNECTION_WINDOW: u32 = 5 << 20;

/// Streams of which it is remembered that they were reset, for replies that are still on their way.
const MOST_RESET_STREAMS: usize = 10_000;

/// A connection on which requests go side by side.
pub struct Http2Link {
    /// Begins requests.
    pub send: SendRequest<Bytes>,
    /// Must be polled for anything to happen; ready when the connection is over.
    pub connection: Connection<Metered, Bytes>,
    read: Rc<Cell<u64>>,
}

impl Http2Link {
    /// Exchanges prefaces and waits for the answer to a PING: then the server's SETTINGS are here, too.
    ///
    /// # Errors
    /// When the connection breaks or the server speaks something else.
    pub async fn open(stream: Stream) -> io::Result<Http2Link> {
        let read = Rc::new(Cell::new(0));
        // Over TLS the version was agreed on, so that whatever goes wrong has another reason.
        let is_agreed = matches!(stream, Stream::Tls(..));
        let explain = |error: h2::Error| match is_agreed {
            true => with_its_kind(error),
            false => no_http2(&error),
        };
        let metered = Metered {
            stream,
            read: read.clone(),
        };
        let opening = Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .enable_push(false)
            // Requests that are given up are streams that are reset: nothing that the server did.
            .max_local_error_reset_streams(None)
            .max_concurrent_reset_streams(MOST_RESET_STREAMS)
            .handshake(metered);
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

    /// Bytes that have been read since the last call.
    pub fn take_read(&self) -> u64 {
        self.read.take()
    }
}

impl fmt::Debug for Http2Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2Link").finish_non_exhaustive()
    }
}

/// `false`: the connection was closed before the answer came.
fn poll_first_pong(
    connection: &mut Connection<Metered, Bytes>,
    pings: &mut PingPong,
    cx: &mut Context<'_>,
) -> Poll<Result<bool, h2::Error>> {
    if let Poll::Ready(ended) = pin!(connection).poll(cx) {
        return Poll::Ready(ended.map(|()| false));
    }
    pings.poll_pong(cx).map_ok(|_| true)
}

/// What the kernel said keeps its kind, which tells who hung up.
pub(super) fn with_its_kind(error: h2::Error) -> io::Error {
    let kind = error.get_io().map(io::Error::kind);
    io::Error::new(kind.unwrap_or(io::ErrorKind::Other), error)
}

fn no_http2(why: &dyn fmt::Display) -> io::Error {
    io::Error::other(format!(
        "the server does not speak HTTP/2 here ({why}); leave --http2 out"
    ))
}

/// A stream that counts what is read from it.
pub struct Metered {
    stream: Stream,
    read: Rc<Cell<u64>>,
}

impl AsyncRead for Metered {
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

impl AsyncWrite for Metered {
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

//! An HTTP/2 server that does what a test wants it to do.

use bytes::Bytes;
use h2::Reason;
use h2::server::{Builder, Connection, SendResponse};
use http::{HeaderMap, Request, Response};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::TcpStream;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A body of so many bytes.
    Body(usize),
    /// The same, after a while.
    Slow(Duration),
    /// The stream is reset.
    Reset(Reason),
    /// Nothing, ever.
    Silence,
    /// It is answered, and the connection takes no more.
    GoAway,
    /// The connection is cut.
    Cut,
}

/// What the server has seen.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    /// Connections that got as far as HTTP/2.
    pub connections: u64,
    /// Requests, by their number over all connections.
    pub requests: Vec<(HeaderMap, usize)>,
    /// Streams that the client gave up.
    pub cancelled: u64,
    /// The most streams that were open at a time.
    pub most_open: usize,
    open: usize,
}

/// Listens on 127.0.0.1; ends with the test's process.
pub struct Http2Server {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

impl Http2Server {
    /// Decides by a request's number, from 1, what becomes of it; a connection takes `streams` at a time.
    pub fn start(
        streams: u32,
        fate: impl Fn(usize) -> Fate + Send + Sync + 'static,
    ) -> Http2Server {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Seen::default()));
        let server = Server {
            streams,
            fate: Arc::new(fate),
            seen: seen.clone(),
        };
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(server.listen(listener));
        });
        Http2Server { address, seen }
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn seen(&self) -> Seen {
        lock(&self.seen).clone()
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().expect("not poisoned")
}

#[derive(Clone)]
struct Server {
    streams: u32,
    fate: Arc<dyn Fn(usize) -> Fate + Send + Sync>,
    seen: Arc<Mutex<Seen>>,
}

impl Server {
    async fn listen(self, listener: std::net::TcpListener) {
        listener.set_nonblocking(true).expect("non-blocking");
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            tokio::spawn(self.clone().attend(stream));
        }
    }

    /// A client that goes away is no failure of a test's.
    async fn attend(self, stream: TcpStream) {
        let mut builder = Builder::new();
        builder.max_concurrent_streams(self.streams);
        let Ok(mut connection) = builder.handshake::<_, Bytes>(stream).await else {
            return;
        };
        lock(&self.seen).connections += 1;
        while let Some(Ok((request, reply))) = connection.accept().await {
            if !self.answer(&mut connection, request, reply) {
                return;
            }
        }
    }

    /// `false`: the connection is to be cut.
    fn answer(
        &self,
        connection: &mut Connection<TcpStream, Bytes>,
        request: Request<h2::RecvStream>,
        mut reply: SendResponse<Bytes>,
    ) -> bool {
        let number = {
            let mut seen = lock(&self.seen);
            seen.requests.push((request.headers().clone(), 0));
            seen.open += 1;
            seen.most_open = seen.most_open.max(seen.open);
            seen.requests.len()
        };
        let fate = (self.fate)(number);
        match fate {
            Fate::Cut => return false,
            Fate::GoAway => connection.graceful_shutdown(),
            Fate::Reset(reason) => {
                reply.send_reset(reason);
                lock(&self.seen).open -= 1;
                return true;
            }
            _ => {}
        }
        let seen = self.seen.clone();
        tokio::spawn(async move {
            let read = drain(request.into_body()).await;
            lock(&seen).requests[number - 1].1 = read;
            let size = match fate {
                Fate::Body(size) => size,
                Fate::Slow(time) => {
                    tokio::time::sleep(time).await;
                    0
                }
                Fate::Silence => {
                    let _ = std::future::poll_fn(|cx| reply.poll_reset(cx)).await;
                    let mut seen = lock(&seen);
                    seen.cancelled += 1;
                    seen.open -= 1;
                    return;
                }
                _ => 0,
            };
            lock(&seen).open -= 1;
            let head = Response::builder().header("x-number", number);
            let head = head.body(()).expect("a head");
            if let Ok(mut body) = reply.send_response(head, size == 0)
                && size > 0
            {
                let _ = body.send_data(vec![b'x'; size].into(), true);
            }
        });
        true
    }
}

async fn drain(mut body: h2::RecvStream) -> usize {
    let mut read = 0;
    while let Some(Ok(piece)) = body.data().await {
        read += piece.len();
        let _ = body.flow_control().release_capacity(piece.len());
    }
    read
}

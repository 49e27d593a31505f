//! A server that speaks whatever a test wants it to speak: bytes on a socket, no HTTP library that
//! would put them right.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A reply that is as small as one with a body can be.
pub const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Replies with [`OK`] and keeps the connection open. The client may have closed it; what it makes of
/// that is what is tested.
pub fn reply_ok(_: &Request, stream: &mut TcpStream) -> Next {
    let _ = stream.write_all(OK);
    Next::Keep
}

/// What becomes of a connection after a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It stays open.
    Keep,
    /// It is closed.
    Close,
    /// It is reset: whatever is on its way is lost.
    Reset,
}

/// The head of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// As it came, without the empty line.
    pub head: String,
    /// How many requests the server had had before, over all connections.
    pub number: usize,
}

impl Request {
    /// The method.
    pub fn method(&self) -> &str {
        self.head.split(' ').next().unwrap_or_default()
    }
}

/// Listens on 127.0.0.1, a thread for each connection; stops when dropped.
pub struct RawServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    connections: AtomicUsize,
    requests: AtomicUsize,
    is_over: AtomicBool,
    open: Mutex<HashMap<usize, TcpStream>>,
}

impl RawServer {
    /// Calls `reply` for every request.
    pub fn start(
        reply: impl Fn(&Request, &mut TcpStream) -> Next + Send + Sync + 'static,
    ) -> RawServer {
        RawServer::start_at(([127, 0, 0, 1], 0).into(), reply)
    }

    /// Replies to every request with [`OK`].
    pub fn ok() -> RawServer {
        RawServer::replying(OK, Next::Keep)
    }

    /// Two servers that reply with [`OK`], at 127.0.0.1 and 127.0.0.2 on the same port.
    pub fn two_on_one_port() -> [RawServer; 2] {
        for _ in 0..10 {
            let first = RawServer::ok();
            let elsewhere = ([127, 0, 0, 2], first.address().port());
            if let Ok(listener) = TcpListener::bind(SocketAddr::from(elsewhere)) {
                return [first, RawServer::on(listener, reply_ok)];
            }
        }
        panic!("no port is free on both addresses");
    }

    /// Sends the same bytes in reply to every request.
    pub fn replying(bytes: &[u8], next: Next) -> RawServer {
        let bytes = bytes.to_vec();
        RawServer::start(move |_, stream| {
            let _ = stream.write_all(&bytes);
            next
        })
    }

    /// As [`RawServer::start`], on a chosen address.
    pub fn start_at(
        address: SocketAddr,
        reply: impl Fn(&Request, &mut TcpStream) -> Next + Send + Sync + 'static,
    ) -> RawServer {
        RawServer::on(TcpListener::bind(address).expect("a free port"), reply)
    }

    /// As [`RawServer::start`], for the connections of this listener.
    pub fn on(
        listener: TcpListener,
        reply: impl Fn(&Request, &mut TcpStream) -> Next + Send + Sync + 'static,
    ) -> RawServer {
        RawServer::serve(listener, move |visit| {
            while let Some(request) = visit.next_request() {
                match reply(&request, &mut visit.stream) {
                    Next::Keep => {}
                    Next::Close => return,
                    Next::Reset => return visit.reset(),
                }
            }
        })
    }

    /// Calls `host` for every connection.
    pub fn serve(
        listener: TcpListener,
        host: impl Fn(&mut Visit) + Send + Sync + 'static,
    ) -> RawServer {
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let acceptor = std::thread::spawn({
            let shared = shared.clone();
            move || accept(&listener, &shared, &Arc::new(host))
        });
        RawServer {
            address,
            shared,
            acceptor: Some(acceptor),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://ADDR/`
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Connections so far; meshload makes one more than asked for, to see whether anybody listens.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Requests so far.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the acceptor.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        for stream in self.shared.open().values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<usize, TcpStream>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn accept(
    listener: &TcpListener,
    shared: &Arc<Shared>,
    host: &Arc<impl Fn(&mut Visit) + Send + Sync + 'static>,
) {
    for stream in listener.incoming() {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let number = shared.connections.fetch_add(1, Ordering::SeqCst);
        if let Ok(handle) = stream.try_clone() {
            shared.open().insert(number, handle);
        }
        let (shared, host) = (shared.clone(), host.clone());
        std::thread::spawn(move || {
            let mut visit = Visit {
                stream,
                shared,
                unread: Vec::new(),
                number,
            };
            host(&mut visit);
        });
    }
}

/// One connection, as the server sees it; closed when the server's closure returns.
pub struct Visit {
    /// To write to.
    pub stream: TcpStream,
    shared: Arc<Shared>,
    unread: Vec<u8>,
    number: usize,
}

impl Visit {
    /// The next request; `None` when the client has closed.
    pub fn next_request(&mut self) -> Option<Request> {
        let _ = self.stream.set_read_timeout(None);
        self.read_request()
    }

    /// The next request; `None` when none comes in time.
    pub fn next_request_within(&mut self, limit: Duration) -> Option<Request> {
        let _ = self.stream.set_read_timeout(Some(limit));
        self.read_request()
    }

    fn read_request(&mut self) -> Option<Request> {
        const END: &[u8] = b"\r\n\r\n";
        loop {
            let end = self
                .unread
                .windows(END.len())
                .position(|bytes| bytes == END);
            if let Some(end) = end {
                let head = String::from_utf8_lossy(&self.unread[..end]).into_owned();
                self.unread.drain(..end + END.len());
                let number = self.shared.requests.fetch_add(1, Ordering::SeqCst);
                return Some(Request { head, number });
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer) {
                Ok(count) if count > 0 => self.unread.extend_from_slice(&buffer[..count]),
                _ => return None,
            }
        }
    }

    /// Makes the close a reset.
    fn reset(&mut self) {
        let socket = socket2::SockRef::from(&self.stream);
        let _ = socket.set_linger(Some(Duration::ZERO));
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        // The server's own handle would keep the connection open.
        self.shared.open().remove(&self.number);
    }
}

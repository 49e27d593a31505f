//! Every way to a target: https:// with certificates that are right and that are not, other addresses
//! and sockets, and how long connections last.

mod lifetimes;
mod tls;
mod ways;

use crate::support::tls::{Front, Identity, Pki, TlsFront};
use crate::support::{Hotel, Meshload, Next, Output, RawServer, path_text};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

/// A second at 100/s with these flags.
fn run(url: &str, flags: &str) -> Output {
    let words = "-R 100 -d 1s -t 1 -c 4 -q".split(' ');
    Meshload::new(words.chain(flags.split_whitespace()).chain([url])).run()
}

/// The result of a second at 100/s with these flags.
#[track_caller]
fn measured(url: &str, flags: &str) -> Value {
    run(url, &format!("{flags} --json -")).result()
}

/// The result has a reply to each of more than this many requests.
#[track_caller]
fn assert_completed_more_than(result: &Value, count: u64) {
    let completed = result["requests"]["completed"].as_u64();
    assert!(completed > Some(count), "{result}");
}

fn address(hotel: &Hotel) -> SocketAddr {
    let host = hotel.url().trim_start_matches("http://");
    host.trim_end_matches('/').parse().expect("an address")
}

/// A hotel behind TLS.
struct Secured {
    pki: Pki,
    identity: Identity,
    hotel: Hotel,
}

impl Secured {
    fn new() -> Secured {
        let pki = Pki::new();
        Secured {
            identity: pki.identity("server", &["localhost", "127.0.0.1"]),
            hotel: Hotel::start(["--service-time", "constant:2ms"]),
            pki,
        }
    }

    fn front(&self, front: &Front<'_>) -> TlsFront {
        TlsFront::start(&self.identity, front, address(&self.hotel))
    }

    /// The flag with which its certificates are trusted.
    fn trusted(&self) -> String {
        format!("--cacert {}", path_text(&self.pki.ca()))
    }
}

/// `https://localhost:PORT/`
fn https(port: u16) -> String {
    format!("https://localhost:{port}/")
}

/// What a server saw of a request.
struct Seen {
    from: IpAddr,
    head: String,
}

/// A server that takes down who asks, and how.
struct RecordingServer {
    server: RawServer,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl RecordingServer {
    fn start() -> RecordingServer {
        RecordingServer::start_at(([127, 0, 0, 1], 0).into())
    }

    fn start_at(address: SocketAddr) -> RecordingServer {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let book = seen.clone();
        let server = RawServer::start_at(address, move |request, stream| {
            let from = stream.peer_addr().expect("a peer").ip();
            let head = request.head.clone();
            book.lock().expect("not poisoned").push(Seen { from, head });
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            Next::Keep
        });
        RecordingServer { server, seen }
    }

    /// The heads of all requests so far.
    fn heads(&self) -> Vec<String> {
        let seen = self.seen.lock().expect("not poisoned");
        seen.iter().map(|seen| seen.head.clone()).collect()
    }

    /// The Host headers of all requests so far.
    fn hosts(&self) -> BTreeSet<String> {
        let heads = self.heads().into_iter();
        let hosts = heads.map(|head| {
            let line = head.lines().find(|line| line.starts_with("Host: "));
            line.unwrap_or_default().to_owned()
        });
        hosts.collect()
    }

    /// The addresses from which all requests so far came.
    fn sources(&self) -> BTreeSet<IpAddr> {
        let seen = self.seen.lock().expect("not poisoned");
        seen.iter().map(|seen| seen.from).collect()
    }

    /// Forgets what it saw.
    fn clear(&self) {
        self.seen.lock().expect("not poisoned").clear();
    }
}

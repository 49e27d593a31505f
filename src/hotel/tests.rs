//! The stand-in as a client sees it: raw HTTP over a real socket.

use super::*;
use crate::units::Rate;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::JoinHandle;
use std::time::Duration;

/// A hotel that is open while it is in scope.
struct Open {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Open {
    fn with(change: impl FnOnce(&mut HotelSpec)) -> Open {
        let mut spec = HotelSpec {
            listen: "127.0.0.1:0".parse().unwrap(),
            service_time: ServiceTime::Constant(Nanos::ZERO),
            stall: None,
            capacity: None,
            error_rate: 0.0,
            close_every: None,
            seed: 1,
        };
        change(&mut spec);
        let (opened, address) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let ready = |address| opened.send(address).unwrap();
            let stop = async {
                let _ = stopped.await;
            };
            serve(&spec, ready, stop).unwrap();
        });
        Open {
            address: address.recv().unwrap(),
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    fn client(&self) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        Client { stream }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            assert!(thread.join().is_ok(), "the hotel failed");
        }
    }
}

struct Client {
    stream: TcpStream,
}

struct Reply {
    head: String,
    body: String,
}

impl Client {
    fn send(&mut self, request: &str) {
        self.stream.write_all(request.as_bytes()).unwrap();
    }

    fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        String::from_utf8(head).unwrap()
    }

    fn reply(&mut self) -> Reply {
        let head = self.head();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "))
            .expect("a length")
            .parse()
            .unwrap();
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        Reply {
            head,
            body: String::from_utf8(body).unwrap(),
        }
    }

    fn get(&mut self, target: &str) -> Reply {
        self.send(&format!("GET {target} HTTP/1.1\r\nHost: hotel\r\n\r\n"));
        self.reply()
    }

    fn is_closed(&mut self) -> bool {
        matches!(self.stream.read(&mut [0]), Ok(0))
    }
}

const SEARCH: &str = "/hotels?inDate=2015-04-09&outDate=2015-04-11&lat=38.0235&lon=-122.095";

#[test]
fn a_search_with_an_absolute_url_is_answered_like_any_other_on_the_same_connection() {
    let hotel = Open::with(|_| {});
    let mut client = hotel.client();
    let absolute = client.get(&format!("http://localhost:5000{SEARCH}"));
    assert!(absolute.head.starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(
        absolute
            .head
            .contains("\r\nAccess-Control-Allow-Origin: *\r\n")
    );
    assert!(absolute.head.contains("\r\nDate: "));
    assert!(absolute.body.starts_with("{\"features\":["));
    assert_eq!(client.get(SEARCH).body, absolute.body);
}

#[test]
fn a_body_sent_with_a_post_is_ignored_and_the_connection_goes_on() {
    let hotel = Open::with(|_| {});
    let mut client = hotel.client();
    for _ in 0..2 {
        client.send(
            "POST http://localhost:5000/user?username=Cornell_7&password=7777777777 HTTP/1.1\r\n\
             Host: hotel\r\nContent-Length: 5\r\n\r\nhello",
        );
        assert_eq!(
            client.reply().body,
            "{\"message\":\"Login successfully!\"}\n"
        );
    }
}

#[test]
fn a_bad_request_is_told_what_is_missing_and_an_unknown_path_is_not_found() {
    let hotel = Open::with(|_| {});
    let mut client = hotel.client();
    let bad = client.get("/hotels?lat=1&lon=2");
    assert!(bad.head.starts_with("HTTP/1.1 400 Bad Request\r\n"));
    assert_eq!(bad.body, "Please specify inDate/outDate params\n");
    let missing = client.get("/rooms");
    assert!(missing.head.starts_with("HTTP/1.1 404 Not Found\r\n"));
    assert_eq!(missing.body, "404 page not found\n");
}

#[test]
fn a_head_request_gets_the_length_but_no_body() {
    let hotel = Open::with(|_| {});
    let mut client = hotel.client();
    client.send("HEAD / HTTP/1.1\r\nHost: hotel\r\n\r\n");
    assert!(client.head().contains("\r\nContent-Length: "));
    assert!(client.get("/").body.starts_with("<!DOCTYPE html>"));
}

#[test]
fn a_large_body_comes_in_chunks() {
    let hotel = Open::with(|_| {});
    let mut client = hotel.client();
    client.send(&format!(
        "GET {SEARCH}&limit=80 HTTP/1.1\r\nHost: hotel\r\nConnection: close\r\n\r\n"
    ));
    let mut reply = String::new();
    client.stream.read_to_string(&mut reply).unwrap();
    assert!(reply.contains("\r\nTransfer-Encoding: chunked\r\n"));
    assert!(reply.ends_with("\r\n0\r\n\r\n"));
    assert!(reply.len() > 10_000);
}

#[test]
fn each_second_reply_closes_the_connection_when_asked_to() {
    let hotel = Open::with(|spec| spec.close_every = Some(2));
    let mut client = hotel.client();
    assert!(!client.get("/").head.contains("Connection: close"));
    assert!(client.get("/").head.contains("\r\nConnection: close\r\n"));
    assert!(client.is_closed());
}

#[test]
fn failing_requests_get_the_text_of_a_downstream_error() {
    let hotel = Open::with(|spec| spec.error_rate = 1.0);
    let reply = hotel.client().get(SEARCH);
    assert!(reply.head.starts_with("HTTP/1.1 500 "));
    assert!(reply.body.starts_with("rpc error: "), "{}", reply.body);
}

#[test]
fn a_service_time_is_waited_for_and_little_more() {
    let hotel = Open::with(|spec| spec.service_time = ServiceTime::Constant(Nanos(3_300_000)));
    let mut client = hotel.client();
    let clock = RunClock::start();
    let fastest = (0..20)
        .map(|_| {
            let start = clock.now();
            client.get("/");
            clock.now() - start
        })
        .min();
    // The fastest of many: a busy machine delays some, a timer of whole milliseconds all of them.
    assert!(
        (3_300_000..4_000_000).contains(&fastest.unwrap().0),
        "{fastest:?}"
    );
}

#[test]
fn beyond_the_capacity_requests_take_turns() {
    let hotel = Open::with(|spec| spec.capacity = Rate::per_second(200.0));
    let clock = RunClock::start();
    let mut clients: Vec<Client> = (0..10).map(|_| hotel.client()).collect();
    for client in &mut clients {
        client.send("GET / HTTP/1.1\r\nHost: hotel\r\n\r\n");
    }
    for client in &mut clients {
        client.reply();
    }
    assert!(clock.now() >= Nanos::from_millis(50), "{}", clock.now());
}

#[test]
fn nothing_is_answered_during_a_stall_and_everything_after_it() {
    let stall: Stall = "150ms@50ms".parse().unwrap();
    let hotel = Open::with(|spec| spec.stall = Some(stall));
    let mut client = hotel.client();
    let clock = RunClock::start();
    client.get("/");
    let mut longest = Nanos::ZERO;
    while clock.now() < Nanos::from_millis(300) {
        let start = clock.now();
        client.get("/");
        longest = longest.max(clock.now() - start);
    }
    assert!(longest >= Nanos::from_millis(140), "{longest}");
    assert!(longest < Nanos::SECOND, "{longest}");
}

#[test]
fn a_port_in_use_names_the_option_that_cures_it() {
    let hotel = Open::with(|_| {});
    let spec = HotelSpec {
        listen: hotel.address,
        service_time: ServiceTime::default(),
        stall: None,
        capacity: None,
        error_rate: 0.0,
        close_every: None,
        seed: 1,
    };
    let error = serve(&spec, |_| {}, pending())
        .expect_err("taken")
        .to_string();
    assert!(error.contains("--listen"), "{error}");
}

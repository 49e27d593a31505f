//! Every door: https:// with certificates that are right and that are not, and the ways there.

use crate::support::tls::{Front, Identity, Pki, TlsFront};
use crate::support::{Hotel, Meshload, Next, Output, RawServer, done, machine, wait_until};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

fn run(url: &str, flags: &[&str]) -> Output {
    let words = ["-R", "100", "-d", "1s", "-t", "1", "-c", "4", "-q"];
    Meshload::new(words.iter().chain(flags).chain([&url])).run()
}

fn text(path: &std::path::Path) -> &str {
    path.to_str().expect("a path")
}

fn address(hotel: &Hotel) -> SocketAddr {
    let host = hotel
        .url()
        .trim_start_matches("http://")
        .trim_end_matches('/');
    host.parse().expect("an address")
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
}

fn json(output: &Output) -> Value {
    done(output);
    output.json()
}

#[test]
fn https_is_measured_like_http_with_its_handshakes() {
    let _machine = machine();
    let secured = Secured::new();
    let front = secured.front(&Front::default());
    let ca = secured.pki.ca();
    let url = format!("https://localhost:{}/", front.port);
    let result = json(&run(&url, &["--cacert", text(&ca), "--json", "-"]));
    assert_eq!(result["status"]["200"], result["requests"]["completed"]);
    assert!(
        result["requests"]["completed"].as_u64() > Some(30),
        "{result}"
    );
    assert_eq!(
        result["handshake_ns"]["count"], 4,
        "one for each connection"
    );
    assert_eq!(result["connect_ns"]["count"], 4);
    let notes = result["notes"].to_string();
    assert!(
        notes.contains("TLSv1_3 with TLS13_") && notes.contains("verified"),
        "{notes}"
    );
    // One to see that it works, then the four.
    assert_eq!(front.handshakes().0, 5);
}

#[test]
fn later_handshakes_take_up_an_earlier_session_unless_they_are_told_not_to() {
    let _machine = machine();
    let mut secured = Secured::new();
    secured.hotel = Hotel::start(["--service-time", "constant:2ms", "--close-every", "5"]);
    let ca = secured.pki.ca();
    for (flags, resumes) in [(&[][..], true), (&["--no-resumption"][..], false)] {
        let front = secured.front(&Front::default());
        let url = format!("https://localhost:{}/", front.port);
        let result = json(&run(
            &url,
            &[&["--cacert", text(&ca), "--json", "-"], flags].concat(),
        ));
        let (handshakes, resumed) = front.handshakes();
        assert!(
            handshakes >= 10,
            "a reply in five ends a connection: {handshakes}"
        );
        assert_eq!(resumed > 0, resumes, "{resumed} of {handshakes}");
        let counted = result["handshake_ns"]["count"].as_u64().expect("a count");
        assert!(
            counted >= 10 && counted < handshakes + 1,
            "{counted} of {handshakes}"
        );
    }
}

#[test]
fn scripts_and_bodies_pass_through_tls() {
    let _machine = machine();
    let secured = Secured::new();
    let front = secured.front(&Front::default());
    let home = tempfile::tempdir().expect("a folder");
    let script = home.path().join("post.lua");
    // Larger than what a socket takes at once, so that what TLS keeps back must be flushed.
    let source = "local body = string.rep('x', 1048576)
        function request() return wrk.format('POST', '/' .. wrk.scheme, {}, body) end";
    fs::write(&script, source).expect("written");
    let ca = secured.pki.ca();
    let url = format!("https://localhost:{}/", front.port);
    let flags = ["-s", text(&script), "--cacert", text(&ca), "--json", "-"];
    let output = Meshload::new(
        ["-R", "20", "-d", "1s", "-t", "1", "-c", "4", "-q"]
            .iter()
            .chain(&flags)
            .chain([&url.as_str()]),
    )
    .run();
    let result = json(&output);
    assert!(
        result["requests"]["completed"].as_u64() > Some(15),
        "{result}"
    );
    assert!(
        result["routes"]["POST /https"].is_object(),
        "{}",
        result["routes"]
    );
}

#[test]
fn certificates_that_are_not_right_are_refused_before_the_load_with_the_cure() {
    let _machine = machine();
    let secured = Secured::new();
    let (ca, other) = (secured.pki.ca(), Pki::new());
    let behind = address(&secured.hotel);
    let front = secured.front(&Front::default());
    let expired = secured.pki.expired(&["localhost"]);
    let expired = TlsFront::start(&expired, &Front::default(), behind);
    let elsewhere = secured.pki.identity("elsewhere", &["elsewhere"]);
    let elsewhere = TlsFront::start(&elsewhere, &Front::default(), behind);
    let old = secured.front(&Front {
        is_old: true,
        ..Front::default()
    });
    let refused = |port: u16, host: &str, flags: &[&str], words: &str| {
        let output = run(&format!("https://{host}:{port}/"), flags);
        assert_eq!(output.code, Some(1), "{output}");
        assert!(output.stderr.contains(words), "{words}: {output}");
        assert!(output.stdout.is_empty(), "nothing was measured: {output}");
    };
    let trusted = ["--cacert", text(&ca)];
    refused(expired.port, "localhost", &trusted, "has expired");
    refused(
        elsewhere.port,
        "localhost",
        &trusted,
        "not for localhost but for",
    );
    refused(
        front.port,
        "localhost",
        &["--cacert", text(&other.ca())],
        "--cacert FILE",
    );
    refused(front.port, "localhost", &[], "--cacert FILE");
    refused(
        old.port,
        "localhost",
        &["--cacert", text(&ca), "--tls-min", "1.3"],
        "--tls-min",
    );
    let before = front.handshakes().0;
    // Whoever answers is believed, and the result says so.
    for port in [expired.port, front.port] {
        let url = format!("https://localhost:{port}/");
        let result = json(&run(&url, &["--insecure", "--json", "-"]));
        assert!(
            result["notes"].to_string().contains("--insecure"),
            "{}",
            result["notes"]
        );
    }
    assert!(front.handshakes().0 > before);
    let aged = json(&run(
        &format!("https://localhost:{}/", old.port),
        &["--cacert", text(&ca), "--json", "-"],
    ));
    assert!(
        aged["notes"].to_string().contains("TLSv1_2"),
        "{}",
        aged["notes"]
    );
}

#[test]
fn a_server_may_want_to_know_who_asks() {
    let _machine = machine();
    let secured = Secured::new();
    let ca = secured.pki.ca();
    let other = Pki::new();
    let [friend, stranger] = [&secured.pki, &other].map(|pki| pki.identity("client", &["client"]));
    for is_old in [false, true] {
        let wants = Some(ca.as_path());
        let front = secured.front(&Front {
            wants,
            is_old,
            ..Front::default()
        });
        let url = format!("https://localhost:{}/", front.port);
        let shown = |identity: &Identity| {
            let flags = [
                "--cacert",
                text(&ca),
                "--cert",
                text(&identity.cert),
                "--key",
                text(&identity.key),
            ];
            run(&url, &[&flags[..], &["--json", "-"]].concat())
        };
        let result = json(&shown(&friend));
        assert!(
            result["requests"]["completed"].as_u64() > Some(30),
            "{result}"
        );
        let unknown = shown(&stranger);
        assert_eq!(unknown.code, Some(1), "{unknown}");
        assert!(unknown.stderr.contains("--cert ("), "{unknown}");
        let nobody = run(&url, &["--cacert", text(&ca)]);
        assert_eq!(nobody.code, Some(1), "{nobody}");
        assert!(
            nobody.stderr.contains("show one with --cert and --key"),
            "{nobody}"
        );
    }
}

#[test]
fn tls_and_plain_ports_are_told_apart() {
    let _machine = machine();
    let secured = Secured::new();
    let plain = address(&secured.hotel).port();
    let output = run(&format!("https://127.0.0.1:{plain}/"), &["--insecure"]);
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains("write http://"), "{output}");
    let front = secured.front(&Front::default());
    let output = run(&format!("http://127.0.0.1:{}/", front.port), &[]);
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains("write https://"), "{output}");
    // A server that says nothing at all is neither.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let output = run(&format!("http://127.0.0.1:{port}/"), &["-T", "100ms"]);
    assert!(!output.stderr.contains("https://"), "{output}");
}

#[test]
fn files_that_are_none_are_refused_with_their_flag() {
    let home = tempfile::tempdir().expect("a folder");
    let pki = Pki::new();
    let identity = pki.identity("one", &["one"]);
    let other = pki.identity("two", &["two"]);
    let empty = home.path().join("empty.pem");
    fs::write(&empty, "").expect("written");
    let hotel = Hotel::start(["--service-time", "constant:0"]);
    let url = format!("https://localhost:{}/", address(&hotel).port());
    for (flags, words) in [
        (vec!["--cacert", "/nowhere"], "--cacert: /nowhere"),
        (vec!["--cacert", text(&empty)], "no certificate in it"),
        (vec!["--cert", text(&identity.cert)], "add --key"),
        (vec!["--key", text(&identity.key)], "add --cert"),
        (
            vec!["--cert", text(&identity.cert), "--key", text(&empty)],
            "--key: ",
        ),
        (
            vec!["--cert", text(&identity.cert), "--key", text(&other.key)],
            "--cert: ",
        ),
        (
            vec!["--insecure", "--cacert", text(&empty)],
            "leave one of them out",
        ),
        (vec!["--tls-min", "1.1"], "1.2"),
    ] {
        let output = run(&url, &flags);
        assert_eq!(output.code, Some(2), "{flags:?}: {output}");
        assert!(output.stderr.contains(words), "{words}: {output}");
    }
}

/// From where a server was asked, and with which Host header.
type Heard = Arc<Mutex<BTreeSet<(IpAddr, String)>>>;

/// A server that takes down who asks.
fn taking_down() -> (RawServer, Heard) {
    let heard = Heard::default();
    let book = heard.clone();
    let server = RawServer::start(move |request, stream| {
        let line = request.head.lines().find(|line| line.starts_with("Host: "));
        let from = stream.peer_addr().expect("a peer").ip();
        let entry = (from, line.unwrap_or_default().to_owned());
        book.lock().expect("not poisoned").insert(entry);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        Next::Keep
    });
    (server, heard)
}

#[test]
fn names_ingresses_hosts_and_local_addresses_lead_where_they_are_told_to() {
    let _machine = machine();
    let (server, heard) = taking_down();
    let port = server.address().port();
    let resolve = format!("shop.invalid:{port}:127.0.0.1");
    let ingress = format!("127.0.0.1:{port}");
    for (url, flags, from, host) in [
        (
            format!("http://shop.invalid:{port}/"),
            vec!["--resolve", &resolve],
            1,
            format!("shop.invalid:{port}"),
        ),
        (
            "http://shop.invalid/".to_owned(),
            vec!["--connect-to", &ingress],
            1,
            "shop.invalid".to_owned(),
        ),
        (
            server.url(),
            vec!["--host", "shop.invalid"],
            1,
            "shop.invalid".to_owned(),
        ),
        (
            server.url(),
            vec![
                "--local-address",
                "127.0.0.3",
                "--local-address",
                "127.0.0.4",
            ],
            2,
            server.address().to_string(),
        ),
    ] {
        heard.lock().expect("not poisoned").clear();
        done(&run(&url, &flags));
        let heard = heard.lock().expect("not poisoned").clone();
        assert_eq!(heard.len(), from, "{flags:?}: {heard:?}");
        assert!(
            heard
                .iter()
                .all(|(_, line)| *line == format!("Host: {host}")),
            "{heard:?}"
        );
        if from == 2 {
            let from: Vec<String> = heard.iter().map(|(from, _)| from.to_string()).collect();
            assert_eq!(from, ["127.0.0.3", "127.0.0.4"]);
        }
    }
}

#[test]
fn ways_that_lead_nowhere_are_told_with_their_flag() {
    for (flags, code, words) in [
        (["--resolve", "shop"], 2, "HOST:PORT:ADDRESS"),
        (["--connect-to", "::1:80"], 2, "HOST:PORT"),
        (
            ["--connect-to", "nowhere.invalid:80"],
            1,
            "cannot resolve nowhere.invalid",
        ),
        (["--host", "a\nb"], 2, "give a name"),
        (["--local-address", "x"], 2, "--local-address"),
        // An address of nobody's (RFC 5737) is not this machine's.
        (
            ["--local-address", "192.0.2.1"],
            1,
            "--local-address 192.0.2.1: ",
        ),
    ] {
        let (server, _) = taking_down();
        let output = run(&server.url(), &flags);
        assert_eq!(output.code, Some(code), "{flags:?}: {output}");
        assert!(output.stderr.contains(words), "{words}: {output}");
    }
}

/// A server that takes down the heads of all requests.
fn recording() -> (RawServer, Arc<Mutex<Vec<String>>>) {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let book = heads.clone();
    let server = RawServer::start(move |request, stream| {
        book.lock()
            .expect("not poisoned")
            .push(request.head.clone());
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        Next::Keep
    });
    (server, heads)
}

#[test]
fn connections_last_for_as_many_requests_as_they_are_told_to() {
    let _machine = machine();
    for (flags, sent_by_each) in [
        (vec!["--requests-per-connection", "10"], 10),
        (vec!["--no-keepalive"], 1),
    ] {
        let (server, heads) = recording();
        let result = json(&run(
            &server.url(),
            &[&flags[..], &["--json", "-"]].concat(),
        ));
        let heads = heads.lock().expect("not poisoned").clone();
        // One connection has looked whether anybody is there.
        let connections = server.connections() - 1;
        let least = heads.len().div_ceil(sent_by_each);
        assert!(
            (least..=least + 4).contains(&connections),
            "{connections} connections for {} requests",
            heads.len()
        );
        let requests = &result["requests"];
        assert_eq!(requests["failed"], 0, "{requests}");
        assert_eq!(
            requests["reconnects"], 0,
            "an end that was meant is no loss"
        );
        let closing = heads
            .iter()
            .filter(|head| head.contains("Connection: close"));
        let wanted = if sent_by_each == 1 { heads.len() } else { 0 };
        assert_eq!(closing.count(), wanted);
    }
}

#[test]
fn a_connection_for_every_request_is_opened_on_the_requests_own_time() {
    let _machine = machine();
    let secured = Secured::new();
    let front = secured.front(&Front::default());
    let ca = secured.pki.ca();
    let flags = ["--no-keepalive", "--no-resumption", "--json", "-"];
    let url = format!("https://localhost:{}/", front.port);
    let result = json(&run(&url, &[&flags[..], &["--cacert", text(&ca)]].concat()));
    let median = |what: &str| result[what]["p50"].as_f64().expect("a median");
    let [latency, service, handshake] = ["latency_ns", "service_ns", "handshake_ns"].map(median);
    assert!(
        latency >= service + handshake / 2.0,
        "{latency} ns, of them {service} ns of service; a handshake takes {handshake} ns"
    );
    let least = |what: &str| result[what]["min"].as_f64().expect("a least value");
    assert!(
        least("latency_ns") >= 0.9 * least("handshake_ns"),
        "the first ones, too: {result}"
    );
    let completed = result["requests"]["completed"].as_u64();
    assert!(
        result["handshake_ns"]["count"].as_u64() >= completed,
        "{result}"
    );
}

#[test]
fn sockets_without_a_network_are_measured_too() {
    let _machine = machine();
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("app.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
    let served = Arc::new(Mutex::new(BTreeSet::new()));
    let hosts = served.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let hosts = hosts.clone();
            std::thread::spawn(move || answer_on(stream, &hosts));
        }
    });
    for (url, flags, host) in [
        (format!("unix:{}", path.display()), vec![], "localhost"),
        (
            "http://shop.invalid/".to_owned(),
            vec![
                "--connect-to".to_owned(),
                format!("unix:{}", path.display()),
            ],
            "shop.invalid",
        ),
    ] {
        served.lock().expect("not poisoned").clear();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let result = json(&run(&url, &[&flags[..], &["--json", "-"]].concat()));
        assert!(
            result["requests"]["completed"].as_u64() > Some(30),
            "{result}"
        );
        let hosts = served.lock().expect("not poisoned").clone();
        assert_eq!(hosts, BTreeSet::from([format!("Host: {host}")]));
    }
    let gone = run(&format!("unix:{}/nowhere", home.path().display()), &[]);
    assert_eq!(gone.code, Some(1), "{gone}");
    assert!(gone.stderr.contains("nowhere"), "{gone}");
}

fn answer_on(mut stream: std::os::unix::net::UnixStream, hosts: &Mutex<BTreeSet<String>>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
        if line.starts_with("Host: ") {
            let host = line.trim().to_owned();
            hosts.lock().expect("not poisoned").insert(host);
        }
        if line == "\r\n" {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
        line.clear();
    }
}

#[test]
fn each_connection_says_first_where_it_comes_from_to_those_who_want_to_know() {
    let _machine = machine();
    let (server, heads) = recording();
    done(&run(&server.url(), &["--proxy-protocol", "v1"]));
    let heads = heads.lock().expect("not poisoned").clone();
    let first: Vec<_> = heads
        .iter()
        .filter(|head| head.starts_with("PROXY "))
        .collect();
    assert_eq!(first.len(), 4, "one for each connection: {first:?}");
    let to = format!("{}", server.address().port());
    for head in first {
        let words: Vec<&str> = head.lines().next().expect("a line").split(' ').collect();
        assert_eq!(words[..4], ["PROXY", "TCP4", "127.0.0.1", "127.0.0.1"]);
        assert_eq!(words[5], to);
    }
    let output = run(&server.url(), &["--proxy-protocol", "v3"]);
    assert_eq!(output.code, Some(2), "{output}");
    assert!(output.stderr.contains("v1, v2"), "{output}");
}

#[test]
#[ignore = "needs root and unshare"]
fn a_name_that_moves_is_followed_between_two_requests() {
    let _machine = machine();
    let (old, _) = recording();
    let port = old.address().port();
    let moved = ([127, 0, 0, 2], port).into();
    let new = RawServer::start_at(moved, |_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        Next::Keep
    });
    let home = tempfile::tempdir().expect("a folder");
    let hosts = home.path().join("hosts");
    fs::write(&hosts, "127.0.0.1 shop.invalid\n").expect("written");
    let own_hosts = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";
    let prefix = ["unshare", "-m", "sh", "-c", own_hosts, text(&hosts)];
    let url = format!("http://shop.invalid:{port}/");
    let words = "-R 100 -d 3s -t 1 -c 4 -q --json - --dns-refresh 200ms";
    let running = Meshload::through(prefix, words.split(' ').chain([url.as_str()])).start();
    wait_until("the load is on", || old.requests() > 20);
    fs::write(&hosts, "127.0.0.2 shop.invalid\n").expect("written");
    wait_until("the load has moved", || new.requests() > 20);
    let at_move = old.requests();
    let result = json(&running.finish());
    assert_eq!(result["requests"]["failed"], 0, "{}", result["requests"]);
    assert!(
        old.requests() <= at_move + 4,
        "it has moved with all it has"
    );
    let notes = result["notes"].to_string();
    let told = format!("shop.invalid moved to 127.0.0.2:{port}");
    assert!(notes.contains(&told), "{notes}");
}

#[test]
#[ignore = "needs IPv6"]
fn addresses_of_ipv6_are_written_in_brackets() {
    let _machine = machine();
    let hosts = Arc::new(Mutex::new(BTreeSet::new()));
    let book = hosts.clone();
    let server = RawServer::start_at(
        ([0, 0, 0, 0, 0, 0, 0, 1], 0).into(),
        move |request, stream| {
            let host = request.head.lines().find(|line| line.starts_with("Host: "));
            let host = host.unwrap_or_default().to_owned();
            book.lock().expect("not poisoned").insert(host);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            Next::Keep
        },
    );
    let address = server.address().to_string();
    assert!(address.starts_with("[::1]:"), "{address}");
    let ingress = ["--connect-to", &address];
    for (url, flags, host) in [
        (server.url(), &[][..], address.as_str()),
        ("http://shop.invalid/".to_owned(), &ingress, "shop.invalid"),
    ] {
        hosts.lock().expect("not poisoned").clear();
        let result = json(&run(&url, &[flags, &["--json", "-"]].concat()));
        assert!(
            result["requests"]["completed"].as_u64() > Some(30),
            "{result}"
        );
        let hosts = hosts.lock().expect("not poisoned").clone();
        assert_eq!(hosts, BTreeSet::from([format!("Host: {host}")]));
    }
    // The other family's addresses of this machine lead nowhere.
    let wrong = run(&server.url(), &["--local-address", "127.0.0.1"]);
    assert_eq!(wrong.code, Some(1), "{wrong}");
    assert!(
        wrong.stderr.contains("no --local-address is of IPv6"),
        "{wrong}"
    );
}

/// Hands connections on to this port, and hangs up on every second one after the first three.
fn hanging_up(port: u16) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for (number, from) in listener.incoming().flatten().enumerate() {
            if number > 2 && number % 2 == 1 {
                continue;
            }
            let to = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
            for (mut read, mut write) in [
                (from.try_clone(), to.try_clone()),
                (to.try_clone(), from.try_clone()),
            ]
            .map(|(read, write)| (read.expect("a handle"), write.expect("a handle")))
            {
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut read, &mut write);
                    let _ = write.shutdown(std::net::Shutdown::Write);
                });
            }
        }
    });
    address
}

#[test]
fn a_request_whose_connection_cannot_be_opened_tries_again_and_waits_for_no_other() {
    let _machine = machine();
    let secured = Secured::new();
    let front = secured.front(&Front::default());
    let relay = hanging_up(front.port);
    let ca = secured.pki.ca();
    let url = format!("https://localhost:{}/", relay.port());
    let words = "-R 2 -d 3s -t 1 -c 1 -q --json - --no-keepalive --guard 1s --cacert";
    let result = json(&Meshload::new(words.split(' ').chain([text(&ca), &url])).run());
    let requests = &result["requests"];
    assert_eq!(requests["completed"], requests["scheduled"], "{requests}");
    let slowest = result["latency_ns"]["max"].as_f64().expect("a slowest one") / 1e6;
    assert!(
        slowest < 400.0,
        "the next one comes after 500 ms: {slowest} ms"
    );
    assert!(
        result["errors"]["connect"].as_u64() >= Some(2),
        "{}",
        result["errors"]
    );
}

#[test]
fn what_cannot_be_is_refused_with_the_cure() {
    let home = tempfile::tempdir().expect("a folder");
    let script = home.path().join("batch.lua");
    let batch = "function request() return wrk.format('GET', '/') .. wrk.format('GET', '/') end";
    fs::write(&script, batch).expect("written");
    let (server, _) = recording();
    let output = run(&server.url(), &["--no-keepalive", "-s", text(&script)]);
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains("return one"), "{output}");
    let plan = home.path().join("plan.toml");
    let arm = "rates = [10]\n[load]\nscript = \"batch.lua\"\n[[arm]]\nname = \"a\"\n";
    fs::write(&plan, format!("{arm}url = \"unix:app.sock\"\n")).expect("written");
    let output = Meshload::new(["sweep", "--dry-run", text(&plan)]).run();
    assert_eq!(output.code, Some(2), "{output}");
    assert!(output.stderr.contains("whole path"), "{output}");
}

#[test]
fn a_look_at_a_server_that_says_nothing_can_be_interrupted() {
    let _machine = machine();
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("https://{}/", silent.local_addr().expect("an address"));
    let running = Meshload::new(["-R", "10", "-d", "1s", "-q", url.as_str()]).start();
    let (_kept, _) = silent.accept().expect("a look");
    running.signal(rustix::process::Signal::INT);
    let output = running.finish();
    assert_eq!(output.code, Some(130), "{output}");
    assert!(
        output.elapsed < std::time::Duration::from_secs(4),
        "{output}"
    );
}

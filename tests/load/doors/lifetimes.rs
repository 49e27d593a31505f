//! How long connections last, and what happens when the next one cannot be opened.

use super::{RecordingServer, Secured, https, measured, run};
use crate::support::tls::Front;
use crate::support::{Meshload, beside_others, machine, path_text, script_in};
use std::fs;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};

#[test]
fn connections_last_for_as_many_requests_as_they_are_told_to() {
    let _machine = beside_others();
    for (flags, sent_by_each) in [("--requests-per-connection 10", 10), ("--no-keepalive", 1)] {
        let recording = RecordingServer::start();
        let result = measured(&recording.server.url(), flags);
        let heads = recording.heads();
        // One connection was opened before the load, to see whether the server is there.
        let connections = recording.server.connections() - 1;
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
    let flags = format!("--no-keepalive --no-resumption {}", secured.trusted());
    let result = measured(&https(front.port), &flags);
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
    let handshakes = result["handshake_ns"]["count"].as_u64();
    assert!(handshakes >= completed, "{result}");
}

/// A relay to this port that hangs up on every second connection after the first three.
fn hanging_up(port: u16) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for (number, from) in listener.incoming().flatten().enumerate() {
            if number > 2 && number % 2 == 1 {
                continue;
            }
            let to = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
            copy_all(&from, &to);
            copy_all(&to, &from);
        }
    });
    address
}

/// Copies in a thread of its own until the sender closes.
fn copy_all(from: &TcpStream, to: &TcpStream) {
    let mut from = from.try_clone().expect("a handle");
    let mut to = to.try_clone().expect("a handle");
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
}

#[test]
fn a_request_whose_connection_cannot_be_opened_tries_again_and_waits_for_no_other() {
    let _machine = machine();
    let secured = Secured::new();
    let front = secured.front(&Front::default());
    let url = https(hanging_up(front.port).port());
    let flags = format!(
        "-R 2 -d 3s -t 1 -c 1 -q --json - --no-keepalive --guard 1s {}",
        secured.trusted()
    );
    let output = Meshload::new(flags.split(' ').chain([url.as_str()])).run();
    let result = output.result();
    let requests = &result["requests"];
    assert_eq!(requests["completed"], requests["scheduled"], "{requests}");
    let slowest = result["latency_ns"]["max"].as_f64().expect("a slowest one") / 1e6;
    assert!(
        slowest < 400.0,
        "the next one comes after 500 ms: {slowest} ms"
    );
    let errors = &result["errors"];
    assert!(errors["connect"].as_u64() >= Some(2), "{errors}");
}

#[test]
fn what_cannot_be_is_refused_with_the_cure() {
    let home = tempfile::tempdir().expect("a folder");
    let batch = "function request() return wrk.format('GET', '/') .. wrk.format('GET', '/') end";
    let script = script_in(home.path(), batch);
    let recording = RecordingServer::start();
    let flags = format!("--no-keepalive -s {script}");
    run(&recording.server.url(), &flags).assert_failed(1, &["return one"]);
    let plan = home.path().join("plan.toml");
    let arm = "rates = [10]\n[load]\nscript = \"script.lua\"\n[[arm]]\nname = \"a\"\n";
    fs::write(&plan, format!("{arm}url = \"unix:app.sock\"\n")).expect("written");
    let output = Meshload::new(["sweep", "--dry-run", path_text(&plan)]).run();
    output.assert_failed(2, &["whole path"]);
}

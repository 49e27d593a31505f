//! Other ways to a target than the URL's: addresses, sockets, the PROXY protocol, names that move.

use super::{RecordingServer, assert_completed_more_than, measured, run};
use crate::support::{Meshload, RawServer, beside_others, path_text, wait_until};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};

fn only_host(host: &str) -> BTreeSet<String> {
    BTreeSet::from([format!("Host: {host}")])
}

#[test]
fn names_ingresses_hosts_and_local_addresses_lead_where_they_are_told_to() {
    let _machine = beside_others();
    let recording = RecordingServer::start();
    let (url, address) = (recording.server.url(), recording.server.address());
    let port = address.port();
    let addresses = ["127.0.0.3", "127.0.0.4"];
    for (url, flags, sources, host) in [
        (
            format!("http://shop.invalid:{port}/"),
            format!("--resolve shop.invalid:{port}:127.0.0.1"),
            1,
            format!("shop.invalid:{port}"),
        ),
        (
            "http://shop.invalid/".to_owned(),
            format!("--connect-to 127.0.0.1:{port}"),
            1,
            "shop.invalid".to_owned(),
        ),
        (
            url.clone(),
            "--host shop.invalid".to_owned(),
            1,
            "shop.invalid".to_owned(),
        ),
        (
            url.clone(),
            addresses
                .map(|from| format!("--local-address {from}"))
                .join(" "),
            2,
            address.to_string(),
        ),
    ] {
        recording.clear();
        measured(&url, &flags);
        let from = recording.sources();
        assert_eq!(from.len(), sources, "{flags}: {from:?}");
        assert_eq!(recording.hosts(), only_host(&host));
        if sources == 2 {
            let from: Vec<String> = from.iter().map(ToString::to_string).collect();
            assert_eq!(from, addresses);
        }
    }
}

#[test]
fn ways_that_lead_nowhere_are_told_with_their_flag() {
    let recording = RecordingServer::start();
    let url = recording.server.url();
    for (flags, code, words) in [
        ("--resolve shop", 2, "HOST:PORT:ADDRESS"),
        ("--connect-to ::1:80", 2, "HOST:PORT"),
        (
            "--connect-to nowhere.invalid:80",
            1,
            "cannot resolve nowhere.invalid",
        ),
        ("--local-address x", 2, "--local-address"),
        // An address for documentation (RFC 5737) is not this machine's.
        (
            "--local-address 192.0.2.1",
            1,
            "--local-address 192.0.2.1: ",
        ),
    ] {
        run(&url, flags).assert_failed(code, &[words]);
    }
    let two_lines = ["-R", "100", "--host", "a\nb", &url];
    Meshload::new(two_lines)
        .run()
        .assert_failed(2, &["give a name"]);
}

#[test]
fn sockets_without_a_network_are_measured_too() {
    let _machine = beside_others();
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("app.sock");
    let listener = UnixListener::bind(&path).expect("a socket");
    let served = Arc::new(Mutex::new(BTreeSet::new()));
    let hosts = served.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let hosts = hosts.clone();
            std::thread::spawn(move || answer_on(stream, &hosts));
        }
    });
    let socket = format!("unix:{}", path.display());
    let connect_to = format!("--connect-to {socket}");
    for (url, flags, host) in [
        (socket.as_str(), "", "localhost"),
        ("http://shop.invalid/", &connect_to, "shop.invalid"),
    ] {
        served.lock().expect("not poisoned").clear();
        assert_completed_more_than(&measured(url, flags), 30);
        let hosts = served.lock().expect("not poisoned").clone();
        assert_eq!(hosts, only_host(host));
    }
    let gone = format!("unix:{}/nowhere", home.path().display());
    run(&gone, "").assert_failed(1, &["nowhere"]);
}

fn answer_on(mut stream: UnixStream, hosts: &Mutex<BTreeSet<String>>) {
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
    let _machine = beside_others();
    let recording = RecordingServer::start();
    let url = recording.server.url();
    measured(&url, "--proxy-protocol v1");
    let heads = recording.heads();
    let first = heads.iter().filter(|head| head.starts_with("PROXY "));
    let first: Vec<_> = first.collect();
    assert_eq!(first.len(), 4, "one for each connection: {first:?}");
    let to = recording.server.address().port().to_string();
    for head in first {
        let words: Vec<&str> = head.lines().next().expect("a line").split(' ').collect();
        assert_eq!(words[..4], ["PROXY", "TCP4", "127.0.0.1", "127.0.0.1"]);
        assert_eq!(words[5], to);
    }
    run(&url, "--proxy-protocol v3").assert_failed(2, &["v1, v2"]);
}

#[test]
#[ignore = "needs root and unshare"]
fn a_name_that_moves_is_followed_between_two_requests() {
    let _machine = beside_others();
    let [old, new] = RawServer::two_on_one_port();
    let port = old.address().port();
    let home = tempfile::tempdir().expect("a folder");
    let hosts = home.path().join("hosts");
    fs::write(&hosts, "127.0.0.1 shop.invalid\n").expect("written");
    let own_hosts = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";
    let prefix = ["unshare", "-m", "sh", "-c", own_hosts, path_text(&hosts)];
    let url = format!("http://shop.invalid:{port}/");
    let words = "-R 100 -d 3s -t 1 -c 4 -q --json - --dns-refresh 200ms";
    let running = Meshload::through(prefix, words.split(' ').chain([url.as_str()])).start();
    wait_until("the load is on", || old.requests() > 20);
    fs::write(&hosts, "127.0.0.2 shop.invalid\n").expect("written");
    wait_until("the load has moved", || new.requests() > 20);
    let at_move = old.requests();
    let result = running.finish().result();
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
    let _machine = beside_others();
    let recording = RecordingServer::start_at(([0, 0, 0, 0, 0, 0, 0, 1], 0).into());
    let url = recording.server.url();
    let address = recording.server.address().to_string();
    assert!(address.starts_with("[::1]:"), "{address}");
    let ingress = format!("--connect-to {address}");
    for (url, flags, host) in [
        (url.as_str(), "", address.as_str()),
        ("http://shop.invalid/", &ingress, "shop.invalid"),
    ] {
        recording.clear();
        assert_completed_more_than(&measured(url, flags), 30);
        assert_eq!(recording.hosts(), only_host(host));
    }
    // The other family's addresses of this machine lead nowhere.
    let wrong = run(&url, "--local-address 127.0.0.1");
    wrong.assert_failed(1, &["no --local-address is of IPv6"]);
}

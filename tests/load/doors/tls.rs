//! https://: handshakes, sessions, and certificates of both sides.

use super::{Secured, address, assert_completed_more_than, https, measured, run};
use crate::support::tls::{Front, Identity, Pki, TlsFront};
use crate::support::{Hotel, Meshload, beside_others, path_text, script_in};
use rustix::process::Signal;
use std::fs;
use std::net::TcpListener;
use std::time::Duration;

#[test]
fn https_is_measured_like_http_with_its_handshakes() {
    let _machine = beside_others();
    let secured = Secured::new();
    let front = secured.front(&Front::default());
    let result = measured(&https(front.port), &secured.trusted());
    assert_eq!(result["status"]["200"], result["requests"]["completed"]);
    assert_completed_more_than(&result, 30);
    let handshakes = &result["handshake_ns"]["count"];
    assert_eq!(*handshakes, 4, "one for each connection");
    assert_eq!(result["connect_ns"]["count"], 4);
    let notes = result["notes"].to_string();
    for words in ["TLSv1_3 with TLS13_", "verified"] {
        assert!(notes.contains(words), "{notes}");
    }
    // One to see that it works, then the four.
    assert_eq!(front.handshakes().0, 5);
}

#[test]
fn later_handshakes_take_up_an_earlier_session_unless_they_are_told_not_to() {
    let _machine = beside_others();
    let mut secured = Secured::new();
    secured.hotel = Hotel::start(["--service-time", "constant:2ms", "--close-every", "5"]);
    for (flag, resumes) in [("", true), ("--no-resumption", false)] {
        let front = secured.front(&Front::default());
        let flags = format!("{} {flag}", secured.trusted());
        let result = measured(&https(front.port), &flags);
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
    let _machine = beside_others();
    let secured = Secured::new();
    let front = secured.front(&Front::default());
    let home = tempfile::tempdir().expect("a folder");
    // Larger than what a socket takes at once, so that what TLS keeps back must be flushed.
    let source = "local body = string.rep('x', 1048576)
        function request() return wrk.format('POST', '/' .. wrk.scheme, {}, body) end";
    let script = script_in(home.path(), source);
    let flags = format!(
        "-R 20 -d 1s -t 1 -c 4 -q --json - -s {script} {}",
        secured.trusted()
    );
    let url = https(front.port);
    let output = Meshload::new(flags.split(' ').chain([url.as_str()])).run();
    let result = output.result();
    assert_completed_more_than(&result, 15);
    let routes = &result["routes"];
    assert!(routes["POST /https"].is_object(), "{routes}");
}

#[test]
fn certificates_that_are_not_right_are_refused_before_the_load_with_the_cure() {
    let _machine = beside_others();
    let secured = Secured::new();
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
    let trusted = secured.trusted();
    let stranger = Pki::new();
    let other = format!("--cacert {}", path_text(&stranger.ca()));
    let too_old = format!("{trusted} --tls-min 1.3");
    for (port, flags, words) in [
        (expired.port, trusted.as_str(), "has expired"),
        (elsewhere.port, &trusted, "not for localhost but for"),
        (front.port, &other, "--cacert FILE"),
        (front.port, "", "--cacert FILE"),
        (old.port, &too_old, "--tls-min"),
    ] {
        let output = run(&https(port), flags);
        output.assert_failed(1, &[words]);
        assert!(output.stdout.is_empty(), "nothing was measured: {output}");
    }
    let before = front.handshakes().0;
    // Whatever server answers is believed, and the result says so.
    for port in [expired.port, front.port] {
        let notes = measured(&https(port), "--insecure")["notes"].to_string();
        assert!(notes.contains("--insecure"), "{notes}");
    }
    assert!(front.handshakes().0 > before);
    let notes = measured(&https(old.port), &trusted)["notes"].to_string();
    assert!(notes.contains("TLSv1_2"), "{notes}");
}

#[test]
fn a_server_may_want_to_know_who_asks() {
    let _machine = beside_others();
    let secured = Secured::new();
    let ca = secured.pki.ca();
    let trusted = secured.trusted();
    let other = Pki::new();
    let [friend, stranger] = [&secured.pki, &other].map(|pki| pki.identity("client", &["client"]));
    let shown = |identity: &Identity| {
        let (cert, key) = (path_text(&identity.cert), path_text(&identity.key));
        format!("{trusted} --cert {cert} --key {key}")
    };
    for is_old in [false, true] {
        let wants = Some(ca.as_path());
        let front = secured.front(&Front {
            wants,
            is_old,
            ..Front::default()
        });
        let url = https(front.port);
        let result = measured(&url, &shown(&friend));
        assert_completed_more_than(&result, 30);
        run(&url, &shown(&stranger)).assert_failed(1, &["--cert ("]);
        run(&url, &trusted).assert_failed(1, &["show one with --cert and --key"]);
    }
}

#[test]
fn tls_and_plain_ports_are_told_apart() {
    let _machine = beside_others();
    let secured = Secured::new();
    let plain = address(&secured.hotel).port();
    let url = format!("https://127.0.0.1:{plain}/");
    run(&url, "--insecure").assert_failed(1, &["write http://"]);
    let front = secured.front(&Front::default());
    let url = format!("http://127.0.0.1:{}/", front.port);
    run(&url, "").assert_failed(1, &["write https://"]);
    // A server that says nothing at all is neither.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    let output = run(&format!("http://{address}/"), "-T 100ms");
    assert!(!output.stderr.contains("https://"), "{output}");
}

#[test]
fn files_that_are_none_are_refused_with_their_flag() {
    let home = tempfile::tempdir().expect("a folder");
    let pki = Pki::new();
    let (one, two) = (pki.identity("one", &["one"]), pki.identity("two", &["two"]));
    let empty = home.path().join("empty.pem");
    fs::write(&empty, "").expect("written");
    let empty = path_text(&empty);
    let (cert, key, other_key) = (
        path_text(&one.cert),
        path_text(&one.key),
        path_text(&two.key),
    );
    let hotel = Hotel::start(["--service-time", "constant:0"]);
    let url = https(address(&hotel).port());
    for (flags, words) in [
        ("--cacert /nowhere".to_owned(), "--cacert: /nowhere"),
        (format!("--cacert {empty}"), "no certificate in it"),
        (format!("--cert {cert}"), "add --key"),
        (format!("--key {key}"), "add --cert"),
        (format!("--cert {cert} --key {empty}"), "--key: "),
        (format!("--cert {cert} --key {other_key}"), "--cert: "),
        (
            format!("--insecure --cacert {empty}"),
            "leave one of them out",
        ),
        ("--tls-min 1.1".to_owned(), "1.2"),
    ] {
        run(&url, &flags).assert_failed(2, &[words]);
    }
}

#[test]
fn a_look_at_a_server_that_says_nothing_can_be_interrupted() {
    let _machine = beside_others();
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("https://{}/", silent.local_addr().expect("an address"));
    let running = Meshload::new(["-R", "10", "-d", "1s", "-q", url.as_str()]).start();
    let (_kept, _) = silent.accept().expect("a look");
    running.signal(Signal::INT);
    let output = running.finish();
    assert_eq!(output.code, Some(130), "{output}");
    assert!(output.elapsed < Duration::from_secs(4), "{output}");
}

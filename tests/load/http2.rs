//! HTTP/2: the same schedule, the same recorder and the same verdict, over streams.

use crate::support::http2_server::{Fate, Http2Server};
use crate::support::tls::{Front, Pki, TlsFront};
use crate::support::{Hotel, Meshload, Next, Output, RawServer, done, machine};
use h2::Reason;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Over one connection.
fn run(url: &str, flags: &[&str]) -> Output {
    let words = ["-t", "1", "-c", "1", "-q", "--http2", "--json", "-"];
    Meshload::new(words.iter().chain(flags).chain([&url])).run()
}

fn json(output: &Output) -> Value {
    done(output);
    output.json()
}

fn count(result: &Value, name: &str) -> u64 {
    let count = result["requests"][name].as_u64();
    count.unwrap_or_else(|| panic!("{name} in {}", result["requests"]))
}

fn notes(result: &Value) -> String {
    result["notes"].to_string()
}

fn median_ms(result: &Value) -> f64 {
    result["latency_ns"]["p50"].as_f64().expect("a median") / 1e6
}

fn script(home: &Path, text: &str) -> PathBuf {
    let path = home.join("script.lua");
    fs::write(&path, text).expect("written");
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

#[test]
fn streams_carry_side_by_side_what_one_after_the_other_could_not() {
    let _machine = machine();
    let server = Http2Server::start(100, |_| Fate::Slow(Duration::from_millis(50)));
    // 40 a second of 50 ms each: two are in flight at a time, where one connection of HTTP/1.1 has 20.
    let flags = ["-R", "40", "-d", "2s"];
    let wide = json(&run(
        &server.url(),
        &[&flags[..], &["--streams", "16"]].concat(),
    ));
    assert_eq!(count(&wide, "failed"), 0);
    assert!(
        (50.0..90.0).contains(&median_ms(&wide)),
        "{}",
        median_ms(&wide)
    );
    assert!(
        notes(&wide).contains("HTTP/2, up to 16 streams"),
        "{}",
        notes(&wide)
    );
    assert_eq!(server.seen().connections, 2, "one to look, and one");
    // What does not fit waits on its own time: after 2 s half of it is still to be done.
    let narrow = json(&run(&server.url(), &flags));
    assert!(median_ms(&narrow) > 300.0, "{}", median_ms(&narrow));
    assert!(count(&narrow, "unfinished") > 20, "{}", narrow["requests"]);
}

#[test]
fn no_more_streams_are_begun_than_the_server_allows() {
    let _machine = machine();
    let server = Http2Server::start(1, |_| Fate::Slow(Duration::from_millis(50)));
    let flags = ["-R", "40", "-d", "2s", "--streams", "16"];
    let result = json(&run(&server.url(), &flags));
    assert!(median_ms(&result) > 300.0, "{}", median_ms(&result));
    // The server's clock of a stream runs only while it is there.
    let service = result["service_ns"]["p50"].as_f64().expect("a median") / 1e6;
    assert!((50.0..90.0).contains(&service), "{service}");
    assert_eq!(server.seen().most_open, 1);
    let told = notes(&result);
    assert!(told.contains("as few as 1 streams"), "{told}");
    assert!(told.contains("--streams 16"), "{told}");
}

#[test]
fn the_stand_in_is_measured_over_http2_like_over_http1() {
    let _machine = machine();
    let hotel = Hotel::start(["--service-time", "constant:20ms"]);
    let flags = ["-R", "100", "-d", "2s", "--streams", "8"];
    let new = json(&run(hotel.url(), &flags));
    assert_eq!(new["status"]["200"], new["requests"]["completed"]);
    assert!(count(&new, "completed") > 180, "{}", new["requests"]);
    assert!(
        (20.0..35.0).contains(&median_ms(&new)),
        "{}",
        median_ms(&new)
    );
    assert!(count(&new, "bytes_read") > 10_000);
}

#[test]
fn over_tls_the_version_is_agreed_on_and_told_when_it_cannot_be() {
    let _machine = machine();
    let pki = Pki::new();
    let identity = pki.identity("server", &["localhost"]);
    let server = Http2Server::start(100, |_| Fate::Body(10));
    let front = |protocols: &[&str]| {
        let front = Front {
            protocols: protocols.iter().map(|one| (*one).to_owned()).collect(),
            ..Front::default()
        };
        TlsFront::start(&identity, &front, server.address())
    };
    let ca = pki.ca();
    let trusted = ["-R", "50", "-d", "1s", "--cacert", text(&ca)];
    let (both, old, new) = (
        front(&["http/1.1", "h2"]),
        front(&["http/1.1"]),
        front(&["h2"]),
    );
    let https = |front: &TlsFront| format!("https://localhost:{}/", front.port);
    let result = json(&run(&https(&both), &trusted));
    assert!(count(&result, "completed") > 40);
    let refused = run(&https(&old), &trusted);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains("leave --http2 out"), "{refused}");
    let words = ["-q", "-c", "1", "-t", "1"];
    let url = https(&new);
    let refused = Meshload::new(words.iter().chain(&trusted).chain([&url.as_str()])).run();
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains("add --http2"), "{refused}");
}

#[test]
fn in_the_clear_who_speaks_the_other_version_is_told_apart() {
    let _machine = machine();
    let old = RawServer::replying(
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        Next::Close,
    );
    let refused = run(&old.url(), &["-R", "50", "-d", "1s"]);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains("leave --http2 out"), "{refused}");
    let new = Http2Server::start(100, |_| Fate::Body(0));
    let words = [
        "-R",
        "50",
        "-d",
        "1s",
        "-q",
        "-c",
        "1",
        "-t",
        "1",
        &new.url(),
    ];
    let refused = Meshload::new(words).run();
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains("add --http2"), "{refused}");
}

#[test]
fn what_a_server_that_leaves_has_not_seen_is_sent_again_on_its_own_time() {
    let _machine = machine();
    let server = Http2Server::start(100, |number| match number % 20 {
        0 => Fate::GoAway,
        _ => Fate::Slow(Duration::from_millis(20)),
    });
    let flags = ["-R", "200", "-d", "2s", "--streams", "16", "--guard", "1s"];
    let result = json(&run(&server.url(), &flags));
    assert_eq!(count(&result, "failed"), 0, "{}", notes(&result));
    assert_eq!(count(&result, "completed"), count(&result, "scheduled"));
    let seen = server.seen();
    // One connection looked at it before the load.
    let ended = seen.connections - 1;
    let told = count(&result, "goaways");
    assert!(
        told + 1 >= ended && told <= ended && told > 10,
        "{told} of {ended}"
    );
    assert!(
        count(&result, "reconnects") + 1 >= told,
        "{}",
        result["requests"]
    );
}

#[test]
fn streams_that_are_reset_are_failures_and_those_refused_unseen_are_not() {
    let _machine = machine();
    let server = Http2Server::start(100, |number| match number % 10 {
        0 => Fate::Reset(Reason::INTERNAL_ERROR),
        5 => Fate::Reset(Reason::REFUSED_STREAM),
        _ => Fate::Body(100),
    });
    let flags = ["-R", "200", "-d", "2s", "--streams", "8", "--guard", "1s"];
    let result = json(&run(&server.url(), &flags));
    // Streams are counted over the whole run, the guard included; the last ones may be under way.
    let seen = server.seen().requests.len() as u64;
    let near = |counted: u64, wanted: u64| counted <= wanted && counted + 3 >= wanted;
    let (broken, refused) = (seen / 10, (seen + 5) / 10);
    assert!(
        near(count(&result, "refused"), refused),
        "{refused}: {}",
        result["requests"]
    );
    assert!(
        near(count(&result, "resets"), broken + refused),
        "{}",
        result["requests"]
    );
    assert!(near(
        count(&result, "sent") + count(&result, "refused"),
        seen
    ));
    let failed = count(&result, "failed");
    assert!(
        (35..=45).contains(&failed),
        "of 400, refused ones among the sent: {failed}"
    );
    assert_eq!(result["errors"]["read"], count(&result, "failed"));
    assert_eq!(count(&result, "reconnects"), 0, "the connection goes on");
    assert!(notes(&result).contains("RST_STREAM"), "{}", notes(&result));
}

#[test]
fn a_server_that_refuses_everything_for_ever_ends_in_failures() {
    let _machine = machine();
    let server = Http2Server::start(100, |_| Fate::Reset(Reason::REFUSED_STREAM));
    let output = run(&server.url(), &["-R", "20", "-d", "1s", "--guard", "1s"]);
    let result = output.json();
    assert_eq!(count(&result, "failed"), 20, "{output}");
    let (refused, sent) = (count(&result, "refused"), count(&result, "sent"));
    assert!(
        refused <= 10 * sent && refused + 10 >= 10 * sent,
        "{refused} of {sent}"
    );
}

#[test]
fn large_bodies_pass_through_the_windows_in_both_directions() {
    let _machine = machine();
    let home = tempfile::tempdir().expect("a folder");
    let server = Http2Server::start(100, |_| Fate::Body(3_000_000));
    let post = script(
        home.path(),
        "local body = string.rep('x', 3000000)
         function request() return wrk.format('POST', '/', {}, body) end",
    );
    let flags = [
        "-R",
        "10",
        "-d",
        "1s",
        "--guard",
        "5s",
        "--streams",
        "4",
        "-s",
        text(&post),
    ];
    let result = json(&run(&server.url(), &flags));
    assert_eq!(count(&result, "completed"), 10, "{}", result["requests"]);
    let seen = server.seen();
    assert!(
        seen.requests.iter().all(|(_, body)| *body == 3_000_000),
        "{:?}",
        seen.requests
    );
}

#[test]
fn scripts_write_and_see_http_as_ever() {
    let _machine = machine();
    let home = tempfile::tempdir().expect("a folder");
    let server = Http2Server::start(100, |_| Fate::Body(5));
    let looking = script(
        home.path(),
        "wrk.headers['Connection'] = 'keep-alive'
         wrk.headers['X-Id'] = 'Seven'
         function response(status, headers, body)
           if status ~= 200 or body ~= 'xxxxx' or not headers['x-number'] then wrk.fail('strange') end
         end",
    );
    let flags = ["-R", "50", "-d", "1s", "-s", text(&looking)];
    let result = json(&run(&server.url(), &flags));
    assert_eq!(count(&result, "failed"), 0, "{}", notes(&result));
    let told = notes(&result);
    assert_eq!(told.matches("connection: left out").count(), 1, "{told}");
    for (headers, _) in server.seen().requests {
        assert_eq!(headers.get("x-id").expect("a header"), "Seven");
        assert!(!headers.contains_key("connection") && !headers.contains_key("host"));
    }
}

#[test]
fn batches_are_refused_with_the_cure() {
    let home = tempfile::tempdir().expect("a folder");
    let server = Http2Server::start(100, |_| Fate::Body(5));
    let batch = script(
        home.path(),
        "function request() return wrk.format('GET', '/a') .. wrk.format('GET', '/b') end",
    );
    let output = run(&server.url(), &["-R", "50", "-d", "1s", "-s", text(&batch)]);
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains("--streams"), "{output}");
    for (flags, cure) in [
        (["--pipeline", "2"], "use --streams"),
        (["--streams", "0"], "at least 1"),
    ] {
        let output = run(&server.url(), &[&["-R", "50"], &flags[..]].concat());
        assert_eq!(output.code, Some(2), "{output}");
        assert!(output.stderr.contains(cure), "{output}");
    }
}

#[test]
fn a_request_that_is_given_up_takes_no_other_with_it() {
    let _machine = machine();
    let server = Http2Server::start(100, |number| match number % 10 {
        0 => Fate::Silence,
        _ => Fate::Body(5),
    });
    let flags = [
        "-R",
        "100",
        "-d",
        "2s",
        "--streams",
        "64",
        "--abort-after",
        "300ms",
        "--guard",
        "1s",
    ];
    let result = json(&run(&server.url(), &flags));
    let seen = server.seen();
    assert_eq!(result["errors"]["aborted"], 20, "{}", result["errors"]);
    // Those of the guard are given up, too, until the end ends them.
    assert!((25..=30).contains(&seen.cancelled), "{}", seen.cancelled);
    assert_eq!(count(&result, "failed"), 20, "{}", result["requests"]);
    assert_eq!(count(&result, "completed"), 180);
    assert_eq!(
        seen.connections, 2,
        "it is the same connection all the time"
    );
}

#[test]
fn a_connection_that_is_cut_fails_what_was_under_way_and_is_opened_again() {
    let _machine = machine();
    let server = Http2Server::start(100, |number| match number % 50 {
        0 => Fate::Cut,
        _ => Fate::Slow(Duration::from_millis(30)),
    });
    let flags = ["-R", "200", "-d", "2s", "--streams", "16", "--guard", "1s"];
    let result = json(&run(&server.url(), &flags));
    let (completed, failed) = (count(&result, "completed"), count(&result, "failed"));
    assert_eq!(completed + failed, count(&result, "scheduled"));
    assert!((8..150).contains(&failed), "{}", result["requests"]);
    assert_eq!(
        result["errors"]["read"].as_u64(),
        Some(failed),
        "{}",
        result["errors"]
    );
    assert!(count(&result, "reconnects") >= 6, "{}", result["requests"]);
}

#[test]
fn a_reply_that_takes_long_keeps_no_place_of_a_connection_that_takes_requests() {
    let _machine = machine();
    let server = Http2Server::start(100, |number| match number % 20 {
        0 => Fate::Slow(Duration::from_secs(1)),
        _ => Fate::Body(1),
    });
    let flags = [
        "-R",
        "200",
        "-d",
        "2s",
        "--guard",
        "2s",
        "--streams",
        "50",
        "--requests-per-connection",
        "40",
    ];
    let result = json(&run(&server.url(), &flags));
    assert!(median_ms(&result) < 100.0, "{}", median_ms(&result));
    assert_eq!(count(&result, "completed"), count(&result, "scheduled"));
    assert_eq!(count(&result, "reconnects"), 0);
    let connections = server.seen().connections;
    assert!(
        (15..=25).contains(&connections),
        "{connections} for 800 requests"
    );
}

#[test]
fn what_it_cannot_carry_is_told_before_the_load() {
    let server = Http2Server::start(100, |_| Fate::Body(1));
    let output = run(&server.url(), &["-R", "50", "-d", "1s", "-H", "Host:"]);
    assert_eq!(output.code, Some(1), "{output}");
    assert!(
        output.stderr.contains("-H: HTTP/2 cannot carry"),
        "{output}"
    );
    assert!(server.seen().requests.is_empty());
}

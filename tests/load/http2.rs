//! HTTP/2: the same schedule, the same recorder and the same verdict, over streams.

use crate::support::http2_server::{Fate, Http2Server};
use crate::support::tls::{Front, Pki, TlsFront};
use crate::support::{
    Hotel, Meshload, Next, Output, RawServer, beside_others, machine, path_text, request_count,
    script_in, until_believed,
};
use h2::Reason;
use serde_json::Value;
use std::time::Duration;

/// A load over one connection.
fn run_over_http1(url: &str, flags: &str) -> Output {
    let words = "-t 1 -c 1 -q --json -".split(' ');
    Meshload::new(words.chain(flags.split_whitespace()).chain([url])).run()
}

/// A load over one connection of HTTP/2.
fn run(url: &str, flags: &str) -> Output {
    run_over_http1(url, &format!("--http2 {flags}"))
}

/// The result of a load over one connection of HTTP/2.
#[track_caller]
fn measured(url: &str, flags: &str) -> Value {
    run(url, flags).result()
}

fn notes(result: &Value) -> String {
    result["notes"].to_string()
}

fn median_ms(result: &Value) -> f64 {
    result["latency_ns"]["p50"].as_f64().expect("a median") / 1e6
}

fn median_service_ms(result: &Value) -> f64 {
    result["service_ns"]["p50"].as_f64().expect("a median") / 1e6
}

#[test]
fn streams_carry_side_by_side_what_one_after_the_other_could_not() {
    let _machine = machine();
    let server = Http2Server::start(100, |_| Fate::Slow(Duration::from_millis(50)));
    // 40 a second of 50 ms each: two are in flight at a time, where one connection of HTTP/1.1 has 20.
    let flags = "-R 40 -d 2s";
    let tries = until_believed(4, |number| {
        let wide = measured(&server.url(), &format!("{flags} --streams 16"));
        assert_eq!(request_count(&wide, "failed"), 0);
        let notes = notes(&wide);
        assert!(notes.contains("HTTP/2, up to 16 streams"), "{notes}");
        let median = median_ms(&wide);
        if (50.0..90.0).contains(&median) {
            Ok(number + 1)
        } else {
            Err(format!("a median latency of {median} ms"))
        }
    });
    let connections = server.seen().connections;
    assert_eq!(connections, 2 * tries as u64, "one to look, and one");
    // What does not fit waits on its own time: after 2 s half of it is still to be done.
    let narrow = measured(&server.url(), flags);
    assert!(median_ms(&narrow) > 300.0, "{}", median_ms(&narrow));
    assert!(
        request_count(&narrow, "unfinished") > 20,
        "{}",
        narrow["requests"]
    );
}

#[test]
fn no_more_streams_are_begun_than_the_server_allows() {
    let _machine = machine();
    let server = Http2Server::start(1, |_| Fate::Slow(Duration::from_millis(50)));
    let flags = "-R 40 -d 2s --streams 16";
    let told = until_believed(4, |_| {
        let result = measured(&server.url(), flags);
        assert!(median_ms(&result) > 300.0, "{}", median_ms(&result));
        // The server's clock of a stream runs only while it is there.
        let service = median_service_ms(&result);
        if (50.0..90.0).contains(&service) {
            Ok(notes(&result))
        } else {
            Err(format!("a median service time of {service} ms"))
        }
    });
    assert_eq!(server.seen().most_open, 1);
    assert!(told.contains("as few as 1 streams"), "{told}");
    assert!(told.contains("--streams asked for 16"), "{told}");
}

#[test]
fn the_stand_in_is_measured_over_http2_like_over_http1() {
    let _machine = machine();
    // What a busy machine adds to a latency is a small part of 100 ms.
    let hotel = Hotel::start(["--service-time", "constant:100ms"]);
    until_believed(4, |_| {
        let new = measured(hotel.url(), "-R 50 -d 4s --guard 1s --streams 16");
        assert_eq!(new["status"]["200"], new["requests"]["completed"]);
        assert!(request_count(&new, "bytes_read") > 10_000);
        let (median, completed) = (median_ms(&new), request_count(&new, "completed"));
        let is_right = (100.0..150.0).contains(&median) && completed > 180;
        is_right
            .then_some(())
            .ok_or_else(|| format!("median {median} ms, completed {completed}"))
    });
}

#[test]
fn over_tls_the_version_is_agreed_on_and_told_when_it_cannot_be() {
    let _machine = beside_others();
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
    let trusted = format!("-R 50 -d 1s --cacert {}", path_text(&ca));
    let (both, old, new) = (
        front(&["http/1.1", "h2"]),
        front(&["http/1.1"]),
        front(&["h2"]),
    );
    let https = |front: &TlsFront| format!("https://localhost:{}/", front.port);
    let result = measured(&https(&both), &trusted);
    assert!(request_count(&result, "completed") > 40);
    run(&https(&old), &trusted).assert_failed(1, &["leave --http2 out"]);
    run_over_http1(&https(&new), &trusted).assert_failed(1, &["add --http2"]);
}

#[test]
fn in_the_clear_who_speaks_the_other_version_is_told_apart() {
    let _machine = beside_others();
    let old = RawServer::replying(
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        Next::Close,
    );
    run(&old.url(), "-R 50 -d 1s").assert_failed(1, &["leave --http2 out"]);
    let new = Http2Server::start(100, |_| Fate::Body(0));
    run_over_http1(&new.url(), "-R 50 -d 1s").assert_failed(1, &["add --http2"]);
}

#[test]
fn what_a_server_that_leaves_has_not_seen_is_sent_again_on_its_own_time() {
    let _machine = beside_others();
    let server = Http2Server::start(100, |number| match number % 20 {
        0 => Fate::GoAway,
        _ => Fate::Slow(Duration::from_millis(20)),
    });
    let flags = "-R 200 -d 2s --streams 16 --guard 1s";
    let result = measured(&server.url(), flags);
    assert_eq!(request_count(&result, "failed"), 0, "{}", notes(&result));
    assert_eq!(
        request_count(&result, "completed"),
        request_count(&result, "scheduled")
    );
    let seen = server.seen();
    // One connection looked at it before the load.
    let ended = seen.connections - 1;
    let told = request_count(&result, "goaways");
    assert!(
        told + 1 >= ended && told <= ended && told > 10,
        "{told} of {ended}"
    );
    assert!(
        request_count(&result, "reconnects") + 1 >= told,
        "{}",
        result["requests"]
    );
}

#[test]
fn streams_that_are_reset_are_failures_and_those_refused_unseen_are_not() {
    let _machine = beside_others();
    let server = Http2Server::start(100, |number| match number % 10 {
        0 => Fate::Reset(Reason::INTERNAL_ERROR),
        5 => Fate::Reset(Reason::REFUSED_STREAM),
        _ => Fate::Body(100),
    });
    let flags = "-R 200 -d 2s --streams 8 --guard 1s";
    let result = measured(&server.url(), flags);
    // Streams are counted over the whole run, the guard included; the last ones may be under way.
    let seen = server.seen().requests.len() as u64;
    let near = |counted: u64, wanted: u64| counted <= wanted && counted + 3 >= wanted;
    let (broken, refused) = (seen / 10, (seen + 5) / 10);
    assert!(
        near(request_count(&result, "refused"), refused),
        "{refused}: {}",
        result["requests"]
    );
    assert!(
        near(request_count(&result, "resets"), broken + refused),
        "{}",
        result["requests"]
    );
    let begun = request_count(&result, "sent") + request_count(&result, "refused");
    // The server has not seen what the end of the load cut off on its way.
    assert!(begun <= seen + 8 && begun + 3 >= seen, "{begun} of {seen}");
    let failed = request_count(&result, "failed");
    assert!(
        (35..=45).contains(&failed),
        "of 400, refused ones among the sent: {failed}"
    );
    assert_eq!(result["errors"]["read"], request_count(&result, "failed"));
    assert_eq!(
        request_count(&result, "reconnects"),
        0,
        "the connection goes on"
    );
    assert!(notes(&result).contains("RST_STREAM"), "{}", notes(&result));
}

#[test]
fn a_server_that_refuses_everything_for_ever_ends_in_failures() {
    let _machine = beside_others();
    let server = Http2Server::start(100, |_| Fate::Reset(Reason::REFUSED_STREAM));
    let output = run(&server.url(), "-R 20 -d 1s --guard 1s");
    let result = output.json();
    assert_eq!(request_count(&result, "failed"), 20, "{output}");
    let (refused, sent) = (
        request_count(&result, "refused"),
        request_count(&result, "sent"),
    );
    assert!(
        refused <= 10 * sent && refused + 10 >= 10 * sent,
        "{refused} of {sent}"
    );
}

#[test]
fn large_bodies_pass_through_the_windows_in_both_directions() {
    let _machine = beside_others();
    let home = tempfile::tempdir().expect("a folder");
    let server = Http2Server::start(100, |_| Fate::Body(3_000_000));
    let post = "local body = string.rep('x', 3000000)
         function request() return wrk.format('POST', '/', {}, body) end";
    let script = script_in(home.path(), post);
    let flags = format!("-R 10 -d 1s --guard 5s --streams 4 -s {script}");
    let result = measured(&server.url(), &flags);
    assert_eq!(
        request_count(&result, "completed"),
        10,
        "{}",
        result["requests"]
    );
    let bodies: Vec<usize> = server.seen().requests.iter().map(|seen| seen.1).collect();
    let cut = bodies.iter().filter(|length| **length != 3_000_000);
    // The end of the load cuts off what is under way, which is no more than the streams hold.
    assert!(cut.count() <= 4 && bodies.len() >= 14, "{bodies:?}");
}

#[test]
fn scripts_write_and_see_http_as_ever() {
    let _machine = beside_others();
    let home = tempfile::tempdir().expect("a folder");
    let server = Http2Server::start(100, |_| Fate::Body(5));
    let looking = "wrk.headers['Connection'] = 'keep-alive'
         wrk.headers['X-Id'] = 'Seven'
         function response(status, headers, body)
           if status ~= 200 or body ~= 'xxxxx' or not headers['x-number'] then wrk.fail('strange') end
         end";
    let script = script_in(home.path(), looking);
    let flags = format!("-R 50 -d 1s -s {script}");
    let result = measured(&server.url(), &flags);
    assert_eq!(request_count(&result, "failed"), 0, "{}", notes(&result));
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
    let batch = "function request() return wrk.format('GET', '/a') .. wrk.format('GET', '/b') end";
    let script = script_in(home.path(), batch);
    let flags = format!("-R 50 -d 1s -s {script}");
    run(&server.url(), &flags).assert_failed(1, &["--streams"]);
    for (flags, cure) in [
        ("-R 50 --pipeline 2", "use --streams"),
        ("-R 50 --streams 0", "at least 1"),
    ] {
        run(&server.url(), flags).assert_failed(2, &[cure]);
    }
}

#[test]
fn a_request_that_is_given_up_takes_no_other_with_it() {
    let _machine = beside_others();
    let server = Http2Server::start(100, |number| match number % 10 {
        0 => Fate::Silence,
        _ => Fate::Body(5),
    });
    let flags = "-R 100 -d 2s --streams 64 --abort-after 300ms --guard 1s";
    let result = measured(&server.url(), flags);
    let seen = server.seen();
    assert_eq!(result["errors"]["aborted"], 20, "{}", result["errors"]);
    // Those of the guard are given up, too, until the end ends them.
    assert!((25..=30).contains(&seen.cancelled), "{}", seen.cancelled);
    assert_eq!(
        request_count(&result, "failed"),
        20,
        "{}",
        result["requests"]
    );
    assert_eq!(request_count(&result, "completed"), 180);
    assert_eq!(
        seen.connections, 2,
        "it is the same connection all the time"
    );
}

#[test]
fn a_connection_that_is_cut_fails_what_was_under_way_and_is_opened_again() {
    let _machine = beside_others();
    let server = Http2Server::start(100, |number| match number % 50 {
        0 => Fate::Cut,
        _ => Fate::Slow(Duration::from_millis(30)),
    });
    let flags = "-R 200 -d 2s --streams 16 --guard 1s";
    let result = measured(&server.url(), flags);
    let (completed, failed) = (
        request_count(&result, "completed"),
        request_count(&result, "failed"),
    );
    assert_eq!(completed + failed, request_count(&result, "scheduled"));
    assert!((8..150).contains(&failed), "{}", result["requests"]);
    assert_eq!(
        result["errors"]["read"].as_u64(),
        Some(failed),
        "{}",
        result["errors"]
    );
    assert!(
        request_count(&result, "reconnects") >= 6,
        "{}",
        result["requests"]
    );
}

#[test]
fn a_reply_that_takes_long_keeps_no_place_of_a_connection_that_takes_requests() {
    let _machine = beside_others();
    let server = Http2Server::start(100, |number| match number % 20 {
        0 => Fate::Slow(Duration::from_secs(1)),
        _ => Fate::Body(1),
    });
    let flags = "-R 200 -d 2s --guard 2s --streams 50 --requests-per-connection 40";
    let result = measured(&server.url(), flags);
    assert!(median_ms(&result) < 100.0, "{}", median_ms(&result));
    assert_eq!(
        request_count(&result, "completed"),
        request_count(&result, "scheduled")
    );
    assert_eq!(request_count(&result, "reconnects"), 0);
    let connections = server.seen().connections;
    assert!(
        (15..=25).contains(&connections),
        "{connections} for 800 requests"
    );
}

#[test]
fn what_it_cannot_carry_is_told_before_the_load() {
    let server = Http2Server::start(100, |_| Fate::Body(1));
    let output = run(&server.url(), "-R 50 -d 1s -H Host:");
    output.assert_failed(1, &["-H: HTTP/2 cannot carry"]);
    assert!(server.seen().requests.is_empty());
}

//! Replies that are not whole, not HTTP, or not asked for.

use super::{Account, every_fourth, hundred_requests, load, measured, send};
use crate::support::{Next, OK, RawServer, beside_others, script_in};
use std::net::TcpListener;
use std::time::Duration;

/// The first bytes of a reply whose body never comes to its end.
const BEGINNING: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly the beginn";

/// Makes a load of a hundred requests, of which every fourth must fail with this kind of error and
/// with notes that say these words.
#[track_caller]
fn expect_error_kind(server: &RawServer, kind: &str, notes: &[&str]) {
    let output = hundred_requests(server);
    let account = measured(&output);
    assert_eq!(account.scheduled, 100, "{output}");
    assert!(account.failed >= 15 && account.completed >= 50, "{output}");
    assert_eq!(account.errors(kind), account.failed, "{output}");
    account.assert_notes(notes);
}

#[test]
fn a_reset_in_mid_body_is_a_read_error() {
    let (_machine, server) = every_fourth(|stream| {
        send(stream, BEGINNING);
        Next::Reset
    });
    expect_error_kind(&server, "read", &["first read error"]);
}

#[test]
fn half_a_reply_is_a_read_error() {
    let (_machine, server) = every_fourth(|stream| {
        send(stream, b"HTTP/1.1 200 OK\r\nContent-Le");
        Next::Close
    });
    expect_error_kind(&server, "read", &["in the middle of a reply"]);
}

#[test]
fn a_server_that_closes_without_a_reply_is_a_read_error() {
    let (_machine, server) = every_fourth(|_| Next::Close);
    expect_error_kind(&server, "read", &["before it replied"]);
}

#[test]
fn what_is_not_http_is_a_parse_error() {
    let (_machine, server) = every_fourth(|stream| {
        send(stream, b"220 mail.example ESMTP ready\r\n");
        Next::Keep
    });
    expect_error_kind(&server, "parse", &["first parse error", "not HTTP/1"]);
}

#[test]
fn a_head_of_70_kib_is_refused_with_the_limit_named() {
    let long = "x".repeat(70 * 1024);
    let long_head = format!("HTTP/1.1 200 OK\r\nX-Long: {long}\r\nContent-Length: 2\r\n\r\nok");
    let (_machine, server) = every_fourth(move |stream| {
        send(stream, long_head.as_bytes());
        Next::Keep
    });
    expect_error_kind(&server, "parse", &["64 KiB"]);
}

#[test]
fn a_server_that_never_speaks_http_fails_the_run() {
    let _machine = beside_others();
    let server = RawServer::replying(b"220 mail.example ESMTP ready\r\n", Next::Keep);
    let output = hundred_requests(&server);
    assert_eq!(output.code, Some(1), "nothing completed: {output}");
    let account = Account::of(&output);
    assert_eq!((account.scheduled, account.completed), (100, 0), "{output}");
    assert!(account.errors("parse") > 0, "{output}");
}

#[test]
fn a_reply_that_nobody_asked_for_closes_an_idle_connection_and_nothing_hangs() {
    let _machine = beside_others();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let server = RawServer::serve(listener, |visit| {
        while visit
            .next_request_within(Duration::from_millis(150))
            .is_some()
        {
            send(&mut visit.stream, OK);
        }
        let farewell = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n";
        send(&mut visit.stream, farewell);
    });
    let output = load("-R 10 -d 2s -c 5 -t 1", &server.url()).run();
    let account = measured(&output);
    assert_eq!(account.scheduled, 20, "{output}");
    // A request may cross the farewell on its way.
    assert!(account.completed >= 15, "{output}");
    assert!(server.connections() >= 15, "{output}");
    assert!(output.elapsed < Duration::from_secs(4), "{output}");
}

#[test]
fn a_close_in_the_middle_of_a_batch_fails_the_rest_of_it() {
    let _machine = beside_others();
    let folder = tempfile::tempdir().expect("a folder");
    let script = script_in(folder.path(), BATCH_OF_THREE);
    let reply = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    let server = RawServer::replying(reply, Next::Close);
    let flags = format!("-R 90 -d 1s --guard 500ms -c 4 -s {script}");
    let output = load(&flags, &server.url()).run();
    let account = measured(&output);
    assert_eq!((account.scheduled, account.unfinished), (90, 0), "{output}");
    assert_eq!((account.completed, account.failed), (30, 60), "{output}");
    assert_eq!(account.errors("read"), 60, "{output}");
    account.assert_notes(&["closed after an earlier reply"]);
}

const BATCH_OF_THREE: &str = "\
function request()
  return string.rep(wrk.format(), 3)
end
";

#[test]
fn in_a_closed_loop_every_request_is_accounted_for_too() {
    let (_machine, server) = every_fourth(|stream| {
        send(stream, BEGINNING);
        Next::Reset
    });
    let output = load("-R max -d 1s -c 2 -t 1", &server.url()).run();
    let account = measured(&output);
    assert!(account.failed > 0 && account.completed > 0, "{output}");
    assert_eq!(account.errors("read"), account.failed, "{output}");
}

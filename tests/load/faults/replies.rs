//! Replies that are right, in every form that HTTP/1 has.

use super::{hundred_requests, load, measured, send};
use crate::support::{Next, OK, RawServer, beside_others, script_in};
use std::io::Write;
use std::net::TcpStream;

#[test]
fn a_server_that_closes_after_every_reply_is_connected_to_again_and_again() {
    let _machine = beside_others();
    let reply = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    let server = RawServer::replying(reply, Next::Close);
    let output = hundred_requests(&server);
    let account = measured(&output);
    account.all_complete(100);
    assert_eq!(
        account.errors("read") + account.errors("connect"),
        0,
        "{output}"
    );
    assert!(server.connections() >= 90, "{output}");
}

#[test]
fn an_announced_100_continue_is_not_taken_for_the_reply() {
    let _machine = beside_others();
    let reply = [b"HTTP/1.1 100 Continue\r\n\r\n", OK].concat();
    let server = RawServer::replying(&reply, Next::Keep);
    let output = hundred_requests(&server);
    let account = measured(&output);
    account.all_complete(100);
    assert_eq!(account.status(200), account.completed, "{output}");
}

#[test]
fn a_reply_to_head_has_no_body_whatever_its_length_says() {
    let _machine = beside_others();
    let folder = tempfile::tempdir().expect("a folder");
    let script = script_in(folder.path(), "wrk.method = \"HEAD\"\n");
    let server = RawServer::start(|request, stream| {
        assert_eq!(request.method(), "HEAD");
        send(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
        Next::Keep
    });
    let flags = format!("-R 100 -d 1s -c 4 -s {script}");
    let output = load(&flags, &server.url()).run();
    measured(&output).all_complete(100);
    assert_eq!(server.connections(), 4 + 1, "{output}");
}

#[test]
fn replies_204_and_304_end_with_their_heads() {
    let _machine = beside_others();
    let server = RawServer::start(|request, stream| {
        send(
            stream,
            match request.number % 2 {
                0 => b"HTTP/1.1 204 No Content\r\n\r\n",
                _ => b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n",
            },
        );
        Next::Keep
    });
    let output = hundred_requests(&server);
    let account = measured(&output);
    account.all_complete(100);
    assert!(
        account.status(204) >= 40 && account.status(304) >= 40,
        "{output}"
    );
    assert_eq!(server.connections(), 4 + 1, "{output}");
}

#[test]
fn chunks_and_trailers_are_read_to_their_end() {
    let _machine = beside_others();
    let reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n\
        5;note=1\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 6\r\nX-More: yes\r\n\r\n";
    let server = RawServer::replying(reply, Next::Keep);
    let output = hundred_requests(&server);
    measured(&output).all_complete(100);
    assert_eq!(server.connections(), 4 + 1, "{output}");
}

#[test]
fn an_http_1_0_server_ends_its_replies_by_closing() {
    let _machine = beside_others();
    let server = RawServer::replying(b"HTTP/1.0 200 OK\r\n\r\nas long as it lasts", Next::Close);
    let output = hundred_requests(&server);
    let account = measured(&output);
    account.all_complete(100);
    assert_eq!(account.errors("read"), 0, "{output}");
}

#[test]
fn an_http_1_0_server_may_keep_a_connection_open() {
    let _machine = beside_others();
    let reply = b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok";
    let server = RawServer::replying(reply, Next::Keep);
    let output = hundred_requests(&server);
    measured(&output).all_complete(100);
    assert_eq!(server.connections(), 4 + 1, "{output}");
}

#[test]
fn a_body_of_200_megabytes_costs_no_memory() {
    let _machine = beside_others();
    let server = RawServer::start(|_, stream| {
        send_large_body(stream);
        Next::Keep
    });
    let output = load("-R 1 -d 2s --guard 5s -c 2 -t 1", &server.url()).run();
    let account = measured(&output);
    assert!(account.completed >= 1, "{output}");
    assert_eq!(account.failed, 0, "{output}");
    let peak = output.peak_memory.expect("VmHWM of the process");
    assert!(peak < 40_000_000, "{peak} bytes of memory: {output}");
}

fn send_large_body(stream: &mut TcpStream) {
    let piece = [b'x'; 1 << 16];
    let length = 200_000_000;
    send(
        stream,
        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").as_bytes(),
    );
    let mut left = length;
    while left > 0 {
        let count = left.min(piece.len());
        if stream.write_all(&piece[..count]).is_err() {
            return;
        }
        left -= count;
    }
}

#[test]
fn what_a_server_says_before_it_hangs_up_on_a_body_is_heard() {
    let _machine = beside_others();
    let folder = tempfile::tempdir().expect("a folder");
    let post = "wrk.method = 'POST'; wrk.body = string.rep('x', 3000000)";
    let script = script_in(folder.path(), post);
    let server = RawServer::start(|_, stream| {
        let reply =
            b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        send(stream, reply);
        Next::Close
    });
    let flags = format!("-R 20 -d 1s -c 4 -t 1 --guard 1s -s {script}");
    let output = load(&flags, &server.url()).run();
    let account = measured(&output);
    assert!(account.status(413) >= 18, "{output}");
}

//! What goes wrong between a load generator and the world, told as a user meets it: each story
//! runs the program itself, and in each every request that was due is accounted for.

use crate::support::{
    Hotel, Machine, Meshload, Next, Output, RawServer, Request, done, machine, wait_until,
};
use rustix::process::Signal;
use serde_json::Value;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// What became of the requests of a run.
#[derive(Debug)]
struct Account {
    scheduled: u64,
    completed: u64,
    failed: u64,
    unfinished: u64,
    json: Value,
}

impl Account {
    /// Reads it from the JSON of a run, and checks that nothing was lost on the way.
    fn of(output: &Output) -> Account {
        let json = output.json();
        let count = |name: &str| {
            let count = json["requests"][name].as_u64();
            count.unwrap_or_else(|| panic!("no requests.{name}: {output}"))
        };
        let account = Account {
            scheduled: count("scheduled"),
            completed: count("completed"),
            failed: count("failed"),
            unfinished: count("unfinished"),
            json: json.clone(),
        };
        let ended = account.completed + account.failed + account.unfinished;
        assert_eq!(account.scheduled, ended, "all accounted for: {output}");
        assert_eq!(
            account.statuses(),
            account.completed,
            "a status each: {output}"
        );
        account
    }

    fn statuses(&self) -> u64 {
        let counts = self.json["status"].as_object().expect("a status map");
        counts.values().filter_map(Value::as_u64).sum()
    }

    fn status(&self, code: u16) -> u64 {
        self.json["status"][code.to_string()].as_u64().unwrap_or(0)
    }

    fn errors(&self, kind: &str) -> u64 {
        let count = self.json["errors"][kind].as_u64();
        count.unwrap_or_else(|| panic!("no errors.{kind}: {self:?}"))
    }

    fn notes(&self) -> String {
        self.json["notes"].to_string()
    }

    /// All of these were due, and all have been answered but for the very last.
    fn all_complete(&self, scheduled: u64) {
        assert_eq!(self.scheduled, scheduled, "{self:?}");
        assert_eq!(self.failed, 0, "{self:?}");
        assert!(self.unfinished <= scheduled / 10, "{self:?}");
    }
}

/// `meshload FLAGS --json - URL`.
fn load(flags: &str, url: &str) -> Meshload {
    Meshload::new(arguments(flags, url))
}

fn arguments<'a>(flags: &'a str, url: &'a str) -> impl Iterator<Item = &'a str> {
    flags.split_whitespace().chain(["--json", "-", url])
}

/// A load of 100 requests over one second, which is enough for most stories.
fn hundred_requests(server: &RawServer) -> Output {
    load("-R 100 -d 1s -c 4 -t 2", &server.url()).run()
}

fn send(stream: &mut TcpStream, bytes: &[u8]) {
    // The client may have gone; what it makes of that is what is tested.
    let _ = stream.write_all(bytes);
}

/// Replies well, except to every fourth request.
fn every_fourth(
    fault: impl Fn(&mut TcpStream) -> Next + Send + Sync + 'static,
) -> (Machine, RawServer) {
    let reply = move |request: &Request, stream: &mut TcpStream| {
        if request.number % 4 == 3 {
            return fault(stream);
        }
        send(stream, OK);
        Next::Keep
    };
    (machine(), RawServer::start(reply))
}

/// A script in a file, as a path.
fn script_in(folder: &tempfile::TempDir, text: &str) -> String {
    let path = folder.path().join("script.lua");
    std::fs::write(&path, text).expect("a script");
    path.to_str().expect("a path in UTF-8").to_owned()
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is missing in: {text}");
    }
}

// Before the first request.

#[test]
fn a_refused_connection_names_the_address_and_the_cure() {
    let _machine = machine();
    let address = free_address();
    let output = load("-R 100 -d 1s", &format!("http://{address}/")).run();
    assert_eq!(output.code, Some(1), "{output}");
    assert_says(
        &output.stderr,
        &[&address.to_string(), "refused", "is the server running"],
    );
}

#[test]
fn a_name_that_does_not_resolve_is_named() {
    let _machine = machine();
    let output = load("-R 100 -d 1s", "http://no-such-host.invalid/").run();
    assert_eq!(output.code, Some(1), "{output}");
    assert_says(&output.stderr, &["no-such-host.invalid", "spelling"]);
}

#[test]
#[ignore = "needs root and unshare"]
fn a_name_with_several_addresses_has_its_connections_spread_over_them() {
    let _machine = machine();
    let folder = tempfile::tempdir().expect("a folder");
    let prefix = with_own_names(folder.path());
    let (first, second) = two_servers_on_one_port();
    let url = format!("http://two-servers.test:{}/", first.address().port());
    let prefix = prefix.iter().map(String::as_str);
    let output = Meshload::through(prefix, arguments("-R 100 -d 1s -c 8 -t 2", &url)).run();
    done(&output);
    Account::of(&output).all_complete(100);
    for server in [&first, &second] {
        // One more to see whether anybody listens.
        assert_eq!(server.connections(), 4 + 1, "{output}");
        assert!((30..=70).contains(&server.requests()), "{output}");
    }
}

/// A prefix that gives the program a file of names in which `two-servers.test` has two addresses.
fn with_own_names(folder: &Path) -> [String; 6] {
    let hosts = folder.join("hosts");
    let lines = "127.0.0.1 localhost two-servers.test\n127.0.0.2 two-servers.test\n";
    std::fs::write(&hosts, lines).expect("a file of names");
    let script = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";
    let hosts = hosts.to_str().expect("a path in UTF-8");
    ["unshare", "-m", "sh", "-c", script, hosts].map(String::from)
}

fn two_servers_on_one_port() -> (RawServer, RawServer) {
    let reply = |_: &Request, stream: &mut TcpStream| {
        send(stream, OK);
        Next::Keep
    };
    for _ in 0..10 {
        let first = RawServer::start(reply);
        let elsewhere = SocketAddr::from(([127, 0, 0, 2], first.address().port()));
        if TcpListener::bind(elsewhere).is_ok() {
            return (first, RawServer::start_at(elsewhere, reply));
        }
    }
    panic!("no port is free on both addresses");
}

#[test]
fn one_of_two_urls_that_does_not_answer_is_named() {
    let _machine = machine();
    let server = RawServer::replying(OK, Next::Keep);
    let refused = free_address();
    let flags = format!("-R 100 -d 1s {}", server.url());
    let output = load(&flags, &format!("http://{refused}/")).run();
    assert_eq!(output.code, Some(1), "{output}");
    assert_says(&output.stderr, &[&refused.to_string(), "refused"]);
    assert_eq!(server.requests(), 0, "{output}");
}

// Replies that are right, in every form that HTTP/1 has.

#[test]
fn a_server_that_closes_after_every_reply_is_connected_to_again_and_again() {
    let _machine = machine();
    let reply = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    let server = RawServer::replying(reply, Next::Close);
    let output = hundred_requests(&server);
    done(&output);
    let account = Account::of(&output);
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
    let _machine = machine();
    let reply = [b"HTTP/1.1 100 Continue\r\n\r\n", OK].concat();
    let server = RawServer::replying(&reply, Next::Keep);
    let output = hundred_requests(&server);
    done(&output);
    let account = Account::of(&output);
    account.all_complete(100);
    assert_eq!(account.status(200), account.completed, "{output}");
}

#[test]
fn a_reply_to_head_has_no_body_whatever_its_length_says() {
    let _machine = machine();
    let folder = tempfile::tempdir().expect("a folder");
    let script = script_in(&folder, "wrk.method = \"HEAD\"\n");
    let server = RawServer::start(|request, stream| {
        assert_eq!(request.method(), "HEAD");
        send(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
        Next::Keep
    });
    let flags = format!("-R 100 -d 1s -c 4 -s {script}");
    let output = load(&flags, &server.url()).run();
    done(&output);
    Account::of(&output).all_complete(100);
    assert_eq!(server.connections(), 4 + 1, "{output}");
}

#[test]
fn replies_204_and_304_end_with_their_heads() {
    let _machine = machine();
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
    done(&output);
    let account = Account::of(&output);
    account.all_complete(100);
    assert!(
        account.status(204) >= 40 && account.status(304) >= 40,
        "{output}"
    );
    assert_eq!(server.connections(), 4 + 1, "{output}");
}

#[test]
fn chunks_and_trailers_are_read_to_their_end() {
    let _machine = machine();
    let reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n\
        5;note=1\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 6\r\nX-More: yes\r\n\r\n";
    let server = RawServer::replying(reply, Next::Keep);
    let output = hundred_requests(&server);
    done(&output);
    Account::of(&output).all_complete(100);
    assert_eq!(server.connections(), 4 + 1, "{output}");
}

#[test]
fn an_http_1_0_server_ends_its_replies_by_closing() {
    let _machine = machine();
    let server = RawServer::replying(b"HTTP/1.0 200 OK\r\n\r\nas long as it lasts", Next::Close);
    let output = hundred_requests(&server);
    done(&output);
    let account = Account::of(&output);
    account.all_complete(100);
    assert_eq!(account.errors("read"), 0, "{output}");
}

#[test]
fn an_http_1_0_server_may_keep_a_connection_open() {
    let _machine = machine();
    let reply = b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok";
    let server = RawServer::replying(reply, Next::Keep);
    let output = hundred_requests(&server);
    done(&output);
    Account::of(&output).all_complete(100);
    assert_eq!(server.connections(), 4 + 1, "{output}");
}

#[test]
fn a_body_of_200_megabytes_costs_no_memory() {
    let _machine = machine();
    let server = RawServer::start(|_, stream| {
        send_large_body(stream);
        Next::Keep
    });
    let output = load("-R 1 -d 2s --guard 5s -c 2 -t 1", &server.url()).run();
    done(&output);
    let account = Account::of(&output);
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

// Replies that are not.

#[test]
fn a_reset_in_mid_body_is_a_read_error() {
    let (_machine, server) = every_fourth(|stream| {
        send(
            stream,
            b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly the beginn",
        );
        Next::Reset
    });
    let output = hundred_requests(&server);
    done(&output);
    let account = Account::of(&output);
    assert_eq!(account.scheduled, 100, "{output}");
    assert!(account.failed >= 15 && account.completed >= 50, "{output}");
    assert_eq!(account.errors("read"), account.failed, "{output}");
    assert_says(&account.notes(), &["first read error"]);
}

#[test]
fn half_a_reply_is_a_read_error() {
    let (_machine, server) = every_fourth(|stream| {
        send(stream, b"HTTP/1.1 200 OK\r\nContent-Le");
        Next::Close
    });
    let output = hundred_requests(&server);
    done(&output);
    let account = Account::of(&output);
    assert!(account.failed >= 15 && account.completed >= 50, "{output}");
    assert_eq!(account.errors("read"), account.failed, "{output}");
    assert_says(&account.notes(), &["in the middle of a reply"]);
}

#[test]
fn a_server_that_closes_without_a_reply_is_a_read_error() {
    let (_machine, server) = every_fourth(|_| Next::Close);
    let output = hundred_requests(&server);
    done(&output);
    let account = Account::of(&output);
    assert!(account.failed >= 15 && account.completed >= 50, "{output}");
    assert_eq!(account.errors("read"), account.failed, "{output}");
    assert_says(&account.notes(), &["before it replied"]);
}

#[test]
fn what_is_not_http_is_a_parse_error() {
    let (_machine, server) = every_fourth(|stream| {
        send(stream, b"220 mail.example ESMTP ready\r\n");
        Next::Keep
    });
    let output = hundred_requests(&server);
    done(&output);
    let account = Account::of(&output);
    assert!(account.failed >= 15 && account.completed >= 50, "{output}");
    assert_eq!(account.errors("parse"), account.failed, "{output}");
    assert_says(&account.notes(), &["first parse error", "not HTTP/1"]);
}

#[test]
fn a_server_that_never_speaks_http_fails_the_run() {
    let _machine = machine();
    let server = RawServer::replying(b"220 mail.example ESMTP ready\r\n", Next::Keep);
    let output = hundred_requests(&server);
    assert_eq!(output.code, Some(1), "nothing completed: {output}");
    let account = Account::of(&output);
    assert_eq!((account.scheduled, account.completed), (100, 0), "{output}");
    assert!(account.errors("parse") > 0, "{output}");
}

#[test]
fn a_head_of_70_kib_is_refused_with_the_limit_named() {
    let long_head = format!(
        "HTTP/1.1 200 OK\r\nX-Long: {}\r\nContent-Length: 2\r\n\r\nok",
        "x".repeat(70 * 1024)
    );
    let (_machine, server) = every_fourth(move |stream| {
        send(stream, long_head.as_bytes());
        Next::Keep
    });
    let output = hundred_requests(&server);
    done(&output);
    let account = Account::of(&output);
    assert!(account.failed >= 15 && account.completed >= 50, "{output}");
    assert_eq!(account.errors("parse"), account.failed, "{output}");
    assert_says(&account.notes(), &["64 KiB"]);
}

#[test]
fn a_reply_that_nobody_asked_for_closes_an_idle_connection_and_nothing_hangs() {
    let _machine = machine();
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
    done(&output);
    let account = Account::of(&output);
    assert_eq!(account.scheduled, 20, "{output}");
    // A request may cross the farewell on its way.
    assert!(account.completed >= 15, "{output}");
    assert!(server.connections() >= 15, "{output}");
    assert!(output.elapsed < Duration::from_secs(4), "{output}");
}

#[test]
fn a_close_in_the_middle_of_a_batch_fails_the_rest_of_it() {
    let _machine = machine();
    let folder = tempfile::tempdir().expect("a folder");
    let script = script_in(&folder, BATCH_OF_THREE);
    let reply = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    let server = RawServer::replying(reply, Next::Close);
    let flags = format!("-R 90 -d 1s --guard 500ms -c 4 -s {script}");
    let output = load(&flags, &server.url()).run();
    done(&output);
    let account = Account::of(&output);
    assert_eq!((account.scheduled, account.unfinished), (90, 0), "{output}");
    assert_eq!((account.completed, account.failed), (30, 60), "{output}");
    assert_eq!(account.errors("read"), 60, "{output}");
    assert_says(&account.notes(), &["closed after an earlier reply"]);
}

const BATCH_OF_THREE: &str = "\
function request()
  return string.rep(wrk.format(), 3)
end
";

#[test]
fn a_reset_while_a_request_is_being_sent_is_a_write_error() {
    let _machine = machine();
    let folder = tempfile::tempdir().expect("a folder");
    let script = script_in(&folder, EVERY_FOURTH_IS_LONG);
    let server = RawServer::start(|request, stream| {
        if request.method() == "POST" {
            return Next::Reset;
        }
        send(stream, OK);
        Next::Keep
    });
    let flags = format!("-R 40 -d 1s --guard 500ms -c 4 -t 1 -s {script}");
    let output = load(&flags, &server.url()).run();
    done(&output);
    let account = Account::of(&output);
    assert_eq!((account.scheduled, account.completed), (40, 30), "{output}");
    // Which side of the socket hears of it first is the kernel's choice.
    assert_eq!(
        account.errors("write") + account.errors("read"),
        10,
        "{output}"
    );
    assert!(account.errors("write") > 0, "{output}");
}

const EVERY_FOURTH_IS_LONG: &str = "\
local count, long = 0, string.rep('x', 8000000)
function request()
  count = count + 1
  if count % 4 == 0 then
    return wrk.format('POST', '/', {}, long)
  end
  return wrk.format()
end
";

#[test]
fn in_a_closed_loop_every_request_is_accounted_for_too() {
    let (_machine, server) = every_fourth(|stream| {
        send(
            stream,
            b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly the beginn",
        );
        Next::Reset
    });
    let output = load("-R max -d 1s -c 2 -t 1", &server.url()).run();
    done(&output);
    let account = Account::of(&output);
    assert!(account.failed > 0 && account.completed > 0, "{output}");
    assert_eq!(account.errors("read"), account.failed, "{output}");
}

// Servers that go away, or say nothing.

#[test]
fn a_server_that_dies_and_comes_back_is_found_again() {
    let _machine = machine();
    let reply = |_: &Request, stream: &mut TcpStream| {
        send(stream, OK);
        Next::Keep
    };
    let server = RawServer::start(reply);
    let (address, url) = (server.address(), server.url());
    let run = load("-R 100 -d 3s -c 4 -t 2", &url).start();
    wait_until("50 requests", || server.requests() >= 50);
    drop(server);
    std::thread::sleep(Duration::from_millis(700));
    let server = RawServer::start_at(address, reply);
    let output = run.finish();
    done(&output);
    let account = Account::of(&output);
    assert_eq!(account.scheduled, 300, "{output}");
    assert!(account.errors("connect") > 0, "{output}");
    assert!(account.completed >= 200, "those that waited, too: {output}");
    assert!(server.requests() >= 100, "{output}");
    assert_says(
        &account.notes(),
        &["first connect error", &address.to_string()],
    );
}

#[test]
fn a_server_that_never_answers_does_not_keep_the_run_from_ending() {
    let _machine = machine();
    let server = RawServer::start(|_, _| Next::Keep);
    let output = hundred_requests(&server);
    assert_eq!(output.code, Some(1), "nothing completed: {output}");
    assert!(output.elapsed < Duration::from_secs(2), "{output}");
    let account = Account::of(&output);
    assert_eq!(
        (account.scheduled, account.unfinished),
        (100, 100),
        "{output}"
    );
}

#[test]
fn a_server_whose_backlog_is_never_accepted_does_not_keep_the_run_from_ending() {
    let _machine = machine();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let output = load("-R 100 -d 1s -c 4", &url).run();
    assert_eq!(output.code, Some(1), "nothing completed: {output}");
    assert!(output.elapsed < Duration::from_secs(2), "{output}");
    let account = Account::of(&output);
    assert_eq!(
        (account.scheduled, account.unfinished),
        (100, 100),
        "{output}"
    );
}

#[test]
fn slow_requests_are_counted_and_do_not_fail() {
    let _machine = machine();
    let hotel = Hotel::start(["--service-time", "constant:200ms"]);
    let flags = "-R 50 -d 1s --guard 1s -c 20 -T 100ms";
    let output = load(flags, hotel.url()).run();
    done(&output);
    let account = Account::of(&output);
    assert_eq!((account.scheduled, account.failed), (50, 0), "{output}");
    assert!(account.completed >= 45, "{output}");
    assert!(account.errors("timeout") >= account.completed, "{output}");
}

#[test]
fn requests_are_given_up_after_the_time_that_the_user_allows() {
    let (_machine, server) = every_fourth(|_| Next::Keep);
    let flags = "-R 100 -d 1s --guard 1s -c 20 --abort-after 200ms";
    let output = load(flags, &server.url()).run();
    done(&output);
    let account = Account::of(&output);
    assert!(account.failed >= 15 && account.completed >= 50, "{output}");
    assert_eq!(account.errors("aborted"), account.failed, "{output}");
    assert_eq!(account.errors("timeout"), 0, "{output}");
}

#[test]
fn a_server_that_comes_back_finds_the_connections_of_what_was_given_up_open() {
    let _machine = machine();
    let start = std::time::Instant::now();
    let server = RawServer::start(move |_, stream| {
        // The look before the load has no request, so this clock is about the load's.
        if start.elapsed() > Duration::from_millis(2500) {
            send(stream, OK);
        }
        Next::Keep
    });
    let flags = "-R 50 -d 3s -c 10 -t 1 --abort-after 50ms --guard 1s";
    let output = load(flags, &server.url()).run();
    done(&output);
    let account = Account::of(&output);
    let longest = account.json["blocked_ns"]["p99"].as_f64().expect("a time");
    assert!(longest < 2e8, "an abort makes room at once: {longest} ns");
}

#[test]
fn what_a_server_says_before_it_hangs_up_on_a_body_is_heard() {
    let _machine = machine();
    let folder = tempfile::tempdir().expect("a folder");
    let post = "wrk.method = 'POST'; wrk.body = string.rep('x', 3000000)";
    let script = script_in(&folder, post);
    let server = RawServer::start(|_, stream| {
        let reply =
            b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        send(stream, reply);
        Next::Close
    });
    let flags = format!("-R 20 -d 1s -c 4 -t 1 --guard 1s -s {script}");
    let output = load(&flags, &server.url()).run();
    done(&output);
    let account = Account::of(&output);
    assert!(account.status(413) >= 18, "{output}");
}

// What the operating system refuses.

#[test]
fn too_few_descriptors_name_the_limit_and_the_cure() {
    let _machine = machine();
    let server = RawServer::replying(OK, Next::Keep);
    let url = server.url();
    let limit = "ulimit -Hn 64; ulimit -n 64";
    let output = Meshload::after(limit, arguments("-R 100 -d 1s -c 500", &url)).run();
    assert_eq!(output.code, Some(1), "{output}");
    assert_says(&output.stderr, &["ulimit -n", "-c"]);
    assert_eq!(server.requests(), 0, "{output}");
}

#[test]
fn a_low_soft_limit_is_raised() {
    let _machine = machine();
    let server = RawServer::replying(OK, Next::Keep);
    let url = server.url();
    let output = Meshload::after("ulimit -Sn 64", arguments("-R 100 -d 1s -c 100", &url)).run();
    done(&output);
    Account::of(&output).all_complete(100);
    assert_eq!(server.connections(), 100 + 1, "{output}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named_before_any_request() {
    let _machine = machine();
    let server = RawServer::replying(OK, Next::Keep);
    let place = tempfile::tempdir().expect("a folder");
    let file = place.path().join("a-file");
    std::fs::write(&file, "not a folder").expect("a file");
    let folder = file.join("results");
    let folder = folder.to_str().expect("a path in UTF-8");
    let output = Meshload::new(["-R", "100", "-d", "1s", "-o", folder, &server.url()]).run();
    assert!(matches!(output.code, Some(1 | 2)), "{output}");
    assert_says(&output.stderr, &[folder]);
    assert_eq!(server.requests(), 0, "{output}");
}

#[test]
fn a_folder_with_something_in_it_is_not_written_over() {
    let _machine = machine();
    let server = RawServer::replying(OK, Next::Keep);
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("run.json"), "of last week").expect("a file");
    let path = folder.path().to_str().expect("a path in UTF-8");
    let output = Meshload::new(["-R", "100", "-d", "1s", "-o", path, &server.url()]).run();
    assert_eq!(output.code, Some(2), "{output}");
    assert_says(&output.stderr, &["-o", path]);
    assert_eq!(server.requests(), 0, "{output}");
    let kept = std::fs::read_to_string(folder.path().join("run.json"));
    assert_eq!(kept.expect("still there"), "of last week");
}

#[test]
fn a_full_disk_is_named_and_the_text_is_still_printed() {
    let _machine = machine();
    let server = RawServer::replying(OK, Next::Keep);
    let flags = "-R 100 -d 1s --json /dev/full";
    let args = flags
        .split_whitespace()
        .chain([server.url().leak() as &str]);
    let output = Meshload::new(args).run();
    assert_eq!(output.code, Some(1), "{output}");
    assert_says(&output.stderr, &["/dev/full"]);
    assert_says(&output.stdout, &["Requests/sec:"]);
}

// Signals.

#[test]
fn sigint_ends_the_run_with_what_was_measured() {
    ends_early(Signal::INT, 130);
}

#[test]
fn sigterm_ends_the_run_with_what_was_measured() {
    ends_early(Signal::TERM, 143);
}

fn ends_early(signal: Signal, code: i32) {
    let _machine = machine();
    let server = RawServer::replying(OK, Next::Keep);
    let run = load("-R 100 -d 30s -c 4", &server.url()).start();
    wait_until("50 requests", || server.requests() >= 50);
    run.signal(signal);
    let output = run.finish();
    assert_eq!(output.code, Some(code), "{output}");
    assert!(output.elapsed < Duration::from_secs(10), "{output}");
    let account = Account::of(&output);
    assert!(account.completed >= 45, "{output}");
    assert_eq!(account.failed, 0, "{output}");
    assert_eq!(account.json["outcome"], "interrupted", "{output}");
    let window = account.json["window"]["duration_ns"].as_u64();
    let window = Duration::from_nanos(window.expect("a window"));
    assert!(window > Duration::from_millis(400), "{output}");
    assert!(window < Duration::from_secs(10), "{output}");
}

#[test]
fn a_second_sigint_quits_when_the_first_cannot() {
    let _machine = machine();
    let folder = tempfile::tempdir().expect("a folder");
    let script = script_in(&folder, STUCK);
    let server = RawServer::replying(OK, Next::Keep);
    let flags = format!("-R 100 -d 30s -c 1 -t 1 -s {script}");
    let mut run = load(&flags, &server.url()).start();
    wait_until("20 requests", || server.requests() >= 20);
    std::thread::sleep(Duration::from_millis(200));
    run.signal(Signal::INT);
    std::thread::sleep(Duration::from_millis(500));
    assert!(run.is_alive(), "the script does not let go");
    run.signal(Signal::INT);
    let output = run.finish();
    assert_eq!(output.code, Some(130), "{output}");
    assert!(output.elapsed < Duration::from_secs(10), "{output}");
}

const STUCK: &str = "\
local count = 0
function request()
  count = count + 1
  while count > 20 do end
  return wrk.format()
end
";

#[test]
fn sigint_while_connections_are_being_opened_ends_the_program() {
    let _machine = machine();
    let folder = tempfile::tempdir().expect("a folder");
    let script = script_in(&folder, "function init() require('socket').sleep(1) end\n");
    let server = RawServer::replying(OK, Next::Keep);
    let flags = format!("-R 100 -d 30s -c 1 -t 1 -s {script}");
    let run = load(&flags, &server.url()).start();
    wait_until("the first look at the server", || server.connections() >= 1);
    std::thread::sleep(Duration::from_millis(300));
    run.signal(Signal::INT);
    let output = run.finish();
    assert_eq!(output.code, Some(130), "{output}");
    assert!(output.elapsed < Duration::from_secs(10), "{output}");
    assert_eq!(server.requests(), 0, "{output}");
}

// Flags.

#[test]
fn every_bad_flag_is_named_with_its_cure_before_anything_is_sent() {
    let _machine = machine();
    let server = RawServer::replying(OK, Next::Keep);
    for (flags, words) in BAD_FLAGS {
        let url = server.url();
        let output = match flags.strip_prefix("URL ") {
            Some(flags) => Meshload::new([url.as_str()].into_iter().chain(flags.split(' '))),
            None => Meshload::new(flags.split_whitespace().chain([url.as_str()])),
        }
        .run();
        assert_eq!(output.code, Some(2), "{flags}: {output}");
        assert_says(&output.stderr, words);
        assert_eq!(output.stdout, "", "{flags}: {output}");
    }
    assert_eq!(server.requests(), 0);
}

/// What is typed (before the URL, unless it says where the URL stands), and what must be said.
const BAD_FLAGS: &[(&str, &[&str])] = &[
    ("-R 0", &["--rate", "above 0", "such as 800"]),
    ("-R -5", &["--rate", "above 0", "such as 800"]),
    ("-R abc", &["--rate", "`abc` is not a rate", "such as 800"]),
    ("-d 1s", &["-R", "missing", "give -R 800"]),
    (
        "-R 5 --ramp 1:2",
        &["--rate", "--ramp", "cannot be used with"],
    ),
    ("--ramp 100", &["--ramp", "such as 100:800"]),
    ("--ramp 0:5", &["--ramp", "above 0"]),
    ("-R 5 -c 0", &["--connections", "at least 1"]),
    ("-R 5 -t 0", &["--threads", "at least 1"]),
    ("-R 5 --pipeline 0", &["--pipeline", "at least 1"]),
    ("-R 5 -d 0", &["-d", "above 0, such as 10s"]),
    ("-R 5 -d abc", &["--duration", "`abc`", "60s"]),
    (
        "-R 5 -D foo",
        &["--dist", "fixed, exp, norm, uniform, zipf"],
    ),
    ("-R 5 --pacing foo", &["--pacing", "auto, timer, spin"]),
    (
        "-R 5 -c 10 --max-connections 5",
        &["--max-connections", "-c 10", "at least"],
    ),
    ("-R 5 -H nocolon", &["--header", "'Name: value'"]),
    ("-R 5 -T 0", &["-T", "above 0, such as 2s"]),
    (
        "-R 5 --abort-after 0",
        &["--abort-after", "above 0, such as 2s"],
    ),
    ("-R 5 -S", &["-S", "only one URL", "several"]),
    ("-R 5 -P", &["-P", "add -o DIR"]),
    (
        "-R 5 -s /no/such/script.lua",
        &["-s", "/no/such/script.lua"],
    ),
    ("-R 5 --no-such-flag", &["--no-such-flag", "--help"]),
    (
        "-R 5 localhost:80",
        &["localhost:80", "write http://localhost:80"],
    ),
    ("URL -R 5 --key x", &["--key", "add --cert"]),
    ("URL -R 5 -- for the script", &["--", "add -s FILE"]),
];

#[test]
fn a_missing_url_is_asked_for() {
    let output = Meshload::new(["-R", "5"]).run();
    assert_eq!(output.code, Some(2), "{output}");
    assert_says(&output.stderr, &["<URL>", "Usage: meshload"]);
}

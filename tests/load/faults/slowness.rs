//! Servers that take long, or say nothing.

use super::{assert_hundred_are_unfinished, every_fourth, hundred_requests, load, measured, send};
use crate::support::{Hotel, Next, OK, RawServer, beside_others, machine};
use std::time::{Duration, Instant};

#[test]
fn a_server_that_never_answers_does_not_keep_the_run_from_ending() {
    let _machine = machine();
    let server = RawServer::start(|_, _| Next::Keep);
    let output = hundred_requests(&server);
    assert_hundred_are_unfinished(&output);
}

#[test]
fn slow_requests_are_counted_and_do_not_fail() {
    let _machine = beside_others();
    let hotel = Hotel::start(["--service-time", "constant:200ms"]);
    let flags = "-R 50 -d 1s --guard 1s -c 20 -T 100ms";
    let output = load(flags, hotel.url()).run();
    let account = measured(&output);
    assert_eq!((account.scheduled, account.failed), (50, 0), "{output}");
    assert!(account.completed >= 45, "{output}");
    assert!(account.errors("timeout") >= account.completed, "{output}");
}

#[test]
fn requests_are_given_up_after_the_time_that_the_user_allows() {
    let (_machine, server) = every_fourth(|_| Next::Keep);
    let flags = "-R 100 -d 1s --guard 1s -c 20 --abort-after 200ms";
    let output = load(flags, &server.url()).run();
    let account = measured(&output);
    assert!(account.failed >= 15 && account.completed >= 50, "{output}");
    assert_eq!(account.errors("aborted"), account.failed, "{output}");
    assert_eq!(account.errors("timeout"), 0, "{output}");
}

#[test]
fn a_server_that_comes_back_finds_the_connections_of_what_was_given_up_open() {
    let _machine = machine();
    let start = Instant::now();
    let server = RawServer::start(move |_, stream| {
        // The look before the load has no request, so this clock is about the load's.
        if start.elapsed() > Duration::from_millis(2500) {
            send(stream, OK);
        }
        Next::Keep
    });
    let flags = "-R 50 -d 3s -c 10 -t 1 --abort-after 50ms --guard 1s";
    let output = load(flags, &server.url()).run();
    let account = measured(&output);
    let longest = account.json["blocked_ns"]["p99"].as_f64().expect("a time");
    assert!(longest < 2e8, "an abort makes room at once: {longest} ns");
}

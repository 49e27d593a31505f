//! What goes wrong between a load generator and the world, as a user meets it: each test runs the
//! program itself, and in each every request that was due is accounted for.

mod broken_replies;
mod connections;
mod flags;
mod replies;
mod signals;
mod slowness;
mod system;

use crate::support::{
    Machine, Meshload, Next, Output, RawServer, Request, beside_others, done, reply_ok,
};
use serde_json::Value;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

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
    #[track_caller]
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

    /// The notes of the result have all of these words.
    #[track_caller]
    fn assert_notes(&self, words: &[&str]) {
        let notes = self.json["notes"].to_string();
        for word in words {
            assert!(notes.contains(word), "`{word}` is missing: {notes}");
        }
    }

    /// All of these were due, and all have been answered but for the very last.
    #[track_caller]
    fn all_complete(&self, scheduled: u64) {
        assert_eq!(self.scheduled, scheduled, "{self:?}");
        assert_eq!(self.failed, 0, "{self:?}");
        assert!(self.unfinished <= scheduled / 10, "{self:?}");
    }
}

/// The account of a run that was made.
#[track_caller]
fn measured(output: &Output) -> Account {
    done(output);
    Account::of(output)
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

/// The client may have closed the connection; what it makes of that is what is tested.
fn send(stream: &mut TcpStream, bytes: &[u8]) {
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
        reply_ok(request, stream)
    };
    (beside_others(), RawServer::start(reply))
}

/// A load of a second with a hundred requests, none of which is answered, ends by itself.
fn assert_hundred_are_unfinished(output: &Output) {
    assert_eq!(output.code, Some(1), "nothing completed: {output}");
    assert!(output.elapsed < Duration::from_secs(2), "{output}");
    let account = Account::of(output);
    assert_eq!(
        (account.scheduled, account.unfinished),
        (100, 100),
        "{output}"
    );
}

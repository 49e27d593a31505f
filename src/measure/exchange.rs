//! What can happen to one request.

use super::RouteId;
use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// The moments at which a batch of requests was due, could be sent and was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sending {
    /// When the schedule said.
    pub due: Nanos,
    /// When the connection that took it had become free.
    pub free: Nanos,
    /// Just before the first byte was handed to the kernel.
    pub sent: Nanos,
}

impl Sending {
    /// The generator's own lateness: a connection was free, and still it was not sent.
    #[inline]
    pub fn late(&self) -> Nanos {
        self.sent - self.due.max(self.free)
    }

    /// How long no connection was free.
    #[inline]
    pub fn blocked(&self) -> Nanos {
        self.sent.min(self.free) - self.due
    }
}

/// A reply that was read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// When its request was due, free to go and sent.
    pub sending: Sending,
    /// When its first byte was read.
    pub first_byte: Nanos,
    /// When its last byte was read.
    pub done: Nanos,
    /// Status code.
    pub status: u16,
    /// Bytes read for it, head included.
    pub bytes: u64,
    /// The route of its request.
    pub route: RouteId,
    /// Whether it is the last reply to its batch.
    pub ends_batch: bool,
    /// The connection slot it came over.
    pub connection: u32,
}

/// A request that was started and not completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// When it was due, free to go and sent.
    pub sending: Sending,
    /// When it failed.
    pub at: Nanos,
    /// How.
    pub kind: ErrorKind,
    /// Its route.
    pub route: RouteId,
    /// The connection slot it went over.
    pub connection: u32,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ErrorKind {
    /// The connection could not be opened.
    Connect,
    /// It broke, or was closed, before the reply was complete.
    Read,
    /// It broke while the request was being written.
    Write,
    /// Slower than the timeout: counted, but not a failure.
    Timeout,
    /// The reply was not HTTP/1.
    Parse,
    /// Given up after `--abort-after`.
    Aborted,
    /// The script called `wrk.fail`.
    Script,
}

impl ErrorKind {
    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::Connect => "connect",
            ErrorKind::Read => "read",
            ErrorKind::Write => "write",
            ErrorKind::Timeout => "timeout",
            ErrorKind::Parse => "parse",
            ErrorKind::Aborted => "aborted",
            ErrorKind::Script => "script",
        }
    }
}

/// Errors by kind. `connect` counts attempts and `timeout` slow requests; the others are failed requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[allow(missing_docs)] // the names are ErrorKind's
pub struct Errors {
    pub connect: u64,
    pub read: u64,
    pub write: u64,
    pub timeout: u64,
    pub parse: u64,
    pub aborted: u64,
    pub script: u64,
}

impl Errors {
    /// Counts one error.
    pub fn count(&mut self, kind: ErrorKind) {
        *match kind {
            ErrorKind::Connect => &mut self.connect,
            ErrorKind::Read => &mut self.read,
            ErrorKind::Write => &mut self.write,
            ErrorKind::Timeout => &mut self.timeout,
            ErrorKind::Parse => &mut self.parse,
            ErrorKind::Aborted => &mut self.aborted,
            ErrorKind::Script => &mut self.script,
        } += 1;
    }

    /// What wrk, which knows four kinds, would have met as a failed read.
    pub fn read_in_wrks_terms(&self) -> u64 {
        self.read + self.parse + self.aborted
    }

    /// Adds another's counts.
    pub fn merge(&mut self, other: &Errors) {
        let Errors {
            connect,
            read,
            write,
            timeout,
            parse,
            aborted,
            script,
        } = other;
        self.connect += connect;
        self.read += read;
        self.write += write;
        self.timeout += timeout;
        self.parse += parse;
        self.aborted += aborted;
        self.script += script;
    }
}

/// Replies by status code, sorted by code. A handful of codes: a list is faster than a map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusCounts(Vec<(u16, u64)>);

impl StatusCounts {
    /// Adds `count` replies with a code.
    #[inline]
    pub fn add(&mut self, status: u16, count: u64) {
        match self.0.iter_mut().find(|(code, _)| *code == status) {
            Some((_, known)) => *known += count,
            None => {
                let at = self.0.partition_point(|(code, _)| *code < status);
                self.0.insert(at, (status, count));
            }
        }
    }

    /// Adds another's counts.
    pub fn merge(&mut self, other: &StatusCounts) {
        for (status, count) in other.iter() {
            self.add(status, count);
        }
    }

    /// Codes and counts, by code.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u64)> {
        self.0.iter().copied()
    }

    /// All replies.
    pub fn total(&self) -> u64 {
        self.iter().map(|(_, count)| count).sum()
    }

    /// Replies with a code above 399, which wrk prints as "Non-2xx or 3xx".
    pub fn bad(&self) -> u64 {
        let bad = self.iter().filter(|(status, _)| *status > 399);
        bad.map(|(_, count)| count).sum()
    }
}

/// One request as `-P` writes it; times since the load began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // as in Sending, Delivery and Failure
pub struct RequestRow {
    pub due: Nanos,
    pub free: Nanos,
    pub sent: Nanos,
    pub first_byte: Option<Nanos>,
    pub done: Option<Nanos>,
    pub status: Option<u16>,
    pub bytes: u64,
    pub error: Option<ErrorKind>,
    pub route: RouteId,
    pub connection: u32,
}

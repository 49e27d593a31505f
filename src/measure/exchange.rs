//! What can happen to one request.

use super::{ErrorKind, RouteId};
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

//! What a worker reports to its recorder about one request: when it was sent, and how it ended.
//!
//! All moments are nanoseconds since the load began.

use super::{ErrorKind, RouteId};
use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// The moments of a batch of requests up to the first byte on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sending {
    /// The moment at which the schedule starts the request.
    pub due: Nanos,
    /// The moment at which the connection that took the request had last become free.
    pub free: Nanos,
    /// The moment just before the first byte was handed to the kernel.
    pub sent: Nanos,
}

impl Sending {
    /// The part of the lag that is the generator's fault, because a connection was free:
    /// `sent - max(due, free)`.
    #[inline]
    pub fn late(&self) -> Nanos {
        self.sent - self.due.max(self.free)
    }

    /// The part of the lag in which no connection was free: `min(sent, free) - due`, or 0 where a
    /// connection was free in time.
    #[inline]
    pub fn blocked(&self) -> Nanos {
        self.sent.min(self.free) - self.due
    }
}

/// A reply that was read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    pub sending: Sending,
    /// The moment at which the first byte of the reply was read.
    pub first_byte: Nanos,
    /// The moment at which the last byte of the reply was read.
    pub done: Nanos,
    pub status: u16,
    /// Length of the reply in bytes, its head included.
    pub bytes: u64,
    pub route: RouteId,
    /// Whether this is the last reply to its batch.
    pub ends_batch: bool,
    /// The number of the connection slot that the reply came over.
    pub connection: u32,
}

/// A request that was sent and ended without a whole reply, or that the script marked as failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    pub sending: Sending,
    /// The moment at which the request failed.
    pub at: Nanos,
    pub kind: ErrorKind,
    pub route: RouteId,
    /// The number of the connection slot that the request went over.
    pub connection: u32,
}

/// The number of replies with each status code, sorted by code. Servers use few codes, so a list is
/// faster than a map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusCounts(Vec<(u16, u64)>);

impl StatusCounts {
    /// Counts `count` replies with this code.
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

    /// Adds the counts of `other` to these.
    pub fn merge(&mut self, other: &StatusCounts) {
        for (status, count) in other.iter() {
            self.add(status, count);
        }
    }

    /// Each code with the number of its replies, sorted by code.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u64)> {
        self.0.iter().copied()
    }

    /// The number of replies with any code.
    pub fn total(&self) -> u64 {
        self.iter().map(|(_, count)| count).sum()
    }

    /// The number of replies with a bad status, which wrk prints as "Non-2xx or 3xx".
    pub fn bad(&self) -> u64 {
        let bad = self.iter().filter(|(status, _)| is_bad_status(*status));
        bad.map(|(_, count)| count).sum()
    }
}

/// Whether a reply with this status is an error: one of the client (4xx), of the server (5xx), or without a
/// meaning in HTTP (6xx and above).
pub(super) fn is_bad_status(status: u16) -> bool {
    status >= 400
}

/// One request, as `-P` and requests.csv list it. What did not happen is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

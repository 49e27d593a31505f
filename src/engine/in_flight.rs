//! A request from the moment it is generated until its reply has been read.

use super::pool::SlotId;
use crate::measure::{RouteId, Sending};
use crate::units::Nanos;

/// What is known of a request before it is sent.
#[derive(Debug, Clone, Copy)]
pub struct Prepared {
    pub route: RouteId,
    /// The reply to a HEAD request has no body, whatever its headers say.
    pub is_head: bool,
    /// The last request of a batch; `--batch-latency` records this one only.
    pub ends_batch: bool,
}

/// A request that was sent and whose reply has not been read to its end. `S` is what the protocol
/// keeps for each request: nothing for HTTP/1.1, an [`Http2Stream`] for HTTP/2.
#[derive(Debug)]
pub struct InFlight<S = ()> {
    pub sending: Sending,
    pub prepared: Prepared,
    /// When the first byte of the reply arrived.
    pub first_byte: Option<Nanos>,
    /// Bytes of the reply read so far.
    pub bytes: u64,
    pub stream: S,
}

/// The HTTP/2 part of a request.
#[derive(Debug)]
pub struct Http2Stream {
    /// Streams of a connection are numbered in the order in which they begin.
    pub number: u64,
    /// The request as HTTP/1.1 text; kept because a refused request is sent again.
    pub text: Vec<u8>,
    /// How many connections have refused the request without processing it.
    pub refusals: u32,
}

/// A request that was still in flight when its connection was dropped at the end of the load.
#[derive(Debug)]
pub struct Unanswered {
    pub id: SlotId,
    pub sending: Sending,
    pub route: RouteId,
}

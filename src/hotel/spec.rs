//! How the stand-in behaves.

use super::faults::Stall;
use super::service_time::ServiceTime;
use crate::units::Rate;
use std::net::SocketAddr;

/// The behaviour of the stand-in, fault by fault.
#[derive(Debug, Clone, PartialEq)]
pub struct HotelSpec {
    /// The address to listen on; port 0 lets the kernel choose one.
    pub listen: SocketAddr,
    /// How long a request takes from its arrival to its reply.
    pub service_time: ServiceTime,
    /// A freeze of the whole server, once.
    pub stall: Option<Stall>,
    /// The most requests per second that the server handles, one after the other; others queue. Each
    /// takes 1/capacity, and its service time on top.
    pub capacity: Option<Rate>,
    /// The share of requests that get status 500, clamped to 0 ..= 1.
    pub error_rate: f64,
    /// Closes each connection after this many replies; `None` and zero never do.
    pub close_every: Option<u64>,
    /// The seed of the hotels, the service times and the failures.
    pub seed: u64,
}

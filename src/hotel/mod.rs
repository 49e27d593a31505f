//! The embedded stand-in for the frontend of DeathStarBench's HotelReservation, with faults on
//! demand: a target that behaves as told, so that what was measured can be held against the truth.
//!
//! One thread, HTTP/1.1 and HTTP/2 in the clear, no state between requests. Ends at the socket: who starts it, and what
//! people are told about it, is the command's business. It does not imitate the services behind
//! the frontend, only their replies and the time they take.

mod body;
mod data;
mod delays;
mod faults;
mod frontend;
mod query;
mod replies;
mod service_time;
mod users;

pub use faults::{Stall, parse_share};
pub use service_time::ServiceTime;

use crate::clock::{RunClock, Sleeper, block_for};
use crate::units::{Nanos, Rate};
use frontend::Frontend;
use std::convert::Infallible;
use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;

/// How the stand-in behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct HotelSpec {
    /// Where it listens; port 0 lets the kernel choose one.
    pub listen: SocketAddr,
    /// How long a request takes from its arrival to its reply.
    pub service_time: ServiceTime,
    /// A freeze of the whole server, once.
    pub stall: Option<Stall>,
    /// Requests per second that it can do at most, one after the other; those beyond queue up.
    /// Each one takes 1/capacity, and its service time on top.
    pub capacity: Option<Rate>,
    /// The share of requests, 0 ..= 1, that get a 500; shares outside are taken for the nearer end.
    pub error_rate: f64,
    /// Each so-many-th reply on a connection closes it; `None` and zero never do.
    pub close_every: Option<u64>,
    /// From it follow the hotels, the service times and which requests fail.
    pub seed: u64,
}

/// Why the stand-in cannot serve, and what would cure it.
#[derive(Debug, thiserror::Error)]
pub enum HotelError {
    /// The address is taken, or is none of this machine's.
    #[error(
        "the hotel cannot listen on {listen}: {source}; choose a free address with --listen, \
         such as --listen 127.0.0.1:0 for any free port"
    )]
    Listen {
        /// Where it should have listened.
        listen: SocketAddr,
        /// What the kernel said.
        source: io::Error,
    },
    /// The kernel refused what every server needs: a poller or a timer.
    #[error(
        "the hotel cannot wait for events: {0}; if there are too many open files, raise the \
         limit with `ulimit -n`"
    )]
    Events(#[source] io::Error),
}

/// Connections that wait in the kernel while the server is busy or frozen; more than any run opens
/// at once, because a full queue would cost the client a second that is nobody's service time.
const BACKLOG: u32 = 4096;

/// How long to leave the port alone after a failed accept, such as for want of file descriptors.
const ACCEPT_PAUSE: Nanos = Nanos::from_millis(10);

/// How many requests may be handled before timers and sockets are looked at again. tokio's 61
/// would let a busy server be a millisecond late.
const EVENT_INTERVAL: u32 = 16;

/// Binds, calls `ready` with the local address once the port listens, then serves until `stop`
/// resolves. Blocks the calling thread, which must not be one of a tokio runtime. Replies that are
/// still pending when it stops are not sent.
///
/// # Errors
/// [`HotelError`] when the address cannot be listened on or the kernel refuses a poller or a timer.
pub fn serve(
    spec: &HotelSpec,
    ready: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()>,
) -> Result<(), HotelError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .event_interval(EVENT_INTERVAL)
        .build_local(Default::default())
        .map_err(HotelError::Events)?;
    runtime.block_on(async {
        let clock = RunClock::start();
        let (first, first_arrival) = oneshot::channel();
        let first = spec.stall.is_some().then_some(first);
        let frontend = Frontend::open(spec, clock, first).map_err(HotelError::Events)?;
        let frontend = Rc::new(frontend);
        let sleeper = Sleeper::new(clock).map_err(HotelError::Events)?;
        let (listener, address) = listen(spec.listen).map_err(|source| HotelError::Listen {
            listen: spec.listen,
            source,
        })?;
        ready(address);
        let failed = tokio::select! {
            biased;
            failed = freeze(spec.stall, first_arrival, &sleeper) => failed,
            failed = frontend.delays.drive() => failed,
            never = accept(&listener, &frontend, clock) => match never {},
            () = stop => return Ok(()),
        };
        failed.map_or_else(
            |error| Err(HotelError::Events(error)),
            |never| match never {},
        )
    })
}

fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Connections of a former run in TIME_WAIT must not keep the port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let local = listener.local_addr()?;
    Ok((listener, local))
}

async fn accept(listener: &TcpListener, frontend: &Rc<Frontend>, clock: RunClock) -> Infallible {
    loop {
        match listener.accept().await {
            Ok((connection, _)) => {
                tokio::task::spawn_local(frontend.clone().attend(connection));
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(_) => clock.coarse_wait(clock.now() + ACCEPT_PAUSE).await,
        }
    }
}

/// Stops the thread once, at its moment: there is no other one that could go on working.
async fn freeze(
    stall: Option<Stall>,
    first_arrival: oneshot::Receiver<Nanos>,
    sleeper: &Sleeper,
) -> io::Result<Infallible> {
    if let (Some(stall), Ok(first)) = (stall, first_arrival.await) {
        sleeper.wait_until(first + stall.after).await?;
        block_for(stall.length);
    }
    pending().await
}

#[cfg(test)]
mod tests;

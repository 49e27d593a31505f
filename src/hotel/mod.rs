//! A stand-in for the frontend of DeathStarBench's HotelReservation, with faults on demand. It behaves
//! as configured, so that measurements can be compared with the truth.
//!
//! The stand-in runs on one thread, speaks HTTP/1.1 and HTTP/2 without TLS, and keeps no state between
//! requests. It does not imitate the services behind the frontend, only their replies and the time
//! they take.

mod body;
mod data;
mod delays;
mod faults;
mod frontend;
mod query;
mod replies;
mod service_time;
mod spec;
mod users;

pub use faults::{Stall, parse_share};
pub use service_time::ServiceTime;
pub use spec::HotelSpec;

use crate::clock::{RunClock, Sleeper, block_for};
use crate::units::Nanos;
use frontend::Frontend;
use std::convert::Infallible;
use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;

/// Why the stand-in cannot serve, and what would cure it.
#[derive(Debug, thiserror::Error)]
pub enum HotelError {
    /// The address is in use, or does not belong to this machine.
    #[error(
        "the hotel cannot listen on {listen}: {source}; choose a free address with --listen, \
         such as --listen 127.0.0.1:0 for any free port"
    )]
    Listen {
        listen: SocketAddr,
        source: io::Error,
    },
    /// The kernel refused a poller or a timer.
    #[error(
        "the hotel cannot wait for events: {0}; if there are too many open files, raise the \
         limit with `ulimit -n`"
    )]
    Events(#[source] io::Error),
}

/// Length of the kernel's accept queue. It exceeds what any run opens at once: a full queue would cost
/// the client a second that is not service time.
const BACKLOG: u32 = 4096;

/// Pause after a failed accept, for example when file descriptors run out.
const ACCEPT_PAUSE: Nanos = Nanos::from_millis(10);

/// How many tasks run before timers and sockets are polled again. With tokio's default of 61 a busy
/// server would be a millisecond late.
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
    // Connections of an earlier run in TIME_WAIT must not block the port.
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

/// Blocks the server's only thread once, at the configured time.
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

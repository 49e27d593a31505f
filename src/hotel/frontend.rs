//! Decides for each request what is replied, and when.

use super::body::ReplyBody;
use super::data::Hotels;
use super::delays::Delays;
use super::faults::{Bottleneck, Closing, Failures};
use super::replies::{Replies, downstream_error};
use super::service_time::{ServiceTime, ServiceTimes};
use super::spec::HotelSpec;
use crate::clock::RunClock;
use crate::units::Nanos;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::rc::Rc;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// The server behind all connections, on one thread.
pub(super) struct Frontend {
    replies: Replies,
    admission: RefCell<Admission>,
    pub(super) delays: Delays,
    close_every: Option<u64>,
}

impl Frontend {
    /// Opens the frontend; must be called inside the runtime. `first` receives the time at which the
    /// first request arrives.
    ///
    /// # Errors
    /// When the kernel refuses a timer.
    pub(super) fn open(
        spec: &HotelSpec,
        clock: RunClock,
        first: Option<oneshot::Sender<Nanos>>,
    ) -> io::Result<Frontend> {
        Ok(Frontend {
            replies: Replies::new(Hotels::generate(spec.seed)),
            admission: RefCell::new(Admission::new(spec, clock, first)),
            delays: Delays::new(clock)?,
            close_every: spec.close_every,
        })
    }

    /// Answers the requests of one connection until either side closes it.
    pub(super) async fn attend(self: Rc<Frontend>, connection: TcpStream) {
        // This fails only on a connection that is already closed, which the first read reports.
        let _ = connection.set_nodelay(true);
        let closing = RefCell::new(Closing::new(self.close_every));
        let service = service_fn(move |request| {
            let is_last = closing.borrow_mut().next_is_last();
            self.clone().answer(request, is_last)
        });
        // Errors are the client's: it closed the connection, or it did not speak HTTP.
        let mut http = auto::Builder::new(LocalExecutor);
        // Go writes header names in this case, and scripts look them up by it.
        http.http1().title_case_headers(true);
        let _ = http
            .serve_connection(TokioIo::new(connection), service)
            .await;
    }

    async fn answer(
        self: Rc<Frontend>,
        request: Request<Incoming>,
        is_last: bool,
    ) -> Result<Response<ReplyBody>, Infallible> {
        let ticket = self.admission.borrow_mut().admit();
        let (head, body) = request.into_parts();
        drain(body).await;
        let mut reply = if ticket.fails {
            downstream_error()
        } else {
            self.replies.to(head.uri.path(), head.uri.query())
        };
        if is_last {
            let close = HeaderValue::from_static("close");
            reply.headers_mut().insert(CONNECTION, close);
        }
        if let Some(due) = ticket.due {
            self.delays.wait_until(due).await;
        }
        Ok(reply.map(ReplyBody::new))
    }
}

/// Runs HTTP/2 streams on the thread of their connection.
#[derive(Debug, Clone, Copy)]
struct LocalExecutor;

impl<F: Future<Output: 'static> + 'static> Executor<F> for LocalExecutor {
    fn execute(&self, stream: F) {
        tokio::task::spawn_local(stream);
    }
}

/// Reads a request's body to its end; an unread body would end the connection.
async fn drain(mut body: Incoming) {
    if !body.is_end_stream() {
        while let Some(Ok(_)) = body.frame().await {}
    }
}

/// The decision about a request, made when it arrived.
struct Ticket {
    /// When the reply is sent; `None` is at once.
    due: Option<Nanos>,
    fails: bool,
}

/// Decides on requests in the order of their arrival.
struct Admission {
    clock: RunClock,
    first: Option<oneshot::Sender<Nanos>>,
    bottleneck: Option<Bottleneck>,
    service_times: Option<ServiceTimes>,
    failures: Failures,
}

impl Admission {
    fn new(spec: &HotelSpec, clock: RunClock, first: Option<oneshot::Sender<Nanos>>) -> Admission {
        let is_instant = spec.service_time == ServiceTime::Constant(Nanos::ZERO);
        Admission {
            clock,
            first,
            bottleneck: spec.capacity.map(Bottleneck::new),
            service_times: (!is_instant).then(|| ServiceTimes::new(spec.service_time, spec.seed)),
            failures: Failures::new(spec.error_rate, spec.seed),
        }
    }

    fn admit(&mut self) -> Ticket {
        if let Some(first) = self.first.take() {
            // The receiver is gone only when the server stops.
            let _ = first.send(self.clock.now());
        }
        Ticket {
            due: self.due(),
            fails: self.failures.strike(),
        }
    }

    /// When the reply is sent. The clock is read only when something depends on it.
    fn due(&mut self) -> Option<Nanos> {
        if self.bottleneck.is_none() && self.service_times.is_none() {
            return None;
        }
        let arrival = self.clock.now();
        let passed = match &mut self.bottleneck {
            Some(bottleneck) => bottleneck.pass(arrival),
            None => arrival,
        };
        let service_time = match &mut self.service_times {
            Some(times) => times.draw(),
            None => Nanos::ZERO,
        };
        Some(passed + service_time)
    }
}

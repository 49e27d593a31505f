//! The recorder of one worker, which turns the moments of its requests into counts and histograms. It is
//! given every moment and never asks a clock.

use super::{
    Delivery, ErrorKind, Failure, RequestRow, RouteId, RouteTally, Routes, Sending, Slice, Tally,
    exchange::is_bad_status, record,
};
use crate::spec::Window;
use crate::units::Nanos;

/// Counts what happens to a worker's requests, as a [`Tally`] of the window and as a [`Slice`] for each
/// interval. Moments must be given in the order in which they happen.
#[derive(Debug)]
pub struct Recorder {
    window: Window,
    timeout: Nanos,
    is_open_loop: bool,
    batch_latency: bool,
    keep_rows: bool,
    routes: Routes,
    tally: Tally,
    /// The tallies of the routes, by route number; `None` for a route without a request in the window.
    route_tallies: Vec<Option<RouteTally>>,
    /// The slice of the interval that is going on.
    slice: Slice,
    /// Slices of intervals that have ended and that were not fetched yet.
    full: Vec<Slice>,
    /// The last request of the window, unless it was blocked. Gaps are compared only between two
    /// neighbours that were not blocked, because the system and not the generator shifted the others.
    last_unblocked: Option<Sending>,
}

impl Recorder {
    /// A recorder for a run with this window. Replies that take longer than `timeout` are counted as
    /// timeouts. A closed loop has no due times, so nothing that is measured from one is recorded there.
    pub fn new(window: Window, timeout: Nanos, is_open_loop: bool) -> Recorder {
        Recorder {
            window,
            timeout,
            is_open_loop,
            batch_latency: false,
            keep_rows: false,
            routes: Routes::default(),
            tally: Tally::default(),
            route_tallies: Vec::new(),
            slice: Slice::new(Nanos::ZERO, window.interval_end(Nanos::ZERO)),
            full: Vec::new(),
            last_unblocked: None,
        }
    }

    /// Records one latency per batch, that of its last reply, in place of one per request.
    pub fn with_batch_latency(mut self, batch_latency: bool) -> Recorder {
        self.batch_latency = batch_latency;
        self
    }

    /// Keeps a [`RequestRow`] for every request.
    pub fn with_rows(mut self, keep_rows: bool) -> Recorder {
        self.keep_rows = keep_rows;
        self
    }

    /// The number of the route with this name.
    #[inline]
    pub fn route(&mut self, name: &str) -> RouteId {
        self.routes.id(name)
    }

    /// The names of all routes so far; the index of a name is the number of its route.
    pub fn route_names(&self) -> Vec<String> {
        self.routes.names().to_vec()
    }

    /// Records that a batch of `count` requests was sent.
    pub fn sent(&mut self, sending: Sending, count: u64) {
        self.roll(sending.sent);
        self.tally.sent += count;
        self.slice.taken += count;
        self.slice.in_flight += count;
        if !self.is_open_loop || !self.window.contains(sending.due) {
            return;
        }
        record(&mut self.tally.late, sending.late());
        record(&mut self.tally.blocked, sending.blocked());
        if !sending.blocked().is_zero() {
            self.last_unblocked = None;
            return;
        }
        if let Some(last) = self.last_unblocked {
            record(&mut self.tally.due_gaps, sending.due - last.due);
            record(&mut self.tally.sent_gaps, sending.sent - last.sent);
        }
        self.last_unblocked = Some(sending);
    }

    /// Records that a reply was read to its end.
    #[inline]
    pub fn delivered(&mut self, delivery: &Delivery) {
        let Delivery { sending, done, .. } = *delivery;
        self.roll(done);
        self.slice.in_flight = self.slice.in_flight.saturating_sub(1);
        self.slice.completed += 1;
        self.slice.status.add(delivery.status, 1);
        let (latency, service) = (done - sending.due, done - sending.sent);
        let has_latency = !self.batch_latency || delivery.ends_batch;
        if has_latency {
            record(&mut self.slice.service, service);
            if self.is_open_loop {
                record(&mut self.slice.latency, latency);
                record(&mut self.slice.lag, sending.sent - sending.due);
                record(&mut self.slice.late, sending.late());
            }
        }
        if self.keep_rows {
            self.slice.rows.push(RequestRow::delivered(delivery));
        }
        self.tally.finished_in_window += u64::from(self.window.contains(done));
        if self.window.contains(sending.due) {
            self.count_delivery(delivery, latency, service, has_latency);
        }
    }

    fn count_delivery(
        &mut self,
        delivery: &Delivery,
        latency: Nanos,
        service: Nanos,
        has_latency: bool,
    ) {
        let tally = &mut self.tally;
        tally.scheduled += 1;
        tally.completed += 1;
        tally.status.add(delivery.status, 1);
        if service > self.timeout {
            tally.errors.count(ErrorKind::Timeout);
        }
        let response_time = if self.is_open_loop { latency } else { service };
        if has_latency {
            record(&mut tally.service, service);
            record(
                &mut tally.first_byte,
                delivery.first_byte - delivery.sending.sent,
            );
            if self.is_open_loop {
                record(&mut tally.latency, latency);
            }
            if is_bad_status(delivery.status) {
                record(&mut tally.bad_status, response_time);
            }
        }
        let route = self.route_tally(delivery.route);
        route.requests += 1;
        route.status.add(delivery.status, 1);
        if has_latency {
            record(&mut route.latency, response_time);
        }
    }

    /// Records that a request failed.
    pub fn failed(&mut self, failure: &Failure) {
        self.roll(failure.at);
        self.slice.in_flight = self.slice.in_flight.saturating_sub(1);
        self.slice.failed += 1;
        self.slice.errors.count(failure.kind);
        if self.keep_rows {
            self.slice.rows.push(RequestRow::failed(failure));
        }
        if !self.window.contains(failure.sending.due) {
            return;
        }
        self.tally.scheduled += 1;
        self.tally.failed += 1;
        self.tally.errors.count(failure.kind);
        let slow = failure.at - failure.sending.sent > self.timeout;
        self.tally.errors.timeout += u64::from(slow);
        record(&mut self.tally.failures, failure.at - failure.sending.due);
        self.route_tally(failure.route).requests += 1;
    }

    /// Records a request that was in flight when the load stopped at `stop`.
    pub fn unfinished(&mut self, sending: Sending, route: RouteId, connection: u32, stop: Nanos) {
        if self.keep_rows {
            let row = RequestRow::sent(sending, route, connection);
            self.slice.rows.push(row);
        }
        if self.window.contains(sending.due) {
            let slow = stop - sending.sent > self.timeout;
            self.tally.errors.timeout += u64::from(slow);
            self.count_unfinished(sending.due, route, stop);
        }
    }

    /// Records a request that was due and had not been sent when the load stopped at `stop`. `sendable`
    /// says that a connection was idle, so that the generator could have sent it.
    pub fn unsent(&mut self, due: Nanos, stop: Nanos, sendable: bool) {
        if self.window.contains(due) {
            self.tally.sendable_not_sent += u64::from(sendable);
            self.count_unfinished(due, Routes::UNSENT, stop);
        }
    }

    fn count_unfinished(&mut self, due: Nanos, route: RouteId, stop: Nanos) {
        self.tally.scheduled += 1;
        self.tally.unfinished += 1;
        record(&mut self.tally.censored, stop - due);
        let route = self.route_tally(route);
        route.requests += 1;
        record(&mut route.censored, stop - due);
    }

    /// Records that opening a connection took this time. `is_reconnect` says that the connection
    /// replaces one that was lost.
    pub fn connected(&mut self, time: Nanos, is_reconnect: bool) {
        record(&mut self.tally.connect, time);
        self.tally.reconnects += u64::from(is_reconnect);
    }

    /// Records that a TLS handshake took this time. `resumed` says that it resumed an earlier session.
    pub fn handshake_done(&mut self, time: Nanos, resumed: bool) {
        record(&mut self.tally.handshake, time);
        self.tally.resumed += u64::from(resumed);
    }

    /// Records that the server ended an HTTP/2 connection by GOAWAY.
    pub fn goaway(&mut self) {
        self.tally.goaways += 1;
    }

    /// Records that an HTTP/2 server refused a request without processing it. The request stays in
    /// flight, because it is sent again.
    pub fn refused(&mut self) {
        self.tally.refused += 1;
    }

    /// Records that the server reset an HTTP/2 stream by RST_STREAM.
    pub fn stream_reset(&mut self) {
        self.tally.resets += 1;
    }

    /// Records that a connection could not be opened.
    pub fn connect_failed(&mut self) {
        self.tally.errors.count(ErrorKind::Connect);
    }

    /// Records that `count` bytes were read.
    #[inline]
    pub fn bytes(&mut self, at: Nanos, count: u64) {
        self.roll(at);
        self.slice.bytes += count;
        if self.window.contains(at) {
            self.tally.bytes_in_window += count;
        }
    }

    /// Ends the slices of all intervals that are over at `now`.
    #[inline]
    pub fn roll(&mut self, now: Nanos) {
        while now >= self.slice.end && self.slice.end < self.window.stop {
            let next = self.slice.next(self.window.interval_end(self.slice.end));
            self.full.push(std::mem::replace(&mut self.slice, next));
        }
    }

    /// The slices that have ended since the last call.
    pub fn full_slices(&mut self) -> impl Iterator<Item = Slice> {
        self.full.drain(..)
    }

    fn route_tally(&mut self, id: RouteId) -> &mut RouteTally {
        let index = id as usize;
        if index >= self.route_tallies.len() {
            self.route_tallies.resize_with(index + 1, || None);
        }
        self.route_tallies[index].get_or_insert_default()
    }

    /// Ends the recording at `stop`: returns the tally and the slices that were not fetched yet, the last
    /// one included.
    pub fn finish(mut self, stop: Nanos) -> (Tally, Vec<Slice>) {
        self.roll(stop);
        self.slice.end = stop.min(self.window.stop).max(self.slice.start);
        if self.slice.end > self.slice.start {
            self.full.push(self.slice);
        }
        for (id, route) in self.route_tallies.into_iter().enumerate() {
            if let Some(route) = route {
                let name = self.routes.name(id as RouteId).to_owned();
                self.tally.routes.insert(name, route);
            }
        }
        (self.tally, self.full)
    }
}

impl RequestRow {
    /// The row of a request that was sent and has not ended.
    fn sent(sending: Sending, route: RouteId, connection: u32) -> RequestRow {
        RequestRow {
            due: sending.due,
            free: sending.free,
            sent: sending.sent,
            first_byte: None,
            done: None,
            status: None,
            bytes: 0,
            error: None,
            route,
            connection,
        }
    }

    fn delivered(delivery: &Delivery) -> RequestRow {
        RequestRow {
            first_byte: Some(delivery.first_byte),
            done: Some(delivery.done),
            status: Some(delivery.status),
            bytes: delivery.bytes,
            ..RequestRow::sent(delivery.sending, delivery.route, delivery.connection)
        }
    }

    fn failed(failure: &Failure) -> RequestRow {
        RequestRow {
            error: Some(failure.kind),
            ..RequestRow::sent(failure.sending, failure.route, failure.connection)
        }
    }
}

#[cfg(test)]
mod tests;

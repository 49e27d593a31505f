//! What a worker, a target or a whole run counted: frozen, and adding up.

use super::{Errors, Histogram, StatusCounts, coarse, fine};
use std::collections::BTreeMap;

/// Counts and times of the requests due in the measured window, followed until the load stopped.
/// What goes by the time of finishing instead says so.
#[derive(Debug, Clone)]
pub struct Tally {
    /// Requests due in the window.
    pub scheduled: u64,
    /// Replies read to their end, whatever their status.
    pub completed: u64,
    /// Started and not completed.
    pub failed: u64,
    /// In flight or not yet sent when the load stopped.
    pub unfinished: u64,
    /// Of the unfinished, those that were never sent although a connection stood idle.
    pub neglected: u64,
    /// Requests sent over the whole run.
    pub sent: u64,
    /// Replies that finished inside the window, whenever they were due.
    pub finished_in_window: u64,
    /// Bytes read inside the window.
    pub bytes_in_window: u64,
    /// Connections that had to be opened again.
    pub reconnects: u64,
    /// Of the TLS handshakes, those that took up an earlier session.
    pub resumed: u64,
    /// HTTP/2 connections that the server ended by GOAWAY.
    pub goaways: u64,
    /// HTTP/2 streams that the server reset.
    pub resets: u64,
    /// HTTP/2 requests that the server refused unseen, and that were sent again.
    pub refused: u64,
    /// Errors by kind.
    pub errors: Errors,
    /// Completed by status code.
    pub status: StatusCounts,
    /// done - due of the completed; empty in a closed loop.
    pub latency: Histogram,
    /// Ages of the unfinished: the least that they would have taken.
    pub censored: Histogram,
    /// done - due of the completed with a status above 399.
    pub bad_status: Histogram,
    /// Time from due to failure of the failed.
    pub failures: Histogram,
    /// done - sent of the completed.
    pub service: Histogram,
    /// The generator's lateness, of all requests sent.
    pub late: Histogram,
    /// Waits for a free connection, of all requests sent.
    pub blocked: Histogram,
    /// Times to open a connection, from the first one on.
    pub connect: Histogram,
    /// Times of TLS handshakes, each after its connection was open.
    pub handshake: Histogram,
    /// First byte - sent, of the completed.
    pub first_byte: Histogram,
    /// Gaps between due times, and
    pub due_gaps: Histogram,
    /// gaps between the sending of the same requests; only of requests that were not blocked.
    pub sent_gaps: Histogram,
    /// The same by route.
    pub routes: BTreeMap<String, RouteTally>,
}

/// What belongs to one route.
#[derive(Debug, Clone)]
pub struct RouteTally {
    /// Requests of this route due in the window.
    pub requests: u64,
    /// Completed by status code.
    pub status: StatusCounts,
    /// done - due (done - sent in a closed loop) of the completed, two digits.
    pub latency: Histogram,
    /// Ages of the unfinished, two digits.
    pub censored: Histogram,
}

impl Default for RouteTally {
    fn default() -> RouteTally {
        RouteTally {
            requests: 0,
            status: StatusCounts::default(),
            latency: coarse(),
            censored: coarse(),
        }
    }
}

impl RouteTally {
    /// Adds another's counts.
    pub fn merge(&mut self, other: &RouteTally) {
        let RouteTally {
            requests,
            status,
            latency,
            censored,
        } = other;
        self.requests += requests;
        self.status.merge(status);
        add(&mut self.latency, latency);
        add(&mut self.censored, censored);
    }
}

impl Default for Tally {
    fn default() -> Tally {
        Tally {
            scheduled: 0,
            completed: 0,
            failed: 0,
            unfinished: 0,
            neglected: 0,
            sent: 0,
            finished_in_window: 0,
            bytes_in_window: 0,
            reconnects: 0,
            resumed: 0,
            goaways: 0,
            resets: 0,
            refused: 0,
            errors: Errors::default(),
            status: StatusCounts::default(),
            latency: fine(),
            censored: fine(),
            bad_status: fine(),
            failures: fine(),
            service: fine(),
            late: fine(),
            blocked: fine(),
            connect: fine(),
            handshake: fine(),
            first_byte: fine(),
            due_gaps: coarse(),
            sent_gaps: coarse(),
            routes: BTreeMap::new(),
        }
    }
}

impl Tally {
    /// Adds another's counts. Every field is named, so that a new one does not compile until it is
    /// merged.
    pub fn merge(&mut self, other: &Tally) {
        let Tally {
            scheduled,
            completed,
            failed,
            unfinished,
            neglected,
            sent,
            finished_in_window,
            bytes_in_window,
            reconnects,
            resumed,
            goaways,
            resets,
            refused,
            errors,
            status,
            latency,
            censored,
            bad_status,
            failures,
            service,
            late,
            blocked,
            connect,
            handshake,
            first_byte,
            due_gaps,
            sent_gaps,
            routes,
        } = other;
        self.scheduled += scheduled;
        self.completed += completed;
        self.failed += failed;
        self.unfinished += unfinished;
        self.neglected += neglected;
        self.sent += sent;
        self.finished_in_window += finished_in_window;
        self.bytes_in_window += bytes_in_window;
        self.reconnects += reconnects;
        self.resumed += resumed;
        self.goaways += goaways;
        self.resets += resets;
        self.refused += refused;
        self.errors.merge(errors);
        self.status.merge(status);
        add(&mut self.latency, latency);
        add(&mut self.censored, censored);
        add(&mut self.bad_status, bad_status);
        add(&mut self.failures, failures);
        add(&mut self.service, service);
        add(&mut self.late, late);
        add(&mut self.blocked, blocked);
        add(&mut self.connect, connect);
        add(&mut self.handshake, handshake);
        add(&mut self.first_byte, first_byte);
        add(&mut self.due_gaps, due_gaps);
        add(&mut self.sent_gaps, sent_gaps);
        for (name, route) in routes {
            self.routes.entry(name.clone()).or_default().merge(route);
        }
    }

    /// The latencies that are printed: the completed, and the unfinished at their age.
    pub fn latency_with_censored(&self) -> Histogram {
        super::sum(&self.latency, &self.censored)
    }
}

fn add(sum: &mut Histogram, other: &Histogram) {
    // Cannot fail: these histograms grow.
    let _ = sum.add(other);
}

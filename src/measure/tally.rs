//! The counts and times of a worker, a target or a whole run, which can be added up.
//!
//! A new counter or clock (a histogram of times) takes one line in the table of this file and one in the
//! recorder. Everything else goes through [`Tally::counters`] and [`Tally::clocks`] and needs no change:
//! adding up, run.json and its schema, and the tables of numbers.

use super::{Errors, Histogram, StatusCounts, coarse, fine};
use std::collections::BTreeMap;

/// How a counter or a clock of a [`Tally`] is known in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TallyField {
    /// The name in run.json: that of a counter stands in `requests`, that of a clock in `histograms`.
    pub name: &'static str,
    /// The unit of the values, such as `count`, `B` or `ns`.
    pub unit: &'static str,
    /// The name under which run.json gives the percentiles of a clock. `None` for counters, and for
    /// clocks whose percentiles are given in another form or not at all.
    pub figures: Option<&'static str>,
    /// The feature with which the field came into run.json, so that files of older versions may lack
    /// it. `None` for a field that is in every file.
    pub since: Option<&'static str>,
}

/// Defines [`Tally`] and the loops over its fields from a table of its counters and clocks. A line of the
/// table can say:
///
/// - `as "name"`: the name in files, where it is not that of the field;
/// - `in "unit"`: the unit, where the counter is not a plain count;
/// - `figures "name"`: see [`TallyField::figures`];
/// - `since "feature"`: see [`TallyField::since`]. New lines need it, because existing files lack their
///   field.
macro_rules! tally {
    (
        counters {$(
            $(#[$counter_doc:meta])*
            $counter:ident $(as $counter_name:literal)? $(in $unit:literal)?
                $(since $counter_since:literal)?,
        )*}
        clocks {$(
            $(#[$clock_doc:meta])*
            $clock:ident: $empty:ident $(figures $figures:literal)? $(since $clock_since:literal)?,
        )*}
    ) => {
        /// Counts and times of the requests that were due in the measured window, followed until the load
        /// stopped. Fields that count something else say so.
        #[derive(Debug, Clone)]
        pub struct Tally {
            $($(#[$counter_doc])* pub $counter: u64,)*
            pub errors: Errors,
            /// Status codes of the completed requests.
            pub status: StatusCounts,
            $($(#[$clock_doc])* pub $clock: Histogram,)*
            /// The same for the requests of each route, by the name of the route.
            pub routes: BTreeMap<String, RouteTally>,
        }

        impl Default for Tally {
            fn default() -> Tally {
                Tally {
                    $($counter: 0,)*
                    errors: Errors::default(),
                    status: StatusCounts::default(),
                    $($clock: $empty(),)*
                    routes: BTreeMap::new(),
                }
            }
        }

        impl Tally {
            /// The names and units of the counters, in the order of [`Tally::counters`].
            pub const COUNTERS: &[TallyField] = &[$(TallyField {
                name: [$($counter_name,)? stringify!($counter)][0],
                unit: [$($unit,)? "count"][0],
                figures: None,
                since: [$(Some($counter_since),)? None][0],
            },)*];

            /// The names and units of the clocks, in the order of [`Tally::clocks`].
            pub const CLOCKS: &[TallyField] = &[$(TallyField {
                name: stringify!($clock),
                unit: "ns",
                figures: [$(Some($figures),)? None][0],
                since: [$(Some($clock_since),)? None][0],
            },)*];

            /// The value of every counter.
            pub fn counters(&self) -> [u64; Tally::COUNTERS.len()] {
                [$(self.$counter),*]
            }

            /// Mutable access to every counter, in the order of [`Tally::counters`].
            pub fn counters_mut(&mut self) -> [&mut u64; Tally::COUNTERS.len()] {
                [$(&mut self.$counter),*]
            }

            /// The histogram of every clock.
            pub fn clocks(&self) -> [&Histogram; Tally::CLOCKS.len()] {
                [$(&self.$clock),*]
            }

            /// Mutable access to the histogram of every clock, in the order of [`Tally::clocks`].
            pub fn clocks_mut(&mut self) -> [&mut Histogram; Tally::CLOCKS.len()] {
                [$(&mut self.$clock),*]
            }
        }
    };
}

tally! {
    counters {
        /// Requests that were due in the window: completed + failed + unfinished.
        scheduled,
        /// Requests whose reply was read to its end, whatever its status.
        completed,
        /// Requests that were sent and ended without a whole reply, or that the script marked as failed.
        failed,
        /// Requests that were in flight or not yet sent when the load stopped.
        unfinished,
        /// Unfinished requests that were never sent although a connection was idle.
        sendable_not_sent as "neglected",
        /// Requests that were sent, over the whole run.
        sent,
        /// Replies that were read to their end in the window, whenever their requests were due.
        finished_in_window,
        /// Bytes that were read in the window.
        bytes_in_window as "bytes_read" in "B",
        /// Connections that were opened in place of one that was lost, over the whole run.
        reconnects,
        /// TLS handshakes that resumed an earlier session.
        resumed since "TLS",
        /// HTTP/2 connections that the server ended by GOAWAY.
        goaways since "HTTP/2",
        /// HTTP/2 streams that the server reset.
        resets since "HTTP/2",
        /// HTTP/2 requests that the server refused without processing them, and that were sent again.
        refused since "HTTP/2",
    }
    clocks {
        /// done - due of the completed requests; empty in a closed loop.
        latency: fine,
        /// Ages of the unfinished requests when the load stopped, which are lower bounds of their latencies.
        censored: fine,
        /// done - due of the completed requests with a status above 399.
        bad_status: fine,
        /// Times from due to failure of the failed requests.
        failures: fine figures "failed_ns",
        /// done - sent of the completed requests.
        service: fine figures "service_ns",
        /// Lateness of the generator, for all requests that were sent.
        late: fine figures "late_ns",
        /// Times without a free connection, for all requests that were sent.
        blocked: fine figures "blocked_ns",
        /// Times to open a connection, over the whole run and including its first connections.
        connect: fine figures "connect_ns",
        /// Times of TLS handshakes, each from the moment at which its connection was open.
        handshake: fine figures "handshake_ns" since "TLS",
        /// First byte - sent of the completed requests.
        first_byte: fine figures "first_byte_ns",
        /// Gaps between the due times of neighbouring requests of a worker, neither of which was blocked.
        due_gaps: coarse,
        /// Gaps between the sending of the same neighbours as in `due_gaps`.
        sent_gaps: coarse,
    }
}

impl Tally {
    /// The share (0..=1) of errors among the requests that ended, `errors / (completed + failed)`; `None`
    /// where no request has ended.
    pub fn error_rate(&self) -> Option<f64> {
        let ended = self.completed + self.failed;
        (ended > 0).then(|| self.errors() as f64 / ended as f64)
    }

    /// The number of requests that failed or were answered with a status above 399.
    pub fn errors(&self) -> u64 {
        self.failed + self.status.bad()
    }

    /// Adds the counts and times of `other` to these.
    pub fn merge(&mut self, other: &Tally) {
        for (sum, more) in self.counters_mut().into_iter().zip(other.counters()) {
            *sum += more;
        }
        for (sum, more) in self.clocks_mut().into_iter().zip(other.clocks()) {
            add(sum, more);
        }
        self.errors.merge(&other.errors);
        self.status.merge(&other.status);
        for (name, route) in &other.routes {
            self.routes.entry(name.clone()).or_default().merge(route);
        }
    }

    /// The latencies that are printed: those of the completed requests together with the ages of the
    /// unfinished ones. Without the unfinished requests an overloaded system would look fast.
    pub fn latency_with_censored(&self) -> Histogram {
        super::sum(&self.latency, &self.censored)
    }
}

/// Counts and times of the requests of one route that were due in the window. The histograms are coarse,
/// because there are many routes.
#[derive(Debug, Clone)]
pub struct RouteTally {
    pub requests: u64,
    /// Status codes of the completed requests.
    pub status: StatusCounts,
    /// done - due of the completed requests, or done - sent in a closed loop.
    pub latency: Histogram,
    /// Ages of the unfinished requests when the load stopped.
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
    /// Requests that were sent and ended without a whole reply, or that the script marked as failed.
    pub fn failed(&self) -> u64 {
        let not_failed = self.status.total() + self.censored.len();
        self.requests.saturating_sub(not_failed)
    }

    /// The share (0..=1) of errors among the requests that ended, as [`Tally::error_rate`] has it of all
    /// routes.
    pub fn error_rate(&self) -> Option<f64> {
        let failed = self.failed();
        let ended = self.status.total() + failed;
        (ended > 0).then(|| (failed + self.status.bad()) as f64 / ended as f64)
    }

    /// Adds the counts of the same route in another tally.
    pub fn merge(&mut self, other: &RouteTally) {
        self.requests += other.requests;
        self.status.merge(&other.status);
        add(&mut self.latency, &other.latency);
        add(&mut self.censored, &other.censored);
    }
}

fn add(sum: &mut Histogram, other: &Histogram) {
    // This cannot fail, because all histograms of this room grow.
    let _ = sum.add(other);
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::measure::{Distribution, record};
    use crate::units::Nanos;

    /// A tally in which every counter, every kind of error and every clock has a different value, so
    /// that a mix-up of two shows.
    pub fn distinct() -> Tally {
        let mut tally = Tally::default();
        let mut next = 0;
        let mut number = || {
            next += 1;
            next
        };
        for counter in tally.counters_mut() {
            *counter = number();
        }
        for count in tally.errors.counts_mut() {
            *count = number();
        }
        for clock in tally.clocks_mut() {
            for _ in 0..number() {
                record(clock, Nanos::from_millis(number()));
            }
        }
        tally.status.add(200, number());
        let route = tally.routes.entry("GET /".to_owned()).or_default();
        route.requests = number();
        route.status.add(200, number());
        record(&mut route.latency, Nanos::from_millis(number()));
        record(&mut route.censored, Nanos::from_millis(number()));
        tally
    }

    #[test]
    fn adding_up_reaches_every_counter_and_every_clock() {
        let one = distinct();
        let mut twice = one.clone();
        twice.merge(&one);
        let doubled = one.counters().map(|count| 2 * count);
        assert_eq!(twice.counters(), doubled);
        assert_eq!(
            twice.errors.counts(),
            one.errors.counts().map(|count| 2 * count)
        );
        for (sum, clock) in twice.clocks().into_iter().zip(one.clocks()) {
            assert_eq!(sum.len(), 2 * clock.len());
            let spread = |of: &Histogram| Distribution::of(of).map(|of| (of.min, of.p50, of.max));
            assert_eq!(spread(sum), spread(clock));
        }
        assert_eq!(twice.status.total(), 2 * one.status.total());
        let route = |tally: &Tally| {
            let route = &tally.routes["GET /"];
            let times = [&route.latency, &route.censored].map(Histogram::len);
            (route.requests, route.status.total(), times)
        };
        let (requests, statuses, times) = route(&one);
        assert_eq!(
            route(&twice),
            (2 * requests, 2 * statuses, times.map(|count| 2 * count))
        );
    }

    #[test]
    fn no_two_fields_have_one_name() {
        for fields in [Tally::COUNTERS, Tally::CLOCKS] {
            let mut names: Vec<&str> = fields.iter().map(|field| field.name).collect();
            names.extend(fields.iter().filter_map(|field| field.figures));
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all);
        }
    }
}

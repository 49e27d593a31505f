//! Counts and times of a worker, a target or a whole run: frozen, and adding up.
//!
//! A counter or a clock is one line of the table in this file, plus the line of the recorder that
//! counts. Adding up, run.json, its schema and the tables of numbers go through
//! [`Tally::counters`] and [`Tally::clocks`], so they need no change for a new one.

use super::{Errors, Histogram, StatusCounts, coarse, fine};
use std::collections::BTreeMap;

/// How a counter or a clock of a [`Tally`] is known in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TallyField {
    /// Its name: of a counter among `requests`, of a clock among `histograms` of run.json.
    pub name: &'static str,
    /// The unit of its values.
    pub unit: &'static str,
    /// The name under which run.json gives the percentiles of a clock, for the clocks whose
    /// percentiles are given as they are.
    pub figures: Option<&'static str>,
    /// What meshload did not have before this field, where older files lack the field. A field
    /// without it is in every file.
    pub since: Option<&'static str>,
}

/// Makes [`Tally`] from a table of its counters and clocks, and the loops over them.
///
/// - `as "name"`: the name in files, where it is not that of the field.
/// - `in "unit"`: the unit, where it is not a plain count.
/// - `figures "name"`: [`TallyField::figures`].
/// - `since "feature"`: [`TallyField::since`]. What is added to the table needs it, because the
///   files that exist lack the new field.
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
        /// Counts and times of the requests due in the measured window, followed until the load
        /// stopped. What goes by the time of finishing instead says so.
        #[derive(Debug, Clone)]
        pub struct Tally {
            $($(#[$counter_doc])* pub $counter: u64,)*
            /// Errors by kind.
            pub errors: Errors,
            /// Completed requests by status code.
            pub status: StatusCounts,
            $($(#[$clock_doc])* pub $clock: Histogram,)*
            /// The part of each route, by its name.
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
            /// The counters, in the order of [`Tally::counters`].
            pub const COUNTERS: &[TallyField] = &[$(TallyField {
                name: [$($counter_name,)? stringify!($counter)][0],
                unit: [$($unit,)? "count"][0],
                figures: None,
                since: [$(Some($counter_since),)? None][0],
            },)*];

            /// The clocks, in the order of [`Tally::clocks`].
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

            /// The place of every counter.
            pub fn counters_mut(&mut self) -> [&mut u64; Tally::COUNTERS.len()] {
                [$(&mut self.$counter),*]
            }

            /// The times of every clock.
            pub fn clocks(&self) -> [&Histogram; Tally::CLOCKS.len()] {
                [$(&self.$clock),*]
            }

            /// The place of every clock's times.
            pub fn clocks_mut(&mut self) -> [&mut Histogram; Tally::CLOCKS.len()] {
                [$(&mut self.$clock),*]
            }
        }
    };
}

tally! {
    counters {
        /// Requests due in the window.
        scheduled,
        /// Replies read to their end, whatever their status.
        completed,
        /// Requests that were started and not completed.
        failed,
        /// Requests in flight or not yet sent when the load stopped.
        unfinished,
        /// Unfinished requests that were never sent although a connection stood idle.
        neglected,
        /// Requests sent over the whole run.
        sent,
        /// Replies that finished inside the window, whenever they were due.
        finished_in_window,
        /// Bytes read inside the window.
        bytes_in_window as "bytes_read" in "B",
        /// Connections that had to be opened again.
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
        /// Ages of the unfinished requests: the least that they would have taken.
        censored: fine,
        /// done - due of the completed requests with a status above 399.
        bad_status: fine,
        /// Time from due to failure of the failed requests.
        failures: fine figures "failed_ns",
        /// done - sent of the completed requests.
        service: fine figures "service_ns",
        /// The generator's lateness, of all requests sent.
        late: fine figures "late_ns",
        /// Waits for a free connection, of all requests sent.
        blocked: fine figures "blocked_ns",
        /// Times to open a connection, the first connections included.
        connect: fine figures "connect_ns",
        /// Times of TLS handshakes, each from the moment that its connection was open.
        handshake: fine figures "handshake_ns" since "TLS",
        /// First byte - sent, of the completed requests.
        first_byte: fine figures "first_byte_ns",
        /// Gaps between the due times of requests that followed each other without being blocked.
        due_gaps: coarse,
        /// Gaps between the sending of the requests that `due_gaps` counts.
        sent_gaps: coarse,
    }
}

impl Tally {
    /// The share (0..=1) of requests that failed or were answered with a status above 399, of all that
    /// ended; `None` where none has ended.
    pub fn error_rate(&self) -> Option<f64> {
        let ended = self.completed + self.failed;
        (ended > 0).then(|| self.errors() as f64 / ended as f64)
    }

    /// Requests that failed or were answered with a status above 399.
    pub fn errors(&self) -> u64 {
        self.failed + self.status.bad()
    }

    /// Adds another tally.
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

    /// The latencies that are printed: those of the completed requests, and the ages of the
    /// unfinished ones.
    pub fn latency_with_censored(&self) -> Histogram {
        super::sum(&self.latency, &self.censored)
    }
}

/// Counts and times of the requests of one route.
#[derive(Debug, Clone)]
pub struct RouteTally {
    /// Requests of this route due in the window.
    pub requests: u64,
    /// Completed requests by status code.
    pub status: StatusCounts,
    /// done - due (done - sent in a closed loop) of the completed requests, two digits.
    pub latency: Histogram,
    /// Ages of the unfinished requests, two digits.
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
    /// Adds the counts of the same route in another tally.
    pub fn merge(&mut self, other: &RouteTally) {
        self.requests += other.requests;
        self.status.merge(&other.status);
        add(&mut self.latency, &other.latency);
        add(&mut self.censored, &other.censored);
    }
}

fn add(sum: &mut Histogram, other: &Histogram) {
    // Cannot fail: these histograms grow.
    let _ = sum.add(other);
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::measure::{Distribution, record};
    use crate::units::Nanos;

    /// A tally in which every counter, every kind of error and every clock has a value of its own.
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

//! Gathers what the workers report: slices into intervals, books into tallies.

use super::launch::Event;
use super::worker::{Books, Report};
use crate::measure::{
    Distribution, ErrorKind, Interval, Note, Slice, Tally, TargetResult, ThreadUse,
};
use crate::schedule::Ledger;
use crate::spec::{RunSpec, Window};
use crate::transport::Addresses;
use crate::units::Nanos;
use std::collections::{BTreeMap, BTreeSet};

/// The reports of a run as they come in.
pub struct Gathering {
    spec: RunSpec,
    window: Window,
    /// Target of each worker.
    owners: Vec<usize>,
    targets: Vec<Gathered>,
    books: Vec<Option<Box<Books>>>,
    notes: Vec<Note>,
    misunderstood: Option<usize>,
}

/// What is known of one target so far.
struct Gathered {
    workers: usize,
    /// For the intervals, as time passes.
    running: Option<Ledger>,
    due: u64,
    pending: BTreeMap<Nanos, (usize, Slice)>,
    intervals: Vec<Interval>,
    thread_rates: Vec<f64>,
    has_reacted: bool,
}

impl Gathering {
    /// For workers that belong to these targets.
    pub fn new(spec: &RunSpec, owners: Vec<usize>) -> Gathering {
        let gathered = |index| Gathered {
            workers: owners.iter().filter(|owner| **owner == index).count(),
            running: ledger(spec),
            due: 0,
            pending: BTreeMap::new(),
            intervals: Vec::new(),
            thread_rates: Vec::new(),
            has_reacted: false,
        };
        Gathering {
            window: spec.window(),
            targets: (0..spec.targets.len()).map(gathered).collect(),
            books: owners.iter().map(|_| None).collect(),
            notes: Vec::new(),
            misunderstood: None,
            spec: spec.clone(),
            owners,
        }
    }

    /// Whether all books are closed.
    pub fn is_complete(&self) -> bool {
        self.books.iter().all(Option::is_some)
    }

    /// The first worker whose books are not closed.
    pub fn first_missing(&self) -> usize {
        self.books
            .iter()
            .position(Option::is_none)
            .unwrap_or_default()
    }

    /// Something that the user should know.
    pub fn note(&mut self, note: Note) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// A worker's report.
    pub fn take(&mut self, number: usize, report: Report, observe: &mut dyn FnMut(Event<'_>)) {
        let target = self.owners[number];
        match report {
            Report::Slices(slices, routes) => {
                for mut slice in slices {
                    let rows = std::mem::take(&mut slice.rows);
                    if !rows.is_empty() {
                        observe(Event::Requests(target, &rows, &routes));
                    }
                    let gathered = &mut self.targets[target];
                    if gathered.is_first_reaction(&slice) && is_refusal_alone(&slice) {
                        self.misunderstood = Some(target);
                    }
                    gathered.add(slice, self.window);
                    gathered.publish(target, self.window, false, observe);
                }
            }
            Report::Ended(books) => self.books[number] = Some(books),
            _ => {}
        }
    }

    /// A target whose first reaction was nothing but refusals and hang-ups; each is told once. One that
    /// is silent has heard nothing wrong.
    pub fn misunderstood(&mut self) -> Option<usize> {
        self.misunderstood.take()
    }

    /// Adds everything up.
    pub fn finish(
        mut self,
        addresses: Vec<Addresses>,
        observe: &mut dyn FnMut(Event<'_>),
    ) -> (Vec<TargetResult>, Window, Vec<ThreadUse>, Vec<Note>) {
        let books: Vec<Box<Books>> = std::mem::take(&mut self.books)
            .into_iter()
            .flatten()
            .collect();
        let stop = books
            .iter()
            .map(|books| books.stop)
            .min()
            .unwrap_or_default();
        let window = Window {
            start: self.window.start.min(stop),
            end: self.window.end.min(stop),
            stop: self.window.stop.min(stop),
        };
        let threads = books.iter().map(|books| books.usage.clone()).collect();
        self.note_complaints(&books);
        let mut results = Vec::new();
        let targets = std::mem::take(&mut self.targets);
        for (index, (mut gathered, addresses)) in targets.into_iter().zip(addresses).enumerate() {
            gathered.publish(index, self.window, true, observe);
            let owners = self.owners.iter().zip(&books);
            let own: Vec<&Books> = owners
                .filter(|(owner, _)| **owner == index)
                .map(|(_, books)| &**books)
                .collect();
            let mut tally = Tally::default();
            for books in &own {
                tally.merge(&books.tally);
            }
            let told = connection_notes(&self.spec, &tally);
            for note in told
                .into_iter()
                .chain(http2_notes(&self.spec, &own, &tally))
            {
                self.note(note);
            }
            for agreed in &addresses.notes {
                self.note(Note::Tls {
                    agreed: agreed.clone(),
                    verified: !self.spec.tls.insecure,
                });
            }
            for (address, why) in &addresses.refused {
                self.note(Note::AddressNotUsed {
                    address: address.to_string(),
                    cause: why.to_string(),
                });
            }
            results.push(TargetResult {
                target: self.spec.targets[index].clone(),
                addresses: addresses
                    .answering
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
                scheduled_by_ledger: due_in_window(&self.spec, &own, window),
                tally,
                intervals: gathered.intervals,
                thread_rates: gathered.thread_rates,
            });
        }
        (results, window, threads, self.notes)
    }

    fn note_complaints(&mut self, books: &[Box<Books>]) {
        let complaints: BTreeMap<&str, &(ErrorKind, String)> = books
            .iter()
            .flat_map(|books| &books.complaints)
            .map(|complaint| (complaint.0.name(), complaint))
            .collect();
        for (kind, why) in complaints.into_values() {
            self.notes.push(Note::FirstError {
                kind: *kind,
                cause: why.clone(),
            });
        }
    }
}

/// From this share of the requests on it is told that connections had to be opened again.
const MANY_RECONNECTS: f64 = 0.01;

/// What is to be known of the connections.
fn connection_notes(spec: &RunSpec, tally: &Tally) -> Vec<Note> {
    let mut notes = Vec::new();
    if let Some(endpoint) = spec.reach.connect_to.clone() {
        let endpoint = String::from(endpoint);
        notes.push(Note::ConnectedTo { endpoint });
    }
    if tally.reconnects as f64 >= MANY_RECONNECTS * tally.sent as f64 && tally.reconnects > 0 {
        notes.push(Note::Reconnects {
            reconnects: tally.reconnects,
            requests: tally.sent,
        });
    }
    notes
}

/// What a user of HTTP/2 should know of it.
fn http2_notes(spec: &RunSpec, books: &[&Books], tally: &Tally) -> Vec<Note> {
    let mut notes = Vec::new();
    if !spec.http.http2 {
        return notes;
    }
    let asked = spec.http.streams;
    notes.push(Note::Http2 { streams: asked });
    let left_out: BTreeSet<&str> = books
        .iter()
        .flat_map(|books| books.left_out.iter().map(String::as_str))
        .collect();
    if !left_out.is_empty() {
        notes.push(Note::HeadersLeftOut {
            headers: left_out.into_iter().map(str::to_owned).collect(),
        });
    }
    let narrowest = books.iter().map(|books| books.narrowest).min();
    if let Some(allowed) = narrowest.filter(|allowed| *allowed < asked) {
        notes.push(Note::FewStreams { allowed, asked });
    }
    if tally.goaways + tally.resets > 0 {
        notes.push(Note::Http2Ended {
            goaways: tally.goaways,
            resets: tally.resets,
            refused: tally.refused,
        });
    }
    notes
}

fn ledger(spec: &RunSpec) -> Option<Ledger> {
    let schedule = spec.schedule()?;
    let load = &spec.load;
    Some(Ledger::new(
        &schedule,
        load.connections,
        spec.workers_per_target(),
    ))
}

/// Requests due in the window according to the schedule alone; unknown when a script has moved any.
fn due_in_window(spec: &RunSpec, books: &[&Books], window: Window) -> Option<u64> {
    if books.iter().any(|books| books.has_moved_arrivals) {
        return None;
    }
    let mut ledger = ledger(spec)?;
    for (worker, books) in books.iter().enumerate() {
        // A run that was cut short owes each worker's arrivals up to that worker's own stop.
        ledger.stop(worker, books.stopped.unwrap_or(Nanos::MAX).min(books.stop));
    }
    ledger.due_before(window.start);
    Some(ledger.due_before(spec.window().end))
}

fn is_refusal_alone(slice: &Slice) -> bool {
    slice.completed == slice.not_understood
}

impl Gathered {
    fn is_first_reaction(&mut self, slice: &Slice) -> bool {
        let is_reaction = slice.completed + slice.failed > 0;
        let is_first = is_reaction && !self.has_reacted;
        self.has_reacted |= is_reaction;
        is_first
    }

    fn add(&mut self, slice: Slice, window: Window) {
        let length = (slice.end - slice.start).as_secs_f64();
        let is_whole = slice.end - slice.start >= Nanos::SECOND;
        let is_short_window = window.length() < Nanos::SECOND;
        if window.contains(slice.start) && length > 0.0 && (is_whole || is_short_window) {
            self.thread_rates.push(slice.completed as f64 / length);
        }
        match self.pending.get_mut(&slice.start) {
            Some((count, sum)) => {
                *count += 1;
                sum.end = sum.end.max(slice.end);
                sum.merge(&slice);
            }
            None => {
                self.pending.insert(slice.start, (1, slice));
            }
        }
    }

    /// Gives out the intervals to which all workers have contributed, or all when it is over.
    fn publish(
        &mut self,
        target: usize,
        window: Window,
        is_over: bool,
        observe: &mut dyn FnMut(Event<'_>),
    ) {
        while let Some(entry) = self.pending.first_entry() {
            if entry.get().0 < self.workers && !is_over {
                return;
            }
            let (_, slice) = entry.remove();
            let interval = self.interval(&slice, window);
            observe(Event::Interval(target, &interval, &slice));
            self.intervals.push(interval);
        }
    }

    fn interval(&mut self, slice: &Slice, window: Window) -> Interval {
        let scheduled = self
            .running
            .as_mut()
            .map(|ledger| ledger.due_before(slice.end));
        self.due += scheduled.unwrap_or_default();
        Interval {
            start: slice.start,
            duration: slice.end - slice.start,
            phase: window.phase(slice.start),
            scheduled,
            completed: slice.completed,
            failed: slice.failed,
            bytes_read: slice.bytes,
            backlog: scheduled.map(|_| self.due.saturating_sub(slice.taken)),
            in_flight: slice.in_flight,
            latency: Distribution::of(&slice.latency),
            service: Distribution::of(&slice.service),
            late: Distribution::of(&slice.late),
        }
    }
}

//! Adds up what the workers report: slices into intervals, final figures into results per target.

use super::event::Event;
use super::messages::WorkerReport;
use super::notes::{address_notes, connection_notes, first_error_notes, http2_notes};
use crate::measure::{Distribution, Interval, Note, Slice, Tally, TargetResult, ThreadUse};
use crate::schedule::Ledger;
use crate::spec::{RunSpec, Window};
use crate::transport::Addresses;
use crate::units::Nanos;
use std::collections::BTreeMap;

/// The figures of a run as they come in.
pub struct Aggregator {
    spec: RunSpec,
    window: Window,
    /// Target index of each worker.
    owners: Vec<usize>,
    targets: Vec<TargetSoFar>,
    reports: Vec<Option<Box<WorkerReport>>>,
    notes: Vec<Note>,
}

/// The figures of a whole run.
pub struct Aggregated {
    pub targets: Vec<TargetResult>,
    /// The planned window, cut where the run ended early.
    pub window: Window,
    pub threads: Vec<ThreadUse>,
    pub notes: Vec<Note>,
}

/// The intervals of one target so far.
struct TargetSoFar {
    workers: usize,
    /// Counts the requests due in each interval.
    ledger: Option<Ledger>,
    /// Requests due so far.
    due: u64,
    /// By their start: intervals that some workers have not reported yet, with how many have.
    pending: BTreeMap<Nanos, (usize, Slice)>,
    intervals: Vec<Interval>,
    thread_rates: Vec<f64>,
}

impl Aggregator {
    /// For a run whose workers belong to the targets with these indices.
    pub fn new(spec: &RunSpec, owners: Vec<usize>) -> Aggregator {
        let target = |index| TargetSoFar {
            workers: owners.iter().filter(|owner| **owner == index).count(),
            ledger: ledger(spec),
            due: 0,
            pending: BTreeMap::new(),
            intervals: Vec::new(),
            thread_rates: Vec::new(),
        };
        Aggregator {
            window: spec.window(),
            targets: (0..spec.targets.len()).map(target).collect(),
            reports: owners.iter().map(|_| None).collect(),
            notes: Vec::new(),
            spec: spec.clone(),
            owners,
        }
    }

    /// Whether every worker has sent its final report.
    pub fn is_complete(&self) -> bool {
        self.reports.iter().all(Option::is_some)
    }

    /// The first worker whose final report is missing.
    pub fn first_missing(&self) -> usize {
        self.reports
            .iter()
            .position(Option::is_none)
            .unwrap_or_default()
    }

    /// Keeps something that the user should know, once.
    pub fn note(&mut self, note: Note) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Takes slices of the worker with this number. Intervals that are complete by now go to `observe`.
    pub fn add_slices(
        &mut self,
        number: usize,
        slices: Vec<Slice>,
        route_names: &[String],
        observe: &mut dyn FnMut(Event<'_>),
    ) {
        let index = self.owners[number];
        let target = &mut self.targets[index];
        for mut slice in slices {
            let rows = std::mem::take(&mut slice.rows);
            if !rows.is_empty() {
                observe(Event::Requests(index, &rows, route_names));
            }
            target.add(slice, self.window);
            target.publish(index, self.window, false, observe);
        }
    }

    /// Takes the final report of the worker with this number.
    pub fn add_report(&mut self, number: usize, report: Box<WorkerReport>) {
        self.reports[number] = Some(report);
    }

    /// Adds everything up.
    pub fn finish(
        mut self,
        addresses: Vec<Addresses>,
        observe: &mut dyn FnMut(Event<'_>),
    ) -> Aggregated {
        let reports = std::mem::take(&mut self.reports);
        let reports: Vec<Box<WorkerReport>> = reports.into_iter().flatten().collect();
        let window = cut_window(self.window, &reports);
        self.notes.extend(first_error_notes(&reports));
        let mut targets = Vec::new();
        let so_far = std::mem::take(&mut self.targets);
        for (index, (mut target, addresses)) in so_far.into_iter().zip(addresses).enumerate() {
            target.publish(index, self.window, true, observe);
            let owners = self.owners.iter().zip(&reports);
            let own: Vec<&WorkerReport> = owners
                .filter(|(owner, _)| **owner == index)
                .map(|(_, report)| &**report)
                .collect();
            let mut tally = Tally::default();
            for report in &own {
                tally.merge(&report.tally);
            }
            let notes = connection_notes(&self.spec, &tally)
                .into_iter()
                .chain(http2_notes(&self.spec, &own, &tally))
                .chain(address_notes(&self.spec, &addresses));
            for note in notes {
                self.note(note);
            }
            let answering = addresses.answering.iter();
            targets.push(TargetResult {
                target: self.spec.targets[index].clone(),
                addresses: answering.map(ToString::to_string).collect(),
                scheduled_by_ledger: due_in_window(&self.spec, &own, window),
                tally,
                intervals: target.intervals,
                thread_rates: target.thread_rates,
            });
        }
        Aggregated {
            targets,
            window,
            threads: reports.into_iter().map(|report| report.usage).collect(),
            notes: self.notes,
        }
    }
}

/// The window up to the time at which the first worker stopped.
fn cut_window(window: Window, reports: &[Box<WorkerReport>]) -> Window {
    let stop = reports.iter().map(|report| report.stop).min();
    let stop = stop.unwrap_or_default();
    Window {
        start: window.start.min(stop),
        end: window.end.min(stop),
        stop: window.stop.min(stop),
    }
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

/// Requests due in the window according to the schedule alone; `None` when a script has moved arrivals.
fn due_in_window(spec: &RunSpec, reports: &[&WorkerReport], window: Window) -> Option<u64> {
    if reports.iter().any(|report| report.has_moved_arrivals) {
        return None;
    }
    let mut ledger = ledger(spec)?;
    for (worker, report) in reports.iter().enumerate() {
        // In a run that ended early each worker's arrivals count up to its own stop.
        ledger.stop(
            worker,
            report.stopped.unwrap_or(Nanos::MAX).min(report.stop),
        );
    }
    ledger.due_before(window.start);
    Some(ledger.due_before(spec.window().end))
}

impl TargetSoFar {
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

    /// Passes on the intervals to which all workers have contributed, or all when the run `is_over`.
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
            .ledger
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

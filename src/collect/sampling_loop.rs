//! The collector's loop: polls its source at every interval, reads the edges of the window, and ends
//! when the samples of the window have come.

use super::collected::{Collected, collector_use};
use super::sample_store::SampleStore;
use super::source::SampleSource;
use super::tasks::Tasks;
use crate::clock::{Hold, TimeSource, thread_cpu};
use crate::spec::Window;
use crate::units::Nanos;
use std::sync::mpsc as answers;
use tokio::sync::mpsc;

/// After its patience has ended, how long the loop still waits for an edge that is being read: a
/// cluster that hangs must not hold the result.
const EDGE_PATIENCE: Nanos = Nanos::from_secs(8);

/// What the owner of the collector wants of the loop.
pub enum Command {
    /// The load has started at `load_start`, in nanoseconds since 1970, and this window is ahead.
    Begin {
        /// Nanoseconds since 1970, on the collector's clock.
        load_start: Nanos,
        /// Of the run, relative to the start of the load.
        window: Window,
    },
    /// The load is over. Samples that were taken while it was on are waited for this long.
    Finish {
        /// The longest wait.
        patience: Nanos,
    },
    /// A copy of what is known so far is wanted.
    Show(answers::Sender<SampleStore>),
}

/// A command on its way; an advanced clock stands still until it is carried out.
pub struct Sent {
    /// What is wanted.
    pub command: Command,
    /// Holds an advanced clock.
    pub hold: Option<Hold>,
}

/// The state of the loop. Moments are on the collector's clock.
pub struct SamplingLoop {
    source: SampleSource,
    clock: TimeSource,
    interval: Nanos,
    /// Rounds of polling so far, and when the next one is due.
    rounds: u64,
    next_poll: Nanos,
    polls: Tasks,
    /// Edges of the window that have not been read yet.
    edges: Vec<Nanos>,
    edge_reads: Tasks,
    /// Nanoseconds since 1970.
    window_end: Option<Nanos>,
    /// How long samples are waited for, once the load is over.
    until: Option<Nanos>,
}

impl SamplingLoop {
    /// A loop that polls the source at every `interval`, beginning now.
    pub fn new(source: SampleSource, clock: TimeSource, interval: Nanos) -> SamplingLoop {
        SamplingLoop {
            source,
            interval,
            rounds: 0,
            next_poll: clock.now(),
            polls: Tasks::new(),
            edges: Vec::new(),
            edge_reads: Tasks::new(),
            window_end: None,
            until: None,
            clock,
        }
    }

    /// Runs until the samples of the window have come, or the patience has ended. `starting` holds an
    /// advanced clock until the loop counts as running.
    pub async fn run(
        mut self,
        mut commands: mpsc::UnboundedReceiver<Sent>,
        starting: Option<Hold>,
    ) -> Collected {
        let clock = self.clock.clone();
        let _running = clock.running_loop();
        drop(starting);
        while !self.is_over() {
            tokio::select! {
                biased;
                () = clock.rest_until(self.next_moment()) => self.do_what_is_due(),
                sent = commands.recv() => self.carry_out(sent),
                Some(_) = self.polls.join_next() => {}
                Some(_) = self.edge_reads.join_next() => {}
            }
        }
        Collected {
            cost: collector_use(&self.source.counts(), thread_cpu(), clock.now()),
            store: self.source.store(),
        }
    }

    /// The next moment at which something is due. The end of the patience is a moment only while no
    /// edge is being read; the end of that reading wakes the loop itself.
    fn next_moment(&self) -> Nanos {
        let edge = self.edges.first().copied();
        let end = self.until.filter(|_| self.edge_reads.is_empty());
        let moments = [Some(self.next_poll), edge, end];
        moments.into_iter().flatten().min().unwrap_or(Nanos::MAX)
    }

    fn do_what_is_due(&mut self) {
        let now = self.clock.now();
        if self.edges.first().is_some_and(|edge| *edge <= now) {
            self.edges.remove(0);
            self.source.read_edge(&mut self.edge_reads);
        }
        if self.next_poll <= now {
            self.source.poll(self.rounds, &mut self.polls);
            self.rounds += 1;
            // Polls that were missed are not made up for.
            self.next_poll = (self.next_poll + self.interval).max(now);
        }
    }

    fn carry_out(&mut self, sent: Option<Sent>) {
        let now = self.clock.now();
        // The collector was dropped without being finished.
        let Some(Sent {
            command,
            hold: _hold,
        }) = sent
        else {
            self.until = Some(Nanos::ZERO);
            return;
        };
        match command {
            Command::Begin { load_start, window } => {
                let start = (load_start + now) - self.clock.unix();
                self.edges = vec![start + window.start, start + window.end];
                self.window_end = Some(load_start + window.end);
            }
            Command::Finish { patience } => {
                // In a run that was cut short the window ends here.
                if self.edges.pop().is_some() {
                    self.edges.clear();
                    self.window_end = Some(self.clock.unix());
                    self.source.read_edge(&mut self.edge_reads);
                }
                let until = now + patience;
                self.until = Some(self.until.map_or(until, |before| before.min(until)));
            }
            Command::Show(show) => {
                let _ = show.send(self.source.store());
            }
        }
    }

    fn is_over(&self) -> bool {
        let Some(until) = self.until else {
            return false;
        };
        let has_settled = || {
            self.window_end
                .is_none_or(|end| self.source.is_settled(end))
        };
        let now = self.clock.now();
        let is_enough = self.edge_reads.is_empty() && (now >= until || has_settled());
        is_enough || now >= until + EDGE_PATIENCE
    }
}

//! Resolves names again while the load is on (`--dns-refresh`).

use crate::measure::Note;
use crate::spec::{ReachOptions, RunSpec, Target};
use crate::transport::{Address, Addresses, look_up};
use crate::units::Nanos;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use tokio::sync::watch;

/// The addresses of all targets, to be resolved again if that is asked for.
pub struct Refresh {
    every: Option<Nanos>,
    spec: Arc<RunSpec>,
    targets: Vec<TargetAddresses>,
}

/// The addresses of one target.
struct TargetAddresses {
    /// The resolver's last answer; some of the addresses may not accept connections.
    found: Vec<Address>,
    /// The addresses that workers use.
    used: watch::Sender<Vec<Address>>,
}

/// Resolves names on a thread of its own, because resolvers may block for long.
pub struct Watcher {
    /// Dropped to end the thread.
    stop: Option<Sender<()>>,
    notes: Receiver<Note>,
}

impl Refresh {
    /// Starts from the addresses that were found before the load.
    pub fn new(spec: &Arc<RunSpec>, addresses: &[Addresses]) -> Refresh {
        let place = |addresses: &Addresses| {
            let refused = addresses.refused.iter().map(|(address, _)| address);
            TargetAddresses {
                found: addresses.answering.iter().chain(refused).cloned().collect(),
                used: watch::channel(addresses.answering.clone()).0,
            }
        };
        Refresh {
            every: spec.reach.dns_refresh,
            spec: spec.clone(),
            targets: addresses.iter().map(place).collect(),
        }
    }

    /// The addresses of a target, now and after each change.
    pub fn addresses_of(&self, target: usize) -> watch::Receiver<Vec<Address>> {
        self.targets[target].used.subscribe()
    }

    /// Starts the thread, if `--dns-refresh` is given.
    pub fn begin(mut self) -> Watcher {
        let (stop, stopped) = channel();
        let (note, notes) = channel();
        if let Some(every) = self.every {
            std::thread::spawn(move || self.resolve_repeatedly(every, &stopped, &note));
        }
        Watcher {
            stop: Some(stop),
            notes,
        }
    }

    fn resolve_repeatedly(&mut self, every: Nanos, stopped: &Receiver<()>, note: &Sender<Note>) {
        while stopped.recv_timeout(every.to_duration()) == Err(RecvTimeoutError::Timeout) {
            for (target, place) in self.spec.targets.iter().zip(&mut self.targets) {
                if let Some(change) = resolve_once(target, &self.spec.reach, place) {
                    // The receiver is gone when the run is over.
                    let _ = note.send(change);
                }
            }
        }
    }
}

/// Resolves a target's name and passes new addresses on; returns a note about the change. Resolvers
/// shuffle their answers, so another order is no change.
fn resolve_once(
    target: &Target,
    reach: &ReachOptions,
    known: &mut TargetAddresses,
) -> Option<Note> {
    let found = match look_up(target, reach) {
        Ok(found) => found,
        Err(error) => {
            let cause = error.to_string();
            return Some(Note::NotLookedUp { cause });
        }
    };
    let is_known = |address| known.found.contains(address);
    if found.len() == known.found.len() && found.iter().all(is_known) {
        return None;
    }
    let addresses = found.iter().map(ToString::to_string).collect();
    known.found.clone_from(&found);
    known.used.send_replace(found);
    let host = target.host.clone();
    Some(Note::Moved { host, addresses })
}

impl Watcher {
    /// Stops resolving; returns a note about each change, once.
    pub fn end(mut self) -> Vec<Note> {
        self.stop.take();
        let mut notes: Vec<Note> = Vec::new();
        for note in self.notes.try_iter() {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        notes
    }
}

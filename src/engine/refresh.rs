//! Names that are looked up again while the load is on.

use crate::measure::Note;
use crate::spec::{Reach, RunSpec, Target};
use crate::transport::{Address, Addresses, look_up};
use crate::units::Nanos;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use tokio::sync::watch;

/// Where each target is, and whether that is looked up again.
pub struct Refresh {
    every: Option<Nanos>,
    spec: Arc<RunSpec>,
    targets: Vec<Place>,
}

/// Where a target is.
struct Place {
    /// What the resolver said last; not all of it need have answered.
    found: Vec<Address>,
    used: watch::Sender<Vec<Address>>,
}

/// Looks names up, on a thread of its own: resolvers take their time.
pub struct Watcher {
    /// Dropped when the load is over.
    stop: Option<Sender<()>>,
    notes: Receiver<Note>,
}

impl Refresh {
    /// From where targets were found to be.
    pub fn new(spec: &Arc<RunSpec>, addresses: &[Addresses]) -> Refresh {
        let place = |addresses: &Addresses| {
            let refused = addresses.refused.iter().map(|(address, _)| address);
            Place {
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

    /// Where a target is, now and later.
    pub fn addresses_of(&self, target: usize) -> watch::Receiver<Vec<Address>> {
        self.targets[target].used.subscribe()
    }

    /// Begins to look, where that is asked for.
    pub fn begin(mut self) -> Watcher {
        let (stop, stopped) = channel();
        let (note, notes) = channel();
        if let Some(every) = self.every {
            std::thread::spawn(move || self.look_again(every, &stopped, &note));
        }
        Watcher {
            stop: Some(stop),
            notes,
        }
    }

    fn look_again(&mut self, every: Nanos, stopped: &Receiver<()>, note: &Sender<Note>) {
        while stopped.recv_timeout(every.to_duration()) == Err(RecvTimeoutError::Timeout) {
            for (target, place) in self.spec.targets.iter().zip(&mut self.targets) {
                if let Some(news) = look_once(target, &self.spec.reach, place) {
                    // Nobody reads it any more when the run is over.
                    let _ = note.send(news);
                }
            }
        }
    }
}

/// What is new; an order that has changed is nothing new, since resolvers shuffle.
fn look_once(target: &Target, reach: &Reach, place: &mut Place) -> Option<Note> {
    let found = match look_up(target, reach) {
        Ok(found) => found,
        Err(error) => {
            let cause = error.to_string();
            return Some(Note::NotLookedUp { cause });
        }
    };
    let is_known = |address| place.found.contains(address);
    if found.len() == place.found.len() && found.iter().all(is_known) {
        return None;
    }
    let addresses = found.iter().map(ToString::to_string).collect();
    place.found.clone_from(&found);
    place.used.send_replace(found);
    let host = target.host.clone();
    Some(Note::Moved { host, addresses })
}

impl Watcher {
    /// Ends the watch, and says what was seen: each thing once.
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

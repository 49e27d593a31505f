//! `meshload hotel`: serves until it is told to stop.

use super::failure::fail;
use super::signals::Signals;
use crate::exit::Exit;
use crate::hotel::{HotelSpec, serve};
use crate::units::Nanos;
use std::io::Write;

/// How often signals are looked for.
const WATCH: Nanos = Nanos::from_millis(50);

/// Serves the hotel; says on stdout where, once it listens.
pub fn hotel(spec: &HotelSpec) -> Exit {
    let signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return fail(Exit::Failed, &error),
    };
    let announce = |address| {
        outln!("hotel listens on http://{address}");
        // Whoever reads this through a pipe waits for it.
        let _ = std::io::stdout().flush();
    };
    let stop = async {
        let mut ticks = tokio::time::interval(WATCH.to_duration());
        while signals.received().is_none() {
            ticks.tick().await;
        }
    };
    match serve(spec, announce, stop) {
        Ok(()) => Exit::Done,
        Err(error) => fail(Exit::Failed, &error),
    }
}

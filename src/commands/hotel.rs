//! `meshload hotel`: runs the stand-in server until a signal comes.

use super::failure::CommandError;
use super::signals::Signals;
use crate::exit::Exit;
use crate::hotel::{HotelSpec, serve};
use crate::units::Nanos;
use std::io::Write;

/// The interval at which the server checks for signals.
const POLL: Nanos = Nanos::from_millis(50);

/// Runs the server; prints its address on stdout once it listens.
pub fn hotel(spec: &HotelSpec) -> Result<Exit, CommandError> {
    let signals = Signals::listen()?;
    let announce = |address| {
        outln!("hotel listens on http://{address}");
        // A program that reads this line through a pipe waits for it.
        let _ = std::io::stdout().flush();
    };
    let stop = async {
        let mut ticks = tokio::time::interval(POLL.to_duration());
        while signals.received().is_none() {
            ticks.tick().await;
        }
    };
    serve(spec, announce, stop).map_err(CommandError::failed)?;
    Ok(Exit::Done)
}

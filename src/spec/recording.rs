//! The options of what is recorded and printed in addition.

use super::{BadSpec, Target};
use clap::Args;
use serde::{Deserialize, Serialize};

/// The options of what is recorded. They are flags of `run` and `sweep`, keys of a plan's
/// `[recording]`, and a part of run.json, which always has all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default = "RecordingOptions::of_sweep")]
pub struct RecordingOptions {
    /// Print the latency distribution and its spectrum
    #[arg(short = 'L', long = "latency")]
    pub spectrum: bool,
    /// Print the uncorrected latencies (service times), too
    #[arg(short = 'U', long = "u_latency", alias = "u-latency")]
    pub uncorrected: bool,
    /// Print the results of each URL by itself
    #[arg(short = 'S', long)]
    pub separate: bool,
    /// Print the number of requests sent
    #[arg(short = 'r', long = "requests")]
    pub sent: bool,
    /// Record the latency of whole pipelined batches
    #[arg(short = 'B', long = "batch_latency", alias = "batch-latency")]
    pub batch_latency: bool,
    /// Write every request to requests.csv in the result folder
    #[arg(short = 'P', long = "print-requests")]
    pub requests_csv: bool,
}

impl RecordingOptions {
    /// The defaults of a sweep: the text of each step has the spectrum.
    pub fn of_sweep() -> RecordingOptions {
        RecordingOptions {
            spectrum: true,
            ..RecordingOptions::default()
        }
    }

    /// Checks that these targets can be printed as asked.
    ///
    /// # Errors
    /// [`BadSpec`] with the flag and the cure.
    pub fn suits(&self, targets: &[Target]) -> Result<(), BadSpec> {
        match self.separate && targets.len() < 2 {
            true => Err(BadSpec::new(
                "-S",
                "there is only one URL",
                "leave -S out or give several URLs",
            )),
            false => Ok(()),
        }
    }
}

//! A sweep in one command, as its user meets it.

mod arms;
mod cluster;
mod failures;
mod order;
mod plans;
mod resuming;

use crate::support::Hotel;
use crate::support::sweep::{Sweep, SweepFolder};

/// A server that answers each request after one millisecond.
fn quick_hotel() -> Hotel {
    Hotel::start(["--service-time", "constant:1ms"])
}

/// The arms `fast` and `slow`, which take 1 ms and 4 ms for each request.
struct TwoHotels {
    fast: Hotel,
    slow: Hotel,
}

impl TwoHotels {
    fn start() -> TwoHotels {
        TwoHotels {
            fast: quick_hotel(),
            slow: Hotel::start(["--service-time", "constant:4ms"]),
        }
    }

    /// A sweep of both arms.
    fn sweep(&self, folder: &SweepFolder) -> Sweep {
        let sweep = Sweep::in_folder(folder);
        sweep.arm("fast", &self.fast).arm("slow", &self.slow)
    }
}

/// What the plans of these tests have in common: no rest before or after the window, and little load.
const QUICK: &str = r#"warmup = "0s"
guard = "0s"
cooldown = "0s"
warm_up_first = { length = "0s" }
[load]
threads = 1
connections = 2"#;

/// A plan of one arm that is set up and torn down by these commands, with two steps of this length.
fn one_arm(hotel: &Hotel, measure: &str, commands: &str) -> String {
    let url = hotel.url();
    format!(
        r#"
rates = [50, 60]
measure = "{measure}"
{QUICK}
[cluster]
collect = "none"
[[arm]]
name = "a"
url = "{url}"
{commands}
"#
    )
}

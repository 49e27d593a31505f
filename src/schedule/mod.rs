//! The schedule: an endless, seeded, monotone sequence of due times, divided among workers.
//!
//! The room is pure. An arrival process draws gaps with a mean of one, and a rate profile scales them to
//! time. Waiting for a due time is the business of `engine`.

mod arrivals;
mod ledger;
mod process;
mod profile;
mod stripe;

pub use arrivals::{Arrival, Arrivals, Schedule};
pub use ledger::Ledger;
pub use process::{ArrivalProcess, Gaps};
pub use profile::Profile;
pub use stripe::Stripe;

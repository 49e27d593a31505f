//! WHEN: an endless, seeded, monotone sequence of due times, dealt out by connection slot.
//!
//! Pure. An arrival process draws gaps with a mean of one; a rate profile stretches them to time.
//! Ends where somebody waits for a due time: that is `engine`'s business.

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

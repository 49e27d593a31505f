//! Changing a cluster, and putting it back: the only room that modifies anything there.
//!
//! Every undo step is handed to the caller, which persists it, before the change is made.

mod flush;
mod membership;
mod operator;
mod rollout;
mod undo;

pub use membership::{Membership, MembershipError};
pub use operator::{Operator, OperatorError, UndoKeeper};
pub use undo::Undo;

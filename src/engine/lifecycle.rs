//! How long a connection is used, and how it ends.

use crate::units::Nanos;

/// How a connection ended. Its requests are recorded by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The connection broke, or the server closed it, after at least one reply.
    Lost,
    /// The connection broke, or the server closed it, before any reply.
    Fruitless,
    /// The request budget is used up, or the server has moved to another address.
    Planned,
    /// The connection only waited for its last replies, and another one had taken its place.
    Replaced,
}

impl End {
    /// The end of a connection that broke or that the server closed.
    pub fn lost(has_answered: bool) -> End {
        match has_answered {
            true => End::Lost,
            false => End::Fruitless,
        }
    }
}

/// The rules for every connection of a worker.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionPolicy {
    pub budget: RequestBudget,
    /// How long a request may take before it is given up (`--abort-after`).
    pub abort_after: Option<Nanos>,
}

/// How many more requests a connection carries before it is closed; `None` is no limit.
#[derive(Debug, Clone, Copy)]
pub struct RequestBudget(pub Option<u64>);

impl RequestBudget {
    /// Takes `count` sent requests off the budget.
    #[inline]
    pub fn spend(&mut self, count: u64) {
        if let Some(left) = &mut self.0 {
            *left = left.saturating_sub(count);
        }
    }

    /// Whether the connection may carry no more requests.
    #[inline]
    pub fn is_used_up(self) -> bool {
        self.0 == Some(0)
    }
}

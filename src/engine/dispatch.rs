//! The dispatcher gives each arrival, when it is due, to the longest-idle connection.
//!
//! While no connection is free the dispatcher waits: connections take from the backlog by themselves.

use super::connection_manager::ConnectionManager;
use super::pacer::Pacer;
use super::worker_state::{Shared, WorkerState};
use crate::units::Nanos;
use std::io;
use std::rc::Rc;
use std::task::Poll;

/// While requests are blocked and the pool may grow, it grows at this interval, by doubling steps.
const GROWTH_STEP: Nanos = Nanos::from_millis(1);

/// Dispatches until no arrivals are left and then waits for ever. The pool may grow to
/// `max_connections`.
///
/// # Errors
/// When the kernel refuses to arm the timer; not seen on Linux.
pub async fn dispatch(
    state: &Shared,
    pacer: &mut Pacer,
    manager: &Rc<ConnectionManager>,
    max_connections: usize,
) -> io::Result<()> {
    let mut growth = 1;
    loop {
        let Some(due) = state.borrow_mut().arrivals.next_due() else {
            return std::future::pending().await;
        };
        pacer.wait_until(due, state).await?;
        if assign_due(&mut state.borrow_mut()) {
            growth = 1;
            continue;
        }
        let room = max_connections.saturating_sub(state.borrow().pool.len());
        for _ in 0..growth.min(room) {
            manager.spawn();
        }
        growth = growth.saturating_mul(2);
        let freed = wait_for_free(state);
        if room > 0 {
            let clock = state.borrow().clock;
            let next_step = clock.now() + GROWTH_STEP;
            tokio::select! {
                () = freed => {}
                () = clock.coarse_wait(next_step) => {}
            }
        } else {
            freed.await;
        }
    }
}

/// Assigns what is due to free connections; `false` when something is due and no connection is free.
fn assign_due(state: &mut WorkerState) -> bool {
    loop {
        let now = state.clock.now();
        let is_due = state.arrivals.next_due().is_some_and(|due| due <= now);
        if !is_due {
            return true;
        }
        if !state.pool.has_free() {
            return false;
        }
        let Some(arrival) = state.take_due(now) else {
            return true;
        };
        if !state.assign(arrival) {
            return false;
        }
    }
}

async fn wait_for_free(state: &Shared) {
    std::future::poll_fn(|cx| {
        let mut state = state.borrow_mut();
        if state.pool.has_free() {
            return Poll::Ready(());
        }
        state.waiting_for_free = Some(cx.waker().clone());
        Poll::Pending
    })
    .await;
}

//! The dispatcher: gives each arrival, when it is due, to the longest-idle connection.
//!
//! While no connection is free it stands aside: connections take from the backlog by themselves.

use super::opening::Opener;
use super::pacer::Pacer;
use super::world::{Shared, World};
use crate::units::Nanos;
use std::io;
use std::rc::Rc;
use std::task::Poll;

/// While requests are blocked and the pool may grow, it grows this often, by doubling steps.
const GROWTH_STEP: Nanos = Nanos::from_millis(1);

/// Dispatches until there is nothing left to dispatch, then waits for ever.
///
/// # Errors
/// When the kernel refuses to arm the timer; not seen on Linux.
pub async fn dispatch(
    world: &Shared,
    pacer: &mut Pacer,
    opener: &Rc<Opener>,
    max_connections: usize,
) -> io::Result<()> {
    let mut growth = 1;
    loop {
        let Some(due) = world.borrow_mut().feed.next_due() else {
            return std::future::pending().await;
        };
        pacer.wait_until(due, world).await?;
        if hand_out(&mut world.borrow_mut()) {
            growth = 1;
            continue;
        }
        let room = max_connections.saturating_sub(world.borrow().pool.len());
        for _ in 0..growth.min(room) {
            opener.spawn();
        }
        growth = growth.saturating_mul(2);
        let freed = a_connection_is_free(world);
        if room > 0 {
            let clock = world.borrow().clock;
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

/// Gives out what is due; `false` when something is due and no connection is free.
fn hand_out(world: &mut World) -> bool {
    loop {
        let now = world.clock.now();
        let is_due = world.feed.next_due().is_some_and(|due| due <= now);
        if !is_due {
            return true;
        }
        if !world.pool.has_free() {
            return false;
        }
        let Some(arrival) = world.take_due(now) else {
            return true;
        };
        if !world.assign(arrival) {
            return false;
        }
    }
}

async fn a_connection_is_free(world: &Shared) {
    std::future::poll_fn(|cx| {
        let mut world = world.borrow_mut();
        if world.pool.has_free() {
            return Poll::Ready(());
        }
        world.waiting_for_free = Some(cx.waker().clone());
        Poll::Pending
    })
    .await;
}

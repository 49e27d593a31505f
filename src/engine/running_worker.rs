//! A worker while the load is on, and its final report.

use super::connection_manager::ConnectionManager;
use super::dispatch::dispatch;
use super::messages::{Plan, Report, Reporter, WorkerReport};
use super::pacer::Pacer;
use super::setup::stripe;
use super::worker_state::{Shared, WorkerState};
use crate::clock::{RunClock, thread_cpu};
use crate::measure::ThreadUse;
use crate::script::WorkerScript;
use crate::units::Nanos;
use std::io;
use std::rc::Rc;
use std::task::Poll;
use tokio::runtime::LocalRuntime;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

/// How often full intervals are reported and requests are checked against `--abort-after`.
const HOUSEKEEPING: Nanos = Nanos::from_millis(50);

/// A worker whose connections are open.
pub struct RunningWorker<'a> {
    pub plan: &'a Plan,
    pub state: Shared,
    pub manager: Rc<ConnectionManager>,
    pub reporter: &'a Reporter,
}

impl RunningWorker<'_> {
    /// Makes the load, reports its figures, and returns the script's state.
    ///
    /// # Errors
    /// When a task outlives its runtime, which is a defect of this program.
    pub fn run(
        self,
        runtime: LocalRuntime,
        pacer: &mut Pacer,
        clock: RunClock,
        stop: watch::Receiver<bool>,
    ) -> io::Result<Option<WorkerScript>> {
        let cpu_before = thread_cpu();
        let outcome = runtime.block_on(self.load(pacer, clock, stop));
        let stop = clock.now();
        let usage = ThreadUse {
            cpu_seconds: (thread_cpu() - cpu_before).as_secs_f64(),
            spin_seconds: pacer.spun().as_secs_f64(),
            timer_lead_ns: pacer.lead().0,
        };
        drop(self.manager);
        // Ends all connections, which leave their requests behind in the state.
        drop(runtime);
        let Some(state) = Rc::into_inner(self.state) else {
            return Err(io::Error::other("a task outlived its runtime"));
        };
        let mut state = state.into_inner();
        if let Some(error) = state.script_error.take() {
            self.reporter.send(Report::Broken(error));
        }
        if let Err(error) = outcome {
            self.reporter.send(Report::Refused(error.to_string()));
        }
        Ok(finalize(state, usage, stop, self.reporter))
    }

    /// The load, from its first due time until its end, a signal, or an error.
    async fn load(
        &self,
        pacer: &mut Pacer,
        clock: RunClock,
        mut stop: watch::Receiver<bool>,
    ) -> io::Result<()> {
        wait_for_origin(pacer, clock, &self.state).await?;
        self.switch_on(clock);
        let share = stripe(self.plan).share_of(self.plan.spec.load.max_connections);
        let end = self.plan.spec.window().stop;
        tokio::select! {
            biased;
            outcome = dispatch(&self.state, pacer, &self.manager, share) => outcome,
            () = clock.coarse_wait(end) => Ok(()),
            _ = stop.wait_for(|stop| *stop) => Ok(()),
            () = wait_for_script_error(&self.state) => Ok(()),
            () = self.housekeeping() => Ok(()),
        }
    }

    fn switch_on(&self, clock: RunClock) {
        let mut state = self.state.borrow_mut();
        state.clock = clock;
        state.is_on = true;
        // A script may have stopped the worker in `setup` already.
        state.apply_script_stop(Nanos::ZERO);
        for slot in state.pool.slots() {
            slot.free_since = Nanos::ZERO;
            // In a closed loop there is no dispatcher: connections start by themselves.
            if let Some(waker) = &slot.waker {
                waker.wake_by_ref();
            }
        }
    }

    async fn housekeeping(&self) {
        let mut ticks = tokio::time::interval(HOUSEKEEPING.to_duration());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut addresses = self.plan.addresses.clone();
        loop {
            ticks.tick().await;
            let mut state = self.state.borrow_mut();
            // An error means that the name is not looked up again.
            if state.source.address().is_none() && addresses.has_changed().unwrap_or(false) {
                let fresh = addresses.borrow_and_update().clone();
                state.move_to(fresh);
            }
            if let Some(limit) = self.plan.spec.load.abort_after {
                state.abort_older_than(limit);
            }
            let now = state.clock.now();
            state.recorder.roll(now);
            let slices = state.recorder.full_slices().collect();
            let route_names = || state.recorder.route_names();
            self.reporter.send_slices(slices, route_names);
        }
    }
}

/// Waits for the clock's origin. The clock reads zero until then, so the wait goes by one that began
/// earlier.
async fn wait_for_origin(pacer: &mut Pacer, clock: RunClock, state: &Shared) -> io::Result<()> {
    let ahead = Nanos::SECOND;
    pacer.set_clock(clock.rewound(ahead));
    pacer.wait_until(ahead, state).await?;
    pacer.set_clock(clock);
    pacer.forget_spin();
    Ok(())
}

async fn wait_for_script_error(state: &Shared) {
    std::future::poll_fn(|cx| {
        let mut state = state.borrow_mut();
        if state.script_error.is_some() {
            return Poll::Ready(());
        }
        state.watching_for_error = Some(cx.waker().clone());
        Poll::Pending
    })
    .await;
}

/// Accounts for everything that was due and has not ended, and reports the worker's figures.
fn finalize(
    mut state: WorkerState,
    usage: ThreadUse,
    stop: Nanos,
    reporter: &Reporter,
) -> Option<WorkerScript> {
    record_unanswered(&mut state, stop);
    record_unsent(&mut state, stop);
    let route_names = state.recorder.route_names();
    let (tally, slices) = state.recorder.finish(stop);
    reporter.send_slices(slices, || route_names);
    let left_out = state.http2.translator.left_out();
    reporter.send(Report::Ended(Box::new(WorkerReport {
        tally,
        usage,
        stopped: state.stopped,
        has_moved_arrivals: state.has_moved_arrivals,
        first_errors: state.first_errors,
        left_out: left_out.map(str::to_owned).collect(),
        fewest_streams: state.http2.fewest_streams,
        stop,
    })));
    state.source.into_script()
}

fn record_unanswered(state: &mut WorkerState, stop: Nanos) {
    let mut unanswered = std::mem::take(&mut state.unanswered);
    unanswered.sort_by_key(|request| request.id);
    for request in unanswered {
        let connection = state.connection_number(request.id);
        let (sending, route) = (request.sending, request.route);
        state.recorder.unfinished(sending, route, connection, stop);
    }
    for refused in state.http2.refused.drain(..) {
        let (sending, route) = (refused.sending, refused.prepared.route);
        // A refused request belongs to no connection.
        state.recorder.unfinished(sending, route, u32::MAX, stop);
    }
}

fn record_unsent(state: &mut WorkerState, stop: Nanos) {
    let had_free = state.pool.has_free();
    let end = state.arrivals.end().min(stop);
    state.arrivals.end_at(end);
    for slot in state.pool.slots() {
        if let Some(arrival) = slot.assigned.take() {
            // Without a connection the arrival waited for one to open, which is not the generator's
            // fault.
            state.recorder.unsent(arrival.due, stop, slot.limit > 0);
        }
    }
    if state.is_open_loop {
        for due in state.arrivals.remaining() {
            state.recorder.unsent(due, stop, had_free);
        }
    }
}

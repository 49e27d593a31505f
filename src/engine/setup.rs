//! Builds the state of a worker from its plan.

use super::arrival_queue::ArrivalQueue;
use super::messages::Plan;
use super::pool::Pool;
use super::source::Source;
use super::worker_state::{Http2State, WorkerState};
use crate::clock::RunClock;
use crate::measure::Recorder;
use crate::schedule::Stripe;
use crate::script::{ScriptError, WorkerScript};
use crate::transport::Address;
use crate::wire::{BadRequest, Translator, format_request};
use std::collections::VecDeque;

/// Size of the buffer into which replies are read, in bytes.
const READ_BUFFER: usize = 64 * 1024;

/// The state of a worker before its connections are opened.
///
/// # Errors
/// [`ScriptError`] when the request, from the flags or from the script, cannot be sent.
pub fn worker_state(plan: &Plan, script: Option<WorkerScript>) -> Result<WorkerState, ScriptError> {
    let spec = &plan.spec;
    let window = spec.window();
    let schedule = spec.schedule();
    let recorder = Recorder::new(window, spec.load.timeout, schedule.is_some())
        .with_batch_latency(spec.recording.batch_latency)
        .with_rows(spec.recording.requests_csv);
    let source = source(plan, script)?;
    Ok(WorkerState {
        clock: RunClock::start(),
        is_on: false,
        is_open_loop: schedule.is_some(),
        arrivals: ArrivalQueue::new(schedule.as_ref(), stripe(plan), window.stop),
        pool: Pool::new(spec.depth()),
        addresses: addresses(plan, &source),
        source,
        recorder,
        http2: Http2State {
            translator: Translator::new(&plan.target.scheme),
            refused: VecDeque::new(),
            fewest_streams: usize::MAX,
        },
        read_buffer: vec![0; READ_BUFFER],
        waiting_for_free: None,
        turns: 0,
        script_error: None,
        watching_for_error: None,
        first_errors: Vec::new(),
        has_moved_arrivals: false,
        stopped: None,
        unanswered: Vec::new(),
        worker: plan.worker,
        workers: spec.workers_per_target(),
    })
}

/// The share of connections and arrivals that belongs to a worker.
pub fn stripe(plan: &Plan) -> Stripe {
    Stripe::new(
        plan.spec.load.connections,
        plan.spec.workers_per_target(),
        plan.worker,
    )
}

/// Index of the worker's first connection among those of all workers of the target.
pub fn first_connection(plan: &Plan) -> usize {
    let connections = plan.spec.load.connections;
    let workers = plan.spec.workers_per_target();
    let share = |worker| Stripe::new(connections, workers, worker).share_of(connections);
    (0..plan.worker).map(share).sum()
}

/// The target's addresses, or the one that the script chose for its worker.
fn addresses(plan: &Plan, source: &Source) -> Vec<Address> {
    match source.address() {
        Some(address) => vec![Address::Tcp(address)],
        None => plan.addresses.borrow().clone(),
    }
}

fn source(plan: &Plan, script: Option<WorkerScript>) -> Result<Source, ScriptError> {
    let Some(script) = script else {
        let authority = plan.target.authority();
        let text = format_request(
            "GET",
            &plan.target.path,
            &authority,
            &plan.spec.request_headers(),
            None,
        );
        let refused = |bad| ScriptError::new(format!("-H: {bad}"));
        try_translation(plan, &text).map_err(refused)?;
        return Source::fixed(text, None).map_err(refused);
    };
    if script.has_delay() && plan.spec.schedule().is_none() {
        return Err(ScriptError::new(
            "delay() moves due times, and -R max has none: give a rate, or take delay() out",
        ));
    }
    match script.fixed_request()? {
        Some(text) => {
            let refused = |bad| ScriptError::new(format!("wrk.format(): {bad}"));
            try_translation(plan, &text).map_err(refused)?;
            Source::fixed(text, Some(script)).map_err(refused)
        }
        None => {
            let http = &plan.spec.http;
            Ok(Source::scripted(script, !http.http2 && !http.no_keepalive))
        }
    }
}

/// Finds out before the load what HTTP/2 cannot carry.
fn try_translation(plan: &Plan, text: &[u8]) -> Result<(), BadRequest> {
    if plan.spec.http.http2 {
        Translator::new(&plan.target.scheme).translate(text)?;
    }
    Ok(())
}

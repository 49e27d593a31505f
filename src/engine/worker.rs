//! One worker thread, from loading the script to its final report. The Lua state never leaves it.

use super::connection_manager::ConnectionManager;
use super::lifecycle::{ConnectionPolicy, RequestBudget};
use super::messages::{Opened, Plan, Report, Reporter, WorkerOrder};
use super::pacer::Pacer;
use super::running_worker::RunningWorker;
use super::setup::{first_connection, stripe, worker_state};
use crate::script::{ScriptError, WorkerScript};
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::mpsc::Receiver;
use tokio::sync::watch;

/// Why a worker ends before the load has begun.
enum Trouble {
    Script(ScriptError),
    Io(io::Error),
    /// The coordinator has given up.
    Dismissed,
}

impl From<ScriptError> for Trouble {
    fn from(error: ScriptError) -> Trouble {
        Trouble::Script(error)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        Trouble::Io(error)
    }
}

/// Runs a worker on the calling thread until it is dismissed.
pub fn work(
    plan: &Plan,
    orders: &Receiver<WorkerOrder>,
    reporter: &Reporter,
    stop: watch::Receiver<bool>,
) {
    match run(plan, orders, reporter, stop) {
        Ok(script) => serve_until_dismissed(script, orders),
        Err(Trouble::Script(error)) => reporter.send(Report::Broken(error)),
        Err(Trouble::Io(error)) => reporter.send(Report::Refused(error.to_string())),
        Err(Trouble::Dismissed) => {}
    }
}

fn run(
    plan: &Plan,
    orders: &Receiver<WorkerOrder>,
    reporter: &Reporter,
    stop: watch::Receiver<bool>,
) -> Result<Option<WorkerScript>, Trouble> {
    let mut script = match &plan.script {
        Some(script) => Some(WorkerScript::load(script, plan.number)?),
        None => None,
    };
    reporter.send(Report::Loaded);
    serve_until_open(script.as_mut(), orders)?;
    let state = Rc::new(RefCell::new(worker_state(plan, script)?));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(Default::default())?;
    let policy = ConnectionPolicy {
        budget: RequestBudget(plan.spec.http.quota()),
        abort_after: plan.spec.load.abort_after,
    };
    let offset = first_connection(plan);
    let manager = ConnectionManager::new(state.clone(), plan.dialer.clone(), policy, offset);
    let count = runtime.block_on(open(plan, &manager));
    let load = &plan.spec.load;
    let calibrated = Pacer::calibrated(load.pacing, plan.threads, plan.cores);
    let mut pacer = runtime.block_on(calibrated)?;
    let error = state.borrow().first_errors.first().cloned();
    let error = error.map(|(_, why)| why);
    reporter.send(Report::Opened(Opened { count, error }));
    let Ok(WorkerOrder::Start(clock)) = orders.recv() else {
        return Err(Trouble::Dismissed);
    };
    let running = RunningWorker {
        plan,
        state,
        manager,
        reporter,
    };
    let script = running.run(runtime, &mut pacer, clock, stop)?;
    Ok(script)
}

/// Opens the worker's share of the connections; returns how many are open.
async fn open(plan: &Plan, manager: &Rc<ConnectionManager>) -> usize {
    for _ in 0..stripe(plan).share_of(plan.spec.load.connections) {
        manager.spawn();
    }
    manager.all_tried().await
}

fn serve_until_open(
    mut script: Option<&mut WorkerScript>,
    orders: &Receiver<WorkerOrder>,
) -> Result<(), Trouble> {
    loop {
        match (orders.recv(), script.as_deref_mut()) {
            (Ok(WorkerOrder::Answer(question)), Some(script)) => script.answer(question),
            (Ok(WorkerOrder::Answer(_)), None) => {}
            (Ok(WorkerOrder::Open), Some(script)) => return Ok(script.init()?),
            (Ok(WorkerOrder::Open), None) => return Ok(()),
            (Ok(WorkerOrder::Start(_) | WorkerOrder::Dismiss) | Err(_), _) => {
                return Err(Trouble::Dismissed);
            }
        }
    }
}

/// Answers questions about the worker's variables, which `done` may still ask for.
fn serve_until_dismissed(script: Option<WorkerScript>, orders: &Receiver<WorkerOrder>) {
    let Some(mut script) = script else { return };
    while let Ok(WorkerOrder::Answer(question)) = orders.recv() {
        script.answer(question);
    }
}

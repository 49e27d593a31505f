//! From a question to a result: starts the workers, takes them through their phases together,
//! gathers what they report, and adds it up.

use super::footprint::peak_memory;
use super::gather::Gathering;
use super::refresh::Refresh;
use super::worker::{Order, Plan, Report, work};
use crate::clock::{RunClock, block_for, process_cpu};
use crate::measure::{
    Ending, Environment, GeneratorUse, Interval, Note, RequestRow, RunResult, Slice,
};
use crate::script::{MainScript, Port, ScriptError, ScriptSpec};
use crate::spec::{RunSpec, Target, Window};
use crate::transport::{
    Address, AddressError, Addresses, DescriptorError, Dialer, NOT_IN_THE_CLEAR, TlsError,
    ensure_descriptors, speaks_tls,
};
use crate::units::Nanos;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use tokio::sync::watch;

/// From the last preparation to the first due time: the workers wake up meanwhile.
const LEAD_IN: Nanos = Nanos::from_millis(20);
/// How often signals and lost workers are looked for.
const WATCH: Nanos = Nanos::from_millis(50);
/// How long a worker may take to close its books after the end of the load, or after a signal.
const PATIENCE: Nanos = Nanos::from_secs(3);
/// How long a worker that is being dismissed may take,
const DISMISSAL: Nanos = Nanos::from_secs(1);
/// and how often it is looked at.
const LOOK: Nanos = Nanos::from_millis(1);

/// A run to be made.
pub struct Job {
    /// The question.
    pub spec: RunSpec,
    /// The text of its script.
    pub script: Option<Vec<u8>>,
    /// Whether what the script prints goes to stderr, because stdout is taken.
    pub prints_to_stderr: bool,
    /// Who asks.
    pub environment: Environment,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The script failed before the first request.
    #[error("{0}")]
    Script(#[from] ScriptError),
    /// The target cannot be reached.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// TLS cannot be spoken as asked.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Too many connections.
    #[error(transparent)]
    Descriptors(#[from] DescriptorError),
    /// All attempts failed.
    #[error(
        "no connection to {0} could be opened: {1}; is the server running, and does it accept this many?"
    )]
    NoConnection(String, String),
    /// The operating system refused something.
    #[error("the operating system refused what a worker needs: {0}")]
    Refused(String),
    /// A script does not come back.
    #[error("worker {0} does not come back from the script: is there an endless loop in it?")]
    Stuck(usize),
    /// A signal before the load began.
    #[error("interrupted before the load began")]
    Interrupted,
    /// A worker died; a defect of this program.
    #[error("a worker thread died; please report this")]
    WorkerDied,
}

/// What happens while the load is on.
pub enum Event<'a> {
    /// The connections stand and the clock has started; the clock, and what is ahead.
    Started(RunClock, Window),
    /// An interval of a target is complete.
    Interval(usize, &'a Interval, &'a Slice),
    /// Requests of a worker, with the names of their routes.
    Requests(usize, &'a [RequestRow], &'a [String]),
}

/// A finished run; the workers' states live until it is dropped, for the script's `done`.
pub struct Finished {
    /// What was measured.
    pub result: RunResult,
    /// What ended the run early.
    pub script_error: Option<ScriptError>,
    main_scripts: Vec<Option<MainScript>>,
    /// Held for the sake of their states; dropping them dismisses the workers.
    _crews: Vec<(usize, Worker)>,
}

struct Worker {
    orders: Sender<Order>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Dismiss);
        let Some(thread) = self.thread.take() else {
            return;
        };
        // A script that never returns keeps its thread; the program ends without waiting for it.
        for _ in 0..DISMISSAL.0 / LOOK.0 {
            if thread.is_finished() {
                // A panic in a worker has been reported as WorkerDied.
                let _ = thread.join();
                return;
            }
            block_for(LOOK);
        }
    }
}

/// Makes a run. `observe` is called as intervals are completed; `interrupted` is asked often.
///
/// # Errors
/// [`EngineError`] when there is nothing measured to show; what happens later is in the result.
pub fn launch(
    job: &Job,
    observe: &mut dyn FnMut(Event<'_>),
    interrupted: &dyn Fn() -> bool,
) -> Result<Finished, EngineError> {
    let spec = Arc::new(job.spec.clone());
    let threads = spec.workers_per_target() * spec.targets.len();
    ensure_descriptors(spec.load.max_connections * spec.targets.len(), threads)?;
    let (mut dialers, mut addresses) = (Vec::new(), Vec::new());
    for target in &spec.targets {
        addresses.push(scout(&spec, target)?.survey(target, &spec.reach, interrupted)?);
        dialers.push(Dialer::new(&spec, target)?);
    }
    let refresh = Refresh::new(&spec, &addresses);
    let mut fleet = Fleet::start(job, &spec, &addresses, &dialers, &refresh, interrupted)?;
    fleet.set_up()?;
    fleet.open(&addresses, interrupted)?;
    let watcher = refresh.begin();
    let mut finished = fleet.run(job, addresses, observe, interrupted)?;
    finished.result.notes.extend(watcher.end());
    Ok(finished)
}

/// Who looks at a target before the load, and leaves no session behind that the load could take up.
fn scout(spec: &RunSpec, target: &Target) -> Result<Dialer, TlsError> {
    let mut spec = spec.clone();
    spec.tls.no_resumption = true;
    Dialer::new(&spec, target)
}

/// Whether what was said in the clear to a target was said to TLS: found out once it is answered with
/// nothing but refusals, since to ask beforehand would be nonsense to every other server.
fn look_for_tls(spec: &RunSpec, target: usize, addresses: &Addresses) -> Result<(), AddressError> {
    // Over HTTP/2 the beginning has shown what is spoken.
    if spec.targets[target].is_tls() || spec.http.http2 {
        return Ok(());
    }
    let mut answering = addresses.answering.iter();
    let deaf = answering.find(|address| address.tcp().is_some_and(speaks_tls));
    match deaf {
        Some(address) => Err(AddressError::Greeting {
            address: address.clone(),
            cause: NOT_IN_THE_CLEAR.to_owned(),
        }),
        None => Ok(()),
    }
}

/// All workers of a run, before and while the load is on.
struct Fleet {
    spec: Arc<RunSpec>,
    crews: Vec<(usize, Worker)>,
    main_scripts: Vec<Option<MainScript>>,
    reports: Receiver<(usize, Report)>,
    stop: watch::Sender<bool>,
}

impl Fleet {
    fn start(
        job: &Job,
        spec: &Arc<RunSpec>,
        addresses: &[Addresses],
        dialers: &[Dialer],
        refresh: &Refresh,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Fleet, EngineError> {
        let (report, reports) = channel();
        let (stop, stopped) = watch::channel(false);
        let workers = spec.workers_per_target();
        let mut fleet = Fleet {
            spec: spec.clone(),
            crews: Vec::new(),
            main_scripts: Vec::new(),
            reports,
            stop,
        };
        for (index, (target, addresses)) in spec.targets.iter().zip(addresses).enumerate() {
            let script = script_spec(job, target, addresses).map(Arc::new);
            // The main state first: a script that does not load is refused once, not by every worker.
            fleet.main_scripts.push(match &script {
                Some(script) => Some(MainScript::load(script)?),
                None => None,
            });
            for worker in 0..workers {
                let plan = Plan {
                    spec: spec.clone(),
                    target: target.clone(),
                    addresses: refresh.addresses_of(index),
                    dialer: dialers[index].clone(),
                    script: script.clone(),
                    worker,
                    number: fleet.crews.len(),
                    threads: workers * spec.targets.len(),
                    cores: job.environment.cores,
                };
                let worker = spawn(plan, report.clone(), stopped.clone())?;
                fleet.crews.push((index, worker));
            }
        }
        fleet.await_all(interrupted, |report| {
            matches!(report, Report::Loaded).then_some(())
        })?;
        Ok(fleet)
    }

    /// Runs the script's `setup`, which may read and write the workers' variables.
    fn set_up(&mut self) -> Result<(), EngineError> {
        for (index, main) in self.main_scripts.iter_mut().enumerate() {
            let Some(main) = main else { continue };
            main.setup(&ports(&self.crews, index))?;
        }
        Ok(())
    }

    fn open(
        &self,
        addresses: &[Addresses],
        interrupted: &dyn Fn() -> bool,
    ) -> Result<(), EngineError> {
        for (_, worker) in &self.crews {
            let _ = worker.orders.send(Order::Open);
        }
        let opened = self.await_all(interrupted, |report| match report {
            Report::Opened(count, complaint) => Some((*count, complaint.clone())),
            _ => None,
        })?;
        for (index, addresses) in addresses.iter().enumerate() {
            let of_target = || {
                let numbered = self.crews.iter().zip(&opened);
                numbered
                    .filter(|((target, _), _)| *target == index)
                    .map(|(_, opened)| opened)
            };
            if of_target().all(|(count, _)| *count == 0) {
                let cause = of_target().find_map(|(_, complaint)| complaint.clone());
                let address = addresses.answering.first().map(ToString::to_string);
                return Err(EngineError::NoConnection(
                    address.unwrap_or_default(),
                    cause.unwrap_or_default(),
                ));
            }
        }
        Ok(())
    }

    /// Waits until each worker has said what `wanted` looks for.
    fn await_all<T: Clone>(
        &self,
        interrupted: &dyn Fn() -> bool,
        wanted: impl Fn(&Report) -> Option<T>,
    ) -> Result<Vec<T>, EngineError> {
        let mut said = vec![None; self.crews.len()];
        while said.iter().any(Option::is_none) {
            match self.next_report(interrupted)? {
                None => return Err(EngineError::Interrupted),
                Some((_, Report::Broken(error))) => return Err(error.into()),
                Some((_, Report::Refused(error))) => return Err(EngineError::Refused(error)),
                Some((number, report)) => {
                    if let Some(value) = wanted(&report) {
                        said[number] = Some(value);
                    }
                }
            }
        }
        Ok(said.into_iter().flatten().collect())
    }

    /// The next report; `None` when interrupted first.
    fn next_report(
        &self,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Option<(usize, Report)>, EngineError> {
        loop {
            match self.reports.recv_timeout(WATCH.to_duration()) {
                Ok(report) => return Ok(Some(report)),
                Err(RecvTimeoutError::Disconnected) => return Err(EngineError::WorkerDied),
                Err(RecvTimeoutError::Timeout) if interrupted() => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {
                    let is_dead = |worker: &Worker| {
                        let thread = worker.thread.as_ref();
                        thread.is_some_and(JoinHandle::is_finished)
                    };
                    if self.crews.iter().any(|(_, worker)| is_dead(worker)) {
                        // What it said last may still be in the channel.
                        return match self.reports.try_recv() {
                            Ok(report) => Ok(Some(report)),
                            Err(_) => Err(EngineError::WorkerDied),
                        };
                    }
                }
            }
        }
    }

    fn run(
        self,
        job: &Job,
        addresses: Vec<Addresses>,
        observe: &mut dyn FnMut(Event<'_>),
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Finished, EngineError> {
        let clock = RunClock::starting_in(LEAD_IN);
        let cpu_before = process_cpu();
        for (_, worker) in &self.crews {
            let _ = worker.orders.send(Order::Start(clock));
        }
        observe(Event::Started(clock, self.spec.window()));
        let owners = self.crews.iter().map(|(target, _)| *target).collect();
        let mut gathering = Gathering::new(&self.spec, owners);
        let mut script_error = None;
        let mut was_interrupted = false;
        let mut limit = self.spec.window().stop + PATIENCE;
        while !gathering.is_complete() {
            let is_stopped = was_interrupted || script_error.is_some();
            let is_over = || clock.now() > limit || (!is_stopped && interrupted());
            match self.next_report(&is_over)? {
                None if clock.now() > limit => {
                    return Err(EngineError::Stuck(gathering.first_missing()));
                }
                None => {
                    was_interrupted = true;
                    limit = limit.min(clock.now() + PATIENCE);
                    self.stop.send_replace(true);
                }
                Some((_, Report::Broken(error))) => {
                    script_error.get_or_insert(error);
                    limit = limit.min(clock.now() + PATIENCE);
                    self.stop.send_replace(true);
                }
                Some((_, Report::Refused(error))) => {
                    gathering.note(Note::System { cause: error });
                }
                Some((number, report)) => gathering.take(number, report, observe),
            }
            if let Some(target) = gathering.misunderstood()
                && let Err(error) = look_for_tls(&self.spec, target, &addresses[target])
            {
                self.stop.send_replace(true);
                return Err(error.into());
            }
        }
        let ending = match (&script_error, was_interrupted) {
            (Some(_), _) => Ending::Aborted,
            (None, true) => Ending::Interrupted,
            (None, false) => Ending::Complete,
        };
        let cpu_seconds = (process_cpu() - cpu_before).as_secs_f64();
        let (targets, window, threads, notes) = gathering.finish(addresses, observe);
        let result = RunResult {
            spec: job.spec.clone(),
            environment: job.environment.clone(),
            ending,
            start_unix: clock.unix_origin(),
            window,
            targets: targets.into(),
            generator: GeneratorUse {
                cpu_seconds,
                max_rss_bytes: peak_memory(),
                threads,
            },
            notes,
            resources: None,
        };
        Ok(Finished {
            result,
            script_error,
            main_scripts: self.main_scripts,
            _crews: self.crews,
        })
    }
}

fn spawn(
    plan: Plan,
    report: Sender<(usize, Report)>,
    stop: watch::Receiver<bool>,
) -> Result<Worker, EngineError> {
    let (orders, receiver) = channel();
    let thread = std::thread::Builder::new()
        .name(format!("worker-{}", plan.number))
        .spawn(move || work(&plan, &receiver, &report, stop))
        .map_err(|error| EngineError::Refused(error.to_string()))?;
    Ok(Worker {
        orders,
        thread: Some(thread),
    })
}

/// The workers of a target as the main state sees them.
fn ports(crews: &[(usize, Worker)], target: usize) -> Vec<Port> {
    let of_target = crews.iter().filter(|(owner, _)| *owner == target);
    let port = |(_, worker): &(usize, Worker)| {
        let orders = worker.orders.clone();
        Port::new(move |question| orders.send(Order::Answer(question)).is_ok())
    };
    of_target.map(port).collect()
}

fn script_spec(job: &Job, target: &Target, addresses: &Addresses) -> Option<ScriptSpec> {
    let script = job.spec.script.as_ref()?;
    Some(ScriptSpec {
        path: script.path.clone(),
        source: job.script.clone().unwrap_or_default(),
        args: script.args.clone(),
        url: target.url.clone(),
        scheme: target.scheme.clone(),
        host: target.host.clone(),
        port: target.port,
        path_and_query: target.path.clone(),
        headers: job.spec.request_headers(),
        addrs: addresses
            .answering
            .iter()
            .filter_map(Address::tcp)
            .collect(),
        seed: job.spec.load.seed,
        seed_pinned: job.spec.load.seed_pinned,
        prints_to_stderr: job.prints_to_stderr,
    })
}

impl Finished {
    /// Runs the script's `done` for each target.
    ///
    /// # Errors
    /// [`ScriptError`] when it fails.
    pub fn done(&mut self) -> Result<(), ScriptError> {
        for (index, main) in self.main_scripts.iter_mut().enumerate() {
            let Some(main) = main.as_mut().filter(|main| main.has_done()) else {
                continue;
            };
            let target = &self.result.targets[index];
            let open_loop = self.result.is_open_loop();
            let summary = super::statistics::summary(target, self.result.window.length());
            let latency = super::statistics::of_latencies(&target.tally, open_loop);
            let rates = super::statistics::of_rates(&target.thread_rates);
            main.done(&summary, latency, rates)?;
        }
        Ok(())
    }
}

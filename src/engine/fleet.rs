//! Takes the workers of a run through their phases together and collects what they report.

use super::aggregator::Aggregator;
use super::error::EngineError;
use super::event::Event;
use super::footprint::peak_memory;
use super::job::{Finished, FinishedScript, Job};
use super::messages::{Plan, Report, WorkerOrder};
use super::refresh::Refresh;
use super::tls_mismatch::MismatchCheck;
use super::worker_handle::WorkerHandle;
use crate::clock::{RunClock, process_cpu};
use crate::measure::{Ending, GeneratorUse, Note, RunResult};
use crate::script::{MainScript, Port, ScriptError, ScriptSpec};
use crate::spec::{RunSpec, Target};
use crate::transport::{Address, Addresses, Dialer};
use crate::units::Nanos;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use tokio::sync::watch;

/// Time between the last preparation and the first due time; the workers wake up meanwhile.
const LEAD_IN: Nanos = Nanos::from_millis(20);
/// How often signals and dead workers are looked for.
const POLL: Nanos = Nanos::from_millis(50);
/// How long a worker may take for its final report after the end of the load, or after a signal.
const PATIENCE: Nanos = Nanos::from_secs(3);

/// The coordinator of a run: all workers, before and while the load is on.
pub struct Fleet {
    spec: Arc<RunSpec>,
    /// With the target index of each.
    workers: Vec<(usize, WorkerHandle)>,
    main_scripts: Vec<Option<MainScript>>,
    reports: Receiver<(usize, Report)>,
    stop: watch::Sender<bool>,
}

impl Fleet {
    /// Starts the workers, which load their scripts.
    ///
    /// # Errors
    /// [`EngineError`] when a script does not load or a thread cannot be started.
    pub fn start(
        job: &Job,
        spec: &Arc<RunSpec>,
        addresses: &[Addresses],
        dialers: &[Dialer],
        refresh: &Refresh,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Fleet, EngineError> {
        let (report, reports) = channel();
        let (stop, stopped) = watch::channel(false);
        let per_target = spec.workers_per_target();
        let mut fleet = Fleet {
            spec: spec.clone(),
            workers: Vec::new(),
            main_scripts: Vec::new(),
            reports,
            stop,
        };
        for (index, (target, addresses)) in spec.targets.iter().zip(addresses).enumerate() {
            let script = script_spec(job, target, addresses).map(Arc::new);
            // The main state is loaded first, so that a bad script is reported once and not per worker.
            fleet.main_scripts.push(match &script {
                Some(script) => Some(MainScript::load(script)?),
                None => None,
            });
            for worker in 0..per_target {
                let plan = Plan {
                    spec: spec.clone(),
                    target: target.clone(),
                    addresses: refresh.addresses_of(index),
                    dialer: dialers[index].clone(),
                    script: script.clone(),
                    worker,
                    number: fleet.workers.len(),
                    threads: per_target * spec.targets.len(),
                    cores: job.environment.cores,
                };
                let handle = WorkerHandle::spawn(plan, report.clone(), stopped.clone())?;
                fleet.workers.push((index, handle));
            }
        }
        fleet.await_all(interrupted, |report| {
            matches!(report, Report::Loaded).then_some(())
        })?;
        Ok(fleet)
    }

    /// Runs the script's `setup`, which may read and write the workers' variables.
    ///
    /// # Errors
    /// [`EngineError::Script`] when it fails.
    pub fn set_up(&mut self) -> Result<(), EngineError> {
        for (index, main) in self.main_scripts.iter_mut().enumerate() {
            let Some(main) = main else { continue };
            main.setup(&ports(&self.workers, index))?;
        }
        Ok(())
    }

    /// Opens the connections of all workers.
    ///
    /// # Errors
    /// [`EngineError::NoConnection`] when a target accepts none, or what else a worker reports.
    pub fn open(
        &self,
        addresses: &[Addresses],
        interrupted: &dyn Fn() -> bool,
    ) -> Result<(), EngineError> {
        for (_, worker) in &self.workers {
            let _ = worker.orders.send(WorkerOrder::Open);
        }
        let opened = self.await_all(interrupted, |report| match report {
            Report::Opened(opened) => Some(opened.clone()),
            _ => None,
        })?;
        for (index, addresses) in addresses.iter().enumerate() {
            let of_target = || {
                let numbered = self.workers.iter().zip(&opened);
                numbered
                    .filter(|((target, _), _)| *target == index)
                    .map(|(_, opened)| opened)
            };
            if of_target().all(|opened| opened.count == 0) {
                let cause = of_target().find_map(|opened| opened.error.clone());
                let address = addresses.answering.first().map(ToString::to_string);
                return Err(EngineError::NoConnection(
                    address.unwrap_or_default(),
                    cause.unwrap_or_default(),
                ));
            }
        }
        Ok(())
    }

    /// Waits until each worker has sent a report that `wanted` finds a value in; returns the values.
    fn await_all<T: Clone>(
        &self,
        interrupted: &dyn Fn() -> bool,
        wanted: impl Fn(&Report) -> Option<T>,
    ) -> Result<Vec<T>, EngineError> {
        let mut values = vec![None; self.workers.len()];
        while values.iter().any(Option::is_none) {
            match self.next_report(interrupted)? {
                None => return Err(EngineError::Interrupted),
                Some((_, Report::Broken(error))) => return Err(error.into()),
                Some((_, Report::Refused(error))) => return Err(EngineError::Refused(error)),
                Some((number, report)) => {
                    if let Some(value) = wanted(&report) {
                        values[number] = Some(value);
                    }
                }
            }
        }
        Ok(values.into_iter().flatten().collect())
    }

    /// The next report with its worker's number; `None` when interrupted first.
    fn next_report(
        &self,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Option<(usize, Report)>, EngineError> {
        loop {
            match self.reports.recv_timeout(POLL.to_duration()) {
                Ok(report) => return Ok(Some(report)),
                Err(RecvTimeoutError::Disconnected) => return Err(EngineError::WorkerDied),
                Err(RecvTimeoutError::Timeout) if interrupted() => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {
                    let is_dead = |worker: &WorkerHandle| {
                        let thread = worker.thread.as_ref();
                        thread.is_some_and(JoinHandle::is_finished)
                    };
                    if self.workers.iter().any(|(_, worker)| is_dead(worker)) {
                        // The worker's last report may still be in the channel.
                        return match self.reports.try_recv() {
                            Ok(report) => Ok(Some(report)),
                            Err(_) => Err(EngineError::WorkerDied),
                        };
                    }
                }
            }
        }
    }

    /// Makes the load and adds up what was measured. `observe` is called for every event;
    /// `interrupted` is asked about 20 times a second.
    ///
    /// # Errors
    /// [`EngineError`] when a worker dies or hangs, or when a target turns out to speak TLS.
    pub fn run(
        self,
        job: &Job,
        addresses: Vec<Addresses>,
        observe: &mut dyn FnMut(Event<'_>),
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Finished, EngineError> {
        let clock = RunClock::starting_in(LEAD_IN);
        let cpu_before = process_cpu();
        for (_, worker) in &self.workers {
            let _ = worker.orders.send(WorkerOrder::Start(clock));
        }
        observe(Event::Started(clock, self.spec.window()));
        let loaded = self.collect(clock, &addresses, observe, interrupted)?;
        let ending = match (&loaded.script_error, loaded.was_interrupted) {
            (Some(_), _) => Ending::Aborted,
            (None, true) => Ending::Interrupted,
            (None, false) => Ending::Complete,
        };
        let cpu_seconds = (process_cpu() - cpu_before).as_secs_f64();
        let aggregated = loaded.aggregator.finish(addresses, observe);
        let result = RunResult {
            spec: job.spec.clone(),
            environment: job.environment.clone(),
            ending,
            start_unix: clock.unix_origin(),
            window: aggregated.window,
            targets: aggregated.targets.into(),
            generator: GeneratorUse {
                cpu_seconds,
                max_rss_bytes: peak_memory(),
                threads: aggregated.threads,
            },
            notes: aggregated.notes,
            resources: None,
        };
        Ok(Finished {
            result,
            script: FinishedScript {
                error: loaded.script_error,
                mains: self.main_scripts,
                _workers: self.workers,
            },
        })
    }

    /// Collects reports until every worker has sent its final one.
    fn collect(
        &self,
        clock: RunClock,
        addresses: &[Addresses],
        observe: &mut dyn FnMut(Event<'_>),
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Loaded, EngineError> {
        let owners: Vec<usize> = self.workers.iter().map(|(target, _)| *target).collect();
        let mut loaded = Loaded {
            aggregator: Aggregator::new(&self.spec, owners.clone()),
            script_error: None,
            was_interrupted: false,
        };
        let mut mismatch = MismatchCheck::new(&self.spec, addresses);
        let mut limit = self.spec.window().stop + PATIENCE;
        while !loaded.aggregator.is_complete() {
            let is_stopped = loaded.was_interrupted || loaded.script_error.is_some();
            let is_over = || clock.now() > limit || (!is_stopped && interrupted());
            match self.next_report(&is_over)? {
                None if clock.now() > limit => {
                    return Err(EngineError::Stuck(loaded.aggregator.first_missing()));
                }
                None => {
                    loaded.was_interrupted = true;
                    limit = limit.min(self.stop_early(clock));
                }
                Some((_, Report::Broken(error))) => {
                    loaded.script_error.get_or_insert(error);
                    limit = limit.min(self.stop_early(clock));
                }
                Some((_, Report::Refused(cause))) => {
                    loaded.aggregator.note(Note::System { cause });
                }
                Some((number, Report::Slices(slices, names))) => {
                    if let Err(error) = mismatch.check(owners[number], &slices) {
                        self.stop.send_replace(true);
                        return Err(error.into());
                    }
                    loaded
                        .aggregator
                        .add_slices(number, slices, &names, observe);
                }
                Some((number, Report::Ended(report))) => {
                    loaded.aggregator.add_report(number, report);
                }
                Some((_, Report::Loaded | Report::Opened(_))) => {}
            }
        }
        Ok(loaded)
    }

    /// Tells all workers to stop; returns by when they must have reported.
    fn stop_early(&self, clock: RunClock) -> Nanos {
        self.stop.send_replace(true);
        clock.now() + PATIENCE
    }
}

/// What the workers reported during the load.
struct Loaded {
    aggregator: Aggregator,
    script_error: Option<ScriptError>,
    was_interrupted: bool,
}

/// The workers of a target as the main state sees them.
fn ports(workers: &[(usize, WorkerHandle)], target: usize) -> Vec<Port> {
    let of_target = workers.iter().filter(|(owner, _)| *owner == target);
    let port = |(_, worker): &(usize, WorkerHandle)| {
        let orders = worker.orders.clone();
        Port::new(move |question| orders.send(WorkerOrder::Answer(question)).is_ok())
    };
    of_target.map(port).collect()
}

/// What the script of a target is given; `None` without a script.
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

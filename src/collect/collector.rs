//! The collector: a thread with a runtime of its own, so that it and the load do not wait for each
//! other.

use super::collected::Collected;
use super::error::CollectError;
use super::info::CollectorInfo;
use super::sampling_loop::{Command, SamplingLoop, Sent};
use super::source::SampleSource;
use crate::clock::{RunClock, TimeSource};
use crate::resources::{CollectorUse, Part, Quantity, Spans};
use crate::spec::{CollectFrom, CollectSpec, Window};
use crate::units::Nanos;
use std::sync::mpsc as answers;
use std::thread::JoinHandle;
use tokio::runtime::LocalRuntime;
use tokio::sync::mpsc;

/// A running collector.
pub struct Collector {
    commands: mpsc::UnboundedSender<Sent>,
    thread: Option<JoinHandle<Collected>>,
    clock: TimeSource,
    /// What was found at the start.
    pub info: CollectorInfo,
}

impl Collector {
    /// Finds what there is to collect from, takes first samples, and goes on sampling. `None` when
    /// nothing was asked for.
    ///
    /// # Errors
    /// [`CollectError`] with the cure.
    pub fn start(spec: &CollectSpec) -> Result<Option<Collector>, CollectError> {
        Collector::start_by(spec, TimeSource::machine())
    }

    /// As [`Collector::start`], with the time of `clock` in place of the machine's.
    ///
    /// # Errors
    /// [`CollectError`] with the cure.
    pub fn start_by(
        spec: &CollectSpec,
        clock: TimeSource,
    ) -> Result<Option<Collector>, CollectError> {
        if spec.from == CollectFrom::None {
            return Ok(None);
        }
        let (commands, inbox) = mpsc::unbounded_channel();
        let (answer, started) = answers::channel();
        let (spec, clock_of_thread) = (spec.clone(), clock.clone());
        let thread = std::thread::Builder::new().name("collector".to_owned());
        let thread = thread
            .spawn(move || work(&spec, clock_of_thread, inbox, &answer))
            .map_err(CollectError::Thread)?;
        match started.recv() {
            Ok(Ok(info)) => Ok(Some(Collector {
                commands,
                thread: Some(thread),
                clock,
                info,
            })),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(CollectError::Died),
        }
    }

    /// Says that the load has begun, at the origin of its clock, and which window is ahead. Gives that
    /// origin in nanoseconds since 1970, on the collector's clock.
    pub fn begin(&self, load: &RunClock, window: Window) -> Nanos {
        let load_start = self.clock.origin_of(load);
        self.begin_at(load_start, window);
        load_start
    }

    /// As [`Collector::begin`], with the start of the load in nanoseconds since 1970.
    pub fn begin_at(&self, load_start: Nanos, window: Window) {
        self.send(Command::Begin { load_start, window });
    }

    /// Says that the load is over. The collector goes on until every sample that was taken in the
    /// window has come, but at most for `patience`; a second call can only shorten that.
    pub fn finish(&self, patience: Nanos) {
        self.send(Command::Finish { patience });
    }

    fn send(&self, command: Command) -> bool {
        let hold = self.clock.busy();
        self.commands.send(Sent { command, hold }).is_ok()
    }

    /// CPU of the application's pods over the last `length`, in thousandths of a core; only samples
    /// since `since` (nanoseconds since 1970, on the collector's clock) count. `None` while there are
    /// not two of each container that runs or has just run.
    pub fn recent_application_cpu(&self, since: Nanos, length: Nanos) -> Option<f64> {
        let (show, shown) = answers::channel();
        if !self.send(Command::Show(show)) {
            return None;
        }
        let store = shown.recv().ok()?;
        let now = self.clock.unix();
        let resources = store.resources(
            Spans {
                load_start: since,
                window_start: since.max(now - length),
                window_end: now,
                load_end: now,
            },
            CollectorUse::default(),
        );
        resources.used(Part::Total, None, Quantity::Cpu).ok()
    }

    /// Whether the collector has finished.
    pub fn is_done(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits until the collector has finished, and gives what was collected.
    ///
    /// # Errors
    /// [`CollectError::Died`]
    pub fn collected(mut self) -> Result<Collected, CollectError> {
        let thread = self.thread.take().ok_or(CollectError::Died)?;
        thread.join().map_err(|_| CollectError::Died)
    }
}

/// The collector's thread: answers with what was found, or with the reason why nothing was, and then
/// samples.
fn work(
    spec: &CollectSpec,
    clock: TimeSource,
    commands: mpsc::UnboundedReceiver<Sent>,
    answer: &answers::Sender<Result<CollectorInfo, CollectError>>,
) -> Collected {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(Default::default());
    let runtime: LocalRuntime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = answer.send(Err(CollectError::Thread(error)));
            return Collected::default();
        }
    };
    runtime.block_on(async {
        // An advanced clock must not go on between the answer and the loop's first wait.
        let busy = clock.busy();
        let source = match SampleSource::find(spec, clock.clone()).await {
            Ok(source) => source,
            Err(error) => {
                let _ = answer.send(Err(error));
                return Collected::default();
            }
        };
        let info = source.info();
        let sampling = SamplingLoop::new(source, clock.clone(), spec.interval);
        let run = sampling.run(commands, busy);
        let _ = answer.send(Ok(info));
        run.await
    })
}

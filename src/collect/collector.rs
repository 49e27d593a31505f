//! The collector: a thread of its own with a runtime of its own, so that the load does not wait for
//! it, nor it for the load.

use super::kube_source::{KubeSource, NoCluster};
use super::processes::{NoProcess, Processes};
use super::sample_store::{Book, collector_use};
use crate::clock::{RunClock, thread_cpu};
use crate::kube::CallCounts;
use crate::resources::{Category, CollectorUse, Quantity, Resources, Spans};
use crate::spec::{CollectFrom, CollectSpec, Window};
use crate::units::Nanos;
use std::rc::Rc;
use std::sync::mpsc as ready;
use std::thread::JoinHandle;
use tokio::runtime::LocalRuntime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Why nothing can be collected.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// From a cluster.
    #[error(transparent)]
    Cluster(#[from] NoCluster),
    /// From processes.
    #[error(transparent)]
    Process(#[from] NoProcess),
    /// The operating system refused a thread.
    #[error("the collector cannot start: {0}")]
    Thread(#[from] std::io::Error),
    /// A defect of this program.
    #[error("the collector died; please report this")]
    Died,
}

/// What was found at the start.
#[derive(Debug, Clone)]
pub struct Introduction {
    /// A cluster is collected from, whose samples are late: the load needs a guard.
    pub is_cluster: bool,
    /// In one line.
    pub summary: String,
    /// What the user should know.
    pub notes: Vec<String>,
}

enum Order {
    /// The load's clock has started, and this is ahead.
    Begin(RunClock, Window),
    /// The load is over. Samples taken while it was on are waited for this long.
    Finish(Nanos),
    /// What is known so far is wanted.
    Show(ready::Sender<Book>),
}

/// A running collector.
pub struct Collector {
    orders: mpsc::UnboundedSender<Order>,
    thread: Option<JoinHandle<Collected>>,
    clock: RunClock,
    /// What was found at the start.
    pub introduction: Introduction,
}

/// Everything that was collected.
pub struct Collected {
    /// Samples, topology, gaps.
    pub book: Book,
    /// What it cost.
    pub cost: CollectorUse,
}

impl Collected {
    /// What was used in the window.
    pub fn resources(&self, spans: Spans) -> Resources {
        self.book.resources(spans, self.cost.clone())
    }
}

/// How long an edge that is being read is waited for when nothing else is: a cluster that hangs
/// must not hold the result.
const EDGE_PATIENCE: Nanos = Nanos::from_secs(8);

/// Where the window of a run lies on the collector's clock.
pub fn spans(load_start: Nanos, window: Window) -> Spans {
    Spans {
        load_start,
        window_start: load_start + window.start,
        window_end: load_start + window.end,
        load_end: load_start + window.stop,
    }
}

impl Collector {
    /// Finds what there is to collect from, takes first samples, and goes on sampling. `None` when
    /// nothing was asked for.
    ///
    /// # Errors
    /// [`CollectError`] with the cure.
    pub fn start(spec: &CollectSpec) -> Result<Option<Collector>, CollectError> {
        if spec.from == CollectFrom::None {
            return Ok(None);
        }
        let (orders, inbox) = mpsc::unbounded_channel();
        let (tell, told) = ready::channel();
        let clock = RunClock::start();
        let spec = spec.clone();
        let thread = std::thread::Builder::new().name("collector".to_owned());
        let thread = thread.spawn(move || work(&spec, clock, inbox, &tell))?;
        match told.recv() {
            Ok(Ok(introduction)) => Ok(Some(Collector {
                orders,
                thread: Some(thread),
                clock,
                introduction,
            })),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(CollectError::Died),
        }
    }

    /// The load has begun. Gives the moment, on the collector's clock.
    pub fn begin(&self, load: RunClock, window: Window) -> Nanos {
        let _ = self.orders.send(Order::Begin(load, window));
        load.origin_on(&self.clock)
    }

    /// The load is over; goes on for at most `patience`, until every sample that was taken in the
    /// window has come.
    pub fn finish(&self, patience: Nanos) {
        let _ = self.orders.send(Order::Finish(patience));
    }

    /// CPU of the application's pods over the last `length`, in thousandths of a core; only samples
    /// since `since` (on our clock, nanoseconds since 1970) count. `None` while there are not two of
    /// each running container.
    pub fn recent_application_cpu(&self, since: Nanos, length: Nanos) -> Option<f64> {
        let (show, shown) = ready::channel();
        self.orders.send(Order::Show(show)).ok()?;
        let book = shown.recv().ok()?;
        let now = self.clock.unix();
        let resources = book.resources(
            Spans {
                load_start: since,
                window_start: since.max(now - length),
                window_end: now,
                load_end: now,
            },
            CollectorUse::default(),
        );
        // A sum over some of the containers would be no sum.
        let topology = &resources.topology;
        let mut sum = None;
        for pod in resources
            .pods
            .iter()
            .filter(|pod| pod.category == Category::Application)
        {
            let known = topology
                .pods
                .get(&pod.uid)
                .filter(|known| known.seen.to.is_none());
            let running = known.iter().flat_map(|known| &known.containers);
            for container in running.filter(|container| container.running) {
                let mut figures = pod.containers.iter();
                let figures = figures.find(|one| one.name == container.name)?;
                let cpu = figures.figure(Quantity::Cpu)?.value?;
                sum = Some(sum.unwrap_or(0.0) + cpu);
            }
        }
        sum
    }

    /// Whether it has finished.
    pub fn is_done(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits until it has finished, and gives what was collected.
    ///
    /// # Errors
    /// [`CollectError::Died`]
    pub fn collected(mut self) -> Result<Collected, CollectError> {
        let thread = self.thread.take().ok_or(CollectError::Died)?;
        thread.join().map_err(|_| CollectError::Died)
    }
}

fn nothing() -> Collected {
    Collected {
        book: Book::default(),
        cost: CollectorUse::default(),
    }
}

fn work(
    spec: &CollectSpec,
    clock: RunClock,
    orders: mpsc::UnboundedReceiver<Order>,
    tell: &ready::Sender<Result<Introduction, CollectError>>,
) -> Collected {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(Default::default());
    let runtime: LocalRuntime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = tell.send(Err(error.into()));
            return nothing();
        }
    };
    runtime.block_on(async {
        let origin = match Origin::find(spec, clock).await {
            Ok(origin) => origin,
            Err(error) => {
                let _ = tell.send(Err(error));
                return nothing();
            }
        };
        let _ = tell.send(Ok(origin.introduction()));
        let mut watch = Watch::new(origin, clock, spec.interval);
        watch.follow(orders).await;
        watch.close()
    })
}

/// Where samples come from.
enum Origin {
    Kube(Rc<KubeSource>),
    Processes(Rc<Processes>),
}

impl Origin {
    async fn find(spec: &CollectSpec, clock: RunClock) -> Result<Origin, CollectError> {
        Ok(match &spec.from {
            CollectFrom::Process(choices) => {
                Origin::Processes(Rc::new(Processes::find(choices, clock)?))
            }
            _ => Origin::Kube(Rc::new(KubeSource::find(spec, clock).await?)),
        })
    }

    fn introduction(&self) -> Introduction {
        match self {
            Origin::Kube(source) => source.introduction(),
            Origin::Processes(source) => source.introduction(),
        }
    }

    /// Looks at everything that is due at the `number`th look; what is on its way lands in `tasks`.
    fn look(&self, number: u64, tasks: &mut JoinSet<()>) {
        match self {
            Origin::Kube(source) => source.look(number, tasks),
            Origin::Processes(source) => source.look(),
        }
    }

    /// Reads what must be read at an edge of the window.
    fn edge(&self, tasks: &mut JoinSet<()>) {
        match self {
            Origin::Kube(source) => {
                let source = source.clone();
                tasks.spawn_local(async move { source.read_edge().await });
            }
            Origin::Processes(source) => source.look(),
        }
    }

    fn is_settled(&self, window_end: Nanos) -> bool {
        match self {
            Origin::Kube(source) => source.is_settled(window_end),
            Origin::Processes(_) => true,
        }
    }

    fn book(&self) -> Book {
        match self {
            Origin::Kube(source) => source.book.borrow().clone(),
            Origin::Processes(source) => source.book.borrow().clone(),
        }
    }

    fn counts(&self) -> CallCounts {
        match self {
            Origin::Kube(source) => source.counts(),
            Origin::Processes(_) => CallCounts::default(),
        }
    }
}

/// What is ahead; all on the collector's clock.
struct Watch {
    origin: Origin,
    clock: RunClock,
    interval: Nanos,
    looks: u64,
    looking: JoinSet<()>,
    /// Edges of the window that have not been read yet.
    edges: Vec<Nanos>,
    reading: JoinSet<()>,
    window_end: Option<Nanos>,
    /// Until when samples are waited for.
    until: Option<Nanos>,
}

impl Watch {
    fn new(origin: Origin, clock: RunClock, interval: Nanos) -> Watch {
        Watch {
            origin,
            clock,
            interval,
            looks: 0,
            looking: JoinSet::new(),
            edges: Vec::new(),
            reading: JoinSet::new(),
            window_end: None,
            until: None,
        }
    }

    async fn follow(&mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut next_look = self.clock.now();
        while !self.is_over() {
            let edge = self.edges.first().copied().unwrap_or(Nanos::MAX);
            let until = self.until.unwrap_or(Nanos::MAX);
            let clock = self.clock;
            tokio::select! {
                biased;
                () = clock.coarse_wait(edge) => {
                    self.edges.remove(0);
                    self.origin.edge(&mut self.reading);
                }
                order = orders.recv() => self.obey(order),
                () = clock.coarse_wait(next_look) => {
                    self.origin.look(self.looks, &mut self.looking);
                    self.looks += 1;
                    // Looks that were missed are not made up for.
                    next_look = (next_look + self.interval).max(self.clock.now());
                }
                () = clock.coarse_wait(until), if self.reading.is_empty() => {}
                Some(_) = self.looking.join_next() => {}
                Some(_) = self.reading.join_next() => {}
            }
        }
    }

    fn obey(&mut self, order: Option<Order>) {
        let now = self.clock.now();
        match order {
            Some(Order::Begin(load, window)) => {
                let start = load.origin_on(&self.clock);
                let start = start - self.clock.unix_origin();
                self.edges = vec![start + window.start, start + window.end];
                self.window_end = Some(self.clock.unix_origin() + start + window.end);
            }
            Some(Order::Finish(patience)) => {
                // A run that was cut short ends here.
                if self.edges.pop().is_some() {
                    self.edges.clear();
                    self.window_end = Some(self.clock.unix());
                    self.origin.edge(&mut self.reading);
                }
                let until = now + patience;
                self.until = Some(self.until.map_or(until, |before| before.min(until)));
            }
            Some(Order::Show(show)) => {
                let _ = show.send(self.origin.book());
            }
            // Whoever gave the orders is gone.
            None => self.until = Some(Nanos::ZERO),
        }
    }

    fn is_over(&self) -> bool {
        let Some(until) = self.until else {
            return false;
        };
        let has_settled = || {
            self.window_end
                .is_none_or(|end| self.origin.is_settled(end))
        };
        let now = self.clock.now();
        let is_enough = self.reading.is_empty() && (now >= until || has_settled());
        is_enough || now >= until + EDGE_PATIENCE
    }

    fn close(self) -> Collected {
        Collected {
            cost: collector_use(&self.origin.counts(), thread_cpu(), self.clock.now()),
            book: self.origin.book(),
        }
    }
}

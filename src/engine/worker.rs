//! One worker thread, from loading the script to closing its books. Its Lua state never leaves it.

use super::connection::Quota;
use super::dispatch::dispatch;
use super::feed::Feed;
use super::http2_connection::Terms;
use super::opening::Opener;
use super::pacer::Pacer;
use super::pool::Pool;
use super::source::Source;
use super::world::{Shared, World};
use crate::clock::{RunClock, thread_cpu};
use crate::measure::{ErrorKind, Recorder, Slice, Tally, ThreadUse};
use crate::schedule::Stripe;
use crate::script::{Question, ScriptError, ScriptSpec, WorkerScript};
use crate::spec::{RunSpec, Target};
use crate::transport::{Address, Dialer};
use crate::units::Nanos;
use crate::wire::{BadRequest, Translator, format_request};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::task::Poll;
use tokio::runtime::LocalRuntime;
use tokio::sync::watch;

/// Replies are read in pieces of up to this size.
const READ_BUFFER: usize = 64 * 1024;
/// How often full intervals are handed over and old requests looked for.
const HOUSEKEEPING: Nanos = Nanos::from_millis(50);

/// Everything that a worker is told when its thread starts.
pub struct Plan {
    /// The question.
    pub spec: Arc<RunSpec>,
    /// The URL that it serves.
    pub target: Target,
    /// Its addresses, which may change.
    pub addresses: watch::Receiver<Vec<Address>>,
    /// Who opens its connections.
    pub dialer: Dialer,
    /// The script, when there is one.
    pub script: Option<Arc<ScriptSpec>>,
    /// Its number among the workers of the target.
    pub worker: usize,
    /// Its number among all workers.
    pub number: usize,
    /// Workers of all targets together.
    pub threads: usize,
    /// Cores that the process may use.
    pub cores: usize,
}

/// What the coordinator asks of a worker.
pub enum Order {
    /// Before `Open` and after the run: a question of the main state.
    Answer(Question),
    /// Initialise the script and open the connections.
    Open,
    /// Run, on this clock.
    Start(RunClock),
    /// Nobody will ask anything any more.
    Dismiss,
}

/// What a worker tells the coordinator, with its number.
pub enum Report {
    /// The script is loaded.
    Loaded,
    /// The connections have been tried: so many stand, and the first error.
    Opened(usize, Option<String>),
    /// Intervals that are over.
    Slices(Vec<Slice>, Vec<String>),
    /// The books are closed.
    Ended(Box<Books>),
    /// The script failed; before the load, or during it (the books follow).
    Broken(ScriptError),
    /// The operating system refused something.
    Refused(String),
}

/// A worker's closed books.
pub struct Books {
    /// Counts and times.
    pub tally: Tally,
    /// What the thread used.
    pub usage: ThreadUse,
    /// When the script stopped it.
    pub stopped: Option<Nanos>,
    /// See [`World::has_moved_arrivals`].
    pub has_moved_arrivals: bool,
    /// The first error of each kind.
    pub complaints: Vec<(ErrorKind, String)>,
    /// Headers of its requests that HTTP/2 does not have.
    pub left_out: Vec<String>,
    /// The fewest streams that a server has allowed on a connection.
    pub narrowest: usize,
    /// When it stopped.
    pub stop: Nanos,
}

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

/// The worker's thread.
pub fn work(
    plan: &Plan,
    orders: &Receiver<Order>,
    report: &Sender<(usize, Report)>,
    stop: watch::Receiver<bool>,
) {
    let tell = |message| {
        // A coordinator that is gone needs no reports.
        let _ = report.send((plan.number, message));
    };
    match run(plan, orders, &tell, report, stop) {
        Ok(script) => serve_until_dismissed(script, orders),
        Err(Trouble::Script(error)) => tell(Report::Broken(error)),
        Err(Trouble::Io(error)) => tell(Report::Refused(error.to_string())),
        Err(Trouble::Dismissed) => {}
    }
}

fn run(
    plan: &Plan,
    orders: &Receiver<Order>,
    tell: &dyn Fn(Report),
    report: &Sender<(usize, Report)>,
    stop: watch::Receiver<bool>,
) -> Result<Option<WorkerScript>, Trouble> {
    let mut script = match &plan.script {
        Some(script) => Some(WorkerScript::load(script, plan.number)?),
        None => None,
    };
    tell(Report::Loaded);
    serve_until_open(script.as_mut(), orders)?;
    let world = Rc::new(RefCell::new(world(plan, script)?));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(Default::default())?;
    let terms = Terms {
        quota: Quota(plan.spec.http.quota()),
        abort_after: plan.spec.load.abort_after,
    };
    let opener = Opener::new(world.clone(), plan.dialer.clone(), terms, offset(plan));
    let mut pacer = runtime.block_on(open(plan, &opener))?;
    let complaint = world
        .borrow()
        .complaints
        .first()
        .map(|(_, why)| why.clone());
    tell(Report::Opened(opener.opened.get(), complaint));
    let Ok(Order::Start(clock)) = orders.recv() else {
        return Err(Trouble::Dismissed);
    };
    let crew = Crew {
        plan,
        world,
        opener,
        report: report.clone(),
    };
    let (books, source) = crew.run(runtime, &mut pacer, clock, stop)?;
    tell(Report::Ended(Box::new(books)));
    Ok(source.into_script())
}

fn serve_until_open(
    mut script: Option<&mut WorkerScript>,
    orders: &Receiver<Order>,
) -> Result<(), Trouble> {
    loop {
        match (orders.recv(), script.as_deref_mut()) {
            (Ok(Order::Answer(question)), Some(script)) => script.answer(question),
            (Ok(Order::Answer(_)), None) => {}
            (Ok(Order::Open), Some(script)) => return Ok(script.init()?),
            (Ok(Order::Open), None) => return Ok(()),
            (Ok(Order::Start(_) | Order::Dismiss) | Err(_), _) => return Err(Trouble::Dismissed),
        }
    }
}

/// `done` may still ask for a worker's variables, so its state lives until nobody can ask.
fn serve_until_dismissed(script: Option<WorkerScript>, orders: &Receiver<Order>) {
    let Some(mut script) = script else { return };
    while let Ok(Order::Answer(question)) = orders.recv() {
        script.answer(question);
    }
}

fn world(plan: &Plan, script: Option<WorkerScript>) -> Result<World, Trouble> {
    let spec = &plan.spec;
    let window = spec.window();
    let schedule = spec.schedule();
    let recorder = Recorder::new(window, spec.load.timeout, schedule.is_some())
        .with_batch_latency(spec.recording.batch_latency)
        .with_rows(spec.recording.requests_csv);
    let source = source(plan, script)?;
    Ok(World {
        clock: RunClock::start(),
        is_on: false,
        feed: Feed::new(schedule.as_ref(), stripe(plan), window.stop),
        pool: Pool::new(spec.depth()),
        addresses: addresses(plan, &source),
        source,
        translator: Translator::new(&plan.target.scheme),
        again: VecDeque::new(),
        narrowest: usize::MAX,
        recorder,
        is_open_loop: schedule.is_some(),
        read_buffer: vec![0; READ_BUFFER],
        waiting_for_free: None,
        turns: 0,
        script_error: None,
        watching_for_error: None,
        complaints: Vec::new(),
        has_moved_arrivals: false,
        stopped: None,
        worker: plan.worker,
        workers: plan.spec.workers_per_target(),
    })
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

/// What HTTP/2 cannot carry is found out before the load.
fn try_translation(plan: &Plan, text: &[u8]) -> Result<(), BadRequest> {
    if plan.spec.http.http2 {
        Translator::new(&plan.target.scheme).translate(text)?;
    }
    Ok(())
}

fn stripe(plan: &Plan) -> Stripe {
    Stripe::new(
        plan.spec.load.connections,
        plan.spec.workers_per_target(),
        plan.worker,
    )
}

/// Connections are numbered over all workers, so that together they spread evenly over addresses.
fn offset(plan: &Plan) -> usize {
    let connections = plan.spec.load.connections;
    let workers = plan.spec.workers_per_target();
    let before = |worker| Stripe::new(connections, workers, worker).share_of(connections);
    (0..plan.worker).map(before).sum()
}

/// A script may have chosen an address for its thread.
fn addresses(plan: &Plan, source: &Source) -> Vec<Address> {
    match source.address() {
        Some(address) => vec![Address::Tcp(address)],
        None => plan.addresses.borrow().clone(),
    }
}

async fn open(plan: &Plan, opener: &Rc<Opener>) -> io::Result<Pacer> {
    let load = &plan.spec.load;
    for _ in 0..stripe(plan).share_of(load.connections) {
        opener.spawn();
    }
    opener.all_tried().await;
    Pacer::calibrated(load.pacing, plan.threads, plan.cores).await
}

/// A worker whose connections stand.
struct Crew<'a> {
    plan: &'a Plan,
    world: Shared,
    opener: Rc<Opener>,
    report: Sender<(usize, Report)>,
}

impl Crew<'_> {
    fn run(
        self,
        runtime: LocalRuntime,
        pacer: &mut Pacer,
        clock: RunClock,
        stop: watch::Receiver<bool>,
    ) -> Result<(Books, Source), Trouble> {
        let cpu_before = thread_cpu();
        let outcome = runtime.block_on(self.load(pacer, clock, stop));
        let stop = clock.now();
        let usage = ThreadUse {
            cpu_seconds: (thread_cpu() - cpu_before).as_secs_f64(),
            spin_seconds: pacer.spun().as_secs_f64(),
            timer_lead_ns: pacer.lead().0,
        };
        drop(self.opener);
        drop(runtime);
        let Some(world) = Rc::into_inner(self.world) else {
            return Err(io::Error::other("a task outlived its runtime").into());
        };
        let mut world = world.into_inner();
        let tell = |message| {
            let _ = self.report.send((self.plan.number, message));
        };
        if let Some(error) = world.script_error.take() {
            tell(Report::Broken(error));
        }
        if let Err(error) = outcome {
            tell(Report::Refused(error.to_string()));
        }
        let (books, source, slices, routes) = close_books(world, usage, stop);
        tell(Report::Slices(slices, routes));
        Ok((books, source))
    }

    /// The load, from its first due time until its end, a signal, or an error.
    async fn load(
        &self,
        pacer: &mut Pacer,
        clock: RunClock,
        mut stop: watch::Receiver<bool>,
    ) -> io::Result<()> {
        wait_for_origin(pacer, clock, &self.world).await?;
        self.switch_on(clock);
        let share = stripe(self.plan).share_of(self.plan.spec.load.max_connections);
        let end = self.plan.spec.window().stop;
        tokio::select! {
            biased;
            outcome = dispatch(&self.world, pacer, &self.opener, share) => outcome,
            () = clock.coarse_wait(end) => Ok(()),
            _ = stop.wait_for(|stop| *stop) => Ok(()),
            () = script_error(&self.world) => Ok(()),
            () = self.keep_house() => Ok(()),
        }
    }

    fn switch_on(&self, clock: RunClock) {
        let mut world = self.world.borrow_mut();
        world.clock = clock;
        world.is_on = true;
        // A script may have stopped the thread in `setup` already.
        world.obey_stop(Nanos::ZERO);
        for slot in world.pool.slots() {
            slot.free_since = Nanos::ZERO;
            // In a closed loop nobody but the connections themselves begins.
            if let Some(waker) = &slot.waker {
                waker.wake_by_ref();
            }
        }
    }

    async fn keep_house(&self) {
        let mut ticks = tokio::time::interval(HOUSEKEEPING.to_duration());
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut addresses = self.plan.addresses.clone();
        loop {
            ticks.tick().await;
            let mut world = self.world.borrow_mut();
            // An error means that nobody looks names up again.
            if world.source.address().is_none() && addresses.has_changed().unwrap_or(false) {
                let fresh = addresses.borrow_and_update().clone();
                world.move_to(fresh);
            }
            if let Some(limit) = self.plan.spec.load.abort_after {
                world.abort_older_than(limit);
            }
            let now = world.clock.now();
            world.recorder.roll(now);
            let slices: Vec<_> = world.recorder.full_slices().collect();
            if !slices.is_empty() {
                let routes = world.recorder.route_names();
                let _ = self
                    .report
                    .send((self.plan.number, Report::Slices(slices, routes)));
            }
        }
    }
}

/// Until its origin a clock reads zero, so the wait for it goes by one that began earlier.
async fn wait_for_origin(pacer: &mut Pacer, clock: RunClock, world: &Shared) -> io::Result<()> {
    let ahead = Nanos::SECOND;
    pacer.set_clock(clock.rewound(ahead));
    pacer.wait_until(ahead, world).await?;
    pacer.set_clock(clock);
    pacer.forget_spin();
    Ok(())
}

async fn script_error(world: &Shared) {
    std::future::poll_fn(|cx| {
        let mut world = world.borrow_mut();
        if world.script_error.is_some() {
            return Poll::Ready(());
        }
        world.watching_for_error = Some(cx.waker().clone());
        Poll::Pending
    })
    .await;
}

/// Accounts for everything that was due and has not ended.
fn close_books(
    mut world: World,
    usage: ThreadUse,
    stop: Nanos,
) -> (Books, Source, Vec<Slice>, Vec<String>) {
    let had_free = world.pool.has_free();
    let end = world.feed.end().min(stop);
    world.feed.end_at(end);
    let recorder = &mut world.recorder;
    for (id, slot) in world.pool.slots().enumerate() {
        let connection = (id * world.workers + world.worker) as u32;
        for request in slot.in_flight.drain(..) {
            recorder.unfinished(request.sending, request.route, connection, stop);
        }
        if let Some(arrival) = slot.assigned.take() {
            // Without a connection it waited for one to open, which is not the generator's doing.
            recorder.unsent(arrival.due, stop, slot.limit > 0);
        }
    }
    for again in world.again {
        let request = again.request;
        recorder.unfinished(request.sending, request.route, u32::MAX, stop);
    }
    if world.is_open_loop {
        for due in world.feed.remaining() {
            recorder.unsent(due, stop, had_free);
        }
    }
    let routes = recorder.route_names();
    let (tally, slices) = world.recorder.finish(stop);
    let books = Books {
        tally,
        usage,
        stopped: world.stopped,
        has_moved_arrivals: world.has_moved_arrivals,
        complaints: world.complaints,
        left_out: world.translator.left_out().map(str::to_owned).collect(),
        narrowest: world.narrowest,
        stop,
    };
    (books, world.source, slices, routes)
}

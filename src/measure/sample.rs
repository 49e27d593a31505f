//! Small results for the tests of every room that reads results. They are the same on every machine, and
//! are made as those of a run are: by giving moments to the real [`Recorder`].

use super::{
    Delivery, Distribution, Ending, Environment, ErrorKind, Failure, GeneratorUse, Interval, Note,
    Recorder, RunResult, Sending, Slice, TargetResult, ThreadUse,
};
use crate::spec::{
    HttpOptions, Load, Offered, Pacing, ReachOptions, RecordingOptions, RunSpec, Target,
    TlsOptions, Window,
};
use crate::units::{Nanos, Rate};

/// A result, and what its run reported while it went on.
pub struct Sample {
    /// A name for the messages of tests.
    pub name: &'static str,
    pub result: RunResult,
    /// The slices of the first target, with a row for every request.
    pub slices: Vec<Slice>,
    /// The names of the routes in the rows of `slices`, by number.
    pub routes: Vec<String>,
}

fn golden_path(name: &str) -> String {
    format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The text of the file of this name under tests/golden.
pub fn read_golden(name: &str) -> String {
    std::fs::read_to_string(golden_path(name)).expect("the golden file")
}

/// Asserts that a text equals the file of this name under tests/golden, line by line. With MESHLOAD_BLESS
/// set, the file is written first; look at the difference before you commit it.
#[track_caller]
pub fn assert_golden(name: &str, text: &str) {
    if std::env::var_os("MESHLOAD_BLESS").is_some() {
        std::fs::write(golden_path(name), text).expect("the golden file");
    }
    let golden = read_golden(name);
    for (number, (got, wanted)) in text.lines().zip(golden.lines()).enumerate() {
        assert_eq!(got, wanted, "{name}, line {}", number + 1);
    }
    assert_eq!(text, golden, "{name}");
}

/// All samples of this file.
pub fn every() -> Vec<Sample> {
    vec![
        ordinary(),
        troubled(),
        closed_loop(),
        interrupted(),
        two_targets(),
        empty(),
    ]
}

/// A run with nothing unusual: 1000/s for 2 s between a warm-up and a guard of 1 s, answered within 1 to 2 ms.
pub fn ordinary() -> Sample {
    let spec = spec(&["http://hotel:5000/hotels?a=1"], per_second(1000.0));
    let requests = (0..4_000).map(Request::quick).collect();
    play("ordinary", spec, Ending::Complete, vec![requests])
}

/// A run with bad statuses, failures of every kind, slow replies, connections that were refused or lost,
/// and three requests in flight and five in the backlog at its end. It has no guard, so that the
/// unfinished requests are due in the window.
pub fn troubled() -> Sample {
    let mut spec = spec(&["http://hotel:5000/hotels?a=1"], per_second(1000.0));
    spec.load.guard = Nanos::ZERO;
    spec.load.timeout = Nanos::from_millis(100);
    spec.load.abort_after = Some(Nanos::from_millis(300));
    let requests = (0..3_000).map(troubled_request).collect();
    play("troubled", spec, Ending::Complete, vec![requests])
}

fn troubled_request(seq: u64) -> Request {
    use ErrorKind::{Aborted, Parse, Read, Script, Write};
    let quick = Request::quick(seq);
    let after = |millis, kind| Fate::Fails(quick.sent() + Nanos::from_millis(millis), kind);
    let fate = match seq {
        2_995.. => Fate::Unsent,
        2_992.. => Fate::InFlight,
        1_200 => after(3, Read),
        1_300 => after(4, Read),
        1_400 => after(1, Write),
        1_500 => after(2, Parse),
        1_600 => after(300, Aborted),
        1_700 => after(2, Script),
        1_750..1_754 => quick.reply(Nanos::from_millis(150), 200),
        _ if seq % 100 == 7 => quick.reply(Nanos::from_millis(1), 503),
        _ if seq % 250 == 9 => quick.reply(Nanos::from_millis(1), 404),
        _ => return quick,
    };
    Request { fate, ..quick }
}

/// A closed loop of ten connections, each of which sends when its last reply has arrived.
pub fn closed_loop() -> Sample {
    let spec = spec(&["http://hotel:5000/"], Offered::Max);
    let requests = (0..4_000).map(|seq| {
        let mut request = Request::quick(seq);
        request.sending.due = request.sending.sent;
        request.sending.free = request.sending.sent;
        request
    });
    let requests = requests.collect();
    play("closed loop", spec, Ending::Complete, vec![requests])
}

/// The ordinary run, stopped by a signal 1.3 s after its window began.
pub fn interrupted() -> Sample {
    let spec = spec(&["http://hotel:5000/hotels"], per_second(1000.0));
    let stop = Nanos::from_millis(2_300);
    let requests = (0..2_300).map(Request::quick).map(|request| {
        let fate = match request.fate {
            Fate::Replies { done, .. } if done >= stop => Fate::InFlight,
            fate => fate,
        };
        Request { fate, ..request }
    });
    let requests = requests.collect();
    play("interrupted", spec, Ending::Interrupted, vec![requests])
}

/// A run of two URLs, each with the whole rate, of which the second answers ten times as slowly.
pub fn two_targets() -> Sample {
    let spec = spec(
        &["http://one:5000/a", "http://two:5000/b"],
        per_second(1000.0),
    );
    let quick = (0..4_000).map(Request::quick).collect();
    let slow = (0..4_000).map(|seq| {
        let quick = Request::quick(seq);
        let fate = quick.reply(Nanos::from_millis(10 + seq % 5), 200);
        Request { fate, ..quick }
    });
    let slow = slow.collect();
    play("two targets", spec, Ending::Complete, vec![quick, slow])
}

/// A run in which no connection could be opened and nothing was due.
pub fn empty() -> Sample {
    let spec = spec(&["http://nobody:1/"], per_second(1000.0));
    play("empty", spec, Ending::Complete, vec![Vec::new()])
}

/// A specification with wrk's defaults and a window of 2 s between a warm-up and a guard of 1 s.
pub fn spec(urls: &[&str], offered: Offered) -> RunSpec {
    let targets = urls.iter().map(|url| Target::parse(url).expect("a URL"));
    RunSpec {
        targets: targets.collect(),
        load: Load {
            offered,
            process: Default::default(),
            seed: 42,
            seed_pinned: true,
            connections: 10,
            max_connections: 10,
            threads: 2,
            pipeline: 1,
            pacing: Pacing::Auto,
            warmup: Nanos::SECOND,
            duration: Nanos::from_secs(2),
            guard: Nanos::SECOND,
            guard_pinned: false,
            timeout: Nanos::from_secs(2),
            abort_after: None,
        },
        http: HttpOptions::default(),
        reach: ReachOptions::default(),
        tls: TlsOptions::default(),
        headers: vec![("X-Study".to_owned(), "mesh".to_owned())],
        script: None,
        recording: RecordingOptions::default(),
        collect: Default::default(),
        step: None,
    }
}

/// An open loop at a constant rate.
pub fn per_second(rate: f64) -> Offered {
    Offered::Rate(Rate::per_second(rate).expect("a rate"))
}

struct Request {
    sending: Sending,
    route: &'static str,
    connection: u32,
    fate: Fate,
}

#[derive(Clone, Copy)]
enum Fate {
    Replies { done: Nanos, status: u16 },
    Fails(Nanos, ErrorKind),
    InFlight,
    Unsent,
}

impl Request {
    /// A request of a schedule of 1000/s that is sent 5 to 20 us late and answered in 1 to 2 ms. The
    /// steps share no factor with the rate, so that the values spread evenly.
    fn quick(seq: u64) -> Request {
        let due = Nanos::from_millis(seq);
        let sent = due + Nanos::from_micros(5 + seq % 16);
        let sending = Sending {
            due,
            free: due - Nanos::from_millis(8),
            sent,
        };
        let service = Nanos::from_micros(1_000 + seq * 7_919 % 997);
        let route = ["GET /hotels", "GET /hotels", "GET /recommendations"];
        Request {
            sending,
            route: route[(seq % 3) as usize],
            connection: (seq % 10) as u32,
            fate: Fate::Replies {
                done: sent + service,
                status: 200,
            },
        }
    }

    fn sent(&self) -> Nanos {
        self.sending.sent
    }

    fn reply(&self, service: Nanos, status: u16) -> Fate {
        Fate::Replies {
            done: self.sending.sent + service,
            status,
        }
    }

    fn ends(&self) -> Nanos {
        match self.fate {
            Fate::Replies { done, .. } => done,
            Fate::Fails(at, _) => at,
            Fate::InFlight | Fate::Unsent => Nanos::MAX,
        }
    }
}

/// The sample in which these requests, a list for each target, were recorded.
fn play(
    name: &'static str,
    spec: RunSpec,
    ending: Ending,
    requests_by_target: Vec<Vec<Request>>,
) -> Sample {
    let asked = spec.window();
    let stop = match ending {
        Ending::Complete => asked.stop,
        _ => Nanos::from_millis(2_300),
    };
    let window = Window {
        start: asked.start.min(stop),
        end: asked.end.min(stop),
        stop,
    };
    let mut slices = Vec::new();
    let mut routes = Vec::new();
    let mut targets = Vec::new();
    for (target, requests) in spec.targets.iter().zip(&requests_by_target) {
        let (mut result, its_slices, names) = play_target(&spec, target, stop, requests);
        let is_open = spec.schedule().is_some();
        let due = |request: &&Request| window.contains(request.sending.due);
        result.scheduled_by_ledger = is_open.then(|| requests.iter().filter(due).count() as u64);
        targets.push(result);
        if slices.is_empty() {
            (slices, routes) = (its_slices, names);
        }
    }
    let result = RunResult {
        environment: Environment {
            meshload: "0.1.0".to_owned(),
            system: "Linux 6.1 x86_64".to_owned(),
            processor: "a processor".to_owned(),
            cores: 2,
        },
        ending,
        start_unix: Nanos(1_700_000_000_000_000_000),
        window,
        targets: targets.into(),
        generator: GeneratorUse {
            cpu_seconds: 0.75,
            max_rss_bytes: 12_345_678,
            threads: vec![ThreadUse {
                cpu_seconds: 0.5,
                spin_seconds: 0.25,
                timer_lead_ns: 150_000,
            }],
        },
        notes: vec![
            Note::Text {
                text: "a note".to_owned(),
            },
            Note::FirstError {
                kind: ErrorKind::Read,
                cause: "closed".to_owned(),
            },
        ],
        resources: None,
        spec,
    };
    Sample {
        name,
        result,
        slices,
        routes,
    }
}

fn play_target(
    spec: &RunSpec,
    target: &Target,
    stop: Nanos,
    requests: &[Request],
) -> (TargetResult, Vec<Slice>, Vec<String>) {
    let is_open = spec.schedule().is_some();
    let mut recorder = Recorder::new(spec.window(), spec.load.timeout, is_open).with_rows(true);
    let mut fates = requests.iter().map(|one| one.fate);
    let has_failures = fates.any(|fate| matches!(fate, Fate::Fails(..)));
    for n in 0..10 * u64::from(!requests.is_empty()) {
        recorder.connected(Nanos::from_micros(200 + n * 10), false);
    }
    if has_failures {
        recorder.connected(Nanos::from_micros(900), true);
    }
    if has_failures || requests.is_empty() {
        recorder.connect_failed();
        recorder.connect_failed();
    }
    give_moments(&mut recorder, requests, stop);
    let routes = recorder.route_names();
    let (tally, slices) = recorder.finish(stop);
    let (window, mut due_so_far) = (spec.window(), 0);
    let intervals = slices.iter().map(|slice| {
        let is_due = |one: &&Request| slice.start <= one.sending.due && one.sending.due < slice.end;
        let scheduled = requests.iter().filter(is_due).count() as u64;
        due_so_far += scheduled;
        interval(slice, &window, is_open.then_some((scheduled, due_so_far)))
    });
    let whole =
        |slice: &&Slice| window.contains(slice.start) && slice.end - slice.start >= Nanos::SECOND;
    let rates = slices
        .iter()
        .filter(whole)
        .map(|slice| slice.completed as f64);
    let result = TargetResult {
        target: target.clone(),
        addresses: vec!["127.0.0.1:5000".to_owned()],
        scheduled_by_ledger: None,
        tally,
        intervals: intervals.collect(),
        thread_rates: rates.collect(),
    };
    (result, slices, routes)
}

/// Gives the recorder all moments of the requests in the order in which they happen.
fn give_moments(recorder: &mut Recorder, requests: &[Request], stop: Nanos) {
    let is_sent = |one: &&Request| !matches!(one.fate, Fate::Unsent);
    let sent = requests.iter().filter(is_sent);
    let mut moments: Vec<(Nanos, bool, &Request)> = Vec::new();
    for request in sent {
        moments.push((request.sent(), false, request));
        moments.push((request.ends(), true, request));
    }
    moments.sort_by_key(|(at, is_end, _)| (*at, *is_end));
    for (at, is_end, request) in moments {
        let route = recorder.route(request.route);
        let sending = request.sending;
        let connection = request.connection;
        match request.fate {
            _ if !is_end => recorder.sent(sending, 1),
            Fate::Replies { done, status } => {
                recorder.bytes(at, 250);
                recorder.delivered(&Delivery {
                    sending,
                    first_byte: done - Nanos::from_micros(100),
                    done,
                    status,
                    bytes: 250,
                    route,
                    ends_batch: true,
                    connection,
                });
            }
            Fate::Fails(at, kind) => recorder.failed(&Failure {
                sending,
                at,
                kind,
                route,
                connection,
            }),
            Fate::InFlight => recorder.unfinished(sending, route, 0, stop),
            Fate::Unsent => {}
        }
    }
    for request in requests {
        if matches!(request.fate, Fate::Unsent) {
            recorder.unsent(request.sending.due, stop, false);
        }
    }
}

fn interval(slice: &Slice, window: &Window, due: Option<(u64, u64)>) -> Interval {
    Interval {
        start: slice.start,
        duration: slice.end - slice.start,
        phase: window.phase(slice.start),
        scheduled: due.map(|(scheduled, _)| scheduled),
        completed: slice.completed,
        failed: slice.failed,
        bytes_read: slice.bytes,
        backlog: due.map(|(_, so_far)| so_far.saturating_sub(slice.taken)),
        in_flight: slice.in_flight,
        latency: Distribution::of(&slice.latency),
        service: Distribution::of(&slice.service),
        late: Distribution::of(&slice.late),
    }
}

#[test]
fn the_samples_are_what_they_say() {
    let whole = ordinary().result;
    let whole = whole.overall();
    assert_eq!((whole.scheduled, whole.completed), (2_000, 2_000));
    let troubled = troubled().result;
    let troubled = troubled.overall();
    assert_eq!(troubled.scheduled, 2_000);
    assert_eq!((troubled.failed, troubled.unfinished), (6, 8));
    assert_eq!(troubled.completed, 2_000 - 6 - 8);
    assert!(troubled.status.bad() > 0 && troubled.errors.timeout > 0);
    let interrupted = interrupted().result;
    assert_eq!(interrupted.overall().scheduled, 1_300);
    assert!(interrupted.overall().unfinished > 0);
    assert_eq!(two_targets().result.targets.len(), 2);
    assert!(!closed_loop().result.is_open_loop());
    assert_eq!(empty().result.overall().scheduled, 0);
}

//! The folder of a made-up sweep: two arms, `plain` and `meshed`, whose costs are planted, in
//! the files that a sweep writes. What a report or a comparison finds in it is known beforehand.

use meshload::files::{hlog_header, hlog_lines, run_to_json, samples_csv};
use meshload::measure::{
    Distribution, Ending, Environment, GeneratorUse, Histogram, Interval, RunResult, Slice, Tally,
    TargetResult, ThreadUse, fine, record,
};
use meshload::resources::{
    Amounts, Category, Container, Mesh, Node, Owner, Pod, Quantity, Role, Sample, SampleLog,
    SamplePoint, Scope, Seen, Source, Spans, Subject, Topology, reduce,
};
use meshload::spec::{
    HttpOptions, Load, Offered, ReachOptions, RecordingOptions, RunSpec, StepLabel, Target,
    TlsOptions, Window,
};
use meshload::units::{Nanos, Rate};
use meshload::verdict::{JudgedRun, Level, Verdict};
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256PlusPlus;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// What is planted.
pub struct Planted {
    /// Requests per second.
    pub rates: Vec<f64>,
    /// How often each is measured in each arm.
    pub repetitions: u32,
    /// Services of two pods each.
    pub services: usize,
    /// Length of the window in seconds.
    pub seconds: u64,
}

/// CPU milliseconds per request of a service's app, and of a sidecar.
const APP_MS: f64 = 0.2;
const SIDECAR_MS: f64 = 0.05;
/// Thousandths of a core of a pod's container without any request.
const IDLE_M: f64 = 5.0;
/// What the mesh adds to every request.
const ADDED_MS: f64 = 1.2;
/// Requests per second that an arm finishes at most.
const CAPACITY: [f64; 2] = [1_100.0, 950.0];
const ARMS: [&str; 2] = ["plain", "meshed"];
/// When the first step began.
const BEGIN: u64 = 1_790_000_000_000_000_000;

/// One step.
struct Step<'a> {
    planted: &'a Planted,
    arm: usize,
    rate: f64,
    repetition: u32,
    number: u32,
    rng: Xoshiro256PlusPlus,
}

/// Writes the folder; the same values give the same bytes.
pub fn plant(folder: &Path, planted: &Planted) {
    let arms: Vec<_> = ARMS
        .map(|name| serde_json::json!({ "name": name }))
        .to_vec();
    let plan = serde_json::json!({
        "format": "meshload.plan/1",
        "plan": { "arm": arms, "rates": planted.rates, "repetitions": planted.repetitions },
    });
    fs::create_dir_all(folder.join("steps")).expect("a folder");
    fs::write(folder.join("plan.json"), plan.to_string()).expect("a plan");
    let mut number = 0;
    for repetition in 1..=planted.repetitions {
        for rate in &planted.rates {
            for arm in 0..ARMS.len() {
                number += 1;
                let step = Step {
                    planted,
                    arm,
                    rate: *rate,
                    repetition,
                    number,
                    rng: Xoshiro256PlusPlus::seed_from_u64(u64::from(number)),
                };
                step.write(folder);
            }
        }
    }
}

impl Step<'_> {
    fn write(mut self, sweep: &Path) {
        let name = format!(
            "{:04}-{}-{}-rep{}",
            self.number, ARMS[self.arm], self.rate, self.repetition
        );
        let folder = sweep.join("steps").join(name);
        fs::create_dir_all(&folder).expect("a folder");
        let (tally, slices) = self.load();
        let (log, topology) = self.samples();
        let spans = self.spans();
        let spec = self.spec();
        let resources = reduce(&log, &topology, spans, Vec::new(), &BTreeMap::new());
        let target = TargetResult {
            target: spec.targets[0].clone(),
            addresses: vec!["127.0.0.1:5000".to_owned()],
            scheduled_by_ledger: Some(tally.scheduled),
            intervals: slices.iter().map(|slice| self.interval(slice)).collect(),
            thread_rates: slices.iter().map(|slice| slice.completed as f64).collect(),
            tally,
        };
        let result = RunResult {
            environment: Environment {
                meshload: "0.1.0".to_owned(),
                system: "Linux".to_owned(),
                processor: "planted".to_owned(),
                cores: 2,
            },
            ending: Ending::Complete,
            start_unix: spans.load_start,
            window: self.window(),
            targets: vec![target].into(),
            generator: GeneratorUse {
                threads: vec![ThreadUse::default()],
                ..GeneratorUse::default()
            },
            notes: Vec::new(),
            resources: Some(resources),
            spec,
        };
        let verdict = Verdict {
            level: Level::Valid,
            reasons: Vec::new(),
        };
        let lines: String = slices.iter().map(hlog_lines).collect();
        let hlog = hlog_header(spans.load_start) + &lines;
        fs::write(folder.join("latency.hlog"), hlog).expect("a log");
        fs::write(folder.join("samples.csv"), samples_csv(&log)).expect("samples");
        let json = run_to_json(&JudgedRun::with_verdict(result, verdict));
        fs::write(folder.join("run.json"), json).expect("a result");
    }

    fn noisy(&mut self, value: f64, share: f64) -> f64 {
        let noise: f64 = self.rng.sample(StandardNormal);
        value * (1.0 + share * noise)
    }

    /// Warm-up 15 s, guard 20 s.
    fn window(&self) -> Window {
        let seconds = |seconds| Nanos::from_secs(seconds);
        Window {
            start: seconds(15),
            end: seconds(15 + self.planted.seconds),
            stop: seconds(35 + self.planted.seconds),
        }
    }

    fn spans(&self) -> Spans {
        let start = Nanos(BEGIN) + Nanos::from_secs(u64::from(self.number) * 200);
        let window = self.window();
        Spans {
            load_start: start,
            window_start: start + window.start,
            window_end: start + window.end,
            load_end: start + window.stop,
        }
    }

    fn spec(&self) -> RunSpec {
        let window = self.window();
        RunSpec {
            targets: vec![Target::parse("http://127.0.0.1:5000/").expect("a URL")],
            load: Load {
                offered: Offered::Rate(Rate::per_second(self.rate).expect("a rate")),
                process: Default::default(),
                seed: u64::from(self.repetition),
                seed_pinned: true,
                connections: 100,
                max_connections: 100,
                threads: 2,
                pipeline: 1,
                pacing: Default::default(),
                warmup: window.start,
                duration: window.length(),
                guard: window.stop - window.end,
                guard_pinned: false,
                timeout: Nanos::from_secs(2),
                abort_after: None,
            },
            http: HttpOptions::default(),
            reach: ReachOptions::default(),
            tls: TlsOptions::default(),
            headers: Vec::new(),
            script: None,
            recording: RecordingOptions::default(),
            collect: Default::default(),
            step: Some(StepLabel {
                number: self.number,
                arm: ARMS[self.arm].to_owned(),
                repetition: self.repetition,
            }),
        }
    }

    fn achieved(&self) -> f64 {
        self.rate.min(CAPACITY[self.arm])
    }

    /// What was sent and answered, second by second: exponential times around 4 ms and what the mesh
    /// adds; those of a second are slow together, and beyond capacity the queue grows.
    fn load(&mut self) -> (Tally, Vec<Slice>) {
        let window = self.window();
        let per_second = self.achieved().round() as u64;
        let drift = self.noisy(1.0, 0.02);
        let mut tally = Tally::default();
        let mut slices = Vec::new();
        for second in 0..window.stop.as_secs_f64() as u64 {
            let start = Nanos::from_secs(second);
            let mut slice = Slice::new(start, start + Nanos::SECOND);
            let together = self.noisy(drift, 0.1);
            let waiting = (self.rate - self.achieved()) * second as f64;
            let queued_ms = waiting / self.achieved() * 1e3;
            for _ in 0..per_second {
                let own: f64 = self.rng.sample(rand_distr::Exp1);
                let service_ms = (own * 4.0 * together).max(0.1) + ADDED_MS * self.arm as f64;
                let time = |ms: f64| Nanos((ms * 1e6) as u64);
                record(&mut slice.latency, time(service_ms + queued_ms));
                record(&mut slice.service, time(service_ms));
                record(&mut slice.late, Nanos::from_micros(20));
                record(&mut slice.lag, time(queued_ms));
            }
            slice.completed = per_second;
            slice.bytes = per_second * 700;
            slice.taken = (per_second as f64 * (second + 1) as f64) as u64;
            slice.in_flight = 4;
            if window.contains(start) {
                count(&mut tally, &slice, self.rate.round() as u64);
            }
            slices.push(slice);
        }
        (tally, slices)
    }

    fn interval(&self, slice: &Slice) -> Interval {
        let phase = self.window().phase(slice.start);
        let second = slice.end.as_secs_f64();
        Interval {
            start: slice.start,
            duration: slice.end - slice.start,
            phase,
            scheduled: Some(self.rate.round() as u64),
            completed: slice.completed,
            failed: 0,
            bytes_read: slice.bytes,
            backlog: Some(((self.rate - self.achieved()) * second) as u64),
            in_flight: slice.in_flight,
            latency: Distribution::of(&slice.latency),
            service: Distribution::of(&slice.service),
            late: Distribution::of(&slice.late),
        }
    }

    /// What a kubelet would have said every 10 s: CPU, memory and network that follow the load.
    fn samples(&mut self) -> (SampleLog, Topology) {
        let spans = self.spans();
        let mut topology = Topology {
            scope: Scope {
                application: BTreeSet::from(["hotel".to_owned()]),
                ..Scope::default()
            },
            ..Topology::default()
        };
        let node = Node {
            cores: Some(36.0),
            ..serde_json::from_str(r#"{"name":"node-1","runtime":"containerd://2","kubelet":"v1.34.0","kernel":"6.1"}"#)
                .expect("a node")
        };
        topology.nodes.insert("node-1".to_owned(), node);
        let pods: Vec<Pod> = (0..self.planted.services * 2)
            .map(|number| self.pod(number))
            .collect();
        topology.update(pods.clone(), spans.load_start);
        let mut log = SampleLog::default();
        for pod in &pods {
            for container in &pod.containers {
                let is_app = container.role == Role::App;
                let per_request = if is_app { APP_MS } else { SIDECAR_MS };
                // Two pods share a service's requests.
                let busy_m = self.noisy(per_request / 2.0 * self.achieved(), 0.01) + IDLE_M;
                let subject = pod.subject(Some(&container.name));
                counter(&mut log, &subject, Quantity::Cpu, spans, busy_m * 1e6);
                let memory = if is_app { 60e6 } else { 50e6 };
                level(
                    &mut log,
                    &subject,
                    Quantity::WorkingSet,
                    spans,
                    self.noisy(memory, 0.01),
                );
                if !is_app {
                    counter(&mut log, &subject, Quantity::CpuPeriods, spans, 10.0);
                    counter(
                        &mut log,
                        &subject,
                        Quantity::ThrottledPeriods,
                        spans,
                        self.rate / 400.0,
                    );
                }
                counter(&mut log, &subject, Quantity::PsiCpu, spans, self.rate * 1e4);
            }
            let subject = pod.subject(None);
            let bytes = self.noisy(self.achieved() * 900.0, 0.01);
            counter(&mut log, &subject, Quantity::NetworkRx, spans, bytes);
            counter(&mut log, &subject, Quantity::NetworkTx, spans, bytes * 1.3);
        }
        (log, topology)
    }

    fn pod(&self, number: usize) -> Pod {
        let container = |name: &str, role, cpu_m| Container {
            name: name.to_owned(),
            role,
            image: format!("{name}:1"),
            image_id: None,
            requests: Amounts::default(),
            limits: Amounts {
                cpu_millicores: Some(cpu_m),
                memory_bytes: Some(256e6),
            },
            native_sidecar: false,
            running: true,
            restarts: 0,
            last_exit: None,
            started: None,
        };
        let mut containers = vec![container("app", Role::App, 1_000.0)];
        if self.arm == 1 {
            containers.push(container("istio-proxy", Role::Sidecar, 60.0));
        }
        let service = format!("service-{:02}", number / 2);
        Pod {
            node: "node-1".to_owned(),
            namespace: "hotel".to_owned(),
            name: format!("{service}-{number}"),
            uid: format!("uid-{number}"),
            owner: Owner {
                kind: "Deployment".to_owned(),
                name: service.clone(),
            },
            service,
            category: Category::Application,
            mesh: if self.arm == 1 {
                Mesh::Sidecar
            } else {
                Mesh::None
            },
            host_network: false,
            phase: "Running".to_owned(),
            ready: true,
            labels: BTreeMap::new(),
            containers,
            seen: Seen {
                from: Nanos::ZERO,
                to: None,
            },
        }
    }
}

fn count(tally: &mut Tally, slice: &Slice, scheduled: u64) {
    tally.scheduled += scheduled;
    tally.completed += slice.completed;
    tally.unfinished += scheduled - slice.completed;
    tally.sent += slice.completed;
    tally.finished_in_window += slice.completed;
    tally.bytes_in_window += slice.bytes;
    tally.status.add(200, slice.completed);
    let add = |to: &mut Histogram, from: &Histogram| to.add(from).expect("it grows");
    add(&mut tally.latency, &slice.latency);
    add(&mut tally.service, &slice.service);
    add(&mut tally.late, &slice.late);
    let mut ages = fine();
    ages.record_n(5_000_000_000, scheduled - slice.completed)
        .expect("it grows");
    add(&mut tally.censored, &ages);
    let half = tally.routes.entry("GET /hotels".to_owned()).or_default();
    half.requests += scheduled;
    half.status.add(200, slice.completed);
    half.latency.add(&slice.latency).expect("it grows");
}

/// A counter that grows by so much a second, read every 10 s from before the load to after it.
fn counter(log: &mut SampleLog, subject: &Subject, quantity: Quantity, spans: Spans, growth: f64) {
    push(log, subject, quantity, spans, &|seconds| {
        (growth * (seconds + 100.0)) as u64
    });
}

fn level(log: &mut SampleLog, subject: &Subject, quantity: Quantity, spans: Spans, value: f64) {
    push(log, subject, quantity, spans, &|_| value as u64);
}

fn push(
    log: &mut SampleLog,
    subject: &Subject,
    quantity: Quantity,
    spans: Spans,
    of: &dyn Fn(f64) -> u64,
) {
    let end = (spans.load_end - spans.load_start).as_secs_f64();
    let mut at = 0.0;
    while at <= end + 10.0 {
        let stamp = spans.load_start + Nanos((at * 1e9) as u64);
        log.push(Sample {
            subject: subject.clone(),
            quantity,
            source: Source::MetricsResource,
            point: SamplePoint {
                stamp,
                received: stamp,
                value: of(at),
                epoch: None,
            },
        });
        at += 10.0;
    }
}

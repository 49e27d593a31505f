//! What the parts of the hot path cost, each by itself: the schedule, recording, merging, parsing,
//! a request made in Lua. `cargo bench --bench generator`.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use meshload::measure::{Delivery, Recorder, Sending, Slice, Tally};
use meshload::schedule::{ArrivalProcess, Profile, Schedule, Stripe};
use meshload::script::{ScriptSpec, WorkerScript};
use meshload::spec::Window;
use meshload::units::{Nanos, Rate};
use meshload::wire::{ResponseParser, requests_in};

fn main() {
    divan::main();
}

const BATCH: u64 = 1_000;

#[divan::bench(args = [ArrivalProcess::Fixed, ArrivalProcess::Exp, ArrivalProcess::Zipf])]
fn schedule_of_one_worker(bencher: Bencher, process: ArrivalProcess) {
    arrivals(bencher, process, Stripe::whole());
}

/// A worker passes over the arrivals of the others.
#[divan::bench(args = [ArrivalProcess::Fixed, ArrivalProcess::Exp])]
fn schedule_of_one_worker_in_seven(bencher: Bencher, process: ArrivalProcess) {
    arrivals(bencher, process, Stripe::new(100, 7, 3));
}

fn arrivals(bencher: Bencher, process: ArrivalProcess, stripe: Stripe) {
    let rate = Rate::per_second(100_000.0).expect("a rate");
    let schedule = Schedule {
        process,
        profile: Profile::Constant(rate),
        seed: 1,
    };
    let mut arrivals = schedule.stripe(stripe);
    bencher
        .counter(ItemsCount::new(BATCH))
        .bench_local(|| arrivals.by_ref().take(BATCH as usize).last());
}

fn window() -> Window {
    Window {
        start: Nanos::ZERO,
        end: Nanos::from_secs(3_600),
        stop: Nanos::from_secs(3_600),
    }
}

/// A request that is due each millisecond and takes about 70 us.
fn delivery(index: u64) -> Delivery {
    let due = Nanos(index * 1_000_000);
    let sent = due + Nanos(2_000 + index % 977);
    let done = sent + Nanos(70_000 + index * 7_919 % 40_000);
    Delivery {
        sending: Sending {
            due,
            free: due - Nanos(500_000),
            sent,
        },
        first_byte: done,
        done,
        status: 200,
        bytes: 900,
        route: 2,
        ends_batch: true,
        connection: 0,
    }
}

fn record(recorder: &mut Recorder, index: u64) {
    let delivery = delivery(index);
    recorder.sent(delivery.sending, 1);
    recorder.bytes(delivery.done, delivery.bytes);
    recorder.delivered(&delivery);
}

#[divan::bench]
fn recording_an_exchange(bencher: Bencher) {
    let mut recorder = Recorder::new(window(), Nanos::from_secs(2), true);
    let mut index = 0;
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        for _ in 0..BATCH {
            record(&mut recorder, index % 3_000_000);
            index += 1;
        }
        recorder.full_slices().count()
    });
}

fn books() -> (Tally, Vec<Slice>) {
    let mut recorder = Recorder::new(window(), Nanos::from_secs(2), true);
    for index in 0..100_000 {
        record(&mut recorder, index);
    }
    recorder.finish(Nanos::from_secs(101))
}

#[divan::bench]
fn merging_two_tallies(bencher: Bencher) {
    let (tally, _) = books();
    bencher
        .with_inputs(|| tally.clone())
        .bench_local_values(|mut sum| {
            sum.merge(black_box(&tally));
            sum
        });
}

#[divan::bench]
fn merging_two_slices(bencher: Bencher) {
    let (_, slices) = books();
    let slice = &slices[1];
    bencher
        .with_inputs(|| slice.clone())
        .bench_local_values(|mut sum| {
            sum.merge(black_box(slice));
            sum
        });
}

#[divan::bench(args = [100, 850, 16_384])]
fn parsing_a_response_of(bencher: Bencher, body: usize) {
    let mut reply = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {body}\r\n\
         Date: Sun, 22 Nov 2026 12:00:00 GMT\r\nAccess-Control-Allow-Origin: *\r\n\r\n"
    )
    .into_bytes();
    reply.resize(reply.len() + body, b'x');
    let mut parser = ResponseParser::new(false);
    bencher.bench_local(|| parser.feed(black_box(&reply), false));
}

#[divan::bench]
fn parsing_a_chunked_response(bencher: Bencher) {
    let mut reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..4 {
        reply.extend_from_slice(b"400\r\n");
        reply.resize(reply.len() + 0x400, b'x');
        reply.extend_from_slice(b"\r\n");
    }
    reply.extend_from_slice(b"0\r\n\r\n");
    let mut parser = ResponseParser::new(false);
    bencher.bench_local(|| parser.feed(black_box(&reply), false));
}

#[divan::bench(args = [1, 16])]
fn counting_the_requests_of_a_batch_of(bencher: Bencher, count: usize) {
    let batch =
        b"GET /hotels?inDate=2015-04-09&outDate=2015-04-10&lat=38.0&lon=-122.0 HTTP/1.1\r\n\
        Host: localhost:5000\r\n\r\n"
            .repeat(count);
    bencher
        .counter(ItemsCount::new(count))
        .bench_local(|| requests_in(black_box(&batch)).filter(Result::is_ok).count());
}

fn script(source: &[u8]) -> WorkerScript {
    let spec = ScriptSpec {
        path: "bench.lua".into(),
        source: source.to_vec(),
        args: Vec::new(),
        url: "http://localhost:5000".into(),
        scheme: "http".into(),
        host: "localhost".into(),
        port: Some(5000),
        path_and_query: "/".into(),
        headers: Vec::new(),
        addrs: vec!["127.0.0.1:5000".parse().expect("an address")],
        seed: 1,
        seed_pinned: true,
        prints_to_stderr: false,
    };
    let mut script = WorkerScript::load(&spec, 0).expect("it loads");
    script.init().expect("it begins");
    script
}

#[divan::bench]
fn a_request_of_the_mix_in_lua(bencher: Bencher) {
    lua_requests(bencher, include_bytes!("../lua/mixed-workload_type_1.lua"));
}

#[divan::bench]
fn a_constant_request_in_lua(bencher: Bencher) {
    lua_requests(
        bencher,
        b"local r = wrk.format('GET', '/')\nfunction request() return r end",
    );
}

fn lua_requests(bencher: Bencher, source: &[u8]) {
    let mut script = script(source);
    let mut out = Vec::new();
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        for _ in 0..BATCH {
            out.clear();
            script.request(&mut out).expect("a request");
        }
        out.len()
    });
}

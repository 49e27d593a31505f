//! Clocks, pauses and random numbers.

use super::*;

const DRAWS: &str = "function request()
        local t = {}
        for i = 1, 8 do t[i] = math.random(1, 1000000) end
        return table.concat(t, ' ')
      end";

fn draws(source: &str, worker: usize, change: impl FnOnce(&mut ScriptSpec)) -> String {
    let mut spec = spec(&format!("{source}\n{DRAWS}"));
    change(&mut spec);
    let mut worker = WorkerScript::load(&spec, worker).unwrap();
    worker.init().unwrap();
    next(&mut worker)
}

#[test]
fn a_pinned_seed_is_reproducible_whatever_the_script_seeds_from() {
    let pinned = |source, worker, seed| {
        draws(source, worker, |spec| {
            spec.seed_pinned = true;
            spec.seed = seed;
        })
    };
    let plain = pinned("", 0, 1);
    assert_eq!(pinned("math.randomseed(os.time())", 0, 1), plain);
    assert_eq!(
        pinned(
            "local s = require 'socket'; math.randomseed(s.gettime() * 1000)",
            0,
            1
        ),
        plain
    );
    assert_ne!(pinned("", 1, 1), plain);
    assert_ne!(pinned("", 0, 2), plain);
}

#[test]
fn without_a_seed_of_the_user_s_the_script_s_own_counts() {
    let own = |seed: u64| draws("math.randomseed(42)", 0, |spec| spec.seed = seed);
    assert_eq!(own(1), own(2));
    assert_ne!(
        draws("", 0, |spec| spec.seed = 1),
        draws("", 0, |spec| spec.seed = 2)
    );
}

#[test]
fn workers_that_seed_from_the_time_do_not_run_in_lockstep() {
    let seeded = "local s = require 'socket'; math.randomseed(s.gettime() * 1000)";
    let all: HashSet<String> = (0..16)
        .map(|worker| draws(seeded, worker, |_| {}))
        .collect();
    assert_eq!(all.len(), 16);
    let mix = "local s = require 'socket'; math.randomseed((s.gettime() * 1000) % 2^31)";
    let all: HashSet<String> = (0..16).map(|worker| draws(mix, worker, |_| {})).collect();
    assert_eq!(all.len(), 16);
}

#[test]
fn gettime_is_the_wall_clock_and_never_the_same_twice() {
    const TIMES: &str = "local socket = require 'socket'
            function request()
              local t = {}
              for i = 1, 500 do t[i] = string.format('%.6f', socket.gettime()) end
              return table.concat(t, ' ')
            end";
    let ask = || std::thread::spawn(|| says(TIMES));
    let asked: Vec<_> = (0..4).map(|_| ask()).collect();
    let texts: Vec<String> = asked
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    let all: HashSet<&str> = texts.iter().flat_map(|text| text.split(' ')).collect();
    assert_eq!(all.len(), 4 * 500);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();
    for time in all {
        let off = (time.parse::<f64>().unwrap() - now).abs();
        assert!(off < 10.0, "{time} is {off} s off");
    }
}

#[test]
fn time_us_counts_microseconds() {
    let text = says("function request() return string.format('%d', wrk.time_us()) end");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_micros();
    assert!(now.abs_diff(text.parse().unwrap()) < 10_000_000, "{text}");
}

#[test]
fn sleep_sleeps() {
    let start = SystemTime::now();
    says("require('socket').sleep(0.02); function request() return 'x' end");
    assert!(start.elapsed().unwrap() >= Duration::from_millis(20));
    says("require('socket').sleep(-1); function request() return 'x' end");
}

#[test]
fn the_rest_of_luasocket_is_missed_with_a_cure() {
    let error = refusal("local socket = require 'socket'\nlocal c = socket.tcp()");
    assert!(error.message.contains("mine.lua:2:"), "{error}");
    assert!(
        error.message.contains("socket.tcp") && error.message.contains("install luasocket"),
        "{error}"
    );
}

#[test]
fn the_rest_of_luasocket_comes_from_an_installed_one() {
    let folder = tempfile::tempdir().unwrap();
    let fake = "return { tcp = function() return 'tcp!' end, gettime = function() return 0 end }";
    std::fs::write(folder.path().join("socket.lua"), fake).unwrap();
    let mut spec = spec(
        "local socket = require 'socket'
             function request() return socket.tcp() .. tostring(socket.gettime() > 0) end",
    );
    spec.path = folder.path().join("mine.lua");
    assert_eq!(next(&mut ready(&spec)), "tcp!true");
}

//! Scripts through the front door: the program, a script file, and a server that counts on nothing.
#![allow(missing_docs)]

use crate::support::{Hotel, Machine, Meshload, Output, beside_others, done};
use std::path::{Path, PathBuf};

/// A stand-in server, and a claim on the machine beside other tests that count.
struct Stage {
    hotel: Hotel,
    _beside: Machine,
}

impl Stage {
    fn open() -> Stage {
        let _beside = beside_others();
        let hotel = Hotel::start(["--service-time", "constant:0"]);
        Stage { hotel, _beside }
    }

    /// A run of a second at 100 requests per second.
    fn loaded_by(&self, script: &Path, more: &[&str], script_args: &[&str]) -> Output {
        let script = script.to_str().expect("a path");
        let mut args = vec!["-R", "100", "-d", "1s", "-t", "2", "-c", "4", "--seed", "1"];
        args.extend_from_slice(more);
        args.extend(["-s", script, self.hotel.url()]);
        if !script_args.is_empty() {
            args.push("--");
            args.extend_from_slice(script_args);
        }
        Meshload::new(args).run()
    }

    fn runs(&self, source: &str) -> Output {
        self.runs_with(source, &[])
    }

    fn runs_with(&self, source: &str, more: &[&str]) -> Output {
        let folder = tempfile::tempdir().expect("it works");
        let script = folder.path().join("mine.lua");
        std::fs::write(&script, source).expect("it works");
        self.loaded_by(&script, more, &[])
    }
}

/// What the tests ask of a run that has ended.
trait Asked {
    /// The run was made; whether this machine was quiet enough for its numbers is no matter here.
    fn assert_done(&self);
    /// The number after `words` in what the script printed.
    fn number_after(&self, words: &str) -> u64;
}

impl Asked for Output {
    #[track_caller]
    fn assert_done(&self) {
        done(self);
        assert!(!self.stderr.contains("stack traceback"), "{self}");
    }

    #[track_caller]
    fn number_after(&self, words: &str) -> u64 {
        let (_, rest) = self.stdout.split_once(words).expect(words);
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next();
        digits.and_then(|digits| digits.parse().ok()).expect(words)
    }
}

fn lua(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("lua").join(path)
}

#[test]
fn every_script_that_we_bring_runs() {
    let stage = Stage::open();
    let mut scripts = vec![lua("mixed-workload_type_1.lua")];
    for entry in std::fs::read_dir(lua("examples")).expect("it works") {
        scripts.push(entry.expect("it works").path());
    }
    assert!(scripts.len() > 10, "{scripts:?}");
    for script in scripts {
        let outcome = stage.loaded_by(&script, &[], &[]);
        println!("{}", script.display());
        outcome.assert_done();
    }
}

#[test]
fn counters_of_the_threads_are_read_back_in_done() {
    let stage = Stage::open();
    let outcome = stage.loaded_by(&lua("examples/counters.lua"), &[], &[]);
    outcome.assert_done();
    let made = ["thread 1 made ", "thread 2 made "].map(|words| outcome.number_after(words));
    assert!(made.iter().all(|made| *made > 0), "{outcome:#?}");
    // Not one call more than there are requests, not even to look at what request() returns.
    assert_eq!(made.iter().sum::<u64>(), 100, "{outcome:#?}");
}

#[test]
fn done_reports_what_was_measured() {
    let stage = Stage::open();
    let outcome = stage.loaded_by(&lua("examples/report.lua"), &[], &[]);
    outcome.assert_done();
    for words in [
        "requests in 1.00 s, mean",
        "p99.99",
        "errors: connect 0, read 0, write 0",
    ] {
        assert!(outcome.stdout.contains(words), "{words} in {outcome:#?}");
    }
}

#[test]
fn arguments_after_the_dashes_reach_the_script() {
    let stage = Stage::open();
    let outcome = stage.loaded_by(&lua("examples/pipeline.lua"), &[], &["5"]);
    outcome.assert_done();
}

#[test]
fn a_script_that_does_not_load_ends_the_run_before_any_request() {
    let stage = Stage::open();
    let outcome = stage.runs("function request()\n  return wrk.format(\nend\n");
    outcome.assert_failed(1, &["mine.lua:3: unexpected symbol near 'end'"]);
    assert_eq!(outcome.stdout, "");
    let outcome = stage.runs("local a = 1\nlocal json = require 'no.such.module'\n");
    outcome.assert_failed(1, &["mine.lua:2:", "module 'no.such.module' not found"]);
    assert_eq!(outcome.stdout, "");
    let outcome = stage.runs("function init()\n  error('no data')\nend\n");
    outcome.assert_failed(1, &["mine.lua:2: no data", "in init"]);
    assert_eq!(outcome.stdout, "");
}

#[test]
fn an_error_in_request_ends_the_run_with_its_place_and_a_partial_result() {
    let stage = Stage::open();
    let outcome = stage.runs(
        "local calls = 0
local function next_item(items)
  return items.first
end
function request()
  calls = calls + 1
  if calls > 20 then calls = next_item(nil) end
  return wrk.format()
end
function done(summary) print('partial: ' .. summary.requests) end",
    );
    outcome.assert_failed(
        1,
        &[
            "mine.lua:3: attempt to index local 'items'",
            "stack traceback:",
            "mine.lua:7:",
        ],
    );
    // Each of the two threads got through twenty calls, the slower one perhaps not quite.
    let made = outcome.number_after("partial: ");
    assert!((15..=41).contains(&made), "{outcome:#?}");
}

#[test]
fn errors_in_response_delay_and_done_end_the_run_with_their_place() {
    let stage = Stage::open();
    for function in ["response", "delay", "done"] {
        let outcome = stage.runs(&format!("\nfunction {function}()\n  error('no more')\nend"));
        outcome.assert_failed(1, &["mine.lua:3: no more", function]);
    }
}

#[test]
fn a_thread_that_stops_itself_sends_no_more() {
    let stage = Stage::open();
    let outcome = stage.runs(
        "local threads = {}
function setup(thread) threads[#threads + 1] = thread end
function init() sent = 0 end
function request()
  sent = sent + 1
  if sent == 10 then wrk.thread:stop() end
  return wrk.format()
end
function done()
  for n, thread in ipairs(threads) do print('thread ' .. n .. ': ' .. thread:get('sent')) end
end",
    );
    outcome.assert_done();
    assert_eq!(outcome.number_after("thread 1: "), 10);
    assert_eq!(outcome.number_after("thread 2: "), 10);
}

#[test]
fn what_scripts_print_goes_to_stderr_when_stdout_carries_the_result() {
    let stage = Stage::open();
    let outcome = stage.runs_with(
        "print('from', 'print')
io.write('from write\\n')
io.stdout:write('from stdout\\n')",
        &["--json", "-"],
    );
    outcome.assert_done();
    for words in ["from\tprint\n", "from write\n", "from stdout\n"] {
        assert!(outcome.stderr.contains(words), "{outcome:#?}");
        assert!(!outcome.stdout.contains(words), "{outcome:#?}");
    }
}

/// A module in C, as cjson is one: it finds Lua's functions in the program that loads it.
#[test]
fn a_compiled_module_beside_the_script_is_loaded() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = "void lua_pushnumber(void *, double);\n\
        int luaopen_answer(void *lua) { lua_pushnumber(lua, 42); return 1; }\n";
    std::fs::write(folder.path().join("answer.c"), source).expect("a source");
    let compiled = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-o", "answer.so", "answer.c"])
        .current_dir(folder.path())
        .status();
    assert!(
        compiled
            .expect("a C compiler, which the build needs, too")
            .success()
    );
    let script = folder.path().join("mine.lua");
    let lua = "local answer = require 'answer'\nfunction done() print('answer ' .. answer) end\n";
    std::fs::write(&script, lua).expect("a script");
    let stage = Stage::open();
    let output = stage.loaded_by(&script, &[], &[]);
    output.assert_done();
    assert_eq!(output.number_after("answer "), 42);
}

#[test]
fn a_thread_that_is_stopped_in_setup_sends_nothing() {
    let stage = Stage::open();
    let output = stage.runs("function setup(thread) thread:stop() end\n");
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stdout.contains("Scheduled 0 ="), "{output}");
}

//! Scripts as people write them, against the API that they know.
#![allow(clippy::disallowed_methods)] // what a script is told of the time is held against the clock

use super::*;
use crate::units::Nanos;
use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn spec(source: &str) -> ScriptSpec {
    ScriptSpec {
        path: PathBuf::from("scripts/mine.lua"),
        source: source.as_bytes().to_vec(),
        args: Vec::new(),
        url: "http://localhost:5000/start?x=1".to_owned(),
        scheme: "http".to_owned(),
        host: "localhost".to_owned(),
        port: Some(5000),
        path_and_query: "/start?x=1".to_owned(),
        headers: Vec::new(),
        addrs: vec![address("127.0.0.1:5000"), address("[::1]:5000")],
        seed: 7,
        seed_pinned: false,
        prints_to_stderr: false,
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A worker whose script is loaded and initialised.
fn ready(spec: &ScriptSpec) -> WorkerScript {
    let mut worker = WorkerScript::load(spec, 0).unwrap();
    worker.init().unwrap();
    worker
}

fn worker(source: &str) -> WorkerScript {
    ready(&spec(source))
}

fn next(worker: &mut WorkerScript) -> String {
    let mut out = Vec::new();
    worker.request(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn request_error(source: &str) -> ScriptError {
    worker(source).request(&mut Vec::new()).unwrap_err()
}

/// What stops a script from being loaded and initialised.
fn refusal(source: &str) -> ScriptError {
    let loaded = WorkerScript::load(&spec(source), 0);
    loaded.and_then(|mut worker| worker.init()).unwrap_err()
}

/// A script that computes something and puts it where `request()` would be.
fn says(source: &str) -> String {
    next(&mut worker(source))
}

fn fixed(spec: &ScriptSpec) -> String {
    let text = ready(spec).fixed_request().unwrap();
    String::from_utf8(text.expect("a script without request()")).unwrap()
}

fn lines(text: &str) -> HashSet<&str> {
    text.split("\r\n").collect()
}

type Task = Box<dyn FnOnce(&mut WorkerScript) + Send>;

/// Worker threads that do what they are told, as the engine's do between setup and done.
struct Crew {
    main: MainScript,
    workers: Vec<Sender<Task>>,
}

impl Crew {
    fn hired(size: usize, source: &str) -> Crew {
        let spec = spec(source);
        let hire = |number| {
            let (tasks, inbox) = channel::<Task>();
            let spec = spec.clone();
            std::thread::spawn(move || {
                let mut worker = WorkerScript::load(&spec, number).unwrap();
                for task in inbox {
                    task(&mut worker);
                }
            });
            tasks
        };
        Crew {
            main: MainScript::load(&spec).unwrap(),
            workers: (0..size).map(hire).collect(),
        }
    }

    fn set_up(&mut self) -> Result<(), ScriptError> {
        let port = |tasks: &Sender<Task>| {
            let tasks = tasks.clone();
            Port::new(move |question| {
                let task: Task = Box::new(move |worker| worker.answer(question));
                tasks.send(task).is_ok()
            })
        };
        let ports: Vec<Port> = self.workers.iter().map(port).collect();
        self.main.setup(&ports)
    }

    /// Does something in a worker's thread and waits for the outcome.
    fn tell<R: Send + 'static>(
        &self,
        worker: usize,
        what: impl FnOnce(&mut WorkerScript) -> R + Send + 'static,
    ) -> R {
        let (reply, answer) = channel();
        let task: Task = Box::new(move |worker| {
            let _ = reply.send(what(worker));
        });
        self.workers[worker].send(task).unwrap();
        answer.recv().unwrap()
    }

    fn start_all(&self) {
        for worker in 0..self.workers.len() {
            self.tell(worker, |worker| worker.init().unwrap());
        }
    }

    fn next(&self, worker: usize) -> String {
        self.tell(worker, next)
    }

    fn done(&mut self) -> Result<(), ScriptError> {
        self.main.done(
            &DoneSummary {
                duration_us: 2_000_000,
                requests: 300,
                bytes: 4096,
                connect: 1,
                read: 2,
                write: 3,
                status: 4,
                timeout: 5,
            },
            Box::new(Few(&[(1500.0, 2), (2500.0, 1)])),
            Box::new(Few(&[(100.0, 1)])),
        )
    }
}

/// A sample small enough to know by heart: values and how often they occur.
struct Few(&'static [(f64, u64)]);

impl Statistics for Few {
    fn min(&self) -> f64 {
        self.0[0].0
    }
    fn max(&self) -> f64 {
        self.0[self.0.len() - 1].0
    }
    fn mean(&self) -> f64 {
        1833.5
    }
    fn stdev(&self) -> f64 {
        471.25
    }
    fn percentile(&self, percent: f64) -> f64 {
        percent * 10.0
    }
    fn len(&self) -> usize {
        self.0.len()
    }
    fn at(&self, index: usize) -> Option<(f64, u64)> {
        self.0.get(index.checked_sub(1)?).copied()
    }
}

mod the_default_request {
    use super::*;

    #[test]
    fn is_a_get_of_the_url_with_its_host() {
        let text = fixed(&spec(""));
        assert_eq!(
            text,
            "GET /start?x=1 HTTP/1.1\r\nHost: localhost:5000\r\n\r\n"
        );
    }

    #[test]
    fn has_a_host_without_port_when_the_url_has_none_and_brackets_for_ipv6() {
        let mut spec = spec("");
        spec.port = None;
        assert!(fixed(&spec).contains("\r\nHost: localhost\r\n"));
        spec.host = "::1".to_owned();
        spec.port = Some(81);
        assert!(fixed(&spec).contains("\r\nHost: [::1]:81\r\n"));
    }

    #[test]
    fn posts_what_the_fields_of_wrk_say() {
        let text = fixed(&spec(
            r#"wrk.method = "POST"; wrk.path = "/users"; wrk.body = "name=eve"
               wrk.headers["Content-Type"] = "application/x-www-form-urlencoded""#,
        ));
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, "name=eve");
        assert!(head.starts_with("POST /users HTTP/1.1\r\n"), "{head}");
        assert_eq!(
            lines(&head[head.find("\r\n").unwrap() + 2..]),
            HashSet::from([
                "Host: localhost:5000",
                "Content-Length: 8",
                "Content-Type: application/x-www-form-urlencoded"
            ])
        );
    }

    #[test]
    fn is_made_after_init_which_may_change_everything() {
        let mut spec = spec("function init(args) wrk.path = args[1] end");
        spec.args = vec!["/late".to_owned()];
        assert!(fixed(&spec).starts_with("GET /late HTTP/1.1\r\n"));
    }

    #[test]
    fn carries_the_headers_of_the_command_line_and_a_list_line_by_line() {
        let mut spec = spec(
            r#"assert(wrk.headers["X-Tenant"] == "blue")
               assert(#wrk.headers["Cookie"] == 2)
               wrk.headers["Accept"] = { "text/html", "text/plain" }"#,
        );
        let lines_given = [("X-Tenant", "blue"), ("Cookie", "a=1"), ("Cookie", "b=2")];
        spec.headers = lines_given.map(|(k, v)| (k.into(), v.into())).to_vec();
        let text = fixed(&spec);
        for line in [
            "X-Tenant: blue",
            "Cookie: a=1",
            "Cookie: b=2",
            "Accept: text/html",
            "Accept: text/plain",
        ] {
            assert!(lines(&text).contains(line), "{line} in {text}");
        }
    }

    #[test]
    fn has_one_host_however_the_command_line_spells_it() {
        for name in ["Host", "host", "HOST"] {
            let mut spec = spec("");
            spec.headers = vec![(name.to_owned(), "shop.example".to_owned())];
            let text = fixed(&spec);
            assert!(text.contains("\r\nHost: shop.example\r\n"), "{text}");
            assert_eq!(text.to_lowercase().matches("host:").count(), 1, "{text}");
        }
    }

    #[test]
    fn that_cannot_be_made_is_an_error() {
        let error = ready(&spec("wrk.path = {}")).fixed_request().unwrap_err();
        assert!(error.to_string().contains("path"), "{error}");
        // With a request() of its own the script never needs it.
        assert!(
            says("wrk.path = {}; function request() return wrk.format(nil, '/') end").len() > 9
        );
    }

    #[test]
    fn is_not_asked_for_when_the_script_has_its_own() {
        let worker = worker("function request() return wrk.format() end");
        assert_eq!(worker.fixed_request().unwrap(), None);
    }

    #[test]
    fn is_there_even_if_the_script_replaces_wrk_init() {
        let text = fixed(&spec("function wrk.init() wrk.path = '/mine' end"));
        assert_eq!(text, "GET /mine HTTP/1.1\r\nHost: localhost:5000\r\n\r\n");
    }
}

mod wrk_format {
    use super::*;

    #[test]
    fn takes_what_is_missing_from_wrk() {
        assert_eq!(
            says("function request() return wrk.format(nil, '/a') end"),
            "GET /a HTTP/1.1\r\nHost: localhost:5000\r\n\r\n"
        );
        assert_eq!(
            says("function request() return wrk.format('DELETE') end"),
            "DELETE /start?x=1 HTTP/1.1\r\nHost: localhost:5000\r\n\r\n"
        );
    }

    #[test]
    fn keeps_an_absolute_path() {
        let path = "http://localhost:5000/hotels?inDate=2015-04-09&lat=38.0235";
        let text = says(&format!(
            "function request() return wrk.format('GET', '{path}') end"
        ));
        assert!(text.starts_with(&format!("GET {path} HTTP/1.1\r\n")));
    }

    #[test]
    fn sets_host_and_content_length_in_the_table_it_is_given() {
        says(
            r#"function request()
                 local mine = {}
                 local text = wrk.format("PUT", "/", mine, "12345")
                 assert(mine.Host == "localhost:5000", mine.Host)
                 assert(mine["Content-Length"] == 5)
                 assert(text:find("Content-Length: 5\r\n", 1, true))
                 wrk.format("GET", "/", mine)
                 assert(mine["Content-Length"] == nil)
                 assert(wrk.headers["Content-Length"] == nil)
                 return text
               end"#,
        );
    }

    #[test]
    fn keeps_the_host_that_it_is_given() {
        let text = says("function request() return wrk.format(nil, '/', {Host = 'other'}) end");
        assert_eq!(text, "GET / HTTP/1.1\r\nHost: other\r\n\r\n");
    }

    #[test]
    fn has_a_host_even_before_init() {
        let text =
            says("local early = wrk.format('GET', '/early'); function request() return early end");
        assert_eq!(text, "GET /early HTTP/1.1\r\nHost: localhost:5000\r\n\r\n");
    }

    #[test]
    fn writes_numbers_booleans_and_bodies_of_any_bytes() {
        let text = says(
            r#"function request()
                 return wrk.format("POST", "/", { ["X-N"] = 1.5, ["X-B"] = false }, "a\0b")
               end"#,
        );
        assert!(text.contains("X-N: 1.5\r\n") && text.contains("X-B: false\r\n"));
        assert!(text.contains("Content-Length: 3\r\n") && text.ends_with("\r\n\r\na\0b"));
        let text = says("function request() return wrk.format('POST', '/', nil, 4711) end");
        assert!(text.contains("Content-Length: 4\r\n") && text.ends_with("\r\n\r\n4711"));
    }

    #[test]
    fn writes_an_empty_list_as_no_line_and_never_one_request_into_the_next() {
        let mut worker = worker(
            r#"local long = true
               function request()
                 local headers = long and { A = { 1, 2, 3 }, B = {} } or {}
                 local text = wrk.format("POST", "/", headers, long and "body" or nil)
                 long = false
                 return text
               end"#,
        );
        let first = next(&mut worker);
        assert_eq!(first.matches("\r\nA: ").count(), 3);
        assert!(!first.contains("B:"));
        assert_eq!(
            next(&mut worker),
            "POST / HTTP/1.1\r\nHost: localhost:5000\r\n\r\n"
        );
    }

    #[test]
    fn sends_an_empty_body_with_its_length() {
        let text = says("function request() return wrk.format('POST', '/', {}, '') end");
        assert!(text.contains("Content-Length: 0\r\n"), "{text}");
    }
}

mod ideas_of_wrks_examples {
    use super::*;

    #[test]
    fn a_token_from_a_response_header_goes_into_later_requests() {
        let mut worker = worker(
            r#"local token
               function request()
                 if token then wrk.headers["X-Key"] = token end
                 return wrk.format("GET", token and "/goods" or "/enter")
               end
               function response(status, headers, body)
                 if status == 200 and not token then token = headers["X-Token"] .. body end
               end"#,
        );
        assert!(worker.wants_response());
        assert!(next(&mut worker).starts_with("GET /enter HTTP"));
        let headers = [("X-Token".to_owned(), b"se".to_vec())];
        assert_eq!(worker.response(200, &headers, b"same"), Ok(None));
        let text = next(&mut worker);
        assert!(text.starts_with("GET /goods HTTP"), "{text}");
        assert!(text.contains("\r\nX-Key: sesame\r\n"), "{text}");
    }

    #[test]
    fn a_counter_in_a_header_changes_with_every_request() {
        let mut worker = worker(
            "local n = 0
             function request()
               n = n + 1; wrk.headers['X-Count'] = n; return wrk.format(nil, '/' .. n)
             end",
        );
        for n in 1..=3 {
            let text = next(&mut worker);
            assert!(
                text.starts_with(&format!("GET /{n} "))
                    && text.contains(&format!("X-Count: {n}\r\n"))
            );
        }
    }

    #[test]
    fn a_batch_made_in_init_is_returned_whole() {
        let mut spec = spec(
            r#"local batch
               function init(args)
                 local r = {}
                 for i, path in ipairs(args) do r[i] = wrk.format(nil, path) end
                 batch = table.concat(r)
               end
               function request() return batch end"#,
        );
        spec.args = vec!["/a".to_owned(), "/b".to_owned()];
        let text = next(&mut ready(&spec));
        assert_eq!(
            text.matches(" HTTP/1.1\r\nHost: localhost:5000\r\n\r\n")
                .count(),
            2
        );
        assert!(text.starts_with("GET /a ") && text.contains("\r\nGET /b "));
    }

    #[test]
    fn delays_are_milliseconds_with_fractions_and_never_negative() {
        for (answer, nanos) in [
            ("25", 25_000_000),
            ("0.25", 250_000),
            ("-3", 0),
            ("0", 0),
            ("nil", 0),
            ("0/0", 0),
            ("'1.5'", 1_500_000),
        ] {
            let mut worker = worker(&format!("function delay() return {answer} end"));
            assert!(worker.has_delay());
            assert_eq!(worker.delay(), Ok(Nanos(nanos)), "{answer}");
        }
        assert_eq!(worker("function delay() end").delay(), Ok(Nanos::ZERO));
        assert!(!worker("").has_delay());
    }

    #[test]
    fn a_delay_that_is_no_number_is_refused() {
        let error = worker("function delay() return {} end")
            .delay()
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("mine.lua") && text.contains("delay()"),
            "{text}"
        );
        assert!(
            text.contains("table") && text.contains("milliseconds"),
            "{text}"
        );
    }

    #[test]
    fn setup_numbers_the_threads_and_done_reads_their_counters() {
        let mut crew = Crew::hired(
            3,
            r#"
            local threads = {}
            function setup(thread)
              thread:set("id", #threads + 1)
              threads[#threads + 1] = thread
            end
            function init() sent = 0 end
            function request() sent = sent + 1; return wrk.format(nil, "/" .. id) end
            function done(summary, latency, requests)
              local sum = 0
              for n, thread in ipairs(threads) do
                assert(thread:get("id") == n)
                sum = sum + thread:get("sent")
              end
              assert(sum == 3, sum)
              assert(threads[2]:get("nothing") == nil)
            end"#,
        );
        crew.set_up().unwrap();
        crew.start_all();
        assert!(crew.next(0).starts_with("GET /1 "));
        assert!(crew.next(2).starts_with("GET /3 "));
        crew.next(2);
        assert!(crew.main.has_done());
        crew.done().unwrap();
    }

    #[test]
    fn a_thread_is_given_its_address_in_setup() {
        let mut crew = Crew::hired(
            2,
            r#"
            local n = 0
            function setup(thread)
              assert(tostring(thread.addr) == "127.0.0.1:5000")
              n = n + 1
              thread.addr = wrk.addrs[n]
              assert(thread.addr == wrk.addrs[n])
            end
            function request() return tostring(wrk.thread.addr) end"#,
        );
        assert_eq!(crew.tell(1, |worker| worker.addr()), None);
        crew.set_up().unwrap();
        crew.start_all();
        assert_eq!(crew.next(0), "127.0.0.1:5000");
        assert_eq!(crew.next(1), "[::1]:5000");
        assert_eq!(
            crew.tell(1, |worker| worker.addr()),
            Some(address("[::1]:5000"))
        );
    }

    #[test]
    fn a_thread_chooses_its_own_address_in_init() {
        let worker = worker("function init() wrk.thread.addr = wrk.addrs[2] end");
        assert_eq!(worker.addr(), Some(address("[::1]:5000")));
    }

    #[test]
    fn an_address_is_not_a_string() {
        let mut crew = Crew::hired(1, "function setup(thread) thread.addr = '127.0.0.1' end");
        let error = crew.set_up().unwrap_err().to_string();
        assert!(
            error.contains("not an address") && error.contains("mine.lua:1:"),
            "{error}"
        );
    }

    #[test]
    fn threads_are_stopped_from_inside_and_from_setup() {
        let mut own = worker("function response() wrk.thread:stop() end");
        assert!(!own.stopped());
        own.response(200, &[], b"").unwrap();
        assert!(own.stopped());

        let mut crew = Crew::hired(
            2,
            r#"
            local first = true
            function setup(thread) if first then thread:stop() end; first = false end"#,
        );
        crew.set_up().unwrap();
        assert!(crew.tell(0, |worker| worker.stopped()));
        assert!(!crew.tell(1, |worker| worker.stopped()));
    }

    #[test]
    fn a_thread_reads_and_writes_its_own_globals() {
        assert_eq!(
            says(
                "x = 4; wrk.thread:set('y', x + 1); function request() return wrk.thread:get('x') .. y end"
            ),
            "45"
        );
    }

    #[test]
    fn a_script_without_setup_and_done_is_fine() {
        let mut crew = Crew::hired(1, "");
        crew.set_up().unwrap();
        assert!(!crew.main.has_done());
        crew.done().unwrap();
    }
}

mod done {
    use super::*;

    #[test]
    fn is_given_the_summary_and_both_samples() {
        let mut crew = Crew::hired(
            0,
            r#"
            function done(summary, latency, requests)
              assert(summary.duration == 2000000 and summary.requests == 300 and summary.bytes == 4096)
              local e = summary.errors
              assert(e.connect == 1 and e.read == 2 and e.write == 3 and e.status == 4 and e.timeout == 5)
              assert(latency.min == 1500 and latency.max == 2500)
              assert(latency.mean == 1833.5 and latency.stdev == 471.25)
              assert(latency:percentile(99.9) == 999)
              assert(#latency == 2 and #requests == 1)
              assert(latency[1] == 1500 and latency[2] == 2500)
              local value, count = latency(1)
              assert(value == 1500 and count == 2)
              assert(requests.min == 100)
              assert(string.format("%d", summary.requests) == "300")
            end"#,
        );
        crew.done().unwrap();
    }

    #[test]
    fn finds_nothing_beyond_the_ends_of_a_sample() {
        let mut crew = Crew::hired(
            0,
            r#"
            function done(summary, latency)
              assert(latency[0] == nil and latency[3] == nil and latency[-1] == nil)
              assert(latency(3) == nil and latency.median == nil)
              local sum = 0
              for i = 1, #latency do
                local value, count = latency(i)
                sum = sum + value * count
              end
              assert(sum == 5500)
            end"#,
        );
        crew.done().unwrap();
    }

    #[test]
    fn that_fails_says_where() {
        let mut crew = Crew::hired(
            0,
            "function done(summary)\n  return summary.nothing.more\nend",
        );
        let error = crew.done().unwrap_err().to_string();
        assert!(
            error.contains("mine.lua:2:") && error.contains("done"),
            "{error}"
        );
    }
}

mod errors {
    use super::*;

    #[test]
    fn a_missing_module_is_named_with_file_and_line() {
        let source = "local n = 1\nlocal cjson = require 'no.such.module'";
        for error in [
            refusal(source),
            MainScript::load(&spec(source)).err().unwrap(),
        ] {
            let text = &error.message;
            assert!(text.contains("mine.lua:2:"), "{text}");
            assert!(text.contains("module 'no.such.module' not found"), "{text}");
        }
    }

    #[test]
    fn a_syntax_error_is_named_with_file_line_and_cause() {
        let error = refusal("local a = 1\nlocal b = = 2\n");
        assert!(
            error
                .message
                .contains("mine.lua:2: unexpected symbol near '='"),
            "{error}"
        );
    }

    #[test]
    fn bytecode_is_not_a_script() {
        assert!(refusal("\u{1b}LJ").message.contains("binary"));
    }

    #[test]
    fn an_error_in_request_has_its_place_and_the_functions_that_led_there() {
        let error = request_error(
            "local function price(room)\n  return room.price\nend\n\
             function request()\n  local p = price(nil)\n  return wrk.format(nil, '/' .. p)\nend",
        );
        assert!(
            error
                .message
                .contains("mine.lua:2: attempt to index local 'room'"),
            "{error}"
        );
        assert!(error.message.ends_with("(in request)"), "{error}");
        assert!(error.traceback.contains("'price'"), "{error}");
        assert!(error.traceback.contains("mine.lua:5:"), "{error}");
    }

    #[test]
    fn an_error_after_many_good_calls_has_its_place_too() {
        let mut worker = worker(
            "local n = 0\nfunction request()\n  n = n + 1\n  if n > 5000 then error('enough') end\n  \
             return wrk.format(nil, '/' .. n)\nend",
        );
        let mut out = Vec::new();
        let error = (0..6000).find_map(|_| worker.request(&mut out).err());
        let error = error.expect("the 5001st call fails");
        assert!(error.message.contains("mine.lua:4: enough"), "{error}");
        assert!(
            error.traceback.contains("mine.lua:4: in function"),
            "{error}"
        );
    }

    #[test]
    fn what_wrk_does_not_accept_names_the_script_even_after_a_tail_call() {
        for source in [
            "function request()\n  return wrk.format('GET', {})\nend",
            "function request()\n  local text = wrk.format('GET', {})\n  return text\nend",
            "function request()\n  wrk.label({})\nend",
            "function request()\n  return wrk.connect('here')\nend",
        ] {
            let text = request_error(source).to_string();
            assert!(text.contains("mine.lua"), "{text}");
        }
    }

    #[test]
    fn a_request_that_is_no_text_is_refused() {
        for (answer, kind) in [
            ("nil", "nil"),
            ("5", "5"),
            ("{}", "table"),
            ("true", "boolean"),
        ] {
            let error = request_error(&format!("function request() return {answer} end"));
            let text = error.to_string();
            assert!(
                text.contains("mine.lua") && text.contains("request()"),
                "{text}"
            );
            assert!(text.contains("return wrk.format"), "{text}");
            if kind != "5" {
                assert!(text.contains(kind), "{text}");
            }
        }
    }

    #[test]
    fn errors_that_are_no_text_are_shown_as_well_as_can_be() {
        for thrown in [
            "{ code = 1 }",
            "nil",
            "42",
            "setmetatable({}, {__tostring = function() return 'odd' end})",
        ] {
            let error = request_error(&format!("function request() error({thrown}) end"));
            assert!(
                !error.message.is_empty() && error.message.contains("request"),
                "{error}"
            );
        }
    }

    #[test]
    fn init_setup_response_and_chunk_name_their_place() {
        assert!(refusal("\nerror('no')").message.contains("mine.lua:2: no"));
        assert!(
            refusal("function init()\n error('no')\nend")
                .message
                .contains("mine.lua:2: no (in init)")
        );
        let mut worker = worker("function response()\n error('no')\nend");
        let error = worker.response(200, &[], b"").unwrap_err();
        assert!(
            error.message.contains("mine.lua:2: no (in response)"),
            "{error}"
        );
        let mut crew = Crew::hired(1, "function setup()\n error('no')\nend");
        let error = crew.set_up().unwrap_err();
        assert!(
            error.message.contains("mine.lua:2: no (in setup)"),
            "{error}"
        );
    }

    #[test]
    fn the_words_are_ours_and_not_the_binding_s() {
        let mut crew = Crew::hired(1, "function setup(thread)\n  thread:set('f', print)\nend");
        let error = crew.set_up().unwrap_err().to_string();
        assert!(
            error.contains("mine.lua:2: a function cannot be passed to another thread"),
            "{error}"
        );
        assert!(
            !error.contains("runtime error") && !error.contains("callback"),
            "{error}"
        );
    }

    #[test]
    fn endless_recursion_is_an_error_and_not_a_crash() {
        let error = request_error("function request() return 1 + request() end");
        assert!(error.message.contains("stack overflow"), "{error}");
    }
}

mod values_between_threads {
    use super::*;

    #[test]
    fn keep_keys_and_values_however_nested() {
        let mut crew = Crew::hired(
            1,
            r#"
            function setup(thread)
              thread:set("t", { 10, 20, name = "x", [2.5] = true, deep = { list = { "a", "b" } },
                                ["1"] = "text", bytes = "\0\255" })
              thread:set("n", 2^40); thread:set("b", false); thread:set("s", "")
              thread:set("gone", 1); thread:set("gone", nil)
              local t = thread:get("t")
              assert(t[1] == 10 and t[2] == 20 and #t == 2 and t.name == "x" and t[2.5] == true)
              assert(t.deep.list[2] == "b" and t["1"] == "text" and t.bytes == "\0\255")
              assert(thread:get("n") == 2^40 and thread:get("b") == false and thread:get("s") == "")
              assert(thread:get("gone") == nil)
            end
            function request()
              assert(gone == nil and b == false)
              return t.deep.list[1] .. t.name .. t[2] .. n
            end"#,
        );
        crew.set_up().unwrap();
        crew.start_all();
        assert_eq!(crew.next(0), "ax201099511627776");
    }

    #[test]
    fn are_copies() {
        let mut crew = Crew::hired(
            1,
            r#"
            function setup(thread)
              local t = { 1 }
              thread:set("t", t)
              t[1] = 2
            end
            function request() return "" .. t[1] end"#,
        );
        crew.set_up().unwrap();
        crew.start_all();
        assert_eq!(crew.next(0), "1");
    }

    #[test]
    fn are_refused_when_they_are_functions_or_contain_themselves() {
        for (lua, words) in [
            (
                "thread:set('x', function() end)",
                "a function cannot be passed",
            ),
            (
                "thread:set('x', { f = print })",
                "a function cannot be passed",
            ),
            (
                "thread:set('x', { [print] = 1 })",
                "a function cannot be passed",
            ),
            ("thread:set('x', io.stdout)", "userdata cannot be passed"),
            (
                "thread:set('x', coroutine.create(print))",
                "thread cannot be passed",
            ),
            (
                "local t = {}; t.me = t; thread:set('x', t)",
                "contains itself",
            ),
            ("thread:get('helper')", "a function cannot be passed"),
            ("thread:get('endless')", "contains itself"),
        ] {
            let mut crew = Crew::hired(
                1,
                &format!(
                    "function helper() end; endless = {{}}; endless[1] = {{ endless }}
                 function setup(thread) {lua} end"
                ),
            );
            let text = crew.set_up().unwrap_err().to_string();
            assert!(
                text.contains(words) && text.contains("mine.lua:2:"),
                "{lua}: {text}"
            );
        }
    }

    #[test]
    fn can_be_refused_without_ending_the_script() {
        let mut crew = Crew::hired(
            1,
            r#"
            function setup(thread)
              local ok, why = pcall(thread.set, thread, "f", print)
              assert(not ok and tostring(why):find("cannot be passed", 1, true), tostring(why))
            end"#,
        );
        crew.set_up().unwrap();
    }

    #[test]
    fn of_a_thread_that_is_gone_are_an_error_and_no_endless_wait() {
        for call in [
            "thread:get('x')",
            "thread:set('x', 1)",
            "print(thread.addr)",
            "thread:stop()",
        ] {
            let source = format!("function setup(thread) {call} end");
            let mut main = MainScript::load(&spec(&source)).unwrap();
            let gone = Port::new(|_| false);
            let text = main.setup(&[gone]).unwrap_err().to_string();
            assert!(text.contains("the thread is no longer there"), "{text}");
            assert!(text.contains("mine.lua:1:"), "{text}");
        }
        // It takes the question along and dies with it.
        let mut main = MainScript::load(&spec("function setup(t) return t:get('x') end")).unwrap();
        let dying = Port::new(|question| {
            drop(question);
            true
        });
        let text = main.setup(&[dying]).unwrap_err().to_string();
        assert!(text.contains("the thread is no longer there"), "{text}");
    }
}

mod surroundings {
    use super::*;

    #[test]
    fn args_begin_with_the_url() {
        let mut spec = spec(
            "function init(args) a = args[0] .. ' ' .. table.concat(args, ' ') .. ' ' .. #args end
             function request() return a end",
        );
        spec.args = vec!["one".to_owned(), "--two".to_owned()];
        assert_eq!(
            next(&mut ready(&spec)),
            "http://localhost:5000/start?x=1 one --two 2"
        );
    }

    #[test]
    fn wrk_is_filled_from_the_url_before_the_script_runs_and_url_is_global() {
        assert_eq!(
            says("local t = table.concat({wrk.scheme, wrk.host, wrk.port, wrk.method, wrk.path, url}, ' ')
                  assert(wrk.body == nil and type(wrk.port) == 'string')
                  function request() return t end"),
            "http localhost 5000 GET /start?x=1 http://localhost:5000/start?x=1"
        );
        let mut spec = spec("assert(wrk.port == nil and wrk.thread)");
        spec.port = None;
        ready(&spec);
    }

    #[test]
    fn modules_beside_the_script_are_found() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("shop.lua"), "return { path = '/shop' }").unwrap();
        std::fs::create_dir(folder.path().join("kit")).unwrap();
        std::fs::write(folder.path().join("kit/init.lua"), "return '?kit'").unwrap();
        let mut spec = spec(
            "local shop, kit = require 'shop', require 'kit'
             function request() return wrk.format(nil, shop.path .. kit) end",
        );
        spec.path = folder.path().join("mine.lua");
        assert!(next(&mut ready(&spec)).starts_with("GET /shop?kit "));
    }

    #[test]
    fn an_error_in_a_module_is_named_with_the_module_s_place() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("shop.lua"),
            "local a = 1\nlocal b = a.b.c",
        )
        .unwrap();
        let mut spec = spec("require 'shop'");
        spec.path = folder.path().join("mine.lua");
        let error = WorkerScript::load(&spec, 0).err().unwrap();
        assert!(error.message.contains("shop.lua:2:"), "{error}");
    }

    #[test]
    fn the_standard_libraries_are_there() {
        says(
            "assert(os.time() > 0 and os.getenv('PATH') and io.open and io.lines and jit.version)
             assert(bit.band(6, 3) == 2 and string.format('%5.1f', 2) == '  2.0')
             local ffi = require 'ffi'
             function request() return wrk.format() end",
        );
    }

    #[test]
    fn addresses_are_looked_up_connected_to_and_printed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let source = format!(
            r#"local found = wrk.lookup("127.0.0.1", "{port}")
               assert(#found == 1 and tostring(found[1]) == "127.0.0.1:{port}", tostring(found[1]))
               assert(wrk.connect(found[1]) == true)
               assert(tostring(wrk.lookup("::1", {port})[1]) == "[::1]:{port}")
               assert(tostring(wrk.lookup("127.0.0.1", "http")[1]) == "127.0.0.1:80")
               assert(tostring(wrk.lookup("127.0.0.1", "https")[1]) == "127.0.0.1:443")
               assert(tostring(wrk.addrs[2]) == "[::1]:5000")
               wrk.resolve("127.0.0.1", "{port}")
               assert(#wrk.addrs == 1 and tostring(wrk.addrs[1]) == "127.0.0.1:{port}")"#
        );
        MainScript::load(&spec(&source)).map(drop).unwrap();
        drop(listener);
        let source = format!(
            r#"assert(wrk.connect(wrk.lookup("127.0.0.1", "{port}")[1]) == false)
               wrk.resolve("127.0.0.1", "{port}")
               assert(#wrk.addrs == 0)"#
        );
        MainScript::load(&spec(&source)).map(drop).unwrap();
    }

    #[test]
    fn a_name_that_does_not_resolve_is_an_error_with_its_place() {
        let error = refusal("wrk.lookup('no.such.host.invalid', 'http')");
        assert!(error.message.contains("no.such.host.invalid"), "{error}");
        assert!(error.message.contains("mine.lua:1:"), "{error}");
        let error = refusal("wrk.lookup('127.0.0.1', 'gopher')");
        assert!(
            error.message.contains("gopher") && error.message.contains("port number"),
            "{error}"
        );
    }
}

mod labels_and_failures {
    use super::*;

    #[test]
    fn a_label_counts_for_the_request_that_is_being_made() {
        let mut worker = worker(
            r#"local n = 0
               function init() wrk.label("stale") end
               function request()
                 n = n + 1
                 if n == 2 then wrk.label("search") end
                 return wrk.format()
               end
               function response() wrk.label("late") end"#,
        );
        next(&mut worker);
        assert_eq!(worker.take_label(), None);
        next(&mut worker);
        assert_eq!(worker.take_label().as_deref(), Some("search"));
        assert_eq!(worker.take_label(), None);
        worker.response(200, &[], b"").unwrap();
        next(&mut worker);
        assert_eq!(worker.take_label(), None);
    }

    #[test]
    fn a_failure_has_a_reason_and_counts_for_one_response() {
        let mut worker = worker(
            r#"function request() wrk.fail("no reply here"); return wrk.format() end
               function response(status, headers, body)
                 if body:find("sorry") then wrk.fail("sorry page") end
                 if status == 204 then wrk.fail() end
               end"#,
        );
        next(&mut worker);
        assert_eq!(worker.response(200, &[], b"fine"), Ok(None));
        let verdict = worker.response(200, &[], b"so sorry");
        assert_eq!(verdict, Ok(Some("sorry page".to_owned())));
        assert_eq!(worker.response(200, &[], b"fine"), Ok(None));
        let verdict = worker.response(204, &[], b"").unwrap();
        assert!(verdict.is_some_and(|reason| !reason.is_empty()));
    }

    #[test]
    fn both_can_be_called_in_the_main_state() {
        let mut crew = Crew::hired(1, "function setup() wrk.label('x'); wrk.fail('y') end");
        crew.set_up().unwrap();
    }

    #[test]
    fn responses_are_not_looked_at_without_a_function_for_them() {
        assert!(!worker("response = 5").wants_response());
        assert!(worker("function init() response = function() end end").wants_response());
    }

    #[test]
    fn bodies_and_headers_arrive_byte_for_byte() {
        let mut worker = worker(
            r#"function response(status, headers, body)
                 assert(status == 503 and headers["x-Odd"] == "\255" and #body == 3)
                 assert(headers["X-Odd"] == nil)
               end"#,
        );
        let headers = [("x-Odd".to_owned(), vec![255])];
        assert_eq!(worker.response(503, &headers, b"\0\r\n"), Ok(None));
    }
}

mod time_and_chance {
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
        let fake =
            "return { tcp = function() return 'tcp!' end, gettime = function() return 0 end }";
        std::fs::write(folder.path().join("socket.lua"), fake).unwrap();
        let mut spec = spec(
            "local socket = require 'socket'
             function request() return socket.tcp() .. tostring(socket.gettime() > 0) end",
        );
        spec.path = folder.path().join("mine.lua");
        assert_eq!(next(&mut ready(&spec)), "tcp!true");
    }
}

mod the_scripts_we_bring {
    use super::*;

    #[test]
    fn the_mix_makes_its_four_kinds_of_requests_in_their_proportions() {
        let mut spec = spec(include_str!("../../lua/mixed-workload_type_1.lua"));
        spec.seed_pinned = true;
        let mut worker = ready(&spec);
        let mut kinds = [0u32; 4];
        for _ in 0..20_000 {
            let text = next(&mut worker);
            assert!(
                text.ends_with(" HTTP/1.1\r\nHost: localhost:5000\r\n\r\n"),
                "{text}"
            );
            let kind = [
                "GET http://localhost:5000/hotels?",
                "GET http://localhost:5000/recommendations?require=",
                "POST http://localhost:5000/user?username=Cornell_",
                "POST http://localhost:5000/reservation?inDate=",
            ];
            let kind = kind.iter().position(|start| text.starts_with(start));
            kinds[kind.unwrap_or_else(|| panic!("{text}"))] += 1;
        }
        for (count, share) in kinds.into_iter().zip([0.6, 0.39, 0.005, 0.005]) {
            let expected = 20_000.0 * share;
            assert!(
                (f64::from(count) - expected).abs() < 5.0 * f64::sqrt(expected),
                "{kinds:?}"
            );
        }
    }
}

//! Scripts that do what wrk's examples do.

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
            text.starts_with(&format!("GET /{n} ")) && text.contains(&format!("X-Count: {n}\r\n"))
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
    let mut workers = WorkerThreads::start(
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
    workers.set_up().unwrap();
    workers.start_all();
    assert!(workers.next(0).starts_with("GET /1 "));
    assert!(workers.next(2).starts_with("GET /3 "));
    workers.next(2);
    assert!(workers.main.has_done());
    workers.done().unwrap();
}

#[test]
fn a_thread_is_given_its_address_in_setup() {
    let mut workers = WorkerThreads::start(
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
    assert_eq!(workers.run_in(1, |worker| worker.addr()), None);
    workers.set_up().unwrap();
    workers.start_all();
    assert_eq!(workers.next(0), "127.0.0.1:5000");
    assert_eq!(workers.next(1), "[::1]:5000");
    assert_eq!(
        workers.run_in(1, |worker| worker.addr()),
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
    let mut workers =
        WorkerThreads::start(1, "function setup(thread) thread.addr = '127.0.0.1' end");
    let error = workers.set_up().unwrap_err().to_string();
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

    let mut workers = WorkerThreads::start(
        2,
        r#"
            local first = true
            function setup(thread) if first then thread:stop() end; first = false end"#,
    );
    workers.set_up().unwrap();
    assert!(workers.run_in(0, |worker| worker.stopped()));
    assert!(!workers.run_in(1, |worker| worker.stopped()));
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
    let mut workers = WorkerThreads::start(1, "");
    workers.set_up().unwrap();
    assert!(!workers.main.has_done());
    workers.done().unwrap();
}

//! `wrk.label`, and what `response` is told of replies that failed.

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
    let mut workers = WorkerThreads::start(1, "function setup() wrk.label('x'); wrk.fail('y') end");
    workers.set_up().unwrap();
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

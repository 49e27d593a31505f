//! `wrk.format`: method, path, headers and body of a request.

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

//! The request of a script that has no `request()` of its own.

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
    assert!(says("wrk.path = {}; function request() return wrk.format(nil, '/') end").len() > 9);
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

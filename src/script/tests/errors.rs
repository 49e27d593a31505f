//! Errors of a script, with their place in it.

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
    let mut workers = WorkerThreads::start(1, "function setup()\n error('no')\nend");
    let error = workers.set_up().unwrap_err();
    assert!(
        error.message.contains("mine.lua:2: no (in setup)"),
        "{error}"
    );
}

#[test]
fn the_words_are_ours_and_not_the_binding_s() {
    let mut workers =
        WorkerThreads::start(1, "function setup(thread)\n  thread:set('f', print)\nend");
    let error = workers.set_up().unwrap_err().to_string();
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

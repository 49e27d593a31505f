//! Values that `thread:set` and `thread:get` carry between Lua states.

use super::*;

#[test]
fn keep_keys_and_values_however_nested() {
    let mut workers = WorkerThreads::start(
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
    workers.set_up().unwrap();
    workers.start_all();
    assert_eq!(workers.next(0), "ax201099511627776");
}

#[test]
fn are_copies() {
    let mut workers = WorkerThreads::start(
        1,
        r#"
            function setup(thread)
              local t = { 1 }
              thread:set("t", t)
              t[1] = 2
            end
            function request() return "" .. t[1] end"#,
    );
    workers.set_up().unwrap();
    workers.start_all();
    assert_eq!(workers.next(0), "1");
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
        let mut workers = WorkerThreads::start(
            1,
            &format!(
                "function helper() end; endless = {{}}; endless[1] = {{ endless }}
                 function setup(thread) {lua} end"
            ),
        );
        let text = workers.set_up().unwrap_err().to_string();
        assert!(
            text.contains(words) && text.contains("mine.lua:2:"),
            "{lua}: {text}"
        );
    }
}

#[test]
fn can_be_refused_without_ending_the_script() {
    let mut workers = WorkerThreads::start(
        1,
        r#"
            function setup(thread)
              local ok, why = pcall(thread.set, thread, "f", print)
              assert(not ok and tostring(why):find("cannot be passed", 1, true), tostring(why))
            end"#,
    );
    workers.set_up().unwrap();
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

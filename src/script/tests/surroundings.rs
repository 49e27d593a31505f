//! What else a script finds: modules, arguments, files, names of hosts.

use super::*;
use socket2::{Domain, Socket, Type};
use std::net::TcpListener;

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
    // The port is taken and nothing listens on it.
    let refusing = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    refusing.bind(&address("127.0.0.1:0").into()).unwrap();
    let port = refusing.local_addr().unwrap().as_socket().unwrap().port();
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

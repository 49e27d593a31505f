//! Connections: refused, to several addresses, lost and opened again, never accepted.

use super::{arguments, assert_hundred_are_unfinished, load, measured};
use crate::support::{
    Meshload, Next, RawServer, RefusedAddress, beside_others, machine, path_text, reply_ok,
    script_in, wait_until,
};
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

#[test]
fn a_refused_connection_names_the_address_and_the_cure() {
    let _machine = beside_others();
    let target = RefusedAddress::new();
    let output = load("-R 100 -d 1s", &target.url()).run();
    let address = target.address().to_string();
    output.assert_failed(1, &[&address, "refused", "is the server running"]);
}

#[test]
fn a_name_that_does_not_resolve_is_named() {
    let _machine = beside_others();
    let output = load("-R 100 -d 1s", "http://no-such-host.invalid/").run();
    output.assert_failed(1, &["no-such-host.invalid", "spelling"]);
}

#[test]
#[ignore = "needs root and unshare"]
fn a_name_with_several_addresses_has_its_connections_spread_over_them() {
    let _machine = beside_others();
    let folder = tempfile::tempdir().expect("a folder");
    let prefix = with_own_names(folder.path());
    let servers = RawServer::two_on_one_port();
    let url = format!("http://two-servers.test:{}/", servers[0].address().port());
    let prefix = prefix.iter().map(String::as_str);
    let output = Meshload::through(prefix, arguments("-R 100 -d 1s -c 8 -t 2", &url)).run();
    measured(&output).all_complete(100);
    for server in &servers {
        // One more to see whether anybody listens.
        assert_eq!(server.connections(), 4 + 1, "{output}");
        assert!((30..=70).contains(&server.requests()), "{output}");
    }
}

/// A prefix that gives the program a file of names in which `two-servers.test` has two addresses.
fn with_own_names(folder: &Path) -> [String; 6] {
    let hosts = folder.join("hosts");
    let lines = "127.0.0.1 localhost two-servers.test\n127.0.0.2 two-servers.test\n";
    std::fs::write(&hosts, lines).expect("a file of names");
    let script = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";
    ["unshare", "-m", "sh", "-c", script, path_text(&hosts)].map(String::from)
}

#[test]
fn one_of_two_urls_that_does_not_answer_is_named() {
    let _machine = beside_others();
    let server = RawServer::ok();
    let refused = RefusedAddress::new();
    let flags = format!("-R 100 -d 1s {}", server.url());
    let output = load(&flags, &refused.url()).run();
    output.assert_failed(1, &[&refused.address().to_string(), "refused"]);
    assert_eq!(server.requests(), 0, "{output}");
}

#[test]
fn a_server_that_dies_and_comes_back_is_found_again() {
    let _machine = beside_others();
    let server = RawServer::ok();
    let (address, url) = (server.address(), server.url());
    let run = load("-R 100 -d 3s -c 4 -t 2", &url).start();
    wait_until("50 requests", || server.requests() >= 50);
    drop(server);
    // Not a wait for something: this is how long the server is gone.
    let gone = RefusedAddress::at(address);
    std::thread::sleep(Duration::from_millis(700));
    let server = RawServer::on(gone.listen(), reply_ok);
    let output = run.finish();
    let account = measured(&output);
    assert_eq!(account.scheduled, 300, "{output}");
    assert!(account.errors("connect") > 0, "{output}");
    assert!(account.completed >= 200, "those that waited, too: {output}");
    assert!(server.requests() >= 100, "{output}");
    account.assert_notes(&["first connect error", &address.to_string()]);
}

#[test]
fn a_server_whose_backlog_is_never_accepted_does_not_keep_the_run_from_ending() {
    let _machine = machine();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let output = load("-R 100 -d 1s -c 4", &url).run();
    assert_hundred_are_unfinished(&output);
}

#[test]
fn a_reset_while_a_request_is_being_sent_is_a_write_error() {
    let _machine = beside_others();
    let folder = tempfile::tempdir().expect("a folder");
    let script = script_in(folder.path(), EVERY_FOURTH_IS_LONG);
    let server = RawServer::start(|request, stream| {
        if request.method() == "POST" {
            return Next::Reset;
        }
        reply_ok(request, stream)
    });
    let flags = format!("-R 40 -d 1s --guard 500ms -c 4 -t 1 -s {script}");
    let output = load(&flags, &server.url()).run();
    let account = measured(&output);
    assert_eq!((account.scheduled, account.completed), (40, 30), "{output}");
    // Whether a write or a read fails first is the kernel's choice.
    assert_eq!(
        account.errors("write") + account.errors("read"),
        10,
        "{output}"
    );
    assert!(account.errors("write") > 0, "{output}");
}

const EVERY_FOURTH_IS_LONG: &str = "\
local count, long = 0, string.rep('x', 8000000)
function request()
  count = count + 1
  if count % 4 == 0 then
    return wrk.format('POST', '/', {}, long)
  end
  return wrk.format()
end
";

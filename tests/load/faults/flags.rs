//! Flags that cannot be, each named with its cure before anything is sent.

use crate::support::{Meshload, RawServer, beside_others};

#[test]
fn every_bad_flag_is_named_with_its_cure_before_anything_is_sent() {
    let _machine = beside_others();
    let server = RawServer::ok();
    for (flags, words) in BAD_FLAGS {
        let url = server.url();
        let output = match flags.strip_prefix("URL ") {
            Some(flags) => Meshload::new([url.as_str()].into_iter().chain(flags.split(' '))),
            None => Meshload::new(flags.split_whitespace().chain([url.as_str()])),
        }
        .run();
        output.assert_failed(2, words);
        assert_eq!(output.stdout, "", "{flags}: {output}");
    }
    assert_eq!(server.requests(), 0);
}

/// What is typed (before the URL, unless it says where the URL stands), and what must be said.
const BAD_FLAGS: &[(&str, &[&str])] = &[
    ("-R 0", &["--rate", "above 0", "such as 800"]),
    ("-R -5", &["--rate", "above 0", "such as 800"]),
    ("-R abc", &["--rate", "`abc` is not a rate", "such as 800"]),
    ("-d 1s", &["-R", "missing", "give -R 800"]),
    (
        "-R 5 --ramp 1:2",
        &["--rate", "--ramp", "cannot be used with"],
    ),
    ("--ramp 100", &["--ramp", "such as 100:800"]),
    ("--ramp 0:5", &["--ramp", "above 0"]),
    ("-R 5 -c 0", &["--connections", "at least 1"]),
    ("-R 5 -t 0", &["--threads", "at least 1"]),
    ("-R 5 --pipeline 0", &["--pipeline", "at least 1"]),
    ("-R 5 -d 0", &["-d", "above 0, such as 10s"]),
    ("-R 5 -d abc", &["--duration", "`abc`", "60s"]),
    (
        "-R 5 -D foo",
        &["--dist", "fixed, exp, norm, uniform, zipf"],
    ),
    ("-R 5 --pacing foo", &["--pacing", "auto, timer, spin"]),
    (
        "-R 5 -c 10 --max-connections 5",
        &["--max-connections", "-c 10", "at least"],
    ),
    ("-R 5 -H nocolon", &["--header", "'Name: value'"]),
    ("-R 5 -T 0", &["-T", "above 0, such as 2s"]),
    (
        "-R 5 --abort-after 0",
        &["--abort-after", "above 0, such as 2s"],
    ),
    ("-R 5 -S", &["-S", "only one URL", "several"]),
    ("-R 5 -P", &["-P", "add -o DIR"]),
    (
        "-R 5 -s /no/such/script.lua",
        &["-s", "/no/such/script.lua"],
    ),
    ("-R 5 --no-such-flag", &["--no-such-flag", "--help"]),
    (
        "-R 5 localhost:80",
        &["localhost:80", "write http://localhost:80"],
    ),
    ("URL -R 5 --key x", &["--key", "add --cert"]),
    ("URL -R 5 -- for the script", &["--", "add -s FILE"]),
];

#[test]
fn a_missing_url_is_asked_for() {
    let output = Meshload::new(["-R", "5"]).run();
    output.assert_failed(2, &["<URL>", "Usage: meshload"]);
}

//! The flags of a run.

use super::*;

#[test]
fn a_url_and_a_rate_are_enough() {
    let RunRequest {
        spec,
        outputs,
        notes,
        thresholds,
        repetition,
    } = with(&[]);
    assert!(thresholds.is_empty() && repetition.is_none());
    assert!(!spec.load.guard_pinned);
    let load = &spec.load;
    assert_eq!((load.connections, load.threads, load.pipeline), (10, 2, 1));
    assert_eq!(load.max_connections, 10);
    assert_eq!(load.duration, Nanos::from_secs(10));
    assert_eq!(load.timeout, Nanos::from_secs(2));
    assert_eq!((load.warmup, load.guard), (Nanos::ZERO, Nanos::ZERO));
    assert_eq!(load.abort_after, None);
    assert_eq!(load.process, ArrivalProcess::Fixed);
    assert_eq!(load.pacing, Pacing::Auto);
    assert_eq!(load.offered, rate(100.0));
    assert!(!load.seed_pinned);
    assert_eq!(spec.recording, Default::default());
    assert!(spec.script.is_none() && spec.headers.is_empty());
    assert_eq!(outputs, Outputs::default());
    assert!(notes.is_empty(), "{notes:?}");
}

#[test]
fn rates_are_fractions_multiples_ramps_or_max() {
    for (typed, wanted) in [
        ("2000", rate(2_000.0)),
        ("0.5", rate(0.5)),
        ("1k", rate(1_000.0)),
        ("1M", rate(1_000_000.0)),
        ("max", Offered::Max),
    ] {
        assert_eq!(
            run(&["-R", typed, URL]).spec.load.offered,
            wanted,
            "{typed}"
        );
        assert_eq!(
            run(&["--rate", typed, URL]).spec.load.offered,
            wanted,
            "{typed}"
        );
    }
    let Offered::Ramp { from, to } = run(&["--ramp", "100:1k", URL]).spec.load.offered else {
        panic!("no ramp");
    };
    assert_eq!((from.as_f64(), to.as_f64()), (100.0, 1_000.0));
}

#[test]
fn counts_and_times_have_a_short_and_a_long_name() {
    for flags in [
        ["-c", "100", "-t", "4"],
        ["--connections", "100", "--threads", "4"],
    ] {
        let load = with(&flags).spec.load;
        assert_eq!(
            (load.connections, load.threads, load.max_connections),
            (100, 4, 100)
        );
    }
    assert_eq!(with(&["-c", "1k"]).spec.load.connections, 1_000);
    for (typed, millis) in [
        ("2s", 2_000),
        ("2m", 120_000),
        ("2h", 7_200_000),
        ("90s", 90_000),
        ("1m30s", 90_000),
        ("1500ms", 1_500),
        ("0.5s", 500),
        ("30", 30_000),
    ] {
        for flag in ["-d", "--duration"] {
            let load = with(&[flag, typed]).spec.load;
            assert_eq!(load.duration, Nanos::from_millis(millis), "{flag} {typed}");
        }
        for flag in ["-T", "--timeout"] {
            let load = with(&[flag, typed]).spec.load;
            assert_eq!(load.timeout, Nanos::from_millis(millis), "{flag} {typed}");
        }
    }
    let load = with(&["--warmup", "5s", "--guard", "1s", "--abort-after", "3s"])
        .spec
        .load;
    assert_eq!(
        (load.warmup, load.guard),
        (Nanos::from_secs(5), Nanos::from_secs(1))
    );
    assert_eq!(load.abort_after, Some(Nanos::from_secs(3)));
    let load = with(&[
        "--max-connections",
        "50",
        "--pipeline",
        "8",
        "--pacing",
        "spin",
    ])
    .spec
    .load;
    assert_eq!((load.max_connections, load.pipeline), (50, 8));
    assert_eq!(load.pacing, Pacing::Spin);
}

#[test]
fn every_arrival_process_has_its_name() {
    for (name, process) in [
        ("fixed", ArrivalProcess::Fixed),
        ("exp", ArrivalProcess::Exp),
        ("norm", ArrivalProcess::Norm),
        ("uniform", ArrivalProcess::Uniform),
        ("zipf", ArrivalProcess::Zipf),
    ] {
        assert_eq!(with(&["-D", name]).spec.load.process, process);
        assert_eq!(with(&["--dist", name]).spec.load.process, process);
    }
}

#[test]
fn each_switch_turns_on_one_thing() {
    for flag in ["-L", "--latency"] {
        assert!(with(&[flag]).spec.recording.spectrum, "{flag}");
    }
    for flag in ["-U", "--u_latency", "--u-latency"] {
        assert!(with(&[flag]).spec.recording.uncorrected, "{flag}");
    }
    for flag in ["-B", "--batch_latency", "--batch-latency"] {
        assert!(with(&[flag]).spec.recording.batch_latency, "{flag}");
    }
    for flag in ["-r", "--requests"] {
        assert!(with(&[flag]).spec.recording.sent, "{flag}");
    }
    for flag in ["-S", "--separate"] {
        let request = run(&["-R", "1", flag, "http://a/", "http://b/"]);
        assert!(request.spec.recording.separate, "{flag}");
    }
    assert!(with(&["-P", "-o", "dir"]).spec.recording.requests_csv);
    assert!(with(&["-q"]).outputs.quiet);
    let bundle = with(&["-LUr"]).spec.recording;
    assert!(bundle.spectrum && bundle.uncorrected && bundle.sent);
}

#[test]
fn headers_keep_their_order_and_their_colons() {
    let spec = with(&["-H", "A: 1", "--header", "Host: x:80", "-H", "Empty:"]).spec;
    let wanted = [("A", "1"), ("Host", "x:80"), ("Empty", "")];
    let wanted = wanted.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(spec.headers, wanted);
}

#[test]
fn options_may_stand_before_after_and_between_urls() {
    let spec = run(&["http://a/", "-R", "2000", "-L", "http://b/x", "-d", "5s"]).spec;
    let urls: Vec<_> = spec
        .targets
        .iter()
        .map(|target| target.url.as_str())
        .collect();
    assert_eq!(urls, ["http://a/", "http://b/x"]);
    assert_eq!(spec.load.duration, Nanos::from_secs(5));
    assert!(spec.recording.spectrum);
}

#[test]
fn what_follows_two_dashes_belongs_to_the_script() {
    let spec = run(&[
        "-R", "1", "-s", "a.lua", URL, "--", "-c", "http://x", "--help",
    ])
    .spec;
    let script = spec.script.expect("a script");
    assert_eq!(script.path, PathBuf::from("a.lua"));
    assert_eq!(script.args, ["-c", "http://x", "--help"]);
    assert_eq!((spec.targets.len(), spec.load.connections), (1, 10));
    let error = refusal(&["-R", "1", URL, "--", "1"]);
    assert!(error.contains("-s FILE"), "{error}");
}

#[test]
fn a_seed_is_kept_and_without_one_runs_differ() {
    let load = with(&["--seed", "7"]).spec.load;
    assert_eq!((load.seed, load.seed_pinned), (7, true));
    let seeds: std::collections::HashSet<_> = (0..8).map(|_| with(&[]).spec.load.seed).collect();
    assert!(seeds.len() > 1);
}

#[test]
fn results_go_where_they_are_sent() {
    let outputs = with(&[
        "--json", "-", "--csv", "a.csv", "--hlog", "a.hlog", "-o", "dir",
    ])
    .outputs;
    assert_eq!(outputs.json, Some(Destination::Stdout));
    assert_eq!(outputs.csv, Some(PathBuf::from("a.csv")));
    assert_eq!(outputs.hlog, Some(PathBuf::from("a.hlog")));
    assert_eq!(outputs.folder, Some(PathBuf::from("dir")));
    let json = with(&["--json", "a.json"]).outputs.json;
    assert_eq!(json, Some(Destination::File(PathBuf::from("a.json"))));
}

#[test]
fn flags_that_mean_less_than_they_did_are_taken_with_a_note() {
    let request = with(&["-c", "1", "-t", "4"]);
    assert_eq!(request.spec.workers_per_target(), 1);
    assert!(request.notes[0].contains("-c 1"), "{:?}", request.notes);
    let request = with(&["-p"]);
    assert!(
        request.notes[0].contains("intervals.csv"),
        "{:?}",
        request.notes
    );
}

#[test]
fn errors_name_the_flag_and_the_cure() {
    let lines: [(&[&str], &[&str]); 23] = [
        (&[URL], &["-R", "-R 800", "--ramp"]),
        (&["-R", "100"], &["URL"]),
        (
            &["-R", "abc", URL],
            &["--rate", "requests per second", "max"],
        ),
        (&["-R", "0", URL], &["--rate", "above 0"]),
        (&["-R", "-5", URL], &["--rate", "above 0"]),
        (&["-R", "1", "--ramp", "1:2", URL], &["--rate", "--ramp"]),
        (&["--ramp", "100", URL], &["--ramp", "100:800"]),
        (&["--ramp", "1:x", URL], &["--ramp", "requests per second"]),
        (&["-R", "1", "-d", "5x", URL], &["--duration", "60s"]),
        (&["-R", "1", "-d", "0", URL], &["-d", "above 0"]),
        (
            &["-R", "1", "-c", "0", URL],
            &["--connections", "at least 1"],
        ),
        (&["-R", "1", "-t", "two", URL], &["--threads", "at least 1"]),
        (&["-R", "1", "-T", "0", URL], &["-T", "above 0"]),
        (
            &["-R", "1", "-D", "poisson", URL],
            &["--dist", "fixed, exp, norm"],
        ),
        (
            &["-R", "1", "--pacing", "fast", URL],
            &["--pacing", "auto, timer, spin"],
        ),
        (
            &["-R", "1", "-H", "nocolon", URL],
            &["--header", "'Name: value'"],
        ),
        (
            &["-R", "1", "-H", "a b: c", URL],
            &["--header", "'Name: value'"],
        ),
        (&["-R", "1", "-S", URL], &["-S", "several URLs"]),
        (&["-R", "1", "-P", URL], &["add -o DIR"]),
        (
            &["-R", "1", "-c", "5", "--max-connections", "3", URL],
            &["--max-connections", "at least -c"],
        ),
        (
            &["-R", "1", "localhost:5000"],
            &["URL", "http://localhost:5000"],
        ),
        (
            &["-R", "1", "--conections", "5", URL],
            &["--conections", "--connections"],
        ),
        (
            &["-R", "1", "--abort-after", "0", URL],
            &["--abort-after", "above 0"],
        ),
    ];
    for (line, parts) in lines {
        let error = refusal(line);
        for part in parts {
            assert!(error.contains(part), "{line:?} lacks {part}: {error}");
        }
    }
}

#[test]
fn a_guard_of_the_users_own_is_told_from_none() {
    assert!(!with(&["--collect", "kube"]).spec.load.guard_pinned);
    let request = with(&["--collect", "kube", "--guard", "0s"]);
    assert!(request.spec.load.guard_pinned && request.spec.load.guard.is_zero());
}

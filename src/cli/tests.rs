//! What people type, and what is meant by it.

use super::*;
use crate::schedule::ArrivalProcess;
use crate::spec::{CollectFrom, KubeletRoute, Offered, Pacing, ProcessChoice};
use crate::units::Nanos;
use crate::version::{VERSION, VERSION_AND_TARGET};

const URL: &str = "http://h/";

fn parsed(line: &[&str]) -> Result<Request, BadArguments> {
    let words = std::iter::once(&"meshload").chain(line);
    parse(words.map(OsString::from))
}

#[track_caller]
fn run(line: &[&str]) -> RunRequest {
    match parsed(line) {
        Ok(Request::Run(request)) => *request,
        other => panic!("{line:?}: {other:?}"),
    }
}

/// The run of these flags before a URL, at 100/s.
#[track_caller]
fn with(flags: &[&str]) -> RunRequest {
    run(&[&["-R", "100"], flags, &[URL]].concat())
}

#[track_caller]
fn refusal(line: &[&str]) -> String {
    match parsed(line) {
        Ok(request) => panic!("{line:?} was taken as {request:?}"),
        Err(error) => error.to_string(),
    }
}

fn rate(per_second: f64) -> Offered {
    Offered::Rate(Rate::per_second(per_second).expect("a rate"))
}

#[test]
fn a_url_and_a_rate_are_enough() {
    let RunRequest {
        spec,
        outputs,
        notes,
        thresholds,
        repetition,
        guard_is_given,
    } = with(&[]);
    assert!(thresholds.is_empty() && repetition.is_none());
    assert!(!guard_is_given);
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
fn a_command_line_without_a_command_is_a_run() {
    let (bare, named) = (
        run(&["-R", "5", URL]).spec,
        run(&["run", "-R", "5", URL]).spec,
    );
    assert_eq!(
        (bare.targets, bare.load.offered),
        (named.targets, named.load.offered)
    );
    // A command's name as a value is not a command.
    assert_eq!(
        with(&["-o", "hotel"]).outputs.folder,
        Some(PathBuf::from("hotel"))
    );
}

#[test]
fn the_other_commands_are_found() {
    let Ok(Request::Report(report)) = parsed(&["report", "dir", "-o", "out"]) else {
        panic!("report");
    };
    assert_eq!(report.folder, PathBuf::from("dir"));
    assert_eq!(report.output, Some(PathBuf::from("out")));
    let Ok(Request::Hotel(hotel)) = parsed(&["hotel", "--listen", "127.0.0.1:0", "--seed", "3"])
    else {
        panic!("hotel");
    };
    assert_eq!((hotel.listen.port(), hotel.seed), (0, 3));
    let Ok(Request::Demo { output, duration }) = parsed(&["demo", "-d", "3s"]) else {
        panic!("demo");
    };
    assert_eq!((output, duration), (None, Nanos::from_secs(3)));
    assert!(matches!(
        parsed(&["selftest"]),
        Ok(Request::Selftest { is_short: false })
    ));
}

#[test]
fn version_and_help_are_answers_and_no_errors() {
    let lines: [&[&str]; 8] = [
        &["-v"],
        &["--version"],
        &["-h"],
        &["--help"],
        &["help"],
        &["run", "--help"],
        &["hotel", "--help"],
        &["demo", "-h"],
    ];
    for line in lines {
        match parsed(line) {
            Err(BadArguments::Clap(answer)) => assert!(!answer.use_stderr(), "{line:?}: {answer}"),
            other => panic!("{line:?}: {other:?}"),
        }
    }
    assert!(refusal(&["-v"]).contains(env!("CARGO_PKG_VERSION")));
    let help = refusal(&["--help"]);
    for part in [
        "--rate",
        "--u_latency",
        "-- SCRIPT ARGS",
        "Exit codes",
        "hotel",
        "130",
    ] {
        assert!(help.contains(part), "{part}");
    }
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
fn nothing_is_collected_unless_asked_for() {
    let request = with(&[]);
    assert_eq!(request.spec.collect.from, CollectFrom::None);
    let from = |typed: &str| with(&["--collect", typed]).spec.collect.from;
    assert_eq!(from("kube"), CollectFrom::Kube);
    assert_eq!(from("auto"), CollectFrom::Auto);
    let processes = vec![
        ProcessChoice::Pid(12),
        ProcessChoice::Name("front end".to_owned()),
    ];
    assert_eq!(
        from("process:12,name=front end"),
        CollectFrom::Process(processes)
    );
}

#[test]
fn a_guard_of_the_users_own_is_told_from_none() {
    assert!(!with(&["--collect", "kube"]).guard_is_given);
    let request = with(&["--collect", "kube", "--guard", "0s"]);
    assert!(request.guard_is_given && request.spec.load.guard.is_zero());
}

#[test]
fn the_way_to_a_cluster() {
    let flags = [
        "--context",
        "study",
        "-n",
        "hotel",
        "-n",
        "db",
        "--kubelet",
        "direct",
        "--no-exec",
        "--collect-interval",
        "5s",
    ];
    let collect = with(&flags).spec.collect;
    assert_eq!(collect.access.context.as_deref(), Some("study"));
    assert_eq!(collect.namespaces, ["hotel", "db"]);
    assert_eq!(collect.access.kubelet, KubeletRoute::Direct);
    assert!(!collect.exec && !collect.all_namespaces);
    assert_eq!(collect.interval, Nanos::from_secs(5));
    let proxy = with(&["--kube-url", "http://127.0.0.1:8001/"]).spec.collect;
    assert_eq!(proxy.access.url.as_deref(), Some("http://127.0.0.1:8001"));
}

#[test]
fn what_cannot_be_collected_from_is_refused_with_the_cure() {
    let refused = |flags: &[&str]| refusal(&[&["-R", "1"], flags, &[URL]].concat());
    assert!(refused(&["--collect", "docker"]).contains("process:PID"));
    assert!(refused(&["--collect", "process:frontend"]).contains("name=frontend"));
    assert!(refused(&["--collect", "process:0"]).contains("process id"));
    assert!(refused(&["--collect", "process:name="]).contains("name=frontend"));
    assert!(refused(&["--kube-url", "https://h:6443"]).contains("--kubeconfig"));
    assert!(refused(&["--kube-url", "http://h", "--context", "c"]).contains("either"));
    assert!(refused(&["--kube-url", "http://h", "--kubelet", "direct"]).contains("kubeconfig"));
    assert!(refused(&["--collect-interval", "1ms"]).contains("at least 100ms"));
}

#[test]
fn collect_and_check_are_commands() {
    match parsed(&["collect", "--for", "60s", "process:7", "-o", "d"]) {
        Ok(Request::Collect(request)) => {
            assert_eq!(request.length, Nanos::from_secs(60));
            assert_eq!(
                request.spec.from,
                CollectFrom::Process(vec![ProcessChoice::Pid(7)])
            );
        }
        other => panic!("{other:?}"),
    }
    assert!(refusal(&["collect", "--for", "0s"]).contains("--for"));
    assert!(refusal(&["collect", "--for", "1s", "none"]).contains("nothing to collect"));
    match parsed(&["check", URL, "-s", "x.lua", "-n", "hotel", "--json"]) {
        Ok(Request::Check(request)) => {
            let run = request.run.expect("a run");
            assert_eq!(run.targets[0].url, URL);
            assert_eq!(run.script.expect("a script").path, PathBuf::from("x.lua"));
            assert!(request.json && request.cluster.namespaces == ["hotel"]);
            assert_eq!(request.cluster.from, CollectFrom::Kube);
        }
        other => panic!("{other:?}"),
    }
    assert!(refusal(&["check", "ftp://h/"]).contains("URL"));
}

fn sweep(flags: &[&str]) -> SweepRequest {
    let words = ["meshload", "sweep"].iter().chain(flags);
    match parse(words.map(Into::into)) {
        Ok(Request::Sweep(request)) => *request,
        other => panic!("{flags:?}: {other:?}"),
    }
}

#[test]
fn a_sweep_without_flags_is_the_studys() {
    let plan = sweep(&["-s", "mix.lua", URL]).plan.expect("a plan");
    let rates: Vec<f64> = plan.rates.iter().map(|rate| rate.as_f64()).collect();
    assert_eq!(rates, [200.0, 400.0, 600.0, 700.0, 800.0, 1000.0]);
    let phases = [plan.warmup, plan.measure, plan.guard].map(|phase| phase.0 / Nanos::SECOND.0);
    assert_eq!((phases, plan.repetitions), ([15, 60, 20], 1));
    let load = &plan.load;
    assert_eq!(
        (load.process.name(), load.threads, load.connections),
        ("exp", 4, 100)
    );
    assert_eq!(plan.cluster.collect, CollectFrom::Auto);
    assert!(plan.verify && plan.cache_flush && !plan.switch);
    assert_eq!(plan.cooldown, crate::sweep::Cooldown::Adaptive);
    assert_eq!(plan.name, "no_istio");
    let arms: Vec<_> = plan
        .arms
        .iter()
        .map(|arm| (arm.name.as_str(), arm.meshed))
        .collect();
    assert_eq!(arms, [("baseline", Some(false))]);
}

/// The names that a group of options has on the command line, by its keys in a plan.
fn flags_of<Group: Args>() -> std::collections::BTreeMap<String, String> {
    let group = Group::augment_args(clap::Command::new("group"));
    let flags = group.get_arguments().map(|flag| {
        let name = flag.get_long().unwrap_or("-");
        (flag.get_id().to_string(), format!("--{name}"))
    });
    flags.collect()
}

/// What `run` has and a plan says in another way, or not at all, with the reason.
const ONLY_OF_A_RUN: [(&str, &str); 22] = [
    ("<URL>", "each [[arm]] has a url"),
    (
        "--rate",
        "rates; a closed loop offers no rate that arms could be compared at",
    ),
    (
        "--ramp",
        "rates; a step is compared, and said to be held, at one rate",
    ),
    ("--duration", "measure"),
    ("--warmup", "warmup, which has another default"),
    ("--guard", "guard, which has another default"),
    ("--seed", "seed"),
    ("--host", "a Host line in load.headers"),
    (
        "--print-intervals",
        "does nothing but tell of intervals.csv, which each step has",
    ),
    (
        "--output",
        "where a result goes is not a part of what is measured",
    ),
    ("--json", "each step's folder has run.json"),
    ("--csv", "the folder has tables over all steps"),
    ("--hlog", "each step's folder has latency.hlog"),
    ("--quiet", "is about the terminal"),
    ("--version", "is about the program"),
    ("--fail-if", "[[threshold]]"),
    (
        "--baseline",
        "arms, which meshload compare holds against each other",
    ),
    (
        "--max-regression",
        "a flag of meshload compare, of the finished folder",
    ),
    ("--repeat", "repetitions"),
    ("--summary-md", "meshload compare -o writes comparison.md"),
    ("--junit", "no build server shows the steps of a sweep"),
    (
        "--separate",
        "is in a plan, too, and refused there: an arm has one URL",
    ),
];

/// Every option of the groups, with a value: what a plan has with all its keys.
const ALL_OPTIONS: &str = "-s x.lua -H A:1 -D exp -t 3 -c 7 --max-connections 9 --pipeline 1 \
    --pacing spin -T 3s --abort-after 4s -L -U -B -r -P --http2 --streams 2 \
    --requests-per-connection 5 --resolve h:80:127.0.0.1 --connect-to h:80 \
    --local-address 127.0.0.1 --proxy-protocol v1 --dns-refresh 5s --cacert a --cert b --key c \
    --tls-min 1.3 --no-resumption --collect kube -n x --all-namespaces --context c \
    --kubeconfig k --kubelet direct --no-exec --collect-interval 5s https://h:443";

#[test]
fn a_plan_has_every_option_of_a_run_but_those_that_are_named() {
    let words: Vec<&str> = ALL_OPTIONS.split_whitespace().collect();
    let plan = sweep(&words).plan.expect("a plan");
    let plan = serde_json::to_value(plan).expect("JSON");
    let mut flags = std::collections::BTreeSet::new();
    for (group, of_group) in [
        ("load", flags_of::<crate::spec::LoadOptions>()),
        ("http", flags_of::<crate::spec::HttpOptions>()),
        ("reach", flags_of::<crate::spec::ReachOptions>()),
        ("tls", flags_of::<crate::spec::TlsOptions>()),
        ("recording", flags_of::<crate::spec::RecordingOptions>()),
        ("cluster", flags_of::<crate::spec::ClusterOptions>()),
    ] {
        let keys = plan[group].as_object().expect(group).keys();
        let mut keys: std::collections::BTreeSet<&String> = keys.collect();
        // Two pairs of options exclude each other, so that the plan above has one of each.
        let left_out = match group {
            "cluster" => "kube_url".to_owned(),
            _ => String::new(),
        };
        keys.extend(Some(&left_out).filter(|key| !key.is_empty()));
        // The source of the collector's figures is a flag of `run` and an argument of `collect`.
        let collect = "collect".to_owned();
        let mut known: std::collections::BTreeSet<&String> = of_group.keys().collect();
        known.extend(Some(&collect).filter(|_| group == "cluster"));
        assert_eq!(keys, known, "[{group}]");
        flags.extend(of_group.into_values());
    }
    flags.insert("--collect".to_owned());
    let names_of = |name: &str| -> std::collections::BTreeSet<String> {
        let commands = command();
        let found = commands.find_subcommand(name).expect("a command");
        let names = found.get_arguments().map(|flag| match flag.get_long() {
            Some(name) => format!("--{name}"),
            None if flag.is_last_set() => "---".to_owned(),
            None => "<URL>".to_owned(),
        });
        names.collect()
    };
    let of_run = names_of("run");
    let named: std::collections::BTreeSet<String> = ONLY_OF_A_RUN
        .iter()
        .map(|(flag, _)| (*flag).to_owned())
        .collect();
    let all: std::collections::BTreeSet<String> = flags.union(&named).cloned().collect();
    assert_eq!(
        of_run, all,
        "flags of run, and those that a plan has or that are named here"
    );
    let missing: Vec<&String> = flags
        .iter()
        .filter(|flag| !names_of("sweep").contains(*flag))
        .collect();
    assert!(missing.is_empty(), "flags that sweep lacks: {missing:?}");
}

#[test]
fn a_sweep_without_flags_and_an_empty_plan_mean_the_same() {
    let typed = sweep(&[URL]).plan.expect("a plan");
    let empty = crate::sweep::SweepPlan::default();
    assert_eq!(typed.load, empty.load);
    assert_eq!(typed.recording, empty.recording);
    assert_eq!(typed.cluster, empty.cluster);
    let run = with(&[]).spec;
    let by_default = crate::spec::RunSpec::to(run.targets.clone(), rate(100.0), Default::default());
    let seed = run.load.seed;
    let expected = crate::spec::Load {
        seed,
        ..by_default.load.clone()
    };
    assert_eq!(
        run,
        crate::spec::RunSpec {
            load: expected,
            ..by_default
        }
    );
}

#[test]
fn the_steps_of_a_sweep_are_made_with_the_options_of_a_run() {
    let flags = ["--abort-after", "5s", "-P", "-U", "--collect", "process:1"];
    let plan = sweep(&[&flags[..], &[URL]].concat()).plan.expect("a plan");
    let spec = plan.run_spec(&plan.steps()[0]).expect("a question");
    assert_eq!(spec.load.abort_after, Some(Nanos::from_secs(5)));
    let recording = &spec.recording;
    assert!(recording.requests_csv && recording.uncorrected && recording.spectrum);
    let back = crate::sweep::SweepPlan::from_toml(&plan.to_toml()).expect("a plan");
    assert_eq!(back, plan);
}

#[test]
fn the_studys_options_are_those_of_a_sweep() {
    let flags = "--istio --all-namespaces --skip-verify --skip-warmup --skip-cache-flush --fixed-cooldown 7";
    let mut flags: Vec<&str> = flags.split(' ').collect();
    flags.push(URL);
    let plan = sweep(&flags).plan.expect("a plan");
    assert_eq!(
        (plan.name.as_str(), plan.arms[0].meshed),
        ("with_istio", Some(true))
    );
    assert!(plan.cluster.all_namespaces && !plan.verify && !plan.cache_flush);
    assert!(plan.warm_up_first.length.is_zero());
    assert_eq!(
        plan.cooldown,
        crate::sweep::Cooldown::Fixed(Nanos::from_secs(7))
    );
}

#[test]
fn a_plans_file_a_url_and_a_folder_are_told_apart() {
    let by_file = sweep(&["plan.toml", "-o", "x", "-q"]);
    assert_eq!(
        by_file.file.as_deref(),
        Some(std::path::Path::new("plan.toml"))
    );
    assert!(by_file.plan.is_none());
    let goes_on = sweep(&["-o", "x"]);
    assert!(goes_on.plan.is_none() && goes_on.file.is_none());
    let by_arms = sweep(&["--arm", "a=http://h:1", "--arm", "b=http://h:2"]);
    assert_eq!(by_arms.plan.expect("a plan").arms.len(), 2);
    for (flags, wanted) in [
        (&["plan.toml", "--rates", "5"][..], "rates"),
        (&["-o", "x", "-c", "5"], "connections"),
        (&["--rates", "5"], "URL"),
        (&["--arm", "a", "--arm", "b=http://h:2"], "--arm NAME=URL"),
        (&["--rates", "5,x", URL], "`x`"),
        (&["--rates", "", URL], "rate"),
        (&["--arm", "a/b", URL], "letters"),
        (&["--slo", "p99<1s", URL], "--find-capacity"),
        (&["--find-capacity", "--rates", "5", URL], "two rates"),
    ] {
        let words = ["meshload", "sweep"].iter().chain(flags);
        let error = parse(words.map(Into::into)).expect_err("refused");
        assert!(error.to_string().contains(wanted), "{flags:?}: {error}");
    }
}

#[test]
fn a_baseline_or_a_number_of_runs_makes_several() {
    let kept = with(&[
        "--baseline",
        "results/main",
        "--max-regression",
        "p99=10%,mean=5%",
    ]);
    let kept = kept.repetition.expect("several runs");
    assert_eq!(kept.baseline, Some(Baseline::Kept("results/main".into())));
    assert_eq!((kept.most, kept.limits.len()), (None, 2));
    let live = with(&["--baseline", "http://old/", "--max-regression", "p99=10%"]);
    let live = live.repetition.expect("several runs");
    assert!(matches!(live.baseline, Some(Baseline::Live(target)) if target.host == "old"));
    let repeated = with(&["--repeat", "6"]).repetition.expect("several runs");
    assert_eq!((repeated.most, repeated.baseline), (Some(6), None));
    assert_eq!(with(&["--repeat", "1"]).repetition, None);
}

#[test]
fn repetitions_that_could_tell_nothing_are_refused_with_the_cure() {
    for (flags, words) in [
        (&["--baseline", "a"][..], "--max-regression"),
        (&["--max-regression", "p99=1%"][..], "--baseline"),
        (&["--repeat", "0"][..], "--repeat"),
        (
            &["--baseline", "a", "--max-regression", "p99"][..],
            "column 1",
        ),
        (
            &["--baseline", "a", "--max-regression", "cpu=5%"][..],
            "--collect",
        ),
        (
            &["--baseline", "http://a b/", "--max-regression", "p99=5%"][..],
            "not a URL",
        ),
        (&["--repeat", "2", "--json", "-"][..], "-o DIR"),
        (&["--repeat", "2", "--csv", "x"][..], "-o DIR"),
        (&["--repeat", "2", "--hlog", "x"][..], "-o DIR"),
        (
            &[
                "--baseline",
                "http://a/",
                "--max-regression",
                "cpu=5%",
                "--collect",
                "process:1",
            ][..],
            "tell the `cpu` of two URLs apart",
        ),
    ] {
        let line = [&["-R", "100", "http://host/"][..], flags].concat();
        let message = refusal(&line);
        assert!(message.contains(words), "{line:?}: {message}");
    }
    let closed = refusal(&["-R", "max", "--repeat", "2", "http://host/"]);
    assert!(closed.contains("fixed rate"), "{closed}");
    let several = [
        "-R",
        "9",
        "--baseline",
        "http://a/",
        "--max-regression",
        "p99=5%",
    ];
    let several = refusal(&[&several[..], &["http://b/", "http://c/"]].concat());
    assert!(several.contains("one URL"), "{several}");
}

#[test]
fn every_help_has_an_example_and_fits_a_terminal_of_80_columns() {
    let commands = command();
    let names = commands.get_subcommands().map(|command| command.get_name());
    for name in names {
        let help = refusal(&[name, "--help"]);
        assert!(help.contains("Example"), "{name}: {help}");
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
    }
}

#[test]
fn what_is_nearly_right_is_answered_with_what_is() {
    for (line, wanted) in [
        (
            &["--conections", "5", "-R", "1", "http://host/"][..],
            "'--connections'",
        ),
        (&["swep", "plan.toml"][..], "'sweep'"),
        (&["reprot", "results/a"][..], "'report'"),
        (&["sweep", "--rate", "5"][..], "'--rates'"),
    ] {
        let message = refusal(line);
        assert!(
            message.contains("similar") && message.contains(wanted),
            "{message}"
        );
    }
    // A host is no command.
    let host = refusal(&["localhost", "-R", "5"]);
    assert!(host.contains("write http://localhost"), "{host}");
}

#[test]
fn the_version_has_commit_and_target() {
    for flag in ["-v", "-V", "--version"] {
        let text = refusal(&[flag]);
        assert!(
            text.starts_with("meshload ") && text.contains(VERSION_AND_TARGET),
            "{text}"
        );
    }
    assert!(VERSION_AND_TARGET.contains(VERSION), "{VERSION}");
    assert!(VERSION_AND_TARGET.ends_with(env!("MESHLOAD_TARGET")));
    assert!(
        env!("MESHLOAD_TARGET").contains("linux"),
        "{VERSION_AND_TARGET}"
    );
}

#[test]
fn flags_stand_under_the_heading_of_their_group() {
    let commands = command();
    let run = commands.find_subcommand("run").expect("a command");
    let heading = |name: &str| {
        let mut flags = run.get_arguments();
        let flag = flags.find(|flag| flag.get_long() == Some(name));
        flag.expect(name).get_help_heading()
    };
    for (name, wanted) in [
        ("rate", None),
        ("timeout", None),
        ("json", None),
        ("version", None),
        ("resolve", Some("Reach")),
        ("cacert", Some("TLS")),
        ("collect", Some("Cluster")),
        ("namespace", Some("Cluster")),
        ("fail-if", Some("In a pipeline")),
    ] {
        assert_eq!(heading(name), wanted, "--{name}");
    }
}

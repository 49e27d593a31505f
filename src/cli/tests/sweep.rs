//! The flags of a sweep, and what they have in common with those of a run and the keys of a plan.

use super::*;

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

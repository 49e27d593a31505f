//! Plans as text, and the differences between them.

use super::*;

proptest! {
    #[test]
    fn a_plan_comes_back_from_its_own_text(plan in plans(), flags in any::<[bool; 6]>()) {
        let mut plan = plan;
        plan.verify = flags[0];
        plan.cooldown = if flags[1] { Cooldown::Adaptive } else { Cooldown::Fixed(Nanos::from_millis(1500)) };
        plan.stop_when = flags[2].then_some(StopWhen::Unstable);
        plan.warm_up_first = if flags[3] { WarmUpFirst::none() } else { WarmUpFirst::default() };
        plan.arms[0].meshed = flags[4].then_some(flags[5]);
        plan.arms[0].labels = BTreeMap::from([("istio.io/rev".to_owned(), "canary".to_owned())]);
        plan.arms[0].patch = vec![Patch {
            api_version: "apps/v1".to_owned(),
            kind: "Deployment".to_owned(),
            name: "frontend".to_owned(),
            namespace: None,
            merge: serde_json::json!({ "spec": { "replicas": 2, "list": [1, 2] } }),
        }];
        // TOML holds whole numbers up to an i64.
        plan.seed >>= 1;
        let back = SweepPlan::from_toml(&plan.to_toml());
        prop_assert_eq!(back.as_ref(), Ok(&plan));
        prop_assert!(plan.differences(&plan).is_empty());
    }
}

#[test]
fn plans_say_where_they_differ() {
    let one = plan(&["a", "b"], &[1.0], 1);
    let mut other = one.clone();
    other.measure = Nanos::from_secs(30);
    other.arms[1].url = "http://127.0.0.1:6000".to_owned();
    let differences = one.differences(&other);
    assert_eq!(
        differences,
        [
            "arm[2].url: \"http://127.0.0.1:5000\" there, \"http://127.0.0.1:6000\" here",
            "measure: \"60s\" there, \"30s\" here",
        ]
    );
}

/// A plan.json as it was written before plans had `recording` and `abort_after`.
const OLD_PLAN: &str = r#"{
  "name": "two", "rates": [100, 200], "repetitions": 2, "order": "interleaved", "seed": 7,
  "warmup": "1s", "measure": "2s", "guard": "0s", "verify": false, "cache_flush": false,
  "cooldown": "0s", "switch": false,
  "warm_up_first": { "rate": 500, "length": "0s", "rest": "0s" },
  "load": {
    "script_args": [], "headers": ["A: 1", "Host: shop"], "process": "exp", "threads": 4,
    "connections": 100, "pipeline": 1, "pacing": "auto", "timeout": "2s"
  },
  "http": { "http2": false, "streams": 1, "no_keepalive": false },
  "reach": { "resolve": [], "local_addresses": [] },
  "tls": { "insecure": false, "min": "1.2", "no_resumption": false },
  "cluster": {
    "collect": "auto", "interval": "2s", "namespaces": [], "all_namespaces": false,
    "kubelet": "proxy", "exec": true
  },
  "arm": [{ "name": "a", "url": "http://127.0.0.1:5000", "collect": "process:name=hotel" }]
}"#;

#[test]
fn an_old_plan_means_what_it_meant() {
    let old: SweepPlan = serde_json::from_str(OLD_PLAN).expect("a plan");
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let today = SweepPlan {
        name: "two".to_owned(),
        order: Order::Interleaved,
        seed: 7,
        warmup: Nanos::from_secs(1),
        measure: Nanos::from_secs(2),
        guard: Nanos::ZERO,
        verify: false,
        cache_flush: false,
        cooldown: Cooldown::Fixed(Nanos::ZERO),
        warm_up_first: WarmUpFirst::none(),
        load: LoadOptions {
            headers: vec![header("A", "1"), header("Host", "shop")],
            ..LoadOptions::of_sweep()
        },
        arms: vec![Arm {
            collect: Some("process:name=hotel".parse().expect("a source")),
            ..arm("a")
        }],
        ..plan(&["a"], &[100.0, 200.0], 2)
    };
    assert!(
        old.differences(&today).is_empty(),
        "{:?}",
        old.differences(&today)
    );
    assert_eq!(old, today);
    let spec = old.run_spec(&old.steps()[0]).expect("a question");
    assert!(spec.recording.spectrum && spec.load.abort_after.is_none());
    // What was not said then is a difference to a plan that says it.
    let mut asks_more = today.clone();
    asks_more.load.abort_after = Some(Nanos::from_secs(5));
    asks_more.recording.requests_csv = true;
    let wanted = [
        "load.abort_after: null there, \"5s\" here",
        "recording.requests_csv: false there, true here",
    ];
    assert_eq!(old.differences(&asks_more), wanted);
}

#[test]
fn a_plan_says_the_guard_and_repeated_runs_only_where_it_was_given() {
    let mut plan = plan(&["a"], &[1.0], 1);
    let step = StepKey {
        number: 1,
        arm: "a".to_owned(),
        rate: Rate::nearest(1.0),
        repetition: 1,
    };
    let is_pinned = |plan: &SweepPlan| plan.run_spec(&step).map(|spec| spec.load.guard_pinned);
    assert_eq!(is_pinned(&plan), Ok(true));
    let mut load = load_not_pinned();
    plan.until = Some(Until::of(&Trial::default(), None, &load));
    assert_eq!(is_pinned(&plan), Ok(false));
    load.guard_pinned = true;
    plan.until = Some(Until::of(&Trial::default(), None, &load));
    assert_eq!(is_pinned(&plan), Ok(true));
}

#[test]
fn a_rule_of_an_earlier_version_is_read_and_written_with_todays_names() {
    let load = Load {
        guard_pinned: true,
        ..load_not_pinned()
    };
    let rule = Until::of(&Trial::default(), None, &load);
    let text = serde_json::to_string(&rule).expect("JSON");
    let old = text.replace("guard_pinned", "guard_is_given");
    assert_ne!(old, text);
    assert_eq!(serde_json::from_str::<Until>(&old).expect("a rule"), rule);
}

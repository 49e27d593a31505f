//! Baselines and repeated runs.

use super::*;

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

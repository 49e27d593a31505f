//! What one arm costs over another, as its user asks for it.

use crate::support::{Hotel, machine, meshload, path_text, rows, until_believed};
use std::path::{Path, PathBuf};

/// The study's folders, which lie beside the checkout and are not part of it.
fn study() -> [PathBuf; 3] {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures/study");
    [
        "no_istio_20260101_024147",
        "with_istio_20260101_022222",
        "compare_overhead_summary.csv",
    ]
    .map(|name| folder.join(name))
}

#[test]
#[ignore = "needs the study's folders"]
fn the_studys_own_table_comes_out_of_its_folders() {
    let [base, other, wanted] = study();
    let home = tempfile::tempdir().expect("a folder");
    let (base, other) = (path_text(&base), path_text(&other));
    let out = path_text(home.path());
    let output = meshload(["compare", "--as-study", base, other, "-o", out]);
    assert_eq!(output.code, Some(0), "{output}");
    let found = rows(&home.path().join("compare_overhead_summary.csv"));
    let wanted = rows(&wanted);
    assert_eq!(found.len(), wanted.len());
    for (found, wanted) in found.iter().zip(&wanted) {
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            wanted.keys().collect::<Vec<_>>()
        );
        for (name, wanted) in wanted {
            let [found, wanted] =
                [&found[name], wanted].map(|cell| cell.parse::<f64>().expect("a number"));
            assert!((found - wanted).abs() <= 0.01, "{name}: {found} {wanted}");
        }
    }
}

#[test]
#[ignore = "needs the study's folders"]
fn saturated_steps_of_the_study_are_named_and_averaged_over_by_nobody() {
    let [base, other, _] = study();
    let output = meshload(["compare", path_text(&base), path_text(&other)]);
    assert_eq!(output.code, Some(0), "{output}");
    let first = output.stdout.lines().next().expect("a line");
    assert!(first.contains("ONE REPETITION"), "{output}");
    assert!(!output.stdout.contains("not the same"), "{output}");
    assert!(
        output
            .stdout
            .contains("saturated in both arms: 500/s, 600/s"),
        "{output}"
    );
    assert!(
        output.stdout.contains("saturated in no_istio: 400/s"),
        "{output}"
    );
    for rate in [
        "400/s: left out",
        "500/s: left out",
        "600/s: left out",
        "300/s (1 blocks)",
    ] {
        assert!(output.stdout.contains(rate), "{rate}: {output}");
    }
    let home = tempfile::tempdir().expect("a folder");
    let out = path_text(home.path());
    let report = meshload(["report", path_text(&base), "-o", out]);
    assert_eq!(report.code, Some(0), "{report}");
    assert!(
        report.stdout.contains("0 of 1: 406.15 of 600 requests"),
        "{report}"
    );
    let page = std::fs::read_to_string(home.path().join("report.html")).expect("a page");
    for word in ["no_istio held to here", "kube-system", "cache_flush"] {
        assert!(page.contains(word), "{word}");
    }
}

/// A sweep of two hotels of which one takes half as long again, six blocks. A tenth of their service times, which
/// is the limit for a generator's lateness, is more than a busy machine makes it late.
fn two_arms(home: &Path) -> PathBuf {
    let _machine = machine();
    let [one, other] =
        ["constant:100ms", "constant:150ms"].map(|time| Hotel::start(["--service-time", time]));
    let folder = home.join("results");
    let flags = format!(
        "sweep -q --seed 1 -o {} --arm quick={} --arm slow={} -D fixed --rates 50,100 --repetitions 6 --order interleaved \
         --warmup 0s --measure 300ms --guard 300ms --skip-warmup --skip-verify --fixed-cooldown 0 -t 1 -c 40 --collect none",
        folder.display(),
        one.url(),
        other.url()
    );
    // A step in which this machine stood still is done again by the same command.
    until_believed(3, |_| {
        let output = meshload(flags.split_whitespace());
        let is_whole = output.code == Some(0);
        is_whole.then_some(()).ok_or_else(|| output.to_string())
    });
    folder
}

#[test]
fn a_sweep_says_what_its_second_arm_costs_over_its_first() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = two_arms(home.path());
    let out = home.path().join("cost");
    let words = ["compare", path_text(&folder), "-o", path_text(&out)];
    let output = meshload(words);
    assert_eq!(output.code, Some(0), "{output}");
    assert!(
        output.stdout.starts_with("slow against quick: "),
        "{output}"
    );
    let table = rows(&out.join("comparison.csv"));
    let p50: Vec<_> = table
        .iter()
        .filter(|row| row["metric"] == "latency_p50")
        .collect();
    if p50.is_empty() {
        // Steps that this machine spoilt are left out, and where nothing is left nothing is claimed.
        assert!(
            output.stdout.contains("no rate was held in both arms"),
            "{output}"
        );
        eprintln!("the figures are not checked: this machine spoilt every step");
    }
    for row in &p50 {
        let value = |name: &str| row[name].parse::<f64>().expect("a number");
        assert!(
            value("difference") > 0.5e6 && value("ratio") > 1.1,
            "{row:?}"
        );
        assert!(
            value("difference_low") <= value("difference")
                && value("difference") <= value("difference_high")
        );
        let blocks: u32 = row["blocks"].parse().expect("a count");
        let spread = match blocks {
            1 => "unknown",
            2..6 => "range",
            _ => "interval",
        };
        assert_eq!(row["spread"], spread);
    }
    let markdown = std::fs::read_to_string(out.join("comparison.md")).expect("Markdown");
    assert!(
        markdown.starts_with("## slow against quick\n"),
        "{markdown}"
    );
    // The same folder gives the same bytes.
    let again = home.path().join("again");
    let words = ["compare", path_text(&folder), "-o", path_text(&again)];
    assert_eq!(meshload(words).stdout, output.stdout);
    for name in ["comparison.csv", "cost.csv", "comparison.md"] {
        let [one, other] =
            [&out, &again].map(|folder| std::fs::read(folder.join(name)).expect("a file"));
        assert!(one == other, "{name}");
    }
    let arms = |a: &str, b: &str| {
        let sides = [a, b].map(|arm| format!("{}:{arm}", folder.display()));
        meshload(["compare", &sides[0], &sides[1]])
    };
    assert!(
        arms("slow", "quick")
            .stdout
            .starts_with("quick against slow")
    );
    let none = arms("slow", "nobody");
    assert_eq!(none.code, Some(2), "{none}");
    assert!(
        none.stderr
            .contains("has no arm nobody; it has quick, slow"),
        "{none}"
    );
    let halves = meshload(["compare", "--aa", &format!("{}:quick", folder.display())]);
    assert!(
        halves
            .stdout
            .starts_with("quick (even) against quick (odd)"),
        "{halves}"
    );
    let report = meshload(["report", path_text(&folder)]);
    assert_eq!(report.code, Some(0), "{report}");
    assert!(
        report.stdout.starts_with("quick\n") && report.stdout.contains("\nslow\n"),
        "{report}"
    );

    // Whatever is broken in it is left out by name, and nothing in it is harmed.
    let broken = folder.join("steps/0001-quick-50-rep1/run.json");
    let whole = std::fs::read(&broken).expect("a file");
    std::fs::write(&broken, &whole[..whole.len() / 2]).expect("a file");
    let output = meshload(["compare", path_text(&folder)]);
    assert_eq!(output.code, Some(0), "{output}");
    assert!(
        output.stderr.contains("0001-quick-50-rep1 is left out"),
        "{output}"
    );
    assert!(
        output
            .stdout
            .contains("slow repetition 1: the other arm has none"),
        "{output}"
    );
    assert_eq!(
        std::fs::read(&broken).expect("a file").len(),
        whole.len() / 2
    );
}

/// A folder as the study writes them: two rates, one service.
fn a_study(home: &Path, name: &str, pods: &str) -> PathBuf {
    let folder = home.join(name);
    std::fs::create_dir(&folder).expect("a folder");
    let latencies = "Target_RPS,Actual_RPS,P50_Latency\n100,100,5ms\n200,200,6ms\n";
    std::fs::write(folder.join("latency_stats.csv"), latencies).expect("a file");
    std::fs::write(folder.join("k8s_full_metrics.csv"), pods).expect("a file");
    folder
}

#[test]
fn folders_whose_arms_have_one_name_are_told_apart() {
    let home = tempfile::tempdir().expect("a folder");
    let pods = "RPS,Namespace,Category,Service,CPU_Total(m)\n100,default,application,geo,10\n";
    let names = [
        "no_istio_20260101_000000",
        "with_istio_20260101_010000",
        "with_istio_20260102_010000",
    ];
    let folders = names.map(|name| a_study(home.path(), name, pods));
    let output = meshload([Path::new("compare"), &folders[0], &folders[1], &folders[2]]);
    assert_eq!(output.code, Some(0), "{output}");
    for other in &folders[1..] {
        let pair = format!("{} against {}: ", other.display(), folders[0].display());
        assert!(output.stdout.contains(&pair), "{pair}: {output}");
    }
    let output = meshload([Path::new("compare"), &folders[0], &folders[1]]);
    assert!(
        output.stdout.starts_with("with_istio against no_istio: "),
        "{output}"
    );
    assert!(!output.stdout.contains("not the same"), "{output}");
    // What was not meant to differ comes right after the first line.
    let more = format!("{pods}100,default,application,geo,10\n");
    std::fs::write(folders[1].join("k8s_full_metrics.csv"), more).expect("a file");
    for (folder, length) in folders.iter().zip(["90s", "60s"]) {
        let metadata = format!("{{\"duration\": \"{length}\", \"target\": \"http://{length}\"}}");
        std::fs::write(folder.join("metadata.json"), metadata).expect("a file");
    }
    let output = meshload([Path::new("compare"), &folders[0], &folders[1]]);
    let lines: Vec<&str> = output.stdout.lines().skip(1).take(3).collect();
    assert_eq!(
        lines[0],
        "  note: not the same in both: duration: 90s against 60s"
    );
    assert_eq!(
        lines[1],
        "  note: not the same in both: replicas of geo: 1 against 2"
    );
    assert!(!lines[2].contains("not the same"), "{output}");
}

#[test]
fn what_the_study_did_not_measure_is_no_overhead() {
    let home = tempfile::tempdir().expect("a folder");
    let whole = "RPS,Namespace,Category,Service,CPU_Total(m),Memory_WorkingSet(Mi)\n100,default,application,geo,10,20\n";
    let cut = "RPS,Namespace,Category,Service,CPU_Total(m)\n100,default,application,geo,15\n";
    let folders =
        [("one", whole), ("other", cut)].map(|(name, pods)| a_study(home.path(), name, pods));
    let out = home.path().join("out");
    let words = ["compare", "--as-study", "-o"].map(Path::new);
    let words = words
        .into_iter()
        .chain([out.as_path(), &folders[0], &folders[1]]);
    let output = meshload(words);
    assert_eq!(output.code, Some(0), "{output}");
    assert!(output.stdout.starts_with("other against one: "), "{output}");
    assert!(output.stdout.contains("10.0 15.0 +50.00%"), "{output}");
    assert!(output.stdout.contains("20.0 - -"), "{output}");
    let missing = "k8s_full_metrics.csv has no column Memory_WorkingSet(Mi)";
    assert!(output.stderr.contains(missing), "{output}");
    let table = std::fs::read_to_string(out.join("compare_overhead_summary.csv")).expect("a table");
    assert!(table.ends_with("\n100,10,15,50,20,,,,,,,,\n"), "{table}");
    let page = std::fs::read_to_string(out.join("report.html")).expect("a page");
    assert!(page.contains(missing), "the page says so, too");
}

#[test]
fn what_cannot_be_compared_is_named_with_the_cure() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = path_text(home.path());
    let refused = |words: &[&str], wanted: &str| {
        let output = meshload(words);
        assert_eq!(output.code, Some(2), "{output}");
        assert!(output.stderr.contains(wanted), "{wanted}: {output}");
    };
    refused(
        &["compare", folder],
        "neither a run (run.json), nor a sweep (plan.json), nor repeated runs (steps), nor a folder of the study",
    );
    refused(
        &["compare", "/no/such/folder"],
        "cannot read /no/such/folder",
    );
    let table = home.path().join("latency_stats.csv");
    std::fs::write(&table, "Target_RPS,Actual_RPS\n100\n").expect("a file");
    refused(&["compare", folder], "latency_stats.csv: CSV error");
    std::fs::write(&table, "Target_RPS,Other\n100,1\n").expect("a file");
    refused(
        &["compare", folder],
        "there is nothing in the column Actual_RPS",
    );
    std::fs::write(&table, "Target_RPS,Actual_RPS\n100,100\n").expect("a file");
    refused(&["compare", folder], "there is only the arm");
}

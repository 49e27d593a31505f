//! Plans: in flags and in files, shown before anything is measured, and refused when they are wrong.

use super::TwoHotels;
use crate::support::sweep::{Sweep, SweepFolder, names};
use crate::support::{Meshload, Output, beside_others, path_text, read};
use serde_json::Value;
use std::fs;
use std::path::Path;

fn printed(plan: &Path) -> Output {
    Meshload::new(["sweep", "--print-plan", path_text(plan)]).run()
}

#[test]
fn the_plan_of_flags_is_a_file_that_means_the_same() {
    let flags = "sweep --print-plan --arm baseline --arm istio --switch -n hotel -s mix.lua --rates 100,200 --order random --seed 7 --find-capacity --slo p99<100ms http://127.0.0.1:5000";
    let header = ["-H", "X-Study: mesh"];
    let output = Meshload::new(flags.split(' ').chain(header)).run();
    assert_eq!(output.code, Some(0), "{output}");
    let home = tempfile::tempdir().expect("a folder");
    let plan = home.path().join("plan.toml");
    fs::write(&plan, &output.stdout).expect("a file");
    let again = printed(&plan);
    assert_eq!(again.code, Some(0), "{again}");
    assert_eq!(again.stdout, output.stdout);
    // A plan's paths begin where the plan is, so that of a plan that was printed is whole.
    assert!(output.stdout.contains("script = \"/"), "{output}");
    let relative = output.stdout.replace("script = \"/", "script = \"");
    fs::write(&plan, relative).expect("a file");
    let moved = printed(&plan);
    let start = format!("script = \"{}/", home.path().display());
    assert!(moved.stdout.contains(&start), "{moved}");
}

#[test]
fn a_dry_run_shows_every_step_and_measures_nothing() {
    let flags = "sweep --dry-run --rates 100,200 --warmup 15s --measure 60s --guard 20s --fixed-cooldown 10s http://127.0.0.1:9";
    let output = Meshload::new(flags.split(' ')).run();
    assert_eq!(output.code, Some(0), "{output}");
    let said = "2 steps of 1m 35s, 10s of rest between them: 3m 20s in all";
    assert!(output.stdout.contains(said), "{output}");
}

#[test]
fn the_plans_in_docs_can_be_carried_out() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/plans");
    let mut plans = 0;
    for name in names(&folder) {
        let path = folder.join(&name);
        if name.ends_with(".yaml") {
            assert_manifests_have_names(&path);
        } else {
            assert_plan_names_files_that_exist(&path);
            plans += 1;
        }
    }
    assert!(plans >= 5, "{plans}");
}

fn assert_manifests_have_names(path: &Path) {
    let manifests: Vec<Value> = serde_saphyr::from_multiple(&read(path)).expect("YAML");
    for manifest in manifests {
        let name = &manifest["metadata"]["name"];
        assert!(name.is_string(), "{}: {manifest}", path.display());
    }
}

fn assert_plan_names_files_that_exist(path: &Path) {
    let output = printed(path);
    assert_eq!(output.code, Some(0), "{output}");
    let plan: toml::Table = output.stdout.parse().expect("TOML");
    let arms = plan["arm"].as_array().expect("arms");
    let manifests = arms.iter().filter_map(|arm| arm.get("apply"));
    let manifests = manifests.flat_map(|list| list.as_array().expect("a list"));
    for file in manifests.chain([&plan["load"]["script"]]) {
        let file = file.as_str().expect("a path");
        assert!(Path::new(file).exists(), "{}: {file}", path.display());
    }
}

#[test]
fn bad_plans_name_the_line_or_the_setting_and_the_cure() {
    let folder = SweepFolder::new();
    let plan = folder.home().join("plan.toml");
    let refused = |text: &str, wanted: &str| {
        fs::write(&plan, text).expect("a file");
        let output = Meshload::new(["sweep", path_text(&plan)]).run();
        assert_eq!(output.code, Some(2), "{output}");
        assert!(output.stderr.contains(wanted), "{text}: {output}");
    };
    let arm = "[[arm]]\nname = \"a\"\nurl = \"http://127.0.0.1:5000\"\n";
    for (text, wanted) in [
        ("rates = [100]\nwarm = \"15s\"\n", "line 2"),
        ("rates = [100]\nmeasure = \"soon\"\n", "write 60s"),
        ("rates = []\n", "give some"),
        ("rates = [100, 100]\n", "use repetitions"),
        ("repetitions = 0\n", "use at least 1"),
    ] {
        refused(&format!("{text}{arm}"), wanted);
    }
    refused("rates = [100]\n", "add [[arm]]");
    refused(&format!("{arm}{arm}"), "two are called a");
    refused(&arm.replace("http://", ""), "write http://");
    // Flags beside a plan would be forgotten by the next session.
    let output = Meshload::new(["sweep", path_text(&plan), "--rates", "5"]).run();
    assert_eq!(output.code, Some(2), "{output}");
    assert!(
        output.stderr.contains("--rates") || output.stderr.contains("rates stands beside"),
        "{output}"
    );
    let nothing = Sweep::in_folder(&folder).run();
    assert_eq!(nothing.code, Some(2), "{nothing}");
    assert!(
        nothing.stderr.contains("no sweep to go on with"),
        "{nothing}"
    );
}

#[test]
fn another_plan_is_refused_with_the_difference() {
    let _machine = beside_others();
    let hotels = TwoHotels::start();
    let folder = SweepFolder::new();
    let script = folder.home().join("mine.lua");
    fs::write(&script, "wrk.path = '/a'").expect("a script");
    let sweep = |rates: &str| {
        let flags = format!("--rates {rates} -s {}", script.display());
        hotels.sweep(&folder).flags(&flags).short_steps("300ms")
    };
    let refused = |rates: &str, wanted: &str| {
        let output = sweep(rates).run();
        assert_eq!(output.code, Some(2), "{output}");
        assert!(output.stderr.contains(wanted), "{output}");
    };
    sweep("50").finish();
    refused("50,60", "rates: [50.0] there, [50.0,60.0] here");
    fs::write(&script, "wrk.path = '/b'").expect("a script");
    refused("50", "load.script: its text is another");
}

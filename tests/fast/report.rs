//! Pages and plots, as their user asks for them, and as a browser sees them.

use crate::support::planted::{Planted, plant};
use crate::support::{Output, meshload, read};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn report(folder: &Path) -> Output {
    meshload([Path::new("report"), folder])
}

/// A sweep that was made up: 200, 400 and 1200/s, of which the last is beyond both arms.
fn planted(home: &Path, repetitions: u32) -> PathBuf {
    let folder = home.join("sweep");
    plant(
        &folder,
        &Planted {
            rates: vec![200.0, 400.0, 1_200.0],
            repetitions,
            services: 3,
            seconds: 20,
        },
    );
    folder
}

fn a_step(sweep: &Path) -> PathBuf {
    sweep.join("steps").join("0001-plain-200-rep1")
}

/// Every file below a folder with its bytes.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let bytes = fs::read(&path).expect("a file");
            found.insert(path, bytes);
        }
    }
    found
}

#[test]
fn the_same_folder_gives_the_same_bytes_and_nothing_else_in_it_is_touched() {
    let home = tempfile::tempdir().expect("a folder");
    let sweep = planted(home.path(), 2);
    let before = contents(&sweep);
    let output = report(&sweep);
    assert_eq!(output.code, Some(0), "{output}");
    let mut first = contents(&sweep);
    assert_eq!(report(&sweep).code, Some(0), "a report may be made again");
    assert!(first == contents(&sweep), "the second report differs");
    let elsewhere = home.path().join("elsewhere");
    let folder = sweep.to_str().expect("a path");
    let output = meshload(["report", folder, "-o", elsewhere.to_str().expect("a path")]);
    assert_eq!(output.code, Some(0), "{output}");
    assert!(read(&elsewhere.join("report.html")) == read(&sweep.join("report.html")));
    first
        .retain(|path, _| !path.starts_with(sweep.join("plots")) && !path.ends_with("report.html"));
    assert!(first == before, "the report harmed the folder");
}

#[test]
fn a_sweep_has_every_plot_twice_and_every_section() {
    let home = tempfile::tempdir().expect("a folder");
    let sweep = planted(home.path(), 2);
    assert_eq!(report(&sweep).code, Some(0));
    let names = [
        "throughput",
        "latency",
        "percentiles",
        "over_time_1",
        "over_time_2",
        "resources",
        "services_cpu",
        "services_memory",
        "services_network",
        "sidecar_share",
        "cpu_per_request",
    ];
    for name in names {
        let svg = read(&sweep.join("plots").join(format!("{name}.svg")));
        assert!(svg.starts_with("<svg") && !svg.contains("NaN"), "{name}");
        let png = fs::read(sweep.join("plots").join(format!("{name}.png"))).expect("a picture");
        assert!(png.starts_with(b"\x89PNG") && png.len() > 5_000, "{name}");
    }
    let page = read(&sweep.join("report.html"));
    for word in [
        "12 of 12 VALID",
        "held to here",
        "Bars go from the smallest to the largest repetition",
        // The proxies reach their limit, 60 m in each of two pods, long before the apps do.
        "(sidecar): 120m, 0.0",
        "GET /hotels",
        "istio-proxy:1",
        "throttled",
        "repetitions",
    ] {
        assert!(page.contains(word), "{word}");
    }
    assert!(
        !page.contains("src=") && !page.contains("@import"),
        "nothing is fetched"
    );
}

#[test]
fn a_run_has_intervals_of_its_own_percentiles_and_its_cluster_over_time() {
    let home = tempfile::tempdir().expect("a folder");
    let sweep = planted(home.path(), 1);
    let step = a_step(&sweep);
    let output = report(&step);
    assert_eq!(output.code, Some(0), "{output}");
    assert!(output.stdout.contains("Verdict: VALID"), "{output}");
    let page = read(&step.join("report.html"));
    for word in [
        "95 % interval",
        "application",
        "service-00",
        ">VALID<",
        "connections",
    ] {
        assert!(page.contains(word), "{word}");
    }
}

#[test]
fn a_comparison_has_a_page_and_says_first_what_is_not_known() {
    let home = tempfile::tempdir().expect("a folder");
    let sweep = planted(home.path(), 1);
    let out = home.path().join("cost");
    let words = [
        "compare",
        sweep.to_str().expect("a path"),
        "-o",
        out.to_str().expect("a path"),
    ];
    let output = meshload(words);
    assert_eq!(output.code, Some(0), "{output}");
    let page = read(&out.join("report.html"));
    let lead = page.find("ONE REPETITION").expect("the first line");
    assert!(lead < page.find("<main>").expect("the rest"));
    for word in [
        "saturated in both arms: 1200/s",
        "How many times as much as plain",
        "cpu_sidecar",
    ] {
        assert!(page.contains(word), "{word}");
    }
    for name in [
        "ratios",
        "latency",
        "resources",
        "sidecar_share",
        "throughput",
    ] {
        assert!(
            out.join("plots").join(format!("{name}.svg")).exists(),
            "{name}"
        );
    }
}

#[test]
fn what_was_planted_is_what_is_found() {
    let home = tempfile::tempdir().expect("a folder");
    let sweep = planted(home.path(), 6);
    let out = home.path().join("cost");
    let words = [
        "compare",
        sweep.to_str().expect("a path"),
        "-o",
        out.to_str().expect("a path"),
    ];
    let output = meshload(words);
    assert_eq!(output.code, Some(0), "{output}");
    let rows = |name: &str| -> Vec<BTreeMap<String, String>> {
        let mut reader = csv::Reader::from_path(out.join(name)).expect("a table");
        reader
            .deserialize()
            .map(|row| row.expect("a row"))
            .collect()
    };
    let number = |row: &BTreeMap<String, String>, name: &str| -> f64 {
        row[name].parse().expect("a number")
    };
    let mut seen = 0;
    for row in rows("comparison.csv") {
        let planted = match (row["metric"].as_str(), number(&row, "rate")) {
            ("latency_mean", _) => 1.2e6,
            // Three services: 0.05 ms a request and 5 m in each of two pods.
            ("cpu_sidecar", rate) => 3.0 * (0.05 * rate + 10.0),
            _ => continue,
        };
        // Two intervals' room: one of twenty misses by chance, and these are fixed.
        let room = number(&row, "difference_high") - number(&row, "difference_low");
        let found = number(&row, "difference");
        assert!((found - planted).abs() <= room, "{row:?}: {planted}");
        assert_eq!(row["resolved"], "true", "{row:?}");
        seen += 1;
    }
    assert_eq!(seen, 4, "two metrics at two rates");
    let costs = rows("cost.csv");
    let sidecar = costs
        .iter()
        .find(|row| row["part"] == "sidecar" && row["quantity"] == "per_request_ms");
    let found = number(sidecar.expect("a sidecar"), "difference");
    assert!((found / 0.05 - 1.0).abs() < 0.05, "{found}");
}

#[test]
fn what_cannot_be_read_is_said_or_left_open() {
    let home = tempfile::tempdir().expect("a folder");
    let sweep = planted(home.path(), 1);
    // A step that is not finished, one of another format, one that is cut short.
    let steps = sweep.join("steps");
    fs::remove_file(a_step(&sweep).join("run.json")).expect("removed");
    let other = steps.join("0002-meshed-200-rep1").join("run.json");
    fs::write(
        &other,
        read(&other).replace("meshload.run/1", "meshload.run/99"),
    )
    .expect("written");
    let cut = steps.join("0003-plain-400-rep1").join("run.json");
    let whole = read(&cut);
    fs::write(&cut, &whole[..whole.len() / 2]).expect("written");
    let output = report(&sweep);
    assert_eq!(output.code, Some(0), "{output}");
    assert!(output.stdout.starts_with("ONE REPETITION"), "{output}");
    let page = read(&sweep.join("report.html"));
    let lead = page.find("ONE REPETITION").expect("the first line");
    assert!(Some(lead) < page.find("is left out"));
    for name in [
        "0001-plain-200-rep1",
        "0002-meshed-200-rep1",
        "0003-plain-400-rep1",
    ] {
        assert!(
            output.stdout.contains(&format!("note: {name} is left out")),
            "{output}"
        );
        assert!(read(&sweep.join("report.html")).contains(&format!("{name} is left out")));
    }
    // A log and samples that are cut short leave their charts open.
    let step = steps.join("0004-meshed-400-rep1");
    for name in ["latency.hlog", "samples.csv"] {
        let whole = fs::read(step.join(name)).expect("a file");
        fs::write(step.join(name), &whole[..whole.len() - 30]).expect("written");
    }
    let output = report(&step);
    assert_eq!(output.code, Some(0), "{output}");
    let page = read(&step.join("report.html"));
    assert!(
        page.contains("latency.hlog cannot be read") && page.contains("samples.csv cannot be read")
    );
    assert!(!page.contains("95 % interval"));
}

#[test]
fn a_sweep_without_its_plan_or_without_a_finished_step_says_so() {
    let home = tempfile::tempdir().expect("a folder");
    let sweep = planted(home.path(), 1);
    fs::write(sweep.join("plan.json"), "{").expect("written");
    let note = "plan.json cannot be read: the arms stand in the order of their steps";
    let output = report(&sweep);
    assert_eq!(output.code, Some(0), "{output}");
    assert!(output.stdout.contains(note), "{output}");
    let output = meshload([Path::new("compare"), &sweep]);
    assert_eq!(output.code, Some(0), "{output}");
    assert!(output.stderr.contains(note), "{output}");
    for step in fs::read_dir(sweep.join("steps")).expect("steps") {
        fs::remove_file(step.expect("a step").path().join("run.json")).expect("removed");
    }
    for command in ["report", "compare"] {
        let output = meshload([Path::new(command), &sweep]);
        assert_eq!(output.code, Some(2), "{output}");
        for word in [
            "a sweep without a finished step",
            "0001-plain-200-rep1 is left out",
        ] {
            assert!(output.stderr.contains(word), "{word}: {output}");
        }
    }
}

#[test]
fn a_run_that_stands_for_an_arm_and_cannot_be_believed_is_called_so() {
    let home = tempfile::tempdir().expect("a folder");
    let sweep = planted(home.path(), 1);
    for step in fs::read_dir(sweep.join("steps")).expect("steps") {
        let path = step.expect("a step").path().join("run.json");
        let invalid = read(&path).replacen("\"VALID\"", "\"INVALID\"", 1);
        if path.display().to_string().contains("plain") {
            fs::write(&path, invalid).expect("written");
        }
    }
    let output = report(&sweep);
    assert_eq!(output.code, Some(0), "{output}");
    let page = read(&sweep.join("report.html"));
    assert!(page.contains("Over time: plain at 200/s, repetition 1 (INVALID)"));
    assert!(page.contains("Over time: meshed at 200/s, repetition 1<"));
}

#[test]
fn an_empty_folder_and_a_study_that_is_cut_short_are_refused_with_the_reason() {
    let home = tempfile::tempdir().expect("a folder");
    let empty = home.path().join("empty");
    fs::create_dir(&empty).expect("a folder");
    let output = report(&empty);
    assert_eq!(output.code, Some(2), "{output}");
    assert!(output.stderr.contains("run.json"), "{output}");
    assert_eq!(contents(&empty).len(), 0);
    let study = home.path().join("no_istio_20260101_000000");
    fs::create_dir(&study).expect("a folder");
    for (table, word) in [
        (
            "Target_RPS,Actual_RPS,P50_Latency\n100,99.5,5.5ms\n200,19",
            "line: 3",
        ),
        ("Target_RPS,P50_Latency\n100,5.5ms\n", "Actual_RPS"),
        ("", "latency_stats.csv"),
    ] {
        fs::write(study.join("latency_stats.csv"), table).expect("written");
        let output = report(&study);
        assert_ne!(output.code, Some(0), "{table}: {output}");
        assert!(output.stderr.contains(word), "{table}: {output}");
        assert_eq!(contents(&study).len(), 1, "{table}: nothing is written");
    }
}

#[test]
fn what_is_not_of_an_earlier_report_is_left_alone() {
    let home = tempfile::tempdir().expect("a folder");
    let step = a_step(&planted(home.path(), 1));
    let plots = step.join("plots");
    fs::create_dir(&plots).expect("a folder");
    fs::write(plots.join("percentiles.svg"), "mine").expect("written");
    let output = report(&step);
    assert_eq!(output.code, Some(1), "{output}");
    assert!(
        output.stderr.contains("percentiles.svg") && output.stderr.contains("-o"),
        "{output}"
    );
    assert!(
        output.stdout.contains("Verdict"),
        "the text is told all the same"
    );
    assert_eq!(read(&plots.join("percentiles.svg")), "mine");
    assert!(!step.join("report.html").exists());
    // A folder that cannot be written to, and -o beside it.
    fs::remove_dir_all(&plots).expect("removed");
    fs::write(&plots, "a file where the folder should be").expect("written");
    let output = report(&step);
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains("-o"), "{output}");
    let out = home.path().join("out");
    let output = meshload([Path::new("report"), &step, Path::new("-o"), &out]);
    assert_eq!(output.code, Some(0), "{output}");
    assert!(out.join("report.html").exists());
}

#[test]
fn a_comparison_leaves_other_tables_alone_and_refuses_a_run_that_was_broken_off() {
    let home = tempfile::tempdir().expect("a folder");
    let sweep = planted(home.path(), 1);
    let out = home.path().join("out");
    fs::create_dir(&out).expect("a folder");
    fs::write(out.join("comparison.csv"), "mine").expect("written");
    let paths = [&sweep, &out].map(|path| path.to_str().expect("a path"));
    let output = meshload(["compare", paths[0], "-o", paths[1]]);
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains("comparison.csv"), "{output}");
    assert_eq!(contents(&out).len(), 1, "nothing is written beside it");
    let step = a_step(&sweep);
    let path = step.join("run.json");
    let broken = read(&path).replacen("\"complete\"", "\"interrupted\"", 1);
    fs::write(&path, broken).expect("written");
    let step = step.to_str().expect("a path");
    let output = meshload(["compare", step, paths[0]]);
    assert_eq!(output.code, Some(2), "{output}");
    assert!(output.stderr.contains("broken off"), "{output}");
    let output = meshload(["report", step]);
    assert_eq!(output.code, Some(0), "{output}");
    let page = read(&a_step(&sweep).join("report.html"));
    assert!(page.contains("The run ended early"));
}

/// Collects errors before the page's own script runs.
const WATCH: &str = r#"<script>
window.failures = [];
addEventListener("error", (event) => failures.push(event.message));
const tell = console.error;
console.error = (...words) => { failures.push(words.join(" ")); tell(...words); };
</script>"#;

/// What a user does: hides a series and shows it again, points at a chart, sorts a table both ways.
const USE: &str = r#"<script>
const told = { failures, fetched: performance.getEntriesByType("resource").length };
const shown = (element) => element.getClientRects().length > 0;
const figure = [...document.querySelectorAll("figure.chart")].find((one) => one.querySelector(".legend button"));
const button = figure.querySelector(".legend button");
const groups = [...figure.querySelectorAll("g.tt")].filter((one) => one.dataset.group === button.dataset.series && shown(one));
told.groups = groups.length;
button.click();
told.hidden = groups.filter((one) => !shown(one)).length;
told.others = [...figure.querySelectorAll("g.tt")].filter((one) => one.dataset.group !== button.dataset.series && shown(one)).length;
button.click();
told.again = groups.filter(shown).length;
const svg = [...figure.querySelectorAll("svg[data-axes]")].find(shown);
const box = svg.getBoundingClientRect();
const at = { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2, bubbles: true };
svg.dispatchEvent(new PointerEvent("pointermove", at));
const tip = figure.querySelector(".tip");
told.tip = tip.hidden ? "" : tip.innerText;
svg.dispatchEvent(new PointerEvent("pointerleave", at));
told.gone = tip.hidden;
const table = [...document.querySelectorAll("table")].find((one) => one.tBodies[0].rows.length > 2);
const column = [...table.tBodies[0].rows[0].cells].findIndex((cell) => cell.dataset.value !== undefined);
const values = () => [...table.tBodies[0].rows].map((row) => row.cells[column].dataset.value).filter((one) => one !== undefined).map(Number);
const head = table.querySelectorAll("th")[column];
head.querySelector("button").click();
told.up = values();
told.sort = head.getAttribute("aria-sort");
head.querySelector("button").click();
told.down = values();
told.charts = document.querySelectorAll("figure.chart").length;
told.too_wide = document.documentElement.scrollWidth > innerWidth;
told.width = innerWidth;
const frame = document.createElement("pre");
frame.id = "told";
frame.textContent = JSON.stringify(told);
document.body.append(frame);
</script>"#;

/// The browser, under the first of its names that this machine knows.
fn browser() -> &'static str {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok())
        .expect("Chromium is installed")
}

/// Opens a page in a frame of this width and reports how it behaved.
fn used(browser: &str, page: &Path, width: u32) -> Value {
    let home = tempfile::tempdir().expect("a folder");
    let page = read(page).replacen("<head>", &format!("<head>{WATCH}"), 1);
    let page = page.replacen("</body>", &format!("{USE}</body>"), 1);
    // Windows have a least width; a frame has none, and shares its parent's origin.
    let quoted = page.replace('&', "&amp;").replace('"', "&quot;");
    let frame = format!(
        r#"<iframe id="page" width="{width}" height="900" srcdoc="{quoted}"></iframe>
        <script>page.onload = () => {{ document.body.append(page.contentDocument.getElementById("told")); }};</script>"#
    );
    let path = home.path().join("frame.html");
    fs::write(&path, frame).expect("written");
    let flags = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
        "--virtual-time-budget=5000",
        "--window-size=1300,1000",
        "--dump-dom",
    ];
    let output = Command::new("timeout")
        .args(["120", browser])
        .args(flags)
        .arg(format!(
            "--user-data-dir={}",
            home.path().join("profile").display()
        ))
        .arg(format!("file://{}", path.display()))
        .output()
        .expect("a browser");
    let dom = String::from_utf8_lossy(&output.stdout);
    let told = dom.rsplit_once("<pre id=\"told\">").map(|(_, rest)| rest);
    let told = told.and_then(|rest| rest.split("</pre>").next());
    let told = told.unwrap_or_else(|| {
        panic!(
            "the page told nothing: {}",
            String::from_utf8_lossy(&output.stderr)
        )
    });
    let told = told
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"))
}

fn is_sorted(values: &Value, down: bool) -> bool {
    let values: Vec<f64> = values
        .as_array()
        .expect("values")
        .iter()
        .filter_map(Value::as_f64)
        .collect();
    let in_order = |pair: &[f64]| {
        if down {
            pair[0] >= pair[1]
        } else {
            pair[0] <= pair[1]
        }
    };
    values.len() > 1 && values.windows(2).all(in_order) && values.first() != values.last()
}

#[test]
#[ignore = "needs chromium"]
fn in_a_browser_series_hide_values_show_and_tables_sort() {
    let browser = browser();
    let home = tempfile::tempdir().expect("a folder");
    let sweep = planted(home.path(), 2);
    let step = a_step(&sweep);
    let cost = home.path().join("cost");
    assert_eq!(report(&sweep).code, Some(0));
    assert_eq!(report(&step).code, Some(0));
    let words = [
        "compare",
        sweep.to_str().expect("a path"),
        "-o",
        cost.to_str().expect("a path"),
    ];
    assert_eq!(meshload(words).code, Some(0));
    for folder in [&sweep, &step, &cost] {
        for width in [1_200, 400] {
            let told = used(browser, &folder.join("report.html"), width);
            let about = format!("{} at {width}: {told}", folder.display());
            assert_eq!(told["width"], width, "{about}");
            assert_eq!(told["failures"], serde_json::json!([]), "{about}");
            assert_eq!(told["fetched"], 0, "{about}");
            assert!(told["groups"].as_u64() > Some(0), "{about}");
            assert_eq!(told["hidden"], told["groups"], "{about}");
            assert_eq!(told["again"], told["groups"], "{about}");
            assert!(told["others"].as_u64() > Some(0), "{about}");
            assert!(
                told["tip"]
                    .as_str()
                    .is_some_and(|tip| tip.lines().count() > 1),
                "{about}"
            );
            assert_eq!(told["gone"], true, "{about}");
            assert_eq!(told["sort"], "ascending", "{about}");
            assert!(
                is_sorted(&told["up"], false) && is_sorted(&told["down"], true),
                "{about}"
            );
            assert_eq!(told["too_wide"], false, "{about}");
        }
    }
}

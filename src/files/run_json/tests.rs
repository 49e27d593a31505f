//! The field names that other programs rely on, and the errors for files that are not results.

use super::*;
use crate::measure::sample::{self, Sample};
use crate::measure::{ErrorKind, Note, Tally, distinct};
use crate::units::Nanos;
use crate::verdict::JudgedRun;
use serde_json::{Value, json};

fn text(sample: &Sample) -> Vec<u8> {
    run_to_json(&JudgedRun::judge(sample.result.clone()))
}

fn value(sample: &Sample) -> Value {
    serde_json::from_slice(&text(sample)).expect("JSON")
}

fn read(value: &Value) -> Result<JudgedRun, FormatError> {
    run_from_json(&serde_json::to_vec(value).expect("JSON"))
}

#[track_caller]
fn refusal(value: &Value) -> String {
    match read(value) {
        Ok(_) => panic!("was read"),
        Err(error) => error.to_string(),
    }
}

const FIGURES: [&str; 13] = [
    "count", "min", "mean", "stdev", "max", "p50", "p75", "p90", "p95", "p99", "p99.9", "p99.99",
    "p99.999",
];

/// Pointers in JSON's own notation, in which `~1` is a slash.
const NAMES: &str = "
    /format /outcome /verdict/level /verdict/reasons/0/code /verdict/reasons/0/message
    /spec /environment /seed /notes/0 /note_data/0/code
    /window/start_unix_ns /window/warmup_ns /window/duration_ns /window/guard_ns
    /requests/scheduled /requests/completed /requests/failed /requests/unfinished
    /requests/bytes_read /requests/rate_offered /requests/rate_achieved
    /errors/connect /errors/read /errors/write /errors/timeout /errors/parse /errors/aborted
    /errors/script /status/200 /status/503
    /latency_ns/censored /latency_ns/lower_bound
    /routes/GET ~1hotels/requests /routes/GET ~1hotels/status/200
    /intervals/0/start_ns /intervals/0/duration_ns /intervals/0/scheduled /intervals/0/completed
    /intervals/0/failed /intervals/0/backlog /intervals/0/in_flight
    /generator/cpu_seconds /generator/max_rss_bytes /generator/threads/0/cpu_seconds
";

const DISTRIBUTIONS: [&str; 9] = [
    "/latency_ns",
    "/service_ns",
    "/late_ns",
    "/blocked_ns",
    "/connect_ns",
    "/first_byte_ns",
    "/routes/GET ~1hotels/latency_ns",
    "/intervals/0/latency_ns",
    "/intervals/0/late_ns",
];

#[test]
fn counts_that_do_not_add_up_to_a_number_are_refused() {
    for name in [
        "/requests/completed",
        "/errors/read",
        "/status/503",
        "/intervals/0/backlog",
    ] {
        let mut value = value(&sample::troubled());
        *value.pointer_mut(name).expect(name) = json!(u64::MAX);
        assert!(refusal(&value).contains("more than any run can"), "{name}");
    }
}

#[test]
fn every_promised_name_is_there() {
    let mut sample = sample::troubled();
    // A reason, so that reasons have names to look at.
    sample.result.targets[0].scheduled_by_ledger = Some(1);
    let value = value(&sample);
    // "GET ~1hotels" holds the only blank that does not separate.
    let names = NAMES.replace("GET ~1", "GET\u{a0}~1");
    let names = names
        .split(|c: char| c.is_ascii_whitespace())
        .filter(|name| !name.is_empty())
        .map(|name| name.replace('\u{a0}', " "));
    let figures = DISTRIBUTIONS
        .iter()
        .flat_map(|pointer| FIGURES.map(|figure| format!("{pointer}/{figure}")));
    for name in names.chain(figures) {
        let found = value.pointer(&name).unwrap_or_else(|| panic!("no {name}"));
        assert!(!found.is_null(), "{name} is null");
    }
}

#[test]
fn the_figures_behind_the_names_are_the_runs() {
    let sample = sample::troubled();
    let tally = sample.result.overall();
    let value = value(&sample);
    for (name, wanted) in [
        ("/format", json!("meshload.run/1")),
        ("/loop", json!("open")),
        ("/outcome", json!("complete")),
        ("/verdict/level", json!("VALID")),
        ("/seed", json!(42)),
        ("/window/start_unix_ns", json!(1_700_000_001_000_000_000u64)),
        ("/window/warmup_ns", json!(1_000_000_000)),
        ("/window/duration_ns", json!(2_000_000_000)),
        ("/window/guard_ns", json!(0)),
        ("/requests/scheduled", json!(2_000)),
        ("/requests/failed", json!(6)),
        ("/requests/unfinished", json!(8)),
        ("/requests/rate_offered", json!(1_000.0)),
        (
            "/requests/rate_achieved",
            json!(tally.finished_in_window as f64 / 2.0),
        ),
        ("/requests/bytes_read", json!(tally.bytes_in_window)),
        ("/errors/connect", json!(2)),
        ("/errors/read", json!(2)),
        ("/errors/write", json!(1)),
        ("/errors/aborted", json!(1)),
        ("/latency_ns/count", json!(1_994)),
        ("/latency_ns/censored", json!(8)),
        (
            "/latency_ns/max",
            json!(tally.latency_with_censored().max()),
        ),
        ("/routes/(unsent)/requests", json!(5)),
        ("/intervals/1/start_ns", json!(1_000_000_000)),
        ("/intervals/1/scheduled", json!(1_000)),
        ("/generator/cpu_seconds", json!(0.75)),
    ] {
        assert_eq!(value.pointer(name), Some(&wanted), "{name}");
    }
}

#[test]
fn a_closed_loop_has_no_latencies_anywhere_and_no_offered_rate() {
    let sample = sample::closed_loop();
    let value = value(&sample);
    assert_eq!(value["loop"], json!("closed"));
    let absent = [
        "/latency_ns",
        "/late_ns",
        "/blocked_ns",
        "/requests/rate_offered",
        "/requests/scheduled_by_ledger",
        "/routes/GET ~1hotels/latency_ns",
        "/intervals/1/latency_ns",
        "/intervals/1/late_ns",
        "/intervals/1/scheduled",
        "/intervals/1/backlog",
    ];
    for name in absent {
        assert_eq!(value.pointer(name), None, "{name}");
    }
    for name in [
        "/service_ns",
        "/routes/GET ~1hotels/service_ns",
        "/intervals/1/service_ns",
    ] {
        let count = value
            .pointer(name)
            .and_then(|figures| figures["count"].as_u64());
        assert!(count > Some(0), "{name}: {count:?}");
    }
}

#[test]
fn what_was_not_measured_is_absent_and_zero_means_zero() {
    let value = value(&sample::empty());
    for name in DISTRIBUTIONS {
        assert_eq!(value.pointer(name), None, "{name}");
    }
    assert_eq!(value["requests"]["completed"], json!(0));
    assert_eq!(value["requests"]["rate_offered"], json!(0.0));
    let mut measured = value;
    measured.as_object_mut().expect("an object").remove("spec");
    assert!(!measured.to_string().contains("null"));
}

#[test]
fn several_urls_have_a_block_each_and_one_of_all() {
    let value = value(&sample::two_targets());
    assert_eq!(value["targets"][0]["url"], json!("http://one:5000/a"));
    assert_eq!(value["targets"][1]["url"], json!("http://two:5000/b"));
    for target in 0..2 {
        let block = &value["targets"][target];
        assert_eq!(block["requests"]["scheduled"], json!(2_000));
        assert_eq!(block["intervals"].as_array().map(Vec::len), Some(4));
    }
    assert_eq!(value["requests"]["scheduled"], json!(4_000));
    assert!(
        super::tests::value(&sample::ordinary())
            .get("targets")
            .is_none()
    );
}

/// Values and counts.
fn values(histogram: &Histogram) -> Vec<(u64, u64)> {
    let steps = histogram.iter_recorded();
    steps
        .map(|step| (step.value_iterated_to(), step.count_at_value()))
        .collect()
}

#[test]
fn every_figure_comes_back() {
    for mut sample in sample::every() {
        // Numbers that a careless reader of decimals gets wrong in the last place.
        sample.result.generator.cpu_seconds = 0.1 + 0.2;
        if let Some(target) = sample.result.targets.first_mut() {
            target
                .thread_rates
                .extend([1_234.567_890_123_456_7, 1.0 / 3.0, 5e-324]);
        }
        let again = run_from_json(&text(&sample)).expect(sample.name).result;
        let (before, after) = (&sample.result, &again);
        assert_eq!(after.spec, before.spec);
        assert_eq!(after.environment, before.environment);
        assert_eq!(after.ending, before.ending);
        assert_eq!(after.window, before.window);
        assert_eq!(after.start_unix, before.start_unix);
        assert_eq!(after.generator, before.generator);
        assert_eq!(after.notes, before.notes);
        for (after, before) in after.targets.iter().zip(&before.targets) {
            assert_eq!(after.target, before.target);
            assert_eq!(after.addresses, before.addresses);
            assert_eq!(after.thread_rates, before.thread_rates);
            assert_eq!(after.scheduled_by_ledger, before.scheduled_by_ledger);
            assert_eq!(after.intervals, before.intervals);
            assert_eq!(after.tally.errors, before.tally.errors);
            assert_eq!(after.tally.status, before.tally.status);
            assert_eq!(after.tally.counters(), before.tally.counters());
            let histograms = |tally: &Tally| tally.clocks().map(values);
            assert!(histograms(&after.tally) == histograms(&before.tally));
            assert!(after.tally.routes.keys().eq(before.tally.routes.keys()));
        }
    }
}

#[test]
fn every_counter_and_every_clock_is_added_up_written_and_read_under_its_name() {
    let mut sample = sample::two_targets();
    for target in sample.result.targets.iter_mut() {
        target.tally = distinct();
    }
    let one = distinct();
    let value = value(&sample);
    for (field, count) in Tally::COUNTERS.iter().zip(one.counters()) {
        assert_eq!(value["targets"][1]["requests"][field.name], json!(count));
        assert_eq!(value["requests"][field.name], json!(2 * count));
    }
    for (kind, count) in ErrorKind::ALL.iter().zip(one.errors.counts()) {
        assert_eq!(value["errors"][kind.name()], json!(2 * count));
    }
    for (field, clock) in Tally::CLOCKS.iter().zip(one.clocks()) {
        if let Some(name) = field.figures {
            assert_eq!(value["targets"][1][name]["count"], json!(clock.len()));
            assert_eq!(value[name]["count"], json!(2 * clock.len()), "{name}");
        }
    }
    let again = read(&value).expect("a result").result;
    for tally in again.targets.iter().map(|target| &target.tally) {
        assert_eq!(tally.counters(), one.counters());
        assert_eq!(tally.errors, one.errors);
        assert_eq!(tally.clocks().map(values), one.clocks().map(values));
    }
    let sum = again.overall();
    assert_eq!(sum.counters(), one.counters().map(|count| 2 * count));
}

#[test]
fn a_field_that_files_lacked_once_is_none_of_it_and_any_other_is_missed() {
    let whole = value(&sample::troubled());
    for (block, fields) in [("requests", Tally::COUNTERS), ("histograms", Tally::CLOCKS)] {
        for field in fields {
            let mut value = whole.clone();
            let parts = value[block].as_object_mut().expect(block);
            parts.remove(field.name).expect(field.name);
            match field.since {
                Some(_) => assert!(read(&value).is_ok(), "{}", field.name),
                None => assert!(refusal(&value).contains(&format!("`{}`", field.name))),
            }
        }
    }
}

#[test]
fn notes_are_read_by_their_codes_and_otherwise_by_their_text() {
    let mut value = value(&sample::ordinary());
    let text = |text: &str| Note::Text {
        text: text.to_owned(),
    };
    let error = Note::FirstError {
        kind: ErrorKind::Read,
        cause: "closed".to_owned(),
    };
    let notes = |value: &Value| read(value).expect("a result").result.notes;
    assert_eq!(value["notes"][1], json!("first read error: closed"));
    assert_eq!(
        value["note_data"][1],
        json!({"code": "first_error", "kind": "read", "cause": "closed"})
    );
    assert_eq!(notes(&value), [text("a note"), error]);
    let sentence = text("first read error: closed");
    // A collector's note names its error, which older results do not have.
    for error in [Some("no_pods"), None] {
        let mut data = json!({"code": "collector_failed", "cause": "it died"});
        if let Some(error) = error {
            data["error"] = json!(error);
        }
        value["note_data"][1] = data;
        let note = Note::CollectorFailed {
            error: error.map(str::to_owned),
            cause: "it died".to_owned(),
        };
        assert_eq!(notes(&value)[1], note);
    }
    // As a later version may write it.
    value["note_data"][1] = json!({"code": "moonrise", "phase": 3});
    assert_eq!(notes(&value), [text("a note"), sentence.clone()]);
    // As it was before there were codes.
    value
        .as_object_mut()
        .expect("an object")
        .remove("note_data");
    assert_eq!(notes(&value), [text("a note"), sentence]);
}

#[test]
fn results_that_were_read_can_still_be_added_to() {
    let run = run_from_json(&text(&sample::ordinary()));
    let mut result = run.expect("a result").result;
    let tally = &mut result.targets[0].tally;
    crate::measure::record(&mut tally.latency, Nanos::from_secs(4_000));
    assert!(tally.latency.max() > Nanos::from_secs(3_900).0);
}

#[test]
fn a_file_of_another_version_says_which_program_to_use() {
    let mut value = value(&sample::ordinary());
    value["format"] = json!("meshload.run/2");
    let error = refusal(&value);
    for part in [
        "meshload.run/2",
        "meshload.run/1",
        "use the meshload that wrote it",
    ] {
        assert!(error.contains(part), "{error}");
    }
    // Whatever else a later version looks like.
    assert!(refusal(&json!({"format": "meshload.run/9"})).contains("meshload.run/9"));
}

#[test]
fn a_file_cut_short_anywhere_is_a_clear_error() {
    for sample in [sample::troubled(), sample::two_targets()] {
        let whole = text(&sample);
        for length in (0..whole.len() - 2).step_by(50) {
            let error = run_from_json(&whole[..length])
                .expect_err("cut short")
                .to_string();
            assert!(error.contains("not a whole result"), "{length}: {error}");
        }
    }
}

#[test]
fn what_was_never_a_result_is_a_clear_error() {
    let texts: [&[u8]; 7] = [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"not JSON",
        b"{\"format\":1}",
    ];
    for text in texts {
        let error = run_from_json(text).expect_err("no result").to_string();
        assert!(error.contains("not a whole result"), "{error}");
    }
}

#[test]
fn a_missing_field_is_named() {
    let whole = value(&sample::troubled());
    let needed = [
        ("", "outcome"),
        ("", "verdict"),
        ("", "window"),
        ("", "requests"),
        ("", "errors"),
        ("", "status"),
        ("", "histograms"),
        ("", "routes"),
        ("", "generator"),
        ("", "environment"),
        ("", "spec"),
        ("/requests", "scheduled"),
        ("/window", "duration_ns"),
        ("/histograms", "latency"),
        ("/spec", "load"),
    ];
    for (at, name) in needed {
        let mut value = whole.clone();
        let object = value.pointer_mut(at).and_then(Value::as_object_mut);
        object.expect(at).remove(name).expect(name);
        let error = refusal(&value);
        assert!(error.contains(&format!("`{name}`")), "{at}/{name}: {error}");
    }
}

#[test]
fn histograms_that_are_none_are_a_clear_error() {
    let whole = value(&sample::ordinary());
    let sound = whole["histograms"]["latency"]
        .as_str()
        .expect("a histogram");
    let half = &sound[..sound.len() / 2 / 4 * 4];
    for broken in ["!!!", "AAAA", "aGVsbG8=", half] {
        for at in [
            "/histograms/latency",
            "/routes/GET ~1hotels/histograms/latency",
        ] {
            let mut value = whole.clone();
            *value.pointer_mut(at).expect(at) = json!(broken);
            assert!(refusal(&value).contains("histogram"), "{broken}");
        }
    }
}

#[test]
fn other_nonsense_is_a_clear_error() {
    let whole = value(&sample::two_targets());
    let mut value = whole.clone();
    value["targets"].as_array_mut().expect("targets").pop();
    assert!(refusal(&value).contains("target is missing"));
    let mut value = whole.clone();
    value["targets"][0]["status"] = json!({"fine": 1});
    assert!(refusal(&value).contains("`fine` is not a status code"));
    let mut value = whole.clone();
    value["spec"]["load"]["offered"] = json!({"rate": 0.0});
    assert!(refusal(&value).contains("rate"));
    let mut value = whole;
    value["verdict"]["level"] = json!("PERFECT");
    assert!(refusal(&value).contains("PERFECT"));
}

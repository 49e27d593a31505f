//! Headers letter by letter, and rows that any reader of CSV gets back.

use super::*;
use crate::measure::sample;
use crate::verdict::JudgedRun;
use std::collections::HashMap;

fn header(table: &[u8]) -> &str {
    let text = std::str::from_utf8(table).expect("text");
    text.lines().next().expect("a header")
}

fn rows(table: &[u8]) -> Vec<HashMap<String, String>> {
    let mut reader = csv::Reader::from_reader(table);
    reader
        .deserialize()
        .collect::<Result<_, _>>()
        .expect("rows")
}

fn number(cell: &str) -> f64 {
    cell.parse()
        .unwrap_or_else(|_| panic!("`{cell}` is no number"))
}

#[test]
fn the_columns_are_these() {
    let result = sample::ordinary().result;
    assert_eq!(
        header(&intervals_csv(&result)),
        "target,start_s,duration_s,phase,scheduled,completed,failed,backlog,in_flight,bytes_read,\
         latency_p50_us,latency_p90_us,latency_p99_us,latency_max_us,service_p50_us,\
         service_p99_us,late_p50_us,late_p99_us"
    );
    assert_eq!(
        header(&summary_csv(&JudgedRun::judge(result.clone()))),
        "url,rate_offered,rate_achieved,scheduled,completed,failed,unfinished,connect,read,write,\
         timeout,parse,aborted,script,bad_status,latency_p50_us,latency_p90_us,latency_p99_us,\
         latency_p99.9_us,latency_max_us,service_p50_us,verdict,neglected,sent,finished_in_window,\
         bytes_read,reconnects,resumed,goaways,resets,refused"
    );
    assert_eq!(
        header(&requests_csv_header()),
        "target,route,connection,due_ns,free_ns,sent_ns,first_byte_ns,done_ns,status,bytes,error"
    );
}

#[test]
fn an_interval_is_a_row_with_its_own_figures() {
    for sample in sample::every() {
        let result = sample.result;
        let rows = rows(&intervals_csv(&result));
        let intervals = result.targets.iter().flat_map(|target| {
            let url = &target.target.url;
            target.intervals.iter().map(move |interval| (url, interval))
        });
        let intervals: Vec<_> = intervals.collect();
        assert_eq!(rows.len(), intervals.len(), "{}", sample.name);
        for (row, (url, interval)) in rows.iter().zip(intervals) {
            assert_eq!(&row["target"], url);
            assert_eq!(number(&row["start_s"]), interval.start.as_secs_f64());
            assert_eq!(row["completed"], interval.completed.to_string());
            assert_eq!(row["scheduled"], or_empty(interval.scheduled));
            assert_eq!(row["backlog"], or_empty(interval.backlog));
            match &interval.latency {
                Some(latency) => {
                    let p99 = number(&row["latency_p99_us"]) * 1e3;
                    assert!((p99 - latency.p99 as f64).abs() < 1.0, "{p99}");
                }
                None => assert_eq!(row["latency_p99_us"], ""),
            }
        }
    }
    let ordinary = rows(&intervals_csv(&sample::ordinary().result));
    let phases: Vec<_> = ordinary.iter().map(|row| row["phase"].as_str()).collect();
    assert_eq!(phases, ["warmup", "window", "window", "guard"]);
}

#[test]
fn a_target_is_a_row_with_its_counts_and_the_verdict() {
    let result = sample::troubled().result;
    let table = summary_csv(&JudgedRun::judge(result.clone()));
    let rows = rows(&table);
    assert_eq!(rows.len(), 1);
    for (column, wanted) in [
        ("url", "http://hotel:5000/hotels?a=1"),
        ("rate_offered", "1000.000"),
        ("scheduled", "2000"),
        ("failed", "6"),
        ("unfinished", "8"),
        ("connect", "2"),
        ("read", "2"),
        ("write", "1"),
        ("parse", "1"),
        ("aborted", "1"),
        ("script", "1"),
        ("verdict", "VALID"),
        ("sent", "2995"),
        ("goaways", "0"),
    ] {
        assert_eq!(rows[0][column], wanted, "{column}");
    }
    let tally = result.overall();
    assert_eq!(rows[0]["bad_status"], tally.status.bad().to_string());
    let max = tally.latency_with_censored().max() as f64;
    assert!((number(&rows[0]["latency_max_us"]) * 1e3 - max).abs() < 1.0);
    let two = sample::two_targets().result;
    let table = summary_csv(&JudgedRun::judge(two.clone()));
    let urls: Vec<_> = self::rows(&table)
        .iter()
        .map(|row| row["url"].clone())
        .collect();
    assert_eq!(urls, ["http://one:5000/a", "http://two:5000/b"]);
}

#[test]
fn a_missing_value_is_an_empty_cell_and_never_zero() {
    let closed = sample::closed_loop().result;
    let summary = &rows(&summary_csv(&JudgedRun::judge(closed.clone())))[0];
    for column in [
        "rate_offered",
        "latency_p50_us",
        "latency_p99.9_us",
        "latency_max_us",
    ] {
        assert_eq!(summary[column], "", "{column}");
    }
    assert!(number(&summary["service_p50_us"]) > 0.0);
    let interval = &rows(&intervals_csv(&closed))[1];
    for column in ["scheduled", "backlog", "latency_p50_us", "late_p99_us"] {
        assert_eq!(interval[column], "", "{column}");
    }
    let empty = sample::empty().result;
    let summary = &rows(&summary_csv(&JudgedRun::judge(empty.clone())))[0];
    assert_eq!(
        (
            summary["completed"].as_str(),
            summary["latency_p50_us"].as_str()
        ),
        ("0", "")
    );
}

#[test]
fn every_request_is_a_row_that_says_how_it_ended() {
    let sample = sample::troubled();
    let url = "http://h/?a=1,2&b=\"x\"";
    let mut table = requests_csv_header();
    for slice in &sample.slices {
        table.extend(requests_csv_rows(url, &slice.rows, &sample.routes));
    }
    let rows = rows(&table);
    // 3000 less the five that were never sent.
    assert_eq!(rows.len(), 2_995);
    assert!(rows.iter().all(|row| row["target"] == url));
    assert!(rows.iter().all(|row| row["route"].starts_with("GET /")));
    let failed: Vec<_> = rows.iter().filter(|row| !row["error"].is_empty()).collect();
    let mut kinds: Vec<_> = failed.iter().map(|row| row["error"].as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        [
            "aborted",
            "parse",
            "read",
            "read",
            "script",
            "unfinished",
            "unfinished",
            "unfinished",
            "write"
        ]
    );
    for row in failed {
        for column in ["first_byte_ns", "done_ns", "status"] {
            assert_eq!(row[column], "", "{column}");
        }
    }
    let answered = rows
        .iter()
        .find(|row| row["due_ns"] == "1000000000")
        .expect("the row");
    let (sent, done) = (number(&answered["sent_ns"]), number(&answered["done_ns"]));
    assert!(done > sent && sent >= 1e9);
    assert_eq!(
        (answered["status"].as_str(), answered["bytes"].as_str()),
        ("200", "250")
    );
}

//! What must hold of any bytes from outside: readers say what is wrong, and neither panic nor hang. Held
//! by the fuzz targets over bytes that nobody has thought of, and by tests/corpus.rs over those that were
//! found worth keeping.
#![allow(dead_code)] // each fuzz target uses its own

use meshload::formats::{
    HLOG_TAGS, StudyFolder, hlog_blocks, run_from_json, run_to_json, samples_csv, samples_from_csv,
    study_steps, study_sums,
};
use meshload::readings::{
    cgroup_path, cpu_stat, edge_reading, io_stat, net_dev, parse_pod_metrics, parse_summary,
    pressure_some_total, process_io, process_stat, process_status, samples, uptime,
};
use meshload::wire::{Collected, ResponseEnd, ResponseParser};
use std::collections::BTreeMap;

/// What a connection that brought these pieces had to say.
#[derive(Debug, PartialEq)]
struct Said {
    replies: Vec<(ResponseEnd, Collected)>,
    /// What its end ended, or that it broke the rules: some breaches are only seen once a head is whole.
    end: Result<Option<ResponseEnd>, ()>,
}

fn listen<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, to_head: bool) -> Said {
    let mut parser = ResponseParser::new(true);
    let mut said = Said {
        replies: Vec::new(),
        end: Ok(None),
    };
    for piece in pieces {
        let mut rest = piece;
        while !rest.is_empty() {
            let Ok((eaten, end)) = parser.feed(rest, to_head) else {
                said.end = Err(());
                return said;
            };
            assert!(
                end.is_some() || eaten == rest.len(),
                "what is not eaten is lost"
            );
            rest = &rest[eaten..];
            if let Some(end) = end {
                said.replies.push((end, parser.collected().clone()));
                if !end.keep_alive {
                    return said;
                }
            }
        }
    }
    said.end = parser.close().map_err(drop);
    said
}

/// Where the bytes of replies are cut makes no difference.
pub fn response(data: &[u8]) {
    let [flags, cut, bytes @ ..] = data else {
        return;
    };
    let to_head = flags & 1 == 1;
    let whole = listen([bytes], to_head);
    assert_eq!(whole, listen(bytes.chunks(1), to_head));
    let cut = usize::from(*cut).min(bytes.len());
    assert_eq!(whole, listen([&bytes[..cut], &bytes[cut..]], to_head));
}

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// What was put into chunks comes out of them; other bytes are no body, wherever they are cut.
pub fn chunks(data: &[u8]) {
    let [size, bytes @ ..] = data else {
        return;
    };
    let mut text = CHUNKED.to_vec();
    for piece in bytes.chunks(usize::from(*size).max(1)) {
        text.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        text.extend_from_slice(piece);
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"0\r\n\r\n");
    let said = listen(text.chunks(usize::from(*size).max(1)), false);
    assert_eq!(said.replies.len(), 1);
    assert_eq!(said.replies[0].1.body, bytes);
    let foreign = [CHUNKED, bytes].concat();
    assert_eq!(
        listen([&foreign[..]], false),
        listen(foreign.chunks(1), false)
    );
}

/// A kubelet's summary.
pub fn summary(data: &[u8]) {
    let _ = parse_summary(data);
    let _ = parse_pod_metrics(data);
}

/// Prometheus' text, and the kernel's.
pub fn exposition(data: &[u8]) {
    for sample in samples(data) {
        let _ = sample.label("pod");
    }
    let _ = (edge_reading(data), net_dev(data), uptime(data));
    let _ = (cpu_stat(data), io_stat(data), cgroup_path(data));
    let _ = (pressure_some_total(data), process_stat(data));
    let _ = (process_status(data), process_io(data));
}

/// The study's tables and logs, one after the other with a line of `--` between them, and the tables
/// and logs of a run.
pub fn tables(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.split("\n--\n");
    let mut next = || parts.next().map(|part| part.as_bytes().to_vec());
    let folder = StudyFolder {
        arm: "arm".to_owned(),
        latencies: next().unwrap_or_default(),
        pods: next(),
        metadata: next(),
        logs: BTreeMap::from([(
            "wrk_200rps_rep1.log".to_owned(),
            parts.next().unwrap_or_default().to_owned(),
        )]),
    };
    let _ = study_steps(&folder);
    let _ = study_sums(data);
    for tag in HLOG_TAGS {
        let _ = hlog_blocks(data, tag);
    }
    if let Ok(log) = samples_from_csv(data) {
        let written = samples_csv(&log);
        let again = samples_from_csv(&written).expect("what was written can be read");
        assert_eq!(samples_csv(&again), written);
    }
}

/// A result that can be read is written as it was read.
pub fn run_json(data: &[u8]) {
    let Ok((result, verdict)) = run_from_json(data) else {
        return;
    };
    let written = run_to_json(&result, &verdict);
    let (result, verdict) = run_from_json(&written).expect("what was written can be read");
    assert_eq!(run_to_json(&result, &verdict), written);
}

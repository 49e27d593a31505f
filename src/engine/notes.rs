//! What the user should know about how a target was reached.

use super::messages::WorkerReport;
use crate::measure::{ErrorKind, Note, Tally};
use crate::spec::RunSpec;
use crate::transport::Addresses;
use std::collections::{BTreeMap, BTreeSet};

/// The text of the first error of each kind, over all workers.
pub fn first_error_notes(reports: &[Box<WorkerReport>]) -> Vec<Note> {
    let errors: BTreeMap<&str, &(ErrorKind, String)> = reports
        .iter()
        .flat_map(|report| &report.first_errors)
        .map(|error| (error.0.name(), error))
        .collect();
    let note = |(kind, cause): &(ErrorKind, String)| Note::FirstError {
        kind: *kind,
        cause: cause.clone(),
    };
    errors.into_values().map(note).collect()
}

/// What a TLS handshake agreed on, and which addresses are not used.
pub fn address_notes(spec: &RunSpec, addresses: &Addresses) -> Vec<Note> {
    let agreed = addresses.notes.iter().map(|agreed| Note::Tls {
        agreed: agreed.clone(),
        verified: !spec.tls.insecure,
    });
    let refused = addresses.refused.iter();
    let refused = refused.map(|(address, cause)| Note::AddressNotUsed {
        address: address.to_string(),
        cause: cause.clone(),
    });
    agreed.chain(refused).collect()
}

/// The share of reconnects among requests from which on a note mentions them.
const MANY_RECONNECTS: f64 = 0.01;

/// How connections were made, and whether they were lost.
pub fn connection_notes(spec: &RunSpec, tally: &Tally) -> Vec<Note> {
    let mut notes = Vec::new();
    if let Some(endpoint) = &spec.reach.connect_to {
        let endpoint = endpoint.to_string();
        notes.push(Note::ConnectedTo { endpoint });
    }
    if tally.reconnects as f64 >= MANY_RECONNECTS * tally.sent as f64 && tally.reconnects > 0 {
        notes.push(Note::Reconnects {
            reconnects: tally.reconnects,
            requests: tally.sent,
        });
    }
    notes
}

/// Streams, headers and refusals of HTTP/2; empty with HTTP/1.1.
pub fn http2_notes(spec: &RunSpec, reports: &[&WorkerReport], tally: &Tally) -> Vec<Note> {
    let mut notes = Vec::new();
    if !spec.http.http2 {
        return notes;
    }
    let asked = spec.http.streams;
    notes.push(Note::Http2 { streams: asked });
    let left_out: BTreeSet<&str> = reports
        .iter()
        .flat_map(|report| report.left_out.iter().map(String::as_str))
        .collect();
    if !left_out.is_empty() {
        notes.push(Note::HeadersLeftOut {
            headers: left_out.into_iter().map(str::to_owned).collect(),
        });
    }
    let fewest = reports.iter().map(|report| report.fewest_streams).min();
    if let Some(allowed) = fewest.filter(|allowed| *allowed < asked) {
        notes.push(Note::FewStreams { allowed, asked });
    }
    if tally.goaways + tally.resets > 0 {
        notes.push(Note::Http2Ended {
            goaways: tally.goaways,
            resets: tally.resets,
            refused: tally.refused,
        });
    }
    notes
}

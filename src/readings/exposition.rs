//! The Prometheus text format, line by line.
//!
//! Ours, because the published parsers drop the time stamps or put the time of reading in their
//! place, and the stamps are what a rate is made of. Names are compared before labels are looked
//! at: cAdvisor's text for fifty pods has 2 MB, of which a twentieth is wanted.

use crate::units::Nanos;
use std::borrow::Cow;

/// A line with a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricLine<'a> {
    pub name: &'a str,
    pub value: f64,
    /// When the value was measured, by the clock of its source: nanoseconds since 1970.
    pub stamp: Option<Nanos>,
    labels: &'a str,
}

/// The lines that hold a value; comments and lines that cannot be read are passed over.
pub fn metric_lines(text: &[u8]) -> impl Iterator<Item = MetricLine<'_>> {
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.starts_with(b"#"))
        .filter_map(|line| sample(std::str::from_utf8(line).ok()?))
}

fn sample(line: &str) -> Option<MetricLine<'_>> {
    let line = line.trim();
    let name_end = line.find(|c: char| c == '{' || c.is_whitespace())?;
    let (name, rest) = line.split_at(name_end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => {
            let end = end_of_labels(inside)?;
            (inside.get(..end)?, inside.get(end + 1..)?)
        }
        None => ("", rest),
    };
    let mut words = rest.split_whitespace();
    let value = words.next()?.parse().ok()?;
    let stamp = match words.next() {
        Some(millis) => Some(Nanos(millis.parse::<u64>().ok()?.checked_mul(1_000_000)?)),
        None => None,
    };
    (!name.is_empty()).then_some(MetricLine {
        name,
        value,
        stamp,
        labels,
    })
}

/// Where the closing brace is: one in a quoted value does not count.
fn end_of_labels(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.bytes().position(|byte| {
        let is_end = byte == b'}' && !quoted;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        is_end
    })
}

impl<'a> MetricLine<'a> {
    /// The value of a label; `None` when the line has no such label.
    pub fn label(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut rest = self.labels;
        loop {
            let (key, after) = rest.split_once("=\"")?;
            let end = end_of_value(after)?;
            let value = after.get(..end)?;
            if key.trim_start_matches([',', ' ']).trim_end() == name {
                return Some(unescaped(value));
            }
            rest = after.get(end + 1..)?;
        }
    }
}

fn end_of_value(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let is_end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        is_end
    })
}

fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(c) = characters.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match characters.next() {
            Some('n') => plain.push('\n'),
            Some(other) => plain.push(other),
            None => plain.push('\\'),
        }
    }
    Cow::Owned(plain)
}

/// Seconds as whole nanoseconds; `None` for a number that is not a duration.
pub fn seconds_to_nanos(seconds: f64) -> Option<u64> {
    let nanos = (seconds * 1e9).round();
    (nanos >= 0.0 && nanos < u64::MAX as f64).then_some(nanos as u64)
}

//! Files of /proc.

use super::{Interface, lines};
use crate::units::Nanos;

/// The fields of `/proc/PID/stat` that are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessStat {
    /// Name of the program, which the kernel cuts to 15 bytes.
    pub name: String,
    /// CPU time of all its threads, in clock ticks.
    pub cpu_ticks: u64,
    /// When it was started, in clock ticks since the machine was booted.
    pub start_ticks: u64,
}

/// The fields of `/proc/PID/status` that are used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProcessStatus {
    /// Resident memory in bytes, files included.
    pub rss: Option<u64>,
    /// Anonymous memory in bytes, a part of `rss`.
    pub rss_anonymous: Option<u64>,
}

/// The fields of `/proc/PID/io` that are used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProcessIo {
    /// Bytes read from disks.
    pub read_bytes: Option<u64>,
    /// Bytes written to disks.
    pub write_bytes: Option<u64>,
}

/// Reads `/proc/net/dev`.
pub fn net_dev(text: &[u8]) -> Vec<Interface> {
    lines(text).filter_map(net_dev_line).collect()
}

/// A line of `/proc/net/dev`: a name, a colon, 16 numbers.
pub(super) fn net_dev_line(line: &str) -> Option<Interface> {
    let (name, numbers) = line.split_once(':')?;
    let numbers: Vec<u64> = numbers
        .split_whitespace()
        .map(|number| number.parse().ok())
        .collect::<Option<_>>()?;
    // A line that was cut short has fewer, and its last number may be half a number.
    let [rx_bytes, _, _, _, _, _, _, _, tx_bytes, _, _, _, _, _, _, _] = numbers[..] else {
        return None;
    };
    Some(Interface {
        name: name.trim().to_owned(),
        rx_bytes: Some(rx_bytes),
        tx_bytes: Some(tx_bytes),
    })
}

/// Reads `/proc/uptime`: the time since boot, to a hundredth of a second.
pub fn uptime(text: &[u8]) -> Option<Nanos> {
    lines(text).find_map(uptime_line)
}

/// `12345.67 23456.78`
pub(super) fn uptime_line(line: &str) -> Option<Nanos> {
    let (up, idle) = line.trim_end().split_once(' ')?;
    hundredths(idle)?;
    Some(Nanos(hundredths(up)?.checked_mul(10_000_000)?))
}

fn hundredths(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.')?;
    if part.len() != 2 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(100)?
        .checked_add(part.parse().ok()?)
}

/// Reads `/proc/PID/stat`.
pub fn process_stat(text: &[u8]) -> Option<ProcessStat> {
    let text = String::from_utf8_lossy(text);
    // The name may hold spaces and parentheses: the last parenthesis ends it.
    let (start, rest) = text.rsplit_once(')')?;
    let (_, name) = start.split_once('(')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    // proc(5) counts from 1 with the id; after the name comes field 3.
    Some(ProcessStat {
        name: name.to_owned(),
        cpu_ticks: number(14 - 3)?.checked_add(number(15 - 3)?)?,
        start_ticks: number(22 - 3)?,
    })
}

/// Reads `/proc/PID/status`.
pub fn process_status(text: &[u8]) -> ProcessStatus {
    let kilobytes = |name: &str| {
        let value = lines(text).find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        let number = value.trim().strip_suffix("kB")?.trim().parse::<u64>();
        number.ok()?.checked_mul(1024)
    };
    ProcessStatus {
        rss: kilobytes("VmRSS"),
        rss_anonymous: kilobytes("RssAnon"),
    }
}

/// Reads `/proc/PID/io`.
pub fn process_io(text: &[u8]) -> ProcessIo {
    let bytes = |name: &str| {
        let value = lines(text).find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        value?.trim().parse().ok()
    };
    ProcessIo {
        read_bytes: bytes("read_bytes"),
        write_bytes: bytes("write_bytes"),
    }
}

//! Several files that one `cat` prints one after the other, distinguished by the forms of their lines.
//!
//! One command reads them all, so that the numbers belong to one moment and to the uptime beside
//! them. `cat` leaves out files that do not exist and prints nothing in between.

use super::cgroup::{CpuStat, IoStat, cpu_stat_line, io_stat_line};
use super::proc_files::{net_dev_line, uptime_line};
use super::{Interface, lines};
use crate::units::Nanos;

/// The command that prints the counters of a container and of its pod's network, and the node's time
/// since boot at that moment.
pub const EDGE_COMMAND: [&str; 7] = [
    "cat",
    "/proc/uptime",
    "/proc/net/dev",
    "/sys/fs/cgroup/cpu.stat",
    "/sys/fs/cgroup/io.stat",
    // Version 1 has a folder for each of its parts.
    "/sys/fs/cgroup/cpu/cpu.stat",
    "/sys/fs/cgroup/cpuacct/cpuacct.usage",
];

/// The numbers of `/proc/uptime`, `/proc/net/dev` and the cgroup's `cpu.stat`, `io.stat` and
/// (version 1) `cpuacct.usage`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EdgeReading {
    /// Time since the node was booted.
    pub uptime: Option<Nanos>,
    /// The pod's interfaces; `None` when the file was not printed.
    pub interfaces: Option<Vec<Interface>>,
    pub cpu: CpuStat,
    /// Version of the container's control groups; `None` when none of their files was printed.
    pub cgroup_version: Option<u8>,
    pub io: IoStat,
}

/// Reads the text. A last line without a line feed is left out, because half of a number is a number
/// too.
pub fn edge_reading(text: &[u8]) -> EdgeReading {
    let mut reading = EdgeReading::default();
    let whole = match text.iter().rposition(|byte| *byte == b'\n') {
        Some(end) => text.get(..end).unwrap_or_default(),
        None => &[],
    };
    for line in lines(whole) {
        take(&mut reading, line);
    }
    reading
}

fn take(reading: &mut EdgeReading, line: &str) {
    if line.starts_with("Inter-|") {
        reading.interfaces.get_or_insert_default();
    } else if cpu_stat_line(&mut reading.cpu, line) || io_stat_line(&mut reading.io, line) {
        // Only version 2 has usage in this file.
        if line.starts_with("usage_usec ") {
            reading.cgroup_version = Some(2);
        }
    } else if let Some(interface) = net_dev_line(line) {
        reading.interfaces.get_or_insert_default().push(interface);
    } else if let Some(uptime) = uptime_line(line) {
        reading.uptime = Some(uptime);
    } else if let Ok(nanos) = line.trim().parse() {
        // The only file of a single number: cpuacct.usage, of version 1.
        reading.cpu.usage = Some(nanos);
        reading.cgroup_version = Some(1);
    }
}

//! Files of cgroups, versions 1 and 2.

use super::lines;

/// The counters of `cpu.stat`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CpuStat {
    /// CPU time used, in nanoseconds; version 2 only.
    pub usage: Option<u64>,
    /// Scheduler periods in which there was a limit and something to run.
    pub periods: Option<u64>,
    /// Scheduler periods in which the limit was reached.
    pub throttled_periods: Option<u64>,
    /// Time for which the tasks were stopped at the limit, in nanoseconds.
    pub throttled: Option<u64>,
}

/// The counters of `io.stat`, summed over all devices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IoStat {
    pub read_bytes: Option<u64>,
    pub write_bytes: Option<u64>,
}

/// Reads `cpu.stat` of either version of control groups.
pub fn cpu_stat(text: &[u8]) -> CpuStat {
    let mut stat = CpuStat::default();
    for line in lines(text) {
        cpu_stat_line(&mut stat, line);
    }
    stat
}

/// Reads a line of `cpu.stat`; false when it is not one.
pub(super) fn cpu_stat_line(stat: &mut CpuStat, line: &str) -> bool {
    let Some((name, value)) = line.trim_end().split_once(' ') else {
        return false;
    };
    let number = || value.parse::<u64>().ok();
    let from_micros = || number()?.checked_mul(1000);
    match name {
        "usage_usec" => stat.usage = from_micros(),
        "nr_periods" => stat.periods = number(),
        "nr_throttled" => stat.throttled_periods = number(),
        "throttled_usec" => stat.throttled = from_micros(),
        // Version 1 counts in nanoseconds.
        "throttled_time" => stat.throttled = number(),
        _ => return false,
    }
    true
}

/// Reads a line of `io.stat`, which has one per device (`8:0 rbytes=1 wbytes=2 rios=...`); false when it is not
/// one.
pub(super) fn io_stat_line(stat: &mut IoStat, line: &str) -> bool {
    let mut words = line.split_whitespace();
    let is_device = |word: &str| {
        let numbers = word.split_once(':');
        numbers.is_some_and(|(major, minor)| {
            major.parse::<u32>().is_ok() && minor.parse::<u32>().is_ok()
        })
    };
    if !words.next().is_some_and(is_device) {
        return false;
    }
    for word in words {
        let Some((name, value)) = word.split_once('=') else {
            continue;
        };
        let sum = match name {
            "rbytes" => &mut stat.read_bytes,
            "wbytes" => &mut stat.write_bytes,
            _ => continue,
        };
        if let Ok(bytes) = value.parse::<u64>() {
            *sum = Some(sum.unwrap_or(0).saturating_add(bytes));
        }
    }
    true
}

/// `some ... total=` of a pressure file, in nanoseconds (the kernel counts microseconds).
pub fn pressure_some_total(text: &[u8]) -> Option<u64> {
    let some = lines(text).find_map(|line| line.strip_prefix("some "))?;
    let total = some
        .split_whitespace()
        .find_map(|word| word.strip_prefix("total="))?;
    total.parse::<u64>().ok()?.checked_mul(1000)
}

/// The version 2 path in `/proc/PID/cgroup`: the line `0::/path`.
pub fn cgroup_path(text: &[u8]) -> Option<String> {
    let path = lines(text).find_map(|line| line.strip_prefix("0::"))?;
    // A path that climbs out of the tree belongs to another namespace of cgroups.
    (path.starts_with('/') && !path.contains("..")).then(|| path.trim_end().to_owned())
}

//! The machine and the program, as they are recorded in every result.

use crate::measure::Environment;
use crate::version::VERSION;

/// Reads the description of machine and program. A part that cannot be read is left empty.
pub fn environment() -> Environment {
    let name = rustix::system::uname();
    let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
    Environment {
        meshload: VERSION.to_owned(),
        system: format!(
            "{} {} {}",
            text(name.sysname()),
            text(name.release()),
            text(name.machine())
        ),
        processor: processor().unwrap_or_default(),
        cores: cores(),
    }
}

/// The number of cores that this process may use, by its affinity and its control group's quota.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn processor() -> Option<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

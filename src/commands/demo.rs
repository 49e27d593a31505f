//! `meshload demo`: a run against the stand-in server, with nothing else installed.

use super::failure::CommandError;
use super::report::draw;
use super::run::run_with_script;
use super::stand_in::StandIn;
use crate::cli::{Outputs, RunRequest, new_seed};
use crate::clock::unix_now;
use crate::exit::Exit;
use crate::spec::{BadSpec, CollectFrom, Offered, Options, ProcessChoice, RunSpec, Target};
use crate::units::{Nanos, Rate};
use std::path::{Path, PathBuf};

const MIX: &str = "lua/mixed-workload_type_1.lua";
const MIX_SOURCE: &str = include_str!("../../lua/mixed-workload_type_1.lua");

/// Runs the HotelReservation mix at 800/s against a stand-in server and keeps the result.
pub fn demo(output: Option<PathBuf>, duration: Nanos) -> Result<Exit, CommandError> {
    let hotel = StandIn::start(&[])?;
    let folder = output.unwrap_or_else(|| {
        PathBuf::from(format!("results/demo_{}", unix_now().0 / Nanos::SECOND.0))
    });
    let request =
        request(hotel.url(), hotel.pid(), &folder, duration).map_err(CommandError::usage)?;
    outln!("$ meshload {}\n", command_line(&request));
    let exit = run_with_script(&request, Some(MIX_SOURCE.as_bytes().to_vec()))?;
    if matches!(exit, Exit::Done | Exit::NotTrustworthy) {
        draw(&folder).map_err(CommandError::failed)?;
        outln!("{}", next_steps(&folder.display().to_string()));
    }
    Ok(exit)
}

/// The run of the demo, with the use of the hotel's process.
fn request(url: &str, pid: u32, folder: &Path, duration: Nanos) -> Result<RunRequest, BadSpec> {
    let mut options = Options::default();
    options.load.script = Some(PathBuf::from(MIX));
    options.recording.spectrum = true;
    options.cluster.collect = CollectFrom::Process(vec![ProcessChoice::Pid(pid)]);
    let rate = Rate::per_second(800.0).map_or(Offered::Max, Offered::Rate);
    let mut spec = RunSpec::to(vec![Target::parse(url)?], rate, options);
    spec.load.duration = duration;
    spec.load.seed = new_seed();
    spec.validate()?;
    let outputs = Outputs {
        folder: Some(folder.to_owned()),
        ..Outputs::default()
    };
    Ok(RunRequest::single(spec, outputs))
}

/// The command line that makes the same run. It is printed, so that the demo teaches the flags.
fn command_line(request: &RunRequest) -> String {
    let RunSpec {
        targets,
        load,
        collect,
        ..
    } = &request.spec;
    let folder = request.outputs.folder.as_deref().unwrap_or(Path::new(""));
    format!(
        "-R 800 -D fixed -d {} -s {MIX} -L -o {} --collect {} {}",
        load.duration,
        folder.display(),
        collect.from,
        targets[0].url
    )
}

fn next_steps(folder: &str) -> String {
    format!(
        "\nThe result is in {folder}: report.html shows it, run.json has every figure, latency.hlog\n\
         and intervals.csv the run second by second, resources.csv what the server used. What to look\n\
         at next:\n\
         \n\
         \x20 meshload report {folder}    text, plots and page again, from the folder\n\
         \x20 meshload selftest    what this machine can resolve\n\
         \x20 meshload hotel --stall 1s@5s    a server that freezes; then, beside it:\n\
         \x20 meshload -R 1000 -d 10s -c 100 -L -U http://127.0.0.1:5000/    its 95th percentile is 0.5 s;\n\
         \x20     the uncorrected one, which others report, sees nothing"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Request, parse};

    #[test]
    fn the_command_line_that_is_shown_asks_for_the_run_that_is_made() {
        let folder = Path::new("results/x");
        let length = Nanos::from_secs(3);
        let mut made = request("http://127.0.0.1:5/", 7, folder, length).expect("a run");
        let line = command_line(&made);
        let words = std::iter::once("meshload").chain(line.split(' '));
        let Ok(Request::Run(typed)) = parse(words.map(Into::into)) else {
            panic!("{line}");
        };
        // Without --seed every run has a new one.
        made.spec.load.seed = typed.spec.load.seed;
        assert_eq!(typed.spec, made.spec);
        assert_eq!(typed.outputs, made.outputs);
    }

    #[test]
    fn a_demo_of_no_time_is_refused() {
        let bad = request("http://127.0.0.1:5/", 7, Path::new("x"), Nanos::ZERO);
        assert!(bad.is_err_and(|bad| bad.flag == "-d"));
    }
}

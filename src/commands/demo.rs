//! `meshload demo`: the main job on one machine, with nothing else installed.

use super::fail;
use super::report::draw;
use super::run::run_with_script;
use super::stand_in::StandIn;
use crate::cli::{self, Request};
use crate::clock::unix_now;
use crate::exit::Exit;
use crate::units::Nanos;
use std::path::PathBuf;

const MIX: &str = "lua/mixed-workload_type_1.lua";
const MIX_SOURCE: &str = include_str!("../../lua/mixed-workload_type_1.lua");

/// Runs the HotelReservation mix at 800/s against a hotel of its own and keeps the result.
pub fn demo(output: Option<PathBuf>, duration: Nanos) -> Exit {
    let hotel = match StandIn::start(&[]) {
        Ok(hotel) => hotel,
        Err(error) => return fail(Exit::Failed, &error),
    };
    let folder = output.unwrap_or_else(|| {
        PathBuf::from(format!("results/demo_{}", unix_now().0 / Nanos::SECOND.0))
    });
    let folder_text = folder.display().to_string();
    let duration = duration.to_string();
    let processes = format!("process:{}", hotel.pid());
    let flags = [
        "-R",
        "800",
        "-D",
        "fixed",
        "-d",
        &duration,
        "-s",
        MIX,
        "-L",
        "-o",
        &folder_text,
        "--collect",
        &processes,
    ];
    tell!("$ meshload {} {}\n", flags.join(" "), hotel.url());
    let words = ["meshload", "run"]
        .into_iter()
        .chain(flags)
        .chain([hotel.url()]);
    let exit = match cli::parse(words.map(Into::into)) {
        Ok(Request::Run(request)) => {
            run_with_script(&request, Some(MIX_SOURCE.as_bytes().to_vec()))
        }
        Ok(_) => Exit::Failed,
        Err(error) => return fail(Exit::Usage, &error),
    };
    if matches!(exit, Exit::Done | Exit::NotTrustworthy) {
        if let Err(error) = draw(&folder) {
            return fail(Exit::Failed, &error);
        }
        tell!("{}", what_next(&folder_text));
    }
    exit
}

fn what_next(folder: &str) -> String {
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

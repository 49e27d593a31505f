//! The outputs of a result. Each is one entry of a list, with the place of the file and a pure function
//! that makes its bytes, so that a further output is a further entry and nothing else.

use crate::cli::{Destination, Outputs};
use crate::engine::Event;
use crate::files::{
    hlog_header, hlog_lines, intervals_csv, junit_xml, requests_csv_header, requests_csv_rows,
    resources_csv, resources_window_csv, samples_csv, summary_csv,
};
use crate::gate::Gate;
use crate::resources::{Resources, SampleLog};
use crate::spec::RunSpec;
use crate::study::{self, PODS_CSV};
use crate::verdict::{JudgedRun, Verdict};
use std::path::Path;

/// Finds the path that a flag gives; `None` when the user did not give the flag.
pub type PathOfFlag = fn(&Outputs) -> Option<&Path>;

/// A file of a result folder.
pub struct FolderOutput<Source> {
    pub file_name: &'static str,
    pub bytes: fn(&Source) -> Vec<u8>,
}

/// A file whose path a flag gives.
pub struct FlagOutput<Source> {
    pub flag: &'static str,
    pub path: PathOfFlag,
    pub bytes: fn(&Source) -> Vec<u8>,
}

/// A file that grows while the run goes on, so that a run that breaks off keeps what was measured.
pub struct GrowingOutput {
    pub file_name: &'static str,
    /// The flag that asks for the file at another place too, and the path that it gives.
    pub copy: Option<(&'static str, PathOfFlag)>,
    /// Whether the file belongs into the result folder of such a run.
    pub is_wanted: fn(&RunSpec) -> bool,
    /// What an event appends to the file; nothing for most events.
    pub bytes: fn(&RunSpec, &Event<'_>) -> Vec<u8>,
}

/// A run that has ended.
pub struct RunSource {
    pub run: JudgedRun,
    /// The text that wrk2 would print.
    pub wrk_text: String,
    /// The bytes of run.json.
    pub json: Vec<u8>,
}

/// What a collector recorded.
pub struct CollectedSource<'a> {
    pub log: &'a SampleLog,
    pub resources: &'a Resources,
    /// The run beside which the figures were collected.
    pub spec: Option<&'a RunSpec>,
}

/// What a build server shows of a run, or of several runs with the same specification.
pub struct GateSource {
    pub urls: Vec<String>,
    /// Whether the runs can be used to judge the system; an exit code, annotations and JUnit agree on it.
    pub is_believed: bool,
    pub verdicts: Vec<Verdict>,
    pub gate: Gate,
    pub markdown: String,
}

/// The files of a run's folder besides run.json, which completes the folder and is written last.
pub fn run_outputs() -> [FolderOutput<RunSource>; 2] {
    [
        FolderOutput {
            file_name: "wrk.txt",
            bytes: |source| source.wrk_text.as_bytes().to_vec(),
        },
        FolderOutput {
            file_name: "intervals.csv",
            bytes: |source| intervals_csv(&source.run.result),
        },
    ]
}

/// The single files of a run.
pub fn run_flag_outputs() -> [FlagOutput<RunSource>; 2] {
    [
        FlagOutput {
            flag: "--json",
            path: |outputs| match &outputs.json {
                Some(Destination::File(path)) => Some(path),
                Some(Destination::Stdout) | None => None,
            },
            bytes: |source| source.json.clone(),
        },
        FlagOutput {
            flag: "--csv",
            path: |outputs| outputs.csv.as_deref(),
            bytes: |source| summary_csv(&source.run),
        },
    ]
}

/// The files that grow while a run goes on.
pub fn growing_outputs() -> [GrowingOutput; 2] {
    [
        GrowingOutput {
            file_name: "latency.hlog",
            copy: Some(("--hlog", |outputs| outputs.hlog.as_deref())),
            is_wanted: |_| true,
            bytes: |_, event| match event {
                Event::Started(clock, _) => hlog_header(clock.unix_origin()).into_bytes(),
                Event::Interval(_, _, slice) => hlog_lines(slice).into_bytes(),
                Event::Requests(..) => Vec::new(),
            },
        },
        GrowingOutput {
            file_name: "requests.csv",
            copy: None,
            is_wanted: |spec| spec.recording.requests_csv,
            bytes: |spec, event| match event {
                Event::Started(..) => requests_csv_header(),
                Event::Interval(..) => Vec::new(),
                Event::Requests(target, rows, routes) => {
                    requests_csv_rows(&spec.targets[*target].url, rows, routes)
                }
            },
        },
    ]
}

/// The tables of what pods and processes used, of a run or of a collection alone.
pub fn collected_outputs<'a>() -> [FolderOutput<CollectedSource<'a>>; 4] {
    [
        FolderOutput {
            file_name: "samples.csv",
            bytes: |source| samples_csv(source.log),
        },
        FolderOutput {
            file_name: "resources.csv",
            bytes: |source| resources_csv(source.log, source.resources),
        },
        FolderOutput {
            file_name: "resources_window.csv",
            bytes: |source| resources_window_csv(source.resources),
        },
        FolderOutput {
            file_name: PODS_CSV,
            bytes: |source| study::pods_csv(source.resources, source.spec),
        },
    ]
}

/// The files for build servers.
pub fn gate_flag_outputs() -> [FlagOutput<GateSource>; 2] {
    [
        FlagOutput {
            flag: "--summary-md",
            path: |outputs| outputs.summary.as_deref(),
            bytes: |source| source.markdown.as_bytes().to_vec(),
        },
        FlagOutput {
            flag: "--junit",
            path: |outputs| outputs.junit.as_deref(),
            bytes: |source| {
                let urls: Vec<&str> = source.urls.iter().map(String::as_str).collect();
                junit_xml(&urls, source.is_believed, &source.verdicts, &source.gate)
            },
        },
    ]
}

/// The file in the folder of repeated runs that says which thresholds and limits passed.
pub fn gate_outputs() -> [FolderOutput<GateSource>; 1] {
    [FolderOutput {
        file_name: "gate.json",
        bytes: |source| serde_json::to_vec_pretty(&source.gate).unwrap_or_default(),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::run_to_json;
    use crate::measure::sample;
    use std::collections::BTreeSet;

    #[test]
    fn every_output_of_a_run_has_a_name_of_its_own_and_is_not_empty() {
        let run = JudgedRun::judge(sample::ordinary().result);
        let source = RunSource {
            wrk_text: "text".to_owned(),
            json: run_to_json(&run),
            run,
        };
        let of_folder = run_outputs().map(|one| (one.file_name, one.bytes));
        let of_flags = run_flag_outputs().map(|one| (one.flag, one.bytes));
        for (name, bytes) in of_folder.into_iter().chain(of_flags) {
            assert!(!bytes(&source).is_empty(), "{name}");
        }
        let names = run_outputs().map(|one| one.file_name).into_iter();
        let names = names.chain(growing_outputs().map(|one| one.file_name));
        let names: Vec<_> = names
            .chain(collected_outputs().map(|one| one.file_name))
            .collect();
        let distinct: BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{names:?}");
    }

    #[test]
    fn a_flag_that_is_not_given_asks_for_no_file() {
        let stdout = Outputs {
            json: Some(Destination::Stdout),
            ..Outputs::default()
        };
        for outputs in [Outputs::default(), stdout] {
            let of_run = run_flag_outputs().map(|one| (one.path)(&outputs));
            let of_gate = gate_flag_outputs().map(|one| (one.path)(&outputs));
            let copies = growing_outputs().map(|one| {
                let (_, path) = one.copy?;
                path(&outputs)
            });
            let mut paths = of_run.into_iter().chain(of_gate).chain(copies);
            assert!(paths.all(|path| path.is_none()));
        }
    }
}

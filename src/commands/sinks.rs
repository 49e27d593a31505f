//! Where a run's result goes: the folder, single files, stdout. A place that fails does not keep
//! the result from the others.

use crate::cli::{Destination, Outputs};
use crate::engine::Event;
use crate::files::{
    hlog_header, hlog_lines, intervals_csv, junit_xml, requests_csv_header, requests_csv_rows,
    resources_csv, resources_window_csv, run_to_json, samples_csv, summary_csv,
};
use crate::gate::Gate;
use crate::measure::RunResult;
use crate::resources::{Resources, SampleLog};
use crate::spec::RunSpec;
use crate::store::{Growing, RUN_JSON, ResultFolder, StoreError};
use crate::study::{PODS_CSV, study_csv};
use crate::text::summary_markdown;
use crate::verdict::Verdict;
use std::path::PathBuf;

/// Begins the file that a flag names, if it names one.
///
/// # Errors
/// The flag, the place and the cure.
pub fn begin_file(flag: &'static str, path: Option<&PathBuf>) -> Result<Option<Growing>, String> {
    let file = path.map(|path| Growing::begin(path)).transpose();
    file.map_err(|error| format!("{flag}: {error}"))
}

/// Writes a file to its end.
///
/// # Errors
/// [`StoreError`] naming the file and the cure.
pub fn complete_file(mut file: Growing, bytes: &[u8]) -> Result<(), StoreError> {
    file.append(bytes)?;
    file.finish()
}

/// Everything that is being written.
pub struct Sinks {
    takes_stdout: bool,
    json: Option<Growing>,
    csv: Option<Growing>,
    summary: Option<Growing>,
    junit: Option<Growing>,
    folder: Option<ResultFolder>,
    hlogs: Vec<Growing>,
    requests: Option<Growing>,
    urls: Vec<String>,
    errors: Vec<StoreError>,
}

impl Sinks {
    /// Opens every place before the first request, so that one that cannot be written is found
    /// before anything is measured. `script` is the text of the script.
    ///
    /// # Errors
    /// The flag, the place and the cure.
    pub fn open(outputs: &Outputs, spec: &RunSpec, script: Option<&[u8]>) -> Result<Sinks, String> {
        let named = |error: StoreError| format!("-o: {error}");
        let begin = begin_file;
        let json = match &outputs.json {
            Some(Destination::File(path)) => Some(path),
            _ => None,
        };
        let mut sinks = Sinks {
            takes_stdout: outputs.json == Some(Destination::Stdout),
            json: begin("--json", json)?,
            csv: begin("--csv", outputs.csv.as_ref())?,
            summary: begin("--summary-md", outputs.summary.as_ref())?,
            junit: begin("--junit", outputs.junit.as_ref())?,
            hlogs: begin("--hlog", outputs.hlog.as_ref())?
                .into_iter()
                .collect(),
            folder: None,
            requests: None,
            urls: spec
                .targets
                .iter()
                .map(|target| target.url.clone())
                .collect(),
            errors: Vec::new(),
        };
        if let Some(path) = &outputs.folder {
            let folder = ResultFolder::create(path).map_err(named)?;
            sinks.fill(&folder, spec, script).map_err(named)?;
            sinks.folder = Some(folder);
        }
        Ok(sinks)
    }

    /// Puts the question into the folder and begins what grows while it is answered.
    fn fill(
        &mut self,
        folder: &ResultFolder,
        spec: &RunSpec,
        script: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        folder.write(
            "spec.json",
            &serde_json::to_vec_pretty(spec).unwrap_or_default(),
        )?;
        if let (Some(reference), Some(script)) = (&spec.script, script) {
            let name = reference.path.file_name().unwrap_or_default();
            folder.write(&name.to_string_lossy(), script)?;
        }
        self.hlogs.push(folder.grow("latency.hlog")?);
        if spec.recording.requests_csv {
            let mut requests = folder.grow("requests.csv")?;
            requests.append(&requests_csv_header())?;
            self.requests = Some(requests);
        }
        Ok(())
    }

    /// Nothing was measured: leaves no trace.
    pub fn abandon(mut self) {
        self.hlogs.clear();
        self.requests = None;
        if let Some(folder) = self.folder.take() {
            folder.abandon();
        }
    }

    /// Takes down what goes on.
    pub fn observe(&mut self, event: &Event<'_>) {
        match event {
            Event::Started(clock, _) => self.log(&hlog_header(clock.unix_origin())),
            Event::Interval(_, _, slice) => self.log(&hlog_lines(slice)),
            Event::Requests(target, rows, routes) => {
                let Some(file) = &mut self.requests else {
                    return;
                };
                let rows = requests_csv_rows(&self.urls[*target], rows, routes);
                if let Err(error) = file.append(&rows) {
                    self.errors.push(error);
                    self.requests = None;
                }
            }
        }
    }

    fn log(&mut self, lines: &str) {
        if lines.is_empty() {
            return;
        }
        let errors = &mut self.errors;
        self.hlogs
            .retain_mut(|log| match log.append(lines.as_bytes()) {
                Ok(()) => true,
                Err(error) => {
                    errors.push(error);
                    false
                }
            });
    }

    /// Writes the result everywhere; gives what goes to stdout in place of the text, and what failed.
    pub fn finish(
        mut self,
        result: &RunResult,
        verdict: &Verdict,
        gate: &Gate,
        text: &str,
        samples: Option<&SampleLog>,
    ) -> (Option<Vec<u8>>, Vec<StoreError>) {
        let json = run_to_json(result, verdict);
        let mut written = Vec::new();
        written.extend(self.hlogs.drain(..).map(Growing::finish));
        written.extend(self.requests.take().map(Growing::finish));
        let complete = complete_file;
        written.extend(
            self.csv
                .take()
                .map(|csv| complete(csv, &summary_csv(result, verdict))),
        );
        written.extend(self.summary.take().map(|file| {
            let summary = summary_markdown(result, verdict, gate);
            complete(file, summary.as_bytes())
        }));
        written.extend(self.junit.take().map(|file| {
            let xml = junit_xml(&result.urls(), std::slice::from_ref(verdict), gate);
            complete(file, &xml)
        }));
        written.extend(self.json.take().map(|file| complete(file, &json)));
        if let Some(folder) = self.folder.take() {
            written.push(folder.write("wrk.txt", text.as_bytes()));
            written.push(folder.write("intervals.csv", &intervals_csv(result)));
            if let (Some(log), Some(resources)) = (samples, &result.resources) {
                written.extend(resource_files(&folder, log, resources, result));
            }
            written.push(folder.finish(RUN_JSON, &json));
        }
        self.errors
            .extend(written.into_iter().filter_map(Result::err));
        (self.takes_stdout.then_some(json), self.errors)
    }
}

/// What the collector found, as tables.
fn resource_files(
    folder: &ResultFolder,
    log: &SampleLog,
    resources: &Resources,
    result: &RunResult,
) -> [Result<(), StoreError>; 4] {
    [
        folder.write("samples.csv", &samples_csv(log)),
        folder.write("resources.csv", &resources_csv(log, resources)),
        folder.write("resources_window.csv", &resources_window_csv(resources)),
        folder.write(PODS_CSV, &study_csv(resources, Some(&result.spec))),
    ]
}

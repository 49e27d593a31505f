//! Where a run's result goes: the folder, single files, stdout. A place that fails does not keep
//! the result from the others.

use crate::cli::{Destination, Outputs};
use crate::engine::Event;
use crate::formats::{
    hlog_header, hlog_lines, intervals_csv, requests_csv_header, requests_csv_rows, run_to_json,
    summary_csv,
};
use crate::judge::Verdict;
use crate::measure::RunResult;
use crate::spec::RunSpec;
use crate::store::{Growing, ResultFolder, StoreError, write_file};

/// Everything that is being written.
pub struct Sinks {
    outputs: Outputs,
    folder: Option<ResultFolder>,
    hlogs: Vec<Growing>,
    requests: Option<Growing>,
    urls: Vec<String>,
    errors: Vec<StoreError>,
}

impl Sinks {
    /// Opens what must be open before the first request, so that a place that cannot be written is
    /// found before anything is measured. `script` is the text of the script.
    ///
    /// # Errors
    /// [`StoreError`] naming the place and the cure.
    pub fn open(
        outputs: &Outputs,
        spec: &RunSpec,
        script: Option<&[u8]>,
    ) -> Result<Sinks, StoreError> {
        let mut sinks = Sinks {
            outputs: outputs.clone(),
            folder: None,
            hlogs: Vec::new(),
            requests: None,
            urls: spec
                .targets
                .iter()
                .map(|target| target.url.clone())
                .collect(),
            errors: Vec::new(),
        };
        if let Some(path) = &outputs.folder {
            let folder = ResultFolder::create(path)?;
            let spec_json = serde_json::to_vec_pretty(spec).unwrap_or_default();
            folder.write("spec.json", &spec_json)?;
            if let (Some(reference), Some(script)) = (&spec.script, script) {
                let name = reference.path.file_name().unwrap_or_default();
                folder.write(&name.to_string_lossy(), script)?;
            }
            sinks.hlogs.push(folder.grow("latency.hlog")?);
            if spec.recording.requests_csv {
                let mut requests = folder.grow("requests.csv")?;
                requests.append(&requests_csv_header())?;
                sinks.requests = Some(requests);
            }
            sinks.folder = Some(folder);
        }
        if let Some(path) = &outputs.hlog {
            sinks.hlogs.push(Growing::begin(path)?);
        }
        Ok(sinks)
    }

    /// Takes down what goes on.
    pub fn observe(&mut self, event: &Event<'_>) {
        match event {
            Event::Started(start, _) => self.log(&hlog_header(*start)),
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

    /// Whether stdout is taken by something other than the text.
    pub fn takes_stdout(&self) -> bool {
        self.outputs.json == Some(Destination::Stdout)
    }

    /// Writes the result everywhere; gives what goes to stdout in place of the text, and what failed.
    pub fn finish(
        mut self,
        result: &RunResult,
        verdict: &Verdict,
        text: &str,
    ) -> (Option<Vec<u8>>, Vec<StoreError>) {
        let json = run_to_json(result, verdict);
        let mut outcomes = Vec::new();
        outcomes.extend(self.hlogs.drain(..).map(Growing::finish));
        outcomes.extend(self.requests.take().map(Growing::finish));
        if let Some(path) = &self.outputs.csv {
            outcomes.push(write_file(path, &summary_csv(result, verdict)));
        }
        if let Some(Destination::File(path)) = &self.outputs.json {
            outcomes.push(write_file(path, &json));
        }
        if let Some(folder) = self.folder.take() {
            outcomes.push(folder.write("wrk.txt", text.as_bytes()));
            outcomes.push(folder.write("intervals.csv", &intervals_csv(result)));
            outcomes.push(folder.finish(&json));
        }
        self.errors
            .extend(outcomes.into_iter().filter_map(Result::err));
        let stdout = self.outputs.json == Some(Destination::Stdout);
        (stdout.then_some(json), self.errors)
    }
}

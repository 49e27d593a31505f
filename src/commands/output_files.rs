//! Writes the outputs of a result. An output that cannot be written does not keep the others from being
//! written.

use super::outputs::{
    CollectedSource, FlagOutput, FolderOutput, GrowingOutput, RunSource, collected_outputs,
    growing_outputs, run_flag_outputs, run_outputs,
};
use crate::cli::{Destination, Outputs};
use crate::engine::Event;
use crate::files::run_to_json;
use crate::resources::SampleLog;
use crate::spec::RunSpec;
use crate::store::{PartialFile, RUN_JSON, ResultFolder, StoreError, write_file};
use crate::text::wrk_text;
use crate::verdict::JudgedRun;
use std::path::Path;

/// Files that flags name. They are begun before anything is measured, so that a path that cannot be
/// written is reported in time, and filled at the end.
pub struct FlagFiles<Source> {
    begun: Vec<(PartialFile, FlagOutput<Source>)>,
}

impl<Source> FlagFiles<Source> {
    /// Begins those of the files whose flags the user gave.
    ///
    /// # Errors
    /// The flag, the path and the cure.
    pub fn begin(
        wanted: impl IntoIterator<Item = FlagOutput<Source>>,
        outputs: &Outputs,
    ) -> Result<FlagFiles<Source>, String> {
        let mut begun = Vec::new();
        for output in wanted {
            if let Some(file) = begin_file(output.flag, (output.path)(outputs))? {
                begun.push((file, output));
            }
        }
        Ok(FlagFiles { begun })
    }

    /// Writes the files to their ends; returns the errors of those that could not be written.
    pub fn write(self, source: &Source) -> Vec<StoreError> {
        let written = self.begun.into_iter().map(|(mut file, output)| {
            file.append(&(output.bytes)(source))?;
            file.finish()
        });
        written.filter_map(Result::err).collect()
    }
}

fn begin_file(flag: &str, path: Option<&Path>) -> Result<Option<PartialFile>, String> {
    let file = path.map(PartialFile::begin).transpose();
    file.map_err(|error| format!("{flag}: {error}"))
}

/// Writes files into a folder; returns the errors of those that could not be written.
pub fn write_outputs<Source>(
    folder: &Path,
    outputs: impl IntoIterator<Item = FolderOutput<Source>>,
    source: &Source,
) -> Vec<StoreError> {
    let written = outputs
        .into_iter()
        .map(|output| write_file(&folder.join(output.file_name), &(output.bytes)(source)));
    written.filter_map(Result::err).collect()
}

/// A growing output with the files that it is written to.
struct GrowingFiles {
    output: GrowingOutput,
    files: Vec<PartialFile>,
}

impl GrowingFiles {
    /// Begins the copy that a flag asks for.
    fn begin(output: GrowingOutput, outputs: &Outputs) -> Result<GrowingFiles, String> {
        let copy = match output.copy {
            Some((flag, path)) => begin_file(flag, path(outputs))?,
            None => None,
        };
        let files = copy.into_iter().collect();
        Ok(GrowingFiles { output, files })
    }

    /// Appends what an event adds. A file that cannot be written is given up, and its error returned.
    fn observe(&mut self, spec: &RunSpec, event: &Event<'_>) -> Vec<StoreError> {
        if self.files.is_empty() {
            return Vec::new();
        }
        let bytes = (self.output.bytes)(spec, event);
        let mut errors = Vec::new();
        if !bytes.is_empty() {
            self.files.retain_mut(|file| {
                let written = file.append(&bytes);
                let is_written = written.is_ok();
                errors.extend(written.err());
                is_written
            });
        }
        errors
    }
}

/// The files of one run, from before its first request to its end.
pub struct OutputFiles {
    spec: RunSpec,
    takes_stdout: bool,
    single: FlagFiles<RunSource>,
    growing: Vec<GrowingFiles>,
    folder: Option<ResultFolder>,
    errors: Vec<StoreError>,
}

impl OutputFiles {
    /// Begins every file and fills the folder with what is known before the run. `script` is the text of
    /// the script.
    ///
    /// # Errors
    /// The flag, the path and the cure; nothing is left behind.
    pub fn open(
        outputs: &Outputs,
        spec: &RunSpec,
        script: Option<&[u8]>,
    ) -> Result<OutputFiles, String> {
        let growing = growing_outputs().map(|output| GrowingFiles::begin(output, outputs));
        let mut files = OutputFiles {
            spec: spec.clone(),
            takes_stdout: outputs.json == Some(Destination::Stdout),
            single: FlagFiles::begin(run_flag_outputs(), outputs)?,
            growing: growing.into_iter().collect::<Result<_, _>>()?,
            folder: None,
            errors: Vec::new(),
        };
        if let Some(path) = &outputs.folder {
            let named = |error: StoreError| format!("-o: {error}");
            let folder = ResultFolder::create(path).map_err(named)?;
            if let Err(error) = files.begin_in(&folder, script) {
                folder.abandon();
                return Err(named(error));
            }
            files.folder = Some(folder);
        }
        Ok(files)
    }

    /// Writes what was asked into the folder, and begins the files there that grow during the run.
    fn begin_in(&mut self, folder: &ResultFolder, script: Option<&[u8]>) -> Result<(), StoreError> {
        let json = serde_json::to_vec_pretty(&self.spec).unwrap_or_default();
        folder.write("spec.json", &json)?;
        if let (Some(reference), Some(script)) = (&self.spec.script, script) {
            let name = reference.path.file_name().unwrap_or_default();
            folder.write(&name.to_string_lossy(), script)?;
        }
        for growing in &mut self.growing {
            if (growing.output.is_wanted)(&self.spec) {
                let file = folder.begin(growing.output.file_name)?;
                growing.files.push(file);
            }
        }
        Ok(())
    }

    /// Removes everything, because nothing was measured.
    pub fn abandon(mut self) {
        self.growing.clear();
        if let Some(folder) = self.folder.take() {
            folder.abandon();
        }
    }

    /// Appends what an event adds to the growing files.
    pub fn observe(&mut self, event: &Event<'_>) {
        for growing in &mut self.growing {
            self.errors.extend(growing.observe(&self.spec, event));
        }
    }

    /// Completes every file of a run. `samples` are the collector's.
    pub fn finish(self, run: JudgedRun, samples: Option<&SampleLog>) -> WrittenRun {
        let source = RunSource {
            wrk_text: wrk_text(&run.result),
            json: run_to_json(&run),
            run,
        };
        let mut errors = self.errors;
        let grown = self.growing.into_iter().flat_map(|growing| growing.files);
        errors.extend(grown.filter_map(|file| file.finish().err()));
        errors.extend(self.single.write(&source));
        if let Some(folder) = self.folder {
            errors.extend(write_outputs(folder.path(), run_outputs(), &source));
            let result = &source.run.result;
            if let (Some(log), Some(resources)) = (samples, &result.resources) {
                let collected = CollectedSource {
                    log,
                    resources,
                    spec: Some(&result.spec),
                };
                let tables = collected_outputs();
                errors.extend(write_outputs(folder.path(), tables, &collected));
            }
            errors.extend(folder.finish(RUN_JSON, &source.json).err());
        }
        WrittenRun {
            takes_stdout: self.takes_stdout,
            source,
            errors,
        }
    }
}

/// A run whose outputs were written.
pub struct WrittenRun {
    pub source: RunSource,
    /// Whether run.json goes to stdout in place of the text.
    pub takes_stdout: bool,
    /// One error for each output that could not be written.
    pub errors: Vec<StoreError>,
}

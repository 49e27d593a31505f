//! Single files that are written whole or not at all: under another name, and renamed when they are complete.

use super::error::StoreError;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file that is being written. Its name ends in `.partial` until it is complete, so that a reader never
/// takes it for a complete file, and so that a crash leaves what was measured until then.
#[derive(Debug)]
pub struct PartialFile {
    writer: BufWriter<File>,
    partial: PathBuf,
    path: PathBuf,
    is_empty: bool,
}

impl PartialFile {
    /// Begins a file. A device or a pipe is written to directly, because it cannot be renamed.
    ///
    /// # Errors
    /// [`StoreError`] naming the file and the cure.
    pub fn begin(path: &Path) -> Result<PartialFile, StoreError> {
        let is_special = fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir());
        let partial = if is_special {
            path.to_owned()
        } else {
            beside(path)
        };
        let file = File::create(&partial).map_err(StoreError::refused("write", path))?;
        Ok(PartialFile {
            writer: BufWriter::new(file),
            partial,
            path: path.to_owned(),
            is_empty: true,
        })
    }

    /// Appends bytes and hands them to the operating system, so that a crash of the program loses none.
    ///
    /// # Errors
    /// [`StoreError`] naming the file and the cure.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.is_empty &= bytes.is_empty();
        let written = self
            .writer
            .write_all(bytes)
            .and_then(|()| self.writer.flush());
        written.map_err(StoreError::refused("write", &self.path))
    }

    /// Completes the file and gives it its own name.
    ///
    /// # Errors
    /// [`StoreError`] naming the file and the cure; the `.partial` file is kept.
    pub fn finish(mut self) -> Result<(), StoreError> {
        let refused = || StoreError::refused("write", &self.path);
        self.writer.flush().map_err(refused())?;
        if self.partial == self.path {
            return Ok(());
        }
        self.writer.get_ref().sync_all().map_err(refused())?;
        fs::rename(&self.partial, &self.path).map_err(refused())?;
        self.is_empty = false;
        Ok(())
    }
}

impl Drop for PartialFile {
    /// Removes a file that was begun and never written to.
    fn drop(&mut self) {
        if self.is_empty && self.partial != self.path {
            let _ = fs::remove_file(&self.partial);
        }
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    path.with_file_name(name)
}

/// Writes a file whole or not at all.
///
/// # Errors
/// [`StoreError`] naming the file and the cure.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut file = PartialFile::begin(path)?;
    file.append(bytes)?;
    file.finish()
}

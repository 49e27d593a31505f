//! Files that only grow, line by line, over several processes.

use super::error::StoreError;
use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Appends a line to a file and waits until it is on the disk. A line that an earlier process left
/// incomplete is ended first, so that it does not spoil the new one.
///
/// # Errors
/// [`StoreError`] naming the file and the cure.
pub fn append_line(path: &Path, line: &[u8]) -> Result<(), StoreError> {
    let append = || -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.create(true).read(true).append(true).open(path)?;
        let mut bytes = Vec::with_capacity(line.len() + 1);
        if file.seek(SeekFrom::End(0))? > 0 {
            file.seek(SeekFrom::End(-1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                bytes.push(b'\n');
            }
        }
        bytes.extend(line);
        file.write_all(&bytes)?;
        file.sync_data()
    };
    append().map_err(StoreError::refused("write", path))
}

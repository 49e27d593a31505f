//! What outlives a process: lines that are added to a file, folders that are moved out of the way,
//! and the mark that somebody is at work.

use super::files::StoreError;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Adds a line to a file, on the disk before this returns. A line that an earlier process left torn
/// is ended first.
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

/// Makes a folder, parents and all, where there is none.
///
/// # Errors
/// [`StoreError`] naming the folder and the cure.
pub fn make_folder(path: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(path).map_err(StoreError::refused("make the folder", path))
}

/// The file's bytes; `None` when it is not there.
///
/// # Errors
/// [`StoreError`] naming the file and the cure.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some).map_err(StoreError::refused("read", path)),
    }
}

/// Takes a file away; what is not there is as good as gone.
///
/// # Errors
/// [`StoreError`] naming the file and the cure.
pub fn remove_if_there(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(StoreError::refused("remove", path)),
    }
}

/// The names in a folder, sorted; none when it is not there.
///
/// # Errors
/// [`StoreError`] naming the folder and the cure.
pub fn names_in(folder: &Path) -> Result<Vec<String>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(StoreError::refused("read", folder))?,
    };
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let names: std::io::Result<Vec<String>> = names.collect();
    let mut names = names.map_err(StoreError::refused("read", folder))?;
    names.sort();
    Ok(names)
}

/// Moves a folder into another, under a name that is free there; says where it is now.
///
/// # Errors
/// [`StoreError`] naming the folder and the cure.
pub fn move_aside(folder: &Path, into: &Path) -> Result<PathBuf, StoreError> {
    make_folder(into)?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let places = (1..).map(|number: u32| into.join(format!("{name}.{number}")));
    let mut free = places.filter(|place| !place.exists());
    let place = free.next().unwrap_or_default();
    fs::rename(folder, &place).map_err(StoreError::refused("move", folder))?;
    Ok(place)
}

/// The mark that a process is at work; it goes with the process, however that ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes it; `None` when another process has it.
    ///
    /// # Errors
    /// [`StoreError`] naming the file and the cure.
    pub fn take(path: &Path) -> Result<Option<Lock>, StoreError> {
        let file = File::create(path).map_err(StoreError::refused("write", path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(StoreError::refused("lock", path)(error)),
        }
    }
}

//! Files and folders that may be there or not.

use super::error::StoreError;
use std::fs;
use std::path::{Path, PathBuf};

/// Makes a folder and its missing parents. A folder that exists is left as it is.
///
/// # Errors
/// [`StoreError`] naming the folder and the cure.
pub fn make_folder(path: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(path).map_err(StoreError::refused("make the folder", path))
}

/// The bytes of a file; `None` when it does not exist.
///
/// # Errors
/// [`StoreError`] naming the file and the cure.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some).map_err(StoreError::refused("read", path)),
    }
}

/// Removes a file, if it exists.
///
/// # Errors
/// [`StoreError`] naming the file and the cure.
pub fn remove_if_there(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(StoreError::refused("remove", path)),
    }
}

/// The names in a folder, sorted; none when the folder does not exist.
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

/// Moves a folder into another one, where it gets a number behind its name (`NAME.1`), and returns the new
/// path.
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

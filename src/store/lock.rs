//! The lock by which a folder belongs to one process at a time.

use super::error::StoreError;
use std::fs::{File, TryLockError};
use std::path::Path;

/// The lock on a file. The operating system releases it when the process ends, in whatever way that is.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock; `None` when another process holds it.
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

//! The error for options that cannot be carried out.

/// An option that cannot be carried out: the flag, what is wrong with it, and the cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{flag}: {message}; {cure}")]
pub struct BadSpec {
    /// The flag, such as `-c`; for plans the key takes its place.
    pub flag: &'static str,
    /// What is wrong with its value.
    pub message: String,
    /// What to do instead.
    pub cure: String,
}

impl BadSpec {
    /// Makes the error of a flag.
    pub fn new(flag: &'static str, message: impl Into<String>, cure: impl Into<String>) -> BadSpec {
        BadSpec {
            flag,
            message: message.into(),
            cure: cure.into(),
        }
    }
}

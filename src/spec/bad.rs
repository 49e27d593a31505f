//! What is said when a run cannot be made as asked.

/// Something that cannot be run as asked: which flag, what is wrong, and the cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{flag}: {message}; {cure}")]
pub struct BadSpec {
    /// The flag, such as `-c`; plans say the key in its place.
    pub flag: &'static str,
    /// What is wrong with its value.
    pub message: String,
    /// What to do instead.
    pub cure: String,
}

impl BadSpec {
    /// Says which flag, what is wrong and the cure.
    pub fn new(flag: &'static str, message: impl Into<String>, cure: impl Into<String>) -> BadSpec {
        BadSpec {
            flag,
            message: message.into(),
            cure: cure.into(),
        }
    }
}

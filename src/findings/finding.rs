//! What a look at the surroundings found: whether it stands in the way of a measurement, and what
//! would cure it.

use serde::{Deserialize, Serialize};

/// Whether something stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Good,
    /// Not looked at.
    Skipped,
    /// Something will be missing or needs to be kept in mind.
    Warn,
    /// Nothing can be measured like this.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What it belongs to: `target`, `access`, `rights`, `sources`, `mesh`, `application`.
    pub area: String,
    /// What was looked at.
    pub name: String,
    /// How it is.
    pub state: State,
    /// In words.
    pub message: String,
    /// What would cure it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cure: Option<String>,
}

impl Finding {
    /// Nothing to cure.
    pub fn good(area: &str, name: &str, message: impl Into<String>) -> Finding {
        Finding::new(area, name, State::Good, message, None)
    }

    /// Not looked at; `cure` says how it would be.
    pub fn skipped(area: &str, name: &str, message: impl Into<String>, cure: &str) -> Finding {
        Finding::new(area, name, State::Skipped, message, Some(cure))
    }

    /// To be kept in mind.
    pub fn warn(area: &str, name: &str, message: impl Into<String>, cure: &str) -> Finding {
        Finding::new(area, name, State::Warn, message, Some(cure))
    }

    /// In the way.
    pub fn bad(area: &str, name: &str, message: impl Into<String>, cure: &str) -> Finding {
        Finding::new(area, name, State::Bad, message, Some(cure))
    }

    fn new(
        area: &str,
        name: &str,
        state: State,
        message: impl Into<String>,
        cure: Option<&str>,
    ) -> Finding {
        Finding {
            area: area.to_owned(),
            name: name.to_owned(),
            state,
            message: message.into(),
            cure: cure.map(str::to_owned),
        }
    }
}

//! What goes wrong in a script, in words that name the file and the line.

/// A failure of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError {
    /// Where and what: `mix.lua:12: attempt to ...`.
    pub message: String,
    /// The calls that led there; may be empty.
    pub traceback: String,
}

impl ScriptError {
    /// An error without a place in the script.
    pub fn new(message: impl Into<String>) -> ScriptError {
        ScriptError {
            message: message.into(),
            traceback: String::new(),
        }
    }

    /// An error of Lua's, met while calling `function`.
    pub(super) fn from_lua(function: &str, error: &mlua::Error) -> ScriptError {
        let text = match error {
            // A Rust function that the script called has failed: the cause says what, the
            // traceback says where.
            mlua::Error::CallbackError { traceback, cause } => format!("{cause}\n{traceback}"),
            mlua::Error::RuntimeError(text) | mlua::Error::SyntaxError { message: text, .. } => {
                text.clone()
            }
            other => other.to_string(),
        };
        let (message, traceback) = match text.find("stack traceback:") {
            Some(start) => text.split_at(start),
            None => (text.as_str(), ""),
        };
        ScriptError {
            message: format!("{} (in {function})", message.trim_end()),
            traceback: traceback.trim_end().to_owned(),
        }
    }
}

impl std::fmt::Display for ScriptError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        if self.traceback.is_empty() {
            return Ok(());
        }
        write!(f, "\n{}", self.traceback)
    }
}

impl std::error::Error for ScriptError {}

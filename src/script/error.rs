//! Errors of scripts, with the file and the line.

use std::path::Path;

/// An error in a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError {
    /// Place and cause, such as `mix.lua:12: attempt to ...`.
    pub message: String,
    /// The Lua calls that led there; may be empty.
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

    /// An error that Lua reported while calling `function` of the script at `path`.
    pub(super) fn from_lua(path: &Path, function: &str, error: &mlua::Error) -> ScriptError {
        let (message, traceback) = match innermost(error) {
            // A Rust function failed that the script called. Only the traceback names the place.
            mlua::Error::CallbackError { traceback, cause } => (words(cause), traceback.clone()),
            other => {
                let text = words(other);
                let (message, traceback) = match text.find("stack traceback:") {
                    Some(start) => text.split_at(start),
                    None => (text.as_str(), ""),
                };
                (message.to_owned(), traceback.to_owned())
            }
        };
        let mut message = message.trim_end().to_owned();
        let traceback = traceback.trim_end().to_owned();
        if let Some(place) = first_place(&traceback).filter(|_| place(&message).is_none()) {
            message.insert_str(0, &format!("{place}: "));
        }
        // A tail call leaves no trace of the function that made it.
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let script = match message.contains(&*file) || traceback.contains(&*file) {
            true => String::new(),
            false => format!(" of {}", path.display()),
        };
        ScriptError {
            message: format!("{message} (in {function}{script})"),
            traceback,
        }
    }
}

/// The message of a Lua error, without the name that mlua gives its kind.
pub(super) fn words(error: &mlua::Error) -> String {
    match innermost(error) {
        mlua::Error::CallbackError { cause, .. } => words(cause),
        mlua::Error::RuntimeError(text) | mlua::Error::SyntaxError { message: text, .. } => {
            text.clone()
        }
        other => other.to_string(),
    }
}

/// The original error. Each time a script catches an error and throws it again, mlua wraps it.
fn innermost(error: &mlua::Error) -> &mlua::Error {
    match error {
        mlua::Error::CallbackError { cause, .. }
            if matches!(**cause, mlua::Error::CallbackError { .. }) =>
        {
            innermost(cause)
        }
        other => other,
    }
}

/// A place such as `mix.lua:12`, if the text begins with one.
fn place(text: &str) -> Option<&str> {
    let (end, _) = text.match_indices(':').nth(1)?;
    let (_, line) = text[..end].split_once(':')?;
    let is_line = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    is_line.then_some(&text[..end])
}

/// The first line of Lua code in a traceback.
fn first_place(traceback: &str) -> Option<&str> {
    traceback.lines().find_map(|line| place(line.trim_start()))
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

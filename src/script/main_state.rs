//! The state in which `setup` and `done` run.

use super::ScriptSpec;
use super::environment::{open, run_chunk};
use super::error::ScriptError;
use super::port::Port;
use mlua::{Function, Lua, Table, UserData, UserDataFields, UserDataMethods, Value};
use std::path::PathBuf;

/// The script's state in the main thread.
pub struct MainScript {
    lua: Lua,
    path: PathBuf,
}

/// The summary of a run as wrk defines it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DoneSummary {
    /// Length of the measured window, in microseconds.
    pub duration_us: u64,
    /// Replies that finished in the window.
    pub requests: u64,
    /// Bytes read in the window.
    pub bytes: u64,
    /// Failed connection attempts.
    pub connect: u64,
    pub read: u64,
    pub write: u64,
    /// Replies with a code above 399.
    pub status: u64,
    /// Requests slower than the timeout.
    pub timeout: u64,
}

/// A distribution as scripts see it: `min max mean stdev`, `:percentile(p)`, `#`, and `[i]` or `(i)`.
pub trait Statistics {
    /// The smallest value.
    fn min(&self) -> f64;
    /// The largest value.
    fn max(&self) -> f64;
    /// The arithmetic mean.
    fn mean(&self) -> f64;
    /// The standard deviation.
    fn stdev(&self) -> f64;
    /// The value at a percentile, 0 to 100.
    fn percentile(&self, percent: f64) -> f64;
    /// How many distinct values there are.
    fn len(&self) -> usize;
    /// Whether there are no values.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The distinct value of this rank, from 1, and how often it occurs.
    fn at(&self, index: usize) -> Option<(f64, u64)>;
}

struct Sample(Box<dyn Statistics>);

impl UserData for Sample {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_field_method_get("min", |_, this| Ok(this.0.min()));
        fields.add_field_method_get("max", |_, this| Ok(this.0.max()));
        fields.add_field_method_get("mean", |_, this| Ok(this.0.mean()));
        fields.add_field_method_get("stdev", |_, this| Ok(this.0.stdev()));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method("percentile", |_, this, percent: f64| {
            Ok(this.0.percentile(percent))
        });
        methods.add_meta_method("__len", |_, this, ()| Ok(this.0.len()));
        // An index yields one value in Lua, a call yields both.
        let at = |this: &Sample, index: &Value| {
            let found = index.as_usize().and_then(|index| this.0.at(index));
            found.unzip()
        };
        methods.add_meta_method("__index", move |_, this, index: Value| Ok(at(this, &index)));
        methods.add_meta_method("__call", move |_, this, index: Value| Ok(at(this, &index)));
    }
}

impl MainScript {
    /// Loads the script.
    ///
    /// # Errors
    /// [`ScriptError`] with file, line and cause.
    pub fn load(spec: &ScriptSpec) -> Result<MainScript, ScriptError> {
        let lua = open(spec, None, |lua, native| {
            let nothing = lua.create_function(|_, _: mlua::MultiValue| Ok(()))?;
            native.set("label", nothing.clone())?;
            native.set("fail", nothing)
        })?;
        run_chunk(&lua, spec)?;
        Ok(MainScript {
            lua,
            path: spec.path.clone(),
        })
    }

    /// Flushes Lua's output, which must appear before what the program prints next.
    fn flush(&self) -> mlua::Result<()> {
        self.lua.load("io.stdout:flush()").exec()
    }

    /// Calls `setup(thread)` for each worker, when the script defines it.
    ///
    /// # Errors
    /// [`ScriptError`] when it fails.
    pub fn setup(&mut self, ports: &[Port]) -> Result<(), ScriptError> {
        let set_up = || -> mlua::Result<()> {
            let wrk: Table = self.lua.globals().get("wrk")?;
            let setup: Function = wrk.get("setup")?;
            for port in ports {
                setup.call::<()>(port.clone())?;
            }
            self.flush()
        };
        set_up().map_err(|error| ScriptError::from_lua(&self.path, "setup", &error))
    }

    /// Whether the script defines `done`.
    pub fn has_done(&self) -> bool {
        self.lua.globals().get::<Function>("done").is_ok()
    }

    /// Calls `done(summary, latency, requests)`, when the script defines it.
    ///
    /// # Errors
    /// [`ScriptError`] when it fails.
    pub fn done(
        &mut self,
        summary: &DoneSummary,
        latency: Box<dyn Statistics>,
        requests: Box<dyn Statistics>,
    ) -> Result<(), ScriptError> {
        let Ok(done) = self.lua.globals().get::<Function>("done") else {
            return Ok(());
        };
        let call = || -> mlua::Result<()> {
            let errors = self.lua.create_table()?;
            errors.set("connect", summary.connect)?;
            errors.set("read", summary.read)?;
            errors.set("write", summary.write)?;
            errors.set("status", summary.status)?;
            errors.set("timeout", summary.timeout)?;
            let table = self.lua.create_table()?;
            table.set("duration", summary.duration_us)?;
            table.set("requests", summary.requests)?;
            table.set("bytes", summary.bytes)?;
            table.set("errors", errors)?;
            let outcome = done.call::<()>((table, Sample(latency), Sample(requests)));
            self.flush()?;
            outcome
        };
        call().map_err(|error| ScriptError::from_lua(&self.path, "done", &error))
    }
}

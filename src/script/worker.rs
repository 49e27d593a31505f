//! The script's state in a worker, which runs `init`, `request`, `response` and `delay`.

use super::ScriptSpec;
use super::address::ScriptAddress;
use super::environment::{open, run_chunk};
use super::error::{ScriptError, words};
use super::port::Question;
use super::value::Value;
use crate::units::Nanos;
use mlua::{Function, Lua, LuaString, Table, UserData, UserDataFields, UserDataMethods};
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;

/// The script's state in one worker.
pub struct WorkerScript {
    lua: Lua,
    spec: ScriptSpec,
    signals: Rc<Signals>,
    request: Option<Function>,
    response: Option<Function>,
    delay: Option<Function>,
}

/// What a script sets besides its return values.
#[derive(Default)]
struct Signals {
    label: RefCell<Option<String>>,
    has_label: Cell<bool>,
    failure: RefCell<Option<String>>,
    stopped: Cell<bool>,
    chosen: Cell<Option<SocketAddr>>,
    first: Option<SocketAddr>,
}

/// `wrk.thread` inside a worker.
struct OwnThread(Rc<Signals>);

impl UserData for OwnThread {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_field_method_get("addr", |_, this| Ok(this.0.address().map(ScriptAddress)));
        fields.add_field_method_set("addr", |_, this, address: ScriptAddress| {
            this.0.chosen.set(Some(address.0));
            Ok(())
        });
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method("stop", |_, this, ()| {
            this.0.stopped.set(true);
            Ok(())
        });
        methods.add_method("get", |lua, _, name: String| {
            lua.globals().get::<mlua::Value>(name)
        });
        methods.add_method("set", |lua, _, (name, value): (String, mlua::Value)| {
            lua.globals().set(name, value)
        });
    }
}

impl Signals {
    fn address(&self) -> Option<SocketAddr> {
        self.chosen.get().or(self.first)
    }
}

impl WorkerScript {
    /// Loads the script for the worker with this number, counted from 0.
    ///
    /// # Errors
    /// [`ScriptError`] with file, line and cause.
    pub fn load(spec: &ScriptSpec, worker: usize) -> Result<WorkerScript, ScriptError> {
        let signals = Rc::new(Signals {
            first: spec.addrs.first().copied(),
            ..Signals::default()
        });
        let lua = open(spec, Some(worker), |lua, native| {
            native.set("thread", OwnThread(signals.clone()))?;
            let on_label = signals.clone();
            let label = lua.create_function(move |_, name: String| {
                on_label.label.replace(Some(name));
                on_label.has_label.set(true);
                Ok(())
            })?;
            native.set("label", label)?;
            let on_fail = signals.clone();
            let fail = lua.create_function(move |_, reason: Option<String>| {
                on_fail.failure.replace(Some(
                    reason.unwrap_or_else(|| "wrk.fail() without a reason".to_owned()),
                ));
                Ok(())
            })?;
            native.set("fail", fail)
        })?;
        run_chunk(&lua, spec)?;
        Ok(WorkerScript {
            lua,
            spec: spec.clone(),
            signals,
            request: None,
            response: None,
            delay: None,
        })
    }

    /// Answers a question that the main state asks about this one.
    pub fn answer(&mut self, question: Question) {
        // The main state may have stopped waiting for the answer.
        match question {
            Question::Get(name, reply) => {
                let value = self.lua.globals().get::<mlua::Value>(name);
                let value = value.and_then(|value| Value::from_lua(&value));
                let _ = reply.send(value.map_err(|error| words(&error)));
            }
            Question::Set(name, value, reply) => {
                let value = value.to_lua(&self.lua);
                let set = value.and_then(|value| self.lua.globals().set(name, value));
                let _ = reply.send(set.map(|()| Value::Nil).map_err(|error| words(&error)));
            }
            Question::GetAddr(reply) => {
                let _ = reply.send(self.signals.address());
            }
            Question::SetAddr(address) => self.signals.chosen.set(Some(address)),
            Question::Stop => self.signals.stopped.set(true),
        }
    }

    /// The address that the script chose for this worker (`thread.addr`).
    pub fn addr(&self) -> Option<SocketAddr> {
        self.signals.chosen.get()
    }

    /// Calls `wrk.init`, which sets the Host header and calls the script's `init(args)`.
    ///
    /// # Errors
    /// [`ScriptError`] when it fails.
    pub fn init(&mut self) -> Result<(), ScriptError> {
        let init = || -> mlua::Result<()> {
            let args = self
                .lua
                .create_sequence_from(self.spec.args.iter().map(String::as_str))?;
            args.raw_set(0, self.spec.url.as_str())?;
            self.wrk()?.get::<Function>("init")?.call::<()>(args)
        };
        init().map_err(|error| self.failure("init", &error))?;
        self.request = self.global("request");
        self.response = self.global("response");
        self.delay = self.global("delay");
        Ok(())
    }

    fn wrk(&self) -> mlua::Result<Table> {
        self.lua.globals().get("wrk")
    }

    fn failure(&self, function: &str, error: &mlua::Error) -> ScriptError {
        ScriptError::from_lua(&self.spec.path, function, error)
    }

    fn global(&self, name: &str) -> Option<Function> {
        self.lua.globals().get::<Function>(name).ok()
    }

    /// The request of a script without `request()`, made by `wrk.format()`. `None` when the script
    /// defines `request()`.
    ///
    /// # Errors
    /// [`ScriptError`] when `wrk.format` fails, for example on a header that is a function.
    pub fn fixed_request(&self) -> Result<Option<Vec<u8>>, ScriptError> {
        if self.request.is_some() {
            return Ok(None);
        }
        let format = || {
            let wrk = self.wrk()?;
            // A script that replaces `wrk.init` may not have set the function.
            let made = wrk.get::<Option<Function>>("request")?;
            let made = made.map_or_else(|| wrk.get::<Function>("format"), Ok)?;
            made.call::<LuaString>(())
        };
        let text = format().map_err(|error| self.failure("wrk.format", &error))?;
        Ok(Some(text.as_bytes().to_vec()))
    }

    /// Whether the script defines `response()`; without one, headers and bodies are not kept.
    #[inline]
    pub fn wants_response(&self) -> bool {
        self.response.is_some()
    }

    /// Whether the script defines `delay()`.
    #[inline]
    pub fn has_delay(&self) -> bool {
        self.delay.is_some()
    }

    /// Appends what `request()` returns: one request, or several to be pipelined.
    ///
    /// # Errors
    /// [`ScriptError`] when `request()` fails or does not return a string.
    #[inline]
    pub fn request(&mut self, out: &mut Vec<u8>) -> Result<(), ScriptError> {
        let Some(request) = &self.request else {
            return Err(ScriptError::new("request() is not defined"));
        };
        // A label that was set outside of `request()` names no request.
        self.signals.has_label.set(false);
        match request.call::<mlua::Value>(()) {
            Ok(mlua::Value::String(text)) => {
                out.extend_from_slice(&text.as_bytes());
                Ok(())
            }
            Ok(other) => Err(ScriptError::new(format!(
                "{}: request() returned {} and not the text of a request: return wrk.format(...)",
                self.spec.path.display(),
                other.type_name()
            ))),
            Err(error) => Err(self.failure("request", &error)),
        }
    }

    /// Takes the name that `wrk.label` has set since the last call.
    #[inline]
    pub fn take_label(&mut self) -> Option<String> {
        if !self.signals.has_label.replace(false) {
            return None;
        }
        self.signals.label.take()
    }

    /// Calls `response(status, headers, body)`; `Some(reason)` when it called `wrk.fail`.
    ///
    /// # Errors
    /// [`ScriptError`] when it fails.
    pub fn response(
        &mut self,
        status: u16,
        headers: &[(String, Vec<u8>)],
        body: &[u8],
    ) -> Result<Option<String>, ScriptError> {
        let Some(response) = &self.response else {
            return Ok(None);
        };
        let call = || -> mlua::Result<()> {
            let table = self.lua.create_table_with_capacity(0, headers.len())?;
            for (name, value) in headers {
                table.raw_set(name.as_str(), self.lua.create_string(value)?)?;
            }
            response.call::<()>((status, table, self.lua.create_string(body)?))
        };
        self.signals.failure.take();
        call().map_err(|error| self.failure("response", &error))?;
        Ok(self.signals.failure.take())
    }

    /// Calls `delay()`, which returns milliseconds. Anything but a positive number is no delay.
    ///
    /// # Errors
    /// [`ScriptError`] when it fails.
    pub fn delay(&mut self) -> Result<Nanos, ScriptError> {
        let Some(delay) = &self.delay else {
            return Ok(Nanos::ZERO);
        };
        let answer = delay.call::<mlua::Value>(());
        let answer = answer.map_err(|error| self.failure("delay", &error))?;
        let millis = match self.lua.coerce_number(answer.clone()) {
            Ok(Some(millis)) => millis,
            _ if answer.is_nil() => 0.0,
            _ => {
                return Err(ScriptError::new(format!(
                    "{}: delay() returned {} and not a number of milliseconds",
                    self.spec.path.display(),
                    answer.type_name()
                )));
            }
        };
        Ok(Nanos::from_secs_f64(millis / 1_000.0))
    }

    /// Whether `thread:stop()` was called.
    pub fn stopped(&self) -> bool {
        self.signals.stopped.get()
    }
}

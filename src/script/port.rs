//! Workers as `setup` and `done` see them. The worker's own thread answers their questions.

use super::address::ScriptAddress;
use super::value::Value;
use mlua::{UserData, UserDataFields, UserDataMethods};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::mpsc::{Sender, channel};

/// What the main state asks of a worker's state.
#[derive(Debug)]
pub enum Question {
    /// `thread:get(name)`
    Get(String, Sender<Result<Value, String>>),
    /// `thread:set(name, value)`
    Set(String, Value, Sender<Result<Value, String>>),
    /// `thread.addr`
    GetAddr(Sender<Option<SocketAddr>>),
    /// `thread.addr = addr`
    SetAddr(SocketAddr),
    /// `thread:stop()`
    Stop,
}

/// The connection to one worker's state.
#[derive(Clone)]
pub struct Port {
    send: Rc<dyn Fn(Question) -> bool>,
}

impl Port {
    /// A port whose `send` passes a question to the worker, or returns `false` when the worker is gone.
    pub fn new(send: impl Fn(Question) -> bool + 'static) -> Port {
        Port {
            send: Rc::new(send),
        }
    }

    fn send(&self, question: Question) -> mlua::Result<()> {
        if (self.send)(question) {
            return Ok(());
        }
        Err(mlua::Error::runtime("the thread is no longer there"))
    }

    fn ask<T>(&self, question: impl FnOnce(Sender<T>) -> Question) -> mlua::Result<T> {
        let (reply, answer) = channel();
        self.send(question(reply))?;
        answer
            .recv()
            .map_err(|_| mlua::Error::runtime("the thread is no longer there"))
    }
}

impl UserData for Port {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_field_method_get("addr", |_, this| {
            Ok(this.ask(Question::GetAddr)?.map(ScriptAddress))
        });
        fields.add_field_method_set("addr", |_, this, address: ScriptAddress| {
            this.send(Question::SetAddr(address.0))
        });
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method("get", |lua, this, name: String| {
            let answer = this.ask(|reply| Question::Get(name, reply))?;
            answer.map_err(mlua::Error::runtime)?.to_lua(lua)
        });
        methods.add_method("set", |_, this, (name, value): (String, mlua::Value)| {
            let value = Value::from_lua(&value)?;
            let answer = this.ask(|reply| Question::Set(name, value, reply))?;
            answer.map_err(mlua::Error::runtime).map(|_| ())
        });
        methods.add_method("stop", |_, this, ()| this.send(Question::Stop));
    }
}

//! Values that are copied between Lua states, which share nothing.

use mlua::{Lua, Value as LuaValue};

/// Nil, a boolean, a number, a string, or a table of these.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Nil,
    Boolean(bool),
    Number(f64),
    /// A string, which may hold any bytes.
    String(Vec<u8>),
    /// Keys and values of a table, in Lua's order.
    Table(Vec<(Value, Value)>),
}

/// Deepest nesting of tables. A table that is nested deeper is assumed to contain itself.
const DEEPEST: usize = 64;

impl Value {
    /// Copies a value out of a state.
    ///
    /// # Errors
    /// Functions, userdata and threads belong to their state and cannot be copied; nor can tables that
    /// contain themselves.
    pub fn from_lua(value: &LuaValue) -> mlua::Result<Value> {
        Value::copy(value, 0)
    }

    fn copy(value: &LuaValue, depth: usize) -> mlua::Result<Value> {
        if depth > DEEPEST {
            return Err(mlua::Error::runtime(
                "a table that contains itself, or nests too deep, cannot be passed to another thread",
            ));
        }
        Ok(match value {
            LuaValue::Nil => Value::Nil,
            LuaValue::Boolean(value) => Value::Boolean(*value),
            LuaValue::Integer(value) => Value::Number(*value as f64),
            LuaValue::Number(value) => Value::Number(*value),
            LuaValue::String(value) => Value::String(value.as_bytes().to_vec()),
            LuaValue::Table(table) => {
                let mut entries = Vec::new();
                for pair in table.pairs::<LuaValue, LuaValue>() {
                    let (key, value) = pair?;
                    entries.push((
                        Value::copy(&key, depth + 1)?,
                        Value::copy(&value, depth + 1)?,
                    ));
                }
                Value::Table(entries)
            }
            other => {
                return Err(mlua::Error::runtime(format!(
                    "a {} cannot be passed to another thread: only nil, booleans, numbers, \
                     strings and tables of these can",
                    other.type_name()
                )));
            }
        })
    }

    /// Copies the value into a state.
    ///
    /// # Errors
    /// When the state is out of memory.
    pub fn to_lua(&self, lua: &Lua) -> mlua::Result<LuaValue> {
        Ok(match self {
            Value::Nil => LuaValue::Nil,
            Value::Boolean(value) => LuaValue::Boolean(*value),
            Value::Number(value) => LuaValue::Number(*value),
            Value::String(value) => LuaValue::String(lua.create_string(value)?),
            Value::Table(entries) => {
                let table = lua.create_table()?;
                for (key, value) in entries {
                    table.raw_set(key.to_lua(lua)?, value.to_lua(lua)?)?;
                }
                LuaValue::Table(table)
            }
        })
    }
}

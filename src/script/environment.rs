//! Creates Lua states with the standard libraries, `wrk`, `socket`, and the paths of modules.

use super::ScriptSpec;
use super::address::{ScriptAddress, connect, lookup};
use super::error::ScriptError;
use crate::clock::{block_for, unix_now};
use crate::units::Nanos;
use mlua::{Lua, Table};
use rand::SeedableRng;
use rand::rand_core::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;
use std::sync::atomic::{AtomicU64, Ordering};

const WRK: &str = include_str!("../../lua/wrk.lua");
const SOCKET: &str = include_str!("../../lua/socket.lua");

/// A new state with everything but the script itself. `worker` is `None` for the main state.
pub fn open(
    spec: &ScriptSpec,
    worker: Option<usize>,
    native: impl FnOnce(&Lua, &Table) -> mlua::Result<()>,
) -> Result<Lua, ScriptError> {
    // SAFETY: this is the one way to let scripts `require` compiled modules (cjson, luasocket), as
    // scripts in the wild do. A load script is code that its user trusts like a program.
    #[allow(unsafe_code)]
    let lua = unsafe { Lua::unsafe_new() };
    let prepare = || -> mlua::Result<()> {
        add_module_paths(&lua, spec)?;
        let table = natives(&lua, spec, worker)?;
        native(&lua, &table)?;
        lua.load(WRK).set_name("=wrk.lua").call::<()>(&table)?;
        let socket = lua.load(SOCKET).set_name("=socket.lua").into_function()?;
        let loader = socket.bind(&table)?;
        lua.preload_module("socket", loader)
    };
    prepare().map_err(|error| ScriptError::from_lua(&spec.path, "preparation", &error))?;
    Ok(lua)
}

/// Runs the script's chunk.
pub fn run_chunk(lua: &Lua, spec: &ScriptSpec) -> Result<(), ScriptError> {
    lua.load(&spec.source[..])
        .set_name(format!("@{}", spec.path.display()))
        .set_mode(mlua::chunk::ChunkMode::Text)
        .exec()
        .map_err(|error| ScriptError::from_lua(&spec.path, "the main chunk", &error))
}

/// Sets where modules are searched: beside the script, then in `LUA_PATH` and Lua's own folders.
fn add_module_paths(lua: &Lua, spec: &ScriptSpec) -> mlua::Result<()> {
    let folder = match spec.path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.display().to_string(),
        _ => ".".to_owned(),
    };
    let package: Table = lua.globals().get("package")?;
    let path: String = package.get("path")?;
    package.set("path", format!("{folder}/?.lua;{folder}/?/init.lua;{path}"))?;
    let cpath: String = package.get("cpath")?;
    package.set("cpath", format!("{folder}/?.so;{cpath}"))
}

/// The native functions that `wrk.lua` and `socket.lua` build on.
fn natives(lua: &Lua, spec: &ScriptSpec, worker: Option<usize>) -> mlua::Result<Table> {
    let native = lua.create_table()?;
    native.set("url", spec.url.as_str())?;
    native.set("scheme", spec.scheme.as_str())?;
    native.set("host", spec.host.as_str())?;
    native.set("port", spec.port.map(|port| port.to_string()))?;
    native.set("path", spec.path_and_query.as_str())?;
    native.set("headers", headers(lua, &spec.headers)?)?;
    native.set(
        "addrs",
        lua.create_sequence_from(spec.addrs.iter().copied().map(ScriptAddress))?,
    )?;
    native.set("random_seed", random_seed(spec.seed, worker))?;
    native.set("seed_pinned", spec.seed_pinned)?;
    native.set("prints_to_stderr", spec.prints_to_stderr)?;
    let look_up = |lua: &Lua, (host, service): (String, Option<String>)| {
        lua.create_sequence_from(lookup(&host, service.as_deref())?)
    };
    native.set("lookup", lua.create_function(look_up)?)?;
    native.set(
        "connect",
        lua.create_function(|_, address: ScriptAddress| Ok(connect(address)))?,
    )?;
    native.set(
        "time_us",
        lua.create_function(|_, ()| Ok(distinct_micros() as f64))?,
    )?;
    let sleep = |_: &Lua, seconds: f64| {
        block_for(Nanos::from_secs_f64(seconds));
        Ok(())
    };
    native.set("sleep", lua.create_function(sleep)?)?;
    Ok(native)
}

/// The headers as a table. A header that is given twice becomes a list, which `wrk.format` writes line
/// by line.
fn headers(lua: &Lua, lines: &[(String, String)]) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    for (name, value) in lines {
        // `wrk.format` looks for the spelling `Host` and would add a second header.
        let name = match name.eq_ignore_ascii_case("host") {
            true => "Host",
            false => name.as_str(),
        };
        match table.get::<mlua::Value>(name)? {
            mlua::Value::Nil => table.set(name, value.as_str())?,
            mlua::Value::Table(list) => list.push(value.as_str())?,
            first => table.set(
                name,
                lua.create_sequence_from([first, mlua::Value::String(lua.create_string(value)?)])?,
            )?,
        }
    }
    Ok(table)
}

/// The seed of a worker: 52 bits, which a Lua number holds exactly.
fn random_seed(seed: u64, worker: Option<usize>) -> f64 {
    let stream = worker.map_or(0, |worker| worker as u64 + 1);
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed ^ stream.rotate_left(32));
    (rng.next_u64() >> 12) as f64
}

/// Microseconds since 1970. No value is returned twice, so that workers whose scripts seed their random
/// numbers from it differ.
fn distinct_micros() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = unix_now().0 / 1_000;
    let later = |last: u64| Some(now.max(last + 1));
    match LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later) {
        Ok(last) | Err(last) => now.max(last + 1),
    }
}

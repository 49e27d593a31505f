//! Network addresses as scripts see them: opaque values that print as `ip:port`.

use crate::units::Nanos;
use mlua::{AnyUserData, FromLua, Lua, UserData, UserDataMethods, Value};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};

/// Time limit of `wrk.connect`.
const CONNECT_LIMIT: Nanos = Nanos::from_secs(2);

/// An address in a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScriptAddress(pub SocketAddr);

impl UserData for ScriptAddress {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method("__tostring", |_, this, ()| Ok(this.0.to_string()));
        methods.add_meta_method("__eq", |_, this, other: ScriptAddress| Ok(*this == other));
    }
}

impl FromLua for ScriptAddress {
    fn from_lua(value: Value, _: &Lua) -> mlua::Result<ScriptAddress> {
        let address = value.as_userdata().and_then(|data: &AnyUserData| {
            data.borrow::<ScriptAddress>().ok().map(|address| *address)
        });
        address.ok_or_else(|| {
            mlua::Error::runtime("this is not an address: use one of wrk.addrs or wrk.lookup()")
        })
    }
}

/// `wrk.lookup(host, service)`: all addresses of a host. The service is a port, `http` or `https`.
///
/// # Errors
/// When the name cannot be resolved.
pub fn lookup(host: &str, service: Option<&str>) -> mlua::Result<Vec<ScriptAddress>> {
    let port = match service.unwrap_or("http") {
        "http" => 80,
        "https" => 443,
        other => other.parse().map_err(|_| {
            mlua::Error::runtime(format!(
                "wrk.lookup: unknown service `{other}`: use a port number"
            ))
        })?,
    };
    let found = (host, port)
        .to_socket_addrs()
        .map_err(|error| mlua::Error::runtime(format!("wrk.lookup: {host}: {error}")))?;
    let mut addresses = Vec::new();
    for address in found.map(ScriptAddress) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

/// `wrk.connect(addr)`: whether the address accepts a connection.
pub fn connect(address: ScriptAddress) -> bool {
    TcpStream::connect_timeout(&address.0, CONNECT_LIMIT.to_duration()).is_ok()
}

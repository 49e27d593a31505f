//! The way to a Kubernetes cluster: how it is reached, calls with deadlines, commands in containers,
//! lists and single objects.
//!
//! What is read there is the business of `collect`, what is changed there that of `operate`.

mod access;
mod calls;
mod exec;
mod list;
mod objects;

pub use access::{Access, AccessError, server_version};
pub use calls::{Answer, CallCounts, CallError, Calls, connection_error, read_json};
pub use exec::{Printed, exec};
pub use list::list_all;
pub use objects::{ObjectName, ObjectPath};

//! The load itself: N threads, each with its own runtime, script state, connections and recorder.
//!
//! A worker owns its world; nothing is shared on the hot path. The engine speaks in values and
//! events and ends where somebody is to be told: that is `commands`' business.

mod connection;
mod dispatch;
mod feed;
mod footprint;
mod gather;
mod http2_connection;
mod launch;
mod opening;
mod pacer;
mod pool;
mod refresh;
mod source;
mod statistics;
mod worker;
mod world;

pub use launch::{EngineError, Event, Finished, Job, launch};

//! The load itself: N threads, each with its own runtime, script state, connections and recorder.
//!
//! A worker owns its state; nothing is shared on the hot path. The engine reports values and events;
//! to show them is the business of `commands`.

mod aggregator;
mod arrival_queue;
mod connection;
mod connection_manager;
mod dispatch;
mod error;
mod event;
mod fleet;
mod footprint;
mod http2_connection;
mod in_flight;
mod job;
mod launch;
mod lifecycle;
mod messages;
mod notes;
mod pacer;
mod pool;
mod refresh;
mod requests;
mod running_worker;
mod setup;
mod source;
mod statistics;
mod tls_mismatch;
mod worker;
mod worker_handle;
mod worker_state;

pub use error::EngineError;
pub use event::Event;
pub use job::{Finished, FinishedScript, Job};
pub use launch::launch;

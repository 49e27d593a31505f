//! meshload: what a service mesh costs, with the proof of its own numbers.
//!
//! The modules ("rooms") lie on three floors. The ground floor is pure: values in, values out. The middle
//! floor touches sockets, files, clocks and clusters. The roof joins the rooms and speaks to people.
//! `docs/architecture.md` has the table of who may import whom, and `tests/house.rs` checks it.
//!
//! This library is not a public interface; it exists so that tests and benchmarks can call its parts.

// Ground floor: no async, no sockets, no files, no clock.
pub mod compare;
pub mod files;
pub mod findings;
pub mod gate;
pub mod manifests;
pub mod measure;
pub mod readings;
pub mod resources;
pub mod schedule;
pub mod spec;
pub mod statistics;
pub mod study;
pub mod units;
pub mod verdict;
pub mod wire;

pub mod exit;
pub mod version;

// Middle floor: touches the world.
pub mod clock;
pub mod collect;
pub mod engine;
pub mod hotel;
pub mod kube;
pub mod operate;
pub mod script;
pub mod store;
pub mod transport;

// Roof: joins the rooms, speaks to people.
pub mod cli;
pub mod commands;
pub mod html;
pub mod sweep;
pub mod text;

//! meshload: what a service mesh costs, with the proof of its own numbers.
//!
//! The map of the house. The ground floor is pure: numbers in, numbers out. The middle floor
//! touches the world. The roof puts rooms together and speaks to people. Who may import whom is
//! written in `docs/architecture.md` and held by `tests/house.rs`.

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

// Roof: words, composition.
pub mod cli;
pub mod commands;
pub mod html;
pub mod sweep;
pub mod text;

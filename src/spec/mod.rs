//! The question that a run answers: target, load, transport and recording, validated and serialisable.
//!
//! Options come in groups. Each group is one type that is at once a group of flags (clap), a table
//! of a sweep's plan (serde), and what a [`RunSpec`] is made from.
//!
//! Pure. A [`RunSpec`] is stored in every result, so that a run can be understood and repeated from
//! its folder.

mod bad;
mod collect;
mod header;
mod http;
mod load;
mod options;
mod reach;
mod recording;
mod run;
mod step;
mod target;
mod tls;
mod window;

pub use bad::BadSpec;
pub use collect::{
    ClusterAccess, ClusterOptions, CollectFrom, CollectSpec, KubeletRoute, ProcessChoice,
};
pub use http::HttpOptions;
pub use load::{Load, LoadOptions, Offered, Pacing, ScriptRef, parse_count};
pub use options::Options;
pub use reach::{Endpoint, ProxyProtocol, ReachOptions, Resolve};
pub use recording::RecordingOptions;
pub use run::RunSpec;
pub use step::{StepKey, StepLabel};
pub use target::Target;
pub use tls::{TlsOptions, TlsVersion};
pub use window::{Phase, Window};

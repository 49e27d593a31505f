//! WHAT WAS ASKED: target, load, transport and recording of a run; validated, serialisable.
//!
//! Pure. Stored in every result, so that a run can be understood and repeated from its folder.

mod collect;
mod http;
mod reach;
mod run;
mod step;
mod target;
mod tls;
mod window;

pub use collect::{ClusterAccess, CollectFrom, CollectSpec, KubeletRoute, ProcessChoice};
pub use http::HttpSpec;
pub use reach::{Endpoint, ProxyProtocol, Reach, Resolve};
pub use run::{BadSpec, Load, Offered, Pacing, Recording, RunSpec, ScriptRef};
pub use step::{StepKey, StepLabel};
pub use target::Target;
pub use tls::{TlsSpec, TlsVersion};
pub use window::{Phase, Window};

//! From a question to a result: checks the targets, starts the workers, and makes the load.

use super::error::EngineError;
use super::event::Event;
use super::fleet::Fleet;
use super::job::{Finished, Job};
use super::refresh::Refresh;
use crate::spec::{RunSpec, Target};
use crate::transport::{Dialer, TlsError, ensure_descriptors};
use std::sync::Arc;

/// Makes a run. `observe` is called as intervals are completed; `interrupted` is asked about 20 times a
/// second.
///
/// # Errors
/// [`EngineError`] when nothing was measured; what goes wrong later is in the result.
pub fn launch(
    job: &Job,
    observe: &mut dyn FnMut(Event<'_>),
    interrupted: &dyn Fn() -> bool,
) -> Result<Finished, EngineError> {
    let spec = Arc::new(job.spec.clone());
    let threads = spec.workers_per_target() * spec.targets.len();
    ensure_descriptors(spec.load.max_connections * spec.targets.len(), threads)?;
    let (mut dialers, mut addresses) = (Vec::new(), Vec::new());
    for target in &spec.targets {
        addresses.push(probe_dialer(&spec, target)?.probe_addresses(
            target,
            &spec.reach,
            interrupted,
        )?);
        dialers.push(Dialer::new(&spec, target)?);
    }
    let refresh = Refresh::new(&spec, &addresses);
    let mut fleet = Fleet::start(job, &spec, &addresses, &dialers, &refresh, interrupted)?;
    fleet.set_up()?;
    fleet.open(&addresses, interrupted)?;
    let watcher = refresh.begin();
    let mut finished = fleet.run(job, addresses, observe, interrupted)?;
    finished.result.notes.extend(watcher.end());
    Ok(finished)
}

/// The dialer for the probe before the run. TLS resumption is off, so that the probe leaves no session
/// that the load could resume.
fn probe_dialer(spec: &RunSpec, target: &Target) -> Result<Dialer, TlsError> {
    let mut spec = spec.clone();
    spec.tls.no_resumption = true;
    Dialer::new(&spec, target)
}

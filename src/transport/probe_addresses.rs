//! Finds the usable addresses of a target with one connection to each.

use super::addresses::{Address, AddressError, Addresses, look_up};
use super::dial::Dialer;
use super::probe::ProbeError;
use super::tls::{is_tls_port, speaks_tls};
use crate::spec::{ReachOptions, Target};
use crate::units::Nanos;

/// The message for plain HTTP that is sent to a TLS port.
pub const NOT_IN_THE_CLEAR: &str = "this port speaks TLS; write https:// in place of http://";

/// How often an interruption is looked for.
const POLL: Nanos = Nanos::from_millis(50);

impl Dialer {
    /// Resolves a target and opens one connection to each address. wrk uses only the first address that
    /// answers; here all that answer are kept, because a name with several addresses stands for several
    /// servers. `is_over` returns whether the run was interrupted.
    ///
    /// # Errors
    /// [`AddressError`] when the name or every address fails, or when a server does not speak the
    /// protocol that was asked for.
    pub fn probe_addresses(
        &self,
        target: &Target,
        reach: &ReachOptions,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Addresses, AddressError> {
        let mut addresses = Addresses::default();
        self.try_locals().map_err(|(address, error)| {
            let cause = error.to_string();
            AddressError::Local { address, cause }
        })?;
        for address in look_up(target, reach)? {
            if is_over() {
                return Err(AddressError::Interrupted);
            }
            let Some(tried) = self.try_once(&address, is_over) else {
                return Err(AddressError::Interrupted);
            };
            match tried {
                Ok(agreed) => {
                    let note = agreed.map(|agreed| format!("{address} spoke {agreed}"));
                    addresses.notes.extend(note);
                    addresses.answering.push(address);
                }
                Err(ProbeError::Connect(error)) => {
                    addresses.refused.push((address, error.to_string()));
                }
                Err(ProbeError::Greeting(error)) => {
                    let is_tls = !self.is_tls() && address.tcp().is_some_and(speaks_tls);
                    let cause = match is_tls {
                        true => NOT_IN_THE_CLEAR.to_owned(),
                        false => error.to_string(),
                    };
                    return Err(AddressError::Greeting { address, cause });
                }
            }
        }
        match addresses.refused.first() {
            Some((address, cause)) if addresses.answering.is_empty() => {
                Err(AddressError::Unreachable {
                    address: address.clone(),
                    cause: cause.clone(),
                })
            }
            _ => Ok(addresses),
        }
    }

    /// Probes an address; `None` when interrupted before the server answered.
    fn try_once(
        &self,
        address: &Address,
        is_over: &dyn Fn() -> bool,
    ) -> Option<Result<Option<String>, ProbeError>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return Some(Err(ProbeError::Connect(error))),
        };
        let agreed = runtime.block_on(async {
            let mut probe = std::pin::pin!(self.probe(address));
            loop {
                match tokio::time::timeout(POLL.to_duration(), &mut probe).await {
                    Ok(agreed) => return Some(agreed),
                    Err(_) if is_over() => return None,
                    Err(_) => {}
                }
            }
        })?;
        Some(agreed.and_then(|agreed| self.is_in_the_clear(address).map(|()| agreed)))
    }

    /// Checks that a usual TLS port, which is to be sent plain HTTP, does not speak TLS.
    fn is_in_the_clear(&self, address: &Address) -> Result<(), ProbeError> {
        // On other ports a handshake would leave a line of nonsense in the server's log.
        let suspect = address.tcp().filter(|address| is_tls_port(address.port()));
        match suspect.filter(|_| !self.is_tls()) {
            Some(address) if speaks_tls(address) => {
                let why = std::io::Error::other(NOT_IN_THE_CLEAR);
                Err(ProbeError::Greeting(why))
            }
            _ => Ok(()),
        }
    }
}

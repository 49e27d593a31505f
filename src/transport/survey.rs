//! Which of a target's addresses can be used, found out with one connection to each.

use super::addresses::{Address, AddressError, Addresses, look_up};
use super::dial::Dialer;
use super::probe::ProbeError;
use super::tls::{is_wont_to_speak_tls, speaks_tls};
use crate::spec::{Reach, Target};

/// What is said of a port that is spoken to in the clear and should not be.
pub const NOT_IN_THE_CLEAR: &str = "this port speaks TLS; write https:// in place of http://";

impl Dialer {
    /// Finds where a target is and opens one connection to each address. wrk takes the first that
    /// answers; here all that answer are kept, because a name with several addresses stands for several
    /// servers. `is_over` is asked before each.
    ///
    /// # Errors
    /// [`AddressError`] when the name or every address fails, or when a server does not speak as asked.
    pub fn survey(
        &self,
        target: &Target,
        reach: &Reach,
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
            match self.try_once(&address) {
                Ok(agreed) => {
                    let note = agreed.map(|agreed| format!("{address} spoke {agreed}"));
                    addresses.notes.extend(note);
                    addresses.answering.push(address);
                }
                Err(ProbeError::Connect(error)) => {
                    addresses.refused.push((address, error.to_string()));
                }
                Err(ProbeError::Greeting(error)) => {
                    let is_tls = address.tcp().is_some_and(speaks_tls);
                    let cause = match is_tls && !self.is_tls() {
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

    fn try_once(&self, address: &Address) -> Result<Option<String>, ProbeError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.map_err(ProbeError::Connect)?;
        let agreed = runtime.block_on(self.probe(address))?;
        // Elsewhere a look would be a line of nonsense in the log of a server that is all right.
        let suspect = address
            .tcp()
            .filter(|address| is_wont_to_speak_tls(address.port()));
        match suspect.filter(|_| !self.is_tls()) {
            Some(address) if speaks_tls(address) => {
                let why = std::io::Error::other(NOT_IN_THE_CLEAR);
                Err(ProbeError::Greeting(why))
            }
            _ => Ok(agreed),
        }
    }
}

//! Detects plain HTTP that is sent to a TLS port.

use crate::measure::Slice;
use crate::spec::RunSpec;
use crate::transport::{AddressError, Addresses, NOT_IN_THE_CLEAR, speaks_tls};

/// Judges by the first outcomes of each target's requests. A TLS handshake with every server before the
/// load would leave a line of nonsense in the logs of plain HTTP servers.
pub struct MismatchCheck<'a> {
    spec: &'a RunSpec,
    addresses: &'a [Addresses],
    /// Per target, whether any request has ended.
    has_reacted: Vec<bool>,
}

impl<'a> MismatchCheck<'a> {
    /// A check of these targets, by index.
    pub fn new(spec: &'a RunSpec, addresses: &'a [Addresses]) -> MismatchCheck<'a> {
        MismatchCheck {
            spec,
            addresses,
            has_reacted: vec![false; addresses.len()],
        }
    }

    /// Takes slices of a target. When the first outcomes suggest TLS, a handshake is tried.
    ///
    /// # Errors
    /// [`AddressError::Greeting`] when the target speaks TLS.
    pub fn check(&mut self, target: usize, slices: &[Slice]) -> Result<(), AddressError> {
        for slice in slices {
            if slice.completed + slice.failed == 0 || self.has_reacted[target] {
                continue;
            }
            self.has_reacted[target] = true;
            if suggests_tls(slice) {
                self.try_tls(target)?;
            }
        }
        Ok(())
    }

    fn try_tls(&self, target: usize) -> Result<(), AddressError> {
        // Opening an HTTP/2 connection has shown what the server speaks.
        if self.spec.targets[target].is_tls() || self.spec.http.http2 {
            return Ok(());
        }
        let mut answering = self.addresses[target].answering.iter();
        let speaking = answering.find(|address| address.tcp().is_some_and(speaks_tls));
        match speaking {
            Some(address) => Err(AddressError::Greeting {
                address: address.clone(),
                cause: NOT_IN_THE_CLEAR.to_owned(),
            }),
            None => Ok(()),
        }
    }
}

/// Whether all that ended in this slice are replies of status 400, closed connections, and bytes that are
/// not HTTP. TLS servers answer plain HTTP with nothing else.
fn suggests_tls(slice: &Slice) -> bool {
    let bad_requests = slice.status.iter().filter(|(status, _)| *status == 400);
    let bad_requests: u64 = bad_requests.map(|(_, count)| count).sum();
    let errors = &slice.errors;
    let hang_ups = errors.read + errors.write + errors.parse;
    slice.completed + slice.failed == bad_requests + hang_ups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::ErrorKind;
    use crate::units::Nanos;

    fn slice(statuses: &[u16], errors: &[ErrorKind]) -> Slice {
        let mut slice = Slice::new(Nanos::ZERO, Nanos::SECOND);
        for status in statuses {
            slice.completed += 1;
            slice.status.add(*status, 1);
        }
        for error in errors {
            slice.failed += 1;
            slice.errors.count(*error);
        }
        slice
    }

    #[test]
    fn refusals_and_hang_ups_alone_suggest_tls() {
        assert!(suggests_tls(&slice(&[400, 400], &[])));
        assert!(suggests_tls(&slice(
            &[400],
            &[ErrorKind::Read, ErrorKind::Parse]
        )));
        assert!(!suggests_tls(&slice(&[400, 200], &[])));
        assert!(!suggests_tls(&slice(&[404], &[])));
        assert!(!suggests_tls(&slice(&[400], &[ErrorKind::Aborted])));
        assert!(!suggests_tls(&slice(&[], &[ErrorKind::Script])));
    }
}

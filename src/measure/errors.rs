//! Kinds of errors, and how many there were of each.

use serde::{Deserialize, Serialize};

/// Makes [`ErrorKind`] and [`Errors`] from one list: a kind, and its name in files.
macro_rules! error_kinds {
    ($($(#[$doc:meta])* $kind:ident $name:ident,)*) => {
        /// What went wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "lowercase")]
        pub enum ErrorKind {
            $($(#[$doc])* $kind,)*
        }

        impl ErrorKind {
            /// Every kind.
            pub const ALL: &[ErrorKind] = &[$(ErrorKind::$kind,)*];

            /// The name in files.
            pub fn name(self) -> &'static str {
                match self {
                    $(ErrorKind::$kind => stringify!($name),)*
                }
            }
        }

        /// Errors by kind. `connect` counts attempts and `timeout` slow requests; the others are failed requests.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[allow(missing_docs)] // the names are ErrorKind's
        pub struct Errors {
            $(pub $name: u64,)*
        }

        impl Errors {
            /// Counts one error.
            pub fn count(&mut self, kind: ErrorKind) {
                *match kind {
                    $(ErrorKind::$kind => &mut self.$name,)*
                } += 1;
            }

            /// The number of errors of each kind, in the order of [`ErrorKind::ALL`].
            pub fn counts(&self) -> [u64; ErrorKind::ALL.len()] {
                [$(self.$name),*]
            }

            /// The place of each kind's number.
            pub fn counts_mut(&mut self) -> [&mut u64; ErrorKind::ALL.len()] {
                [$(&mut self.$name),*]
            }
        }
    };
}

error_kinds! {
    /// The connection could not be opened.
    Connect connect,
    /// The connection broke, or was closed, before the reply was complete.
    Read read,
    /// The connection broke while the request was being written.
    Write write,
    /// The reply took longer than the timeout: counted, but not a failure.
    Timeout timeout,
    /// The reply was not HTTP/1.
    Parse parse,
    /// The request was given up after `--abort-after`.
    Aborted aborted,
    /// The script called `wrk.fail`.
    Script script,
}

impl Errors {
    /// The failed reads as wrk, which knows four kinds of errors, would have counted them.
    pub fn read_in_wrks_terms(&self) -> u64 {
        self.read + self.parse + self.aborted
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: &Errors) {
        for (sum, more) in self.counts_mut().into_iter().zip(other.counts()) {
            *sum += more;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_counted_under_its_own_name() {
        for (at, kind) in ErrorKind::ALL.iter().enumerate() {
            let mut errors = Errors::default();
            errors.count(*kind);
            let mut wanted = [0; ErrorKind::ALL.len()];
            wanted[at] = 1;
            assert_eq!(errors.counts(), wanted, "{kind:?}");
            let json = serde_json::to_value(errors).expect("JSON");
            assert_eq!(json[kind.name()], 1);
            assert_eq!(serde_json::to_value(kind).expect("JSON"), kind.name());
        }
    }
}

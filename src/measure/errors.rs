//! The kinds of errors that a load meets, and a counter for each kind.

use serde::{Deserialize, Serialize};

/// Defines [`ErrorKind`] and [`Errors`] from one list, so that every kind has a counter and a name in files.
macro_rules! error_kinds {
    ($($(#[$doc:meta])* $kind:ident $name:ident,)*) => {
        /// What went wrong with a request, or with the opening of a connection.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "lowercase")]
        pub enum ErrorKind {
            $($(#[$doc])* $kind,)*
        }

        impl ErrorKind {
            /// Every kind.
            pub const ALL: &[ErrorKind] = &[$(ErrorKind::$kind,)*];

            /// The name of the kind in files.
            pub fn name(self) -> &'static str {
                match self {
                    $(ErrorKind::$kind => stringify!($name),)*
                }
            }
        }

        /// The number of errors of each kind. `connect` counts attempts to open a connection, `timeout`
        /// counts slow requests that need not have failed; all others count failed requests.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        pub struct Errors {
            $(pub $name: u64,)*
        }

        impl Errors {
            /// Counts one error of this kind.
            pub fn count(&mut self, kind: ErrorKind) {
                *match kind {
                    $(ErrorKind::$kind => &mut self.$name,)*
                } += 1;
            }

            /// The number of errors of each kind, in the order of [`ErrorKind::ALL`].
            pub fn counts(&self) -> [u64; ErrorKind::ALL.len()] {
                [$(self.$name),*]
            }

            /// Mutable access to the number of each kind, in the order of [`ErrorKind::ALL`].
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
    /// The reply took longer than the timeout. The request is counted here, and fails only for
    /// another reason.
    Timeout timeout,
    /// The reply was not HTTP/1.
    Parse parse,
    /// The reply took longer than `--abort-after`, so the request was given up.
    Aborted aborted,
    /// The script called `wrk.fail`.
    Script script,
}

impl Errors {
    /// The number of read errors in wrk's text. wrk has no kinds of its own for replies that are not
    /// HTTP and for requests that were given up, so both count as read errors there.
    pub fn read_in_wrks_terms(&self) -> u64 {
        self.read + self.parse + self.aborted
    }

    /// Adds the numbers of `other` to these, kind by kind.
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

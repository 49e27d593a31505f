//! The parameters of a query, read the way Go's `FormValue` reads them.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// The query of one request target: what stands after the `?`, still encoded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    pub(super) fn new(query: Option<&'a str>) -> Query<'a> {
        Query(query.unwrap_or_default())
    }

    /// The first value of a parameter, decoded; a missing parameter and an empty one are alike,
    /// as they are to the frontend.
    pub(super) fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        self.0
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| decode(value))
            .filter(|value| !value.is_empty())
    }

    /// True when every one of the parameters has a value.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.get(name).is_some())
    }

    /// A parameter as a number; what is no number counts as zero, as in the frontend.
    pub(super) fn number(&self, name: &str) -> f64 {
        self.get(name)
            .and_then(|value| value.parse().ok())
            .unwrap_or(0.0)
    }
}

/// Most values have nothing to decode and are handed on without a copy.
fn decode(value: &str) -> Cow<'_, str> {
    if value.contains('+') {
        let spaced = value.replace('+', " ");
        Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
    } else {
        percent_decode_str(value).decode_utf8_lossy()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_found_and_decoded() {
        let query = Query::new(Some("lat=38.0&name=A%20B+C&empty=&bare&lat=9"));
        assert_eq!(query.get("name").as_deref(), Some("A B C"));
        assert_eq!(query.number("lat"), 38.0);
        assert_eq!(query.number("name"), 0.0);
        assert!(query.has(&["lat", "name"]));
        for missing in ["empty", "bare", "at", "nam"] {
            assert!(!query.has(&["lat", missing]), "{missing}");
        }
        assert_eq!(Query::new(None).get("lat"), None);
    }

    proptest! {
        #[test]
        fn no_query_makes_the_reader_panic(query in ".{0,40}") {
            let _ = Query::new(Some(&query)).get("a");
        }
    }
}

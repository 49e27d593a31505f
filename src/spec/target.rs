//! The target of the load: a URL or a socket of this machine.

use super::BadSpec;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where load goes: a URL, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Target {
    /// The URL as it was given.
    pub url: String,
    /// `http` or `https`.
    pub scheme: String,
    /// A name or an address; addresses of IPv6 stand without brackets.
    pub host: String,
    /// The port, when the URL names one.
    pub port: Option<u16>,
    /// Path and query; `/` when the URL has none.
    pub path: String,
    /// For `unix:PATH`, the path of the socket on this machine that is connected to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket: Option<PathBuf>,
}

/// The prefix of the address of a socket on this machine.
pub(super) const UNIX: &str = "unix:";

impl Target {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// [`BadSpec`] for what is neither an absolute `http://` or `https://` URL nor a socket.
    pub fn parse(url: &str) -> Result<Target, BadSpec> {
        let bad =
            |message: &str, cure: &str| BadSpec::new("URL", format!("`{url}` {message}"), cure);
        if let Some(socket) = url.strip_prefix(UNIX) {
            return Target::behind_socket(url, socket)
                .ok_or_else(|| bad("names no socket", "write unix:/run/app.sock:/path"));
        }
        if !url.contains("://") {
            return Err(bad("has no scheme", &format!("write http://{url}")));
        }
        let without_fragment = url.split('#').next().unwrap_or_default();
        let uri: http::Uri = without_fragment.parse().map_err(|error| {
            bad(
                &format!("is not a URL ({error})"),
                "write http://host:port/path",
            )
        })?;
        let scheme = uri.scheme_str().unwrap_or_default();
        if !["http", "https"].contains(&scheme) {
            return Err(bad(
                "has a scheme that is neither http nor https",
                "write http://host:port/path",
            ));
        }
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        if host.is_empty() {
            return Err(bad("names no host", "write http://host:port/path"));
        }
        let authority = uri
            .authority()
            .map(|authority| authority.as_str())
            .unwrap_or_default();
        if uri.port().is_some() != has_port(authority) || uri.port_u16() == Some(0) {
            return Err(bad("has a port out of range", "use a port from 1 to 65535"));
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        Ok(Target {
            url: url.to_owned(),
            scheme: scheme.to_owned(),
            host: host.to_owned(),
            port: uri.port_u16(),
            path,
            socket: None,
        })
    }

    /// Reads `PATH` or, as in nginx's `proxy_pass`, `PATH:/path/of/the/url`.
    fn behind_socket(url: &str, socket: &str) -> Option<Target> {
        let (socket, path) = match socket.split_once(":/") {
            Some((socket, path)) => (socket, format!("/{path}")),
            None => (socket, "/".to_owned()),
        };
        let path: http::uri::PathAndQuery = path.parse().ok()?;
        (!socket.is_empty()).then(|| Target {
            url: url.to_owned(),
            scheme: "http".to_owned(),
            host: "localhost".to_owned(),
            port: None,
            path: path.to_string(),
            socket: Some(PathBuf::from(socket)),
        })
    }

    /// The port to connect to: that of the URL, or the usual one of its scheme.
    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or(if self.is_tls() { 443 } else { 80 })
    }

    /// Whether the connection is encrypted with TLS.
    pub fn is_tls(&self) -> bool {
        self.scheme == "https"
    }

    /// The value of the Host header: brackets around IPv6 addresses, a port when the URL has one.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        match self.port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }
}

fn has_port(authority: &str) -> bool {
    let after_host = authority.rsplit(']').next().unwrap_or_default();
    let after_host = after_host.rsplit('@').next().unwrap_or_default();
    after_host.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let target = Target::parse("http://localhost:5000/hotels?a=1").expect("a target");
        assert_eq!(target.host, "localhost");
        assert_eq!(target.port, Some(5000));
        assert_eq!(target.path, "/hotels?a=1");
        assert_eq!(target.authority(), "localhost:5000");
    }

    #[test]
    fn defaults_and_ipv6_literals_work() {
        let target = Target::parse("http://[::1]").expect("a target");
        assert_eq!(
            (target.host.as_str(), target.port_or_default()),
            ("::1", 80)
        );
        assert_eq!(
            (target.path.as_str(), target.authority().as_str()),
            ("/", "[::1]")
        );
        assert_eq!(
            Target::parse("http://h?q=1").expect("a target").path,
            "/?q=1"
        );
    }

    #[test]
    fn a_socket_of_this_machine_is_a_target() {
        let target = Target::parse("unix:/run/app.sock:/hotels?x=1").expect("a target");
        assert_eq!(target.socket, Some(PathBuf::from("/run/app.sock")));
        assert_eq!(
            (target.path.as_str(), target.authority().as_str()),
            ("/hotels?x=1", "localhost")
        );
        assert!(!target.is_tls());
        let target = Target::parse("unix:/run/app.sock").expect("a target");
        assert_eq!(target.path, "/");
        let bad = Target::parse("unix:").expect_err("no socket").to_string();
        assert!(bad.contains("unix:/run/app.sock"), "{bad}");
    }

    #[test]
    fn https_has_a_port_of_its_own() {
        let target = Target::parse("https://h/").expect("a target");
        assert!(target.is_tls());
        assert_eq!(target.port_or_default(), 443);
        assert_eq!(target.authority(), "h");
    }

    #[test]
    fn what_is_not_an_http_url_names_the_cure() {
        for (url, cure) in [
            ("localhost:5000", "write http://localhost:5000"),
            ("ftp://h/", "write http://"),
            ("http://", "write http://"),
            ("http://h:99999/", "port"),
            ("http://h:0/", "1 to 65535"),
            ("http://a b/", "write http://"),
        ] {
            let error = Target::parse(url).expect_err(url).to_string();
            assert!(error.contains(cure) && error.contains("URL"), "{error}");
        }
    }
}

//! The way into a cluster: its API server, the credentials, and how its kubelets are reached.

use super::calls::{CallError, Calls};
use crate::spec::{ClusterAccess, KubeletRoute};
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use std::time::Duration;

/// Why there is no way into a cluster.
#[derive(Debug)]
pub enum AccessError {
    /// No cluster was named, and no kubeconfig is in one of the usual places; the library's words.
    Absent(String),
    /// A kubeconfig or an address cannot be used.
    Config {
        /// The flag or place that led there.
        flag: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The API server does not answer as one does.
    Server {
        /// Address of the API server.
        url: String,
        /// How the call to it failed.
        error: CallError,
    },
}

impl AccessError {
    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            AccessError::Absent(_) => "no_kubeconfig",
            AccessError::Config { .. } => "bad_kubeconfig",
            AccessError::Server { .. } => "api_server",
        }
    }

    /// What is wrong.
    pub fn message(&self) -> String {
        match self {
            AccessError::Absent(reason) => {
                format!("there is no kubeconfig ({reason}) and this is not a pod")
            }
            AccessError::Config { flag, reason } => format!("{flag}: {reason}"),
            AccessError::Server { url, error } => {
                format!("the API server at {url} cannot be used: {error}")
            }
        }
    }

    /// What to do about it.
    pub fn cure(&self) -> &'static str {
        match self {
            AccessError::Absent(_) => "give --kubeconfig FILE, or --kube-url of a `kubectl proxy`",
            AccessError::Config { .. } => {
                "give --kubeconfig FILE, --context NAME, or --kube-url of a `kubectl proxy`"
            }
            AccessError::Server { error, .. } => error.cure(),
        }
    }
}

impl std::fmt::Display for AccessError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}; {}", self.message(), self.cure())
    }
}

impl std::error::Error for AccessError {}

/// A configuration from which clients are made.
pub struct Access {
    config: Config,
    /// Address of the API server.
    pub url: String,
    /// The namespace that the kubeconfig names.
    pub default_namespace: String,
    route: KubeletRoute,
}

/// The longest time for connecting. Every call has a deadline of its own besides.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

impl Access {
    /// Reads what is needed to reach the cluster, and connects to nothing yet.
    ///
    /// # Errors
    /// [`AccessError::Config`], which names the flag, or [`AccessError::Absent`].
    pub async fn find(asked: &ClusterAccess) -> Result<Access, AccessError> {
        let mut config = configuration(asked).await?;
        // A sample that failed is a gap: a second try would bring it late.
        config.default_retry = false;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        Ok(Access {
            url: config.cluster_url.to_string(),
            default_namespace: config.default_namespace.clone(),
            config,
            route: asked.kubelet,
        })
    }

    /// A client of the API server.
    ///
    /// # Errors
    /// [`AccessError::Config`] for certificates or credentials that cannot be used.
    pub fn client(&self) -> Result<Client, AccessError> {
        client(self.config.clone())
    }

    /// A client of the kubelet at this address, when kubelets are reached directly.
    ///
    /// # Errors
    /// [`AccessError::Config`] for an address or credentials that cannot be used.
    pub fn kubelet_client(&self, address: &str, port: u16) -> Option<Result<Client, AccessError>> {
        if self.route == KubeletRoute::Proxy {
            return None;
        }
        let host = if address.contains(':') {
            format!("[{address}]")
        } else {
            address.to_owned()
        };
        let scheme = self.config.cluster_url.scheme_str().unwrap_or("https");
        let mut config = self.config.clone();
        config.cluster_url = match format!("{scheme}://{host}:{port}").parse() {
            Ok(url) => url,
            Err(error) => return Some(Err(refused("--kubelet", &error))),
        };
        config.tls_server_name = None;
        config.accept_invalid_certs |= self.route == KubeletRoute::DirectInsecure;
        Some(client(config))
    }
}

fn client(config: Config) -> Result<Client, AccessError> {
    Client::try_from(config).map_err(|error| refused("--kubeconfig", &error))
}

fn refused(flag: &'static str, reason: &dyn std::fmt::Display) -> AccessError {
    AccessError::Config {
        flag,
        reason: reason.to_string(),
    }
}

async fn configuration(asked: &ClusterAccess) -> Result<Config, AccessError> {
    if let Some(url) = &asked.url {
        let url = url.parse().map_err(|error| refused("--kube-url", &error))?;
        return Ok(Config::new(url));
    }
    let options = KubeConfigOptions {
        context: asked.context.clone(),
        ..KubeConfigOptions::default()
    };
    if let Some(path) = &asked.kubeconfig {
        let kubeconfig =
            Kubeconfig::read_from(path).map_err(|error| refused("--kubeconfig", &error))?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
        return config.map_err(|error| refused("--kubeconfig", &error));
    }
    match Config::from_kubeconfig(&options).await {
        Ok(config) => Ok(config),
        Err(error) if asked.context.is_some() => Err(refused("--context", &error)),
        Err(error @ (KubeconfigError::FindPath | KubeconfigError::ReadConfig(..))) => {
            let absent = |_| AccessError::Absent(error.to_string());
            Config::incluster().map_err(absent)
        }
        Err(error) => Err(refused("the kubeconfig", &error)),
    }
}

/// Asks the API server for its version, which shows that there is one.
///
/// # Errors
/// [`AccessError::Server`].
pub async fn server_version(
    calls: &Calls,
    client: &Client,
    url: &str,
) -> Result<String, AccessError> {
    let version = calls
        .get_json::<serde_json::Value>(client, "/version")
        .await;
    let refused = |error| AccessError::Server {
        url: url.to_owned(),
        error,
    };
    let version = version.map_err(refused)?;
    match version
        .get("gitVersion")
        .and_then(serde_json::Value::as_str)
    {
        Some(version) => Ok(version.to_owned()),
        None => Err(refused(CallError::Unreadable(
            "no gitVersion in /version".to_owned(),
        ))),
    }
}

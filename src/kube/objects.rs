//! Single objects of the API, of any kind: finding their path, reading and changing them.

use super::calls::{CallError, Calls, read_json};
use http::Method;
use kube::Client;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The name of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectName {
    /// Such as `apps/v1`.
    pub api_version: String,
    /// Such as `Deployment`.
    pub kind: String,
    /// Empty for kinds without a namespace.
    pub namespace: String,
    /// Name within its namespace.
    pub name: String,
}

impl std::fmt::Display for ObjectName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ObjectName {
            kind,
            namespace,
            name,
            ..
        } = self;
        if namespace.is_empty() {
            write!(f, "{kind} {name}")
        } else {
            write!(f, "{kind} {namespace}/{name}")
        }
    }
}

impl ObjectName {
    /// The name of a namespace.
    pub fn namespace(name: &str) -> ObjectName {
        ObjectName {
            api_version: "v1".to_owned(),
            kind: "Namespace".to_owned(),
            namespace: String::new(),
            name: name.to_owned(),
        }
    }
}

/// The field manager under which meshload applies manifests.
const FIELD_MANAGER: &str = "meshload";

/// The path of an object, through which it is read and changed.
pub struct ObjectPath<'a> {
    calls: &'a Calls,
    client: &'a Client,
    path: String,
}

impl<'a> ObjectPath<'a> {
    /// Asks the API server for the path of objects of this kind.
    ///
    /// # Errors
    /// [`CallError`], also for a kind that the server does not know.
    pub async fn find(
        calls: &'a Calls,
        client: &'a Client,
        object: &ObjectName,
    ) -> Result<ObjectPath<'a>, CallError> {
        #[derive(Deserialize)]
        struct Kinds {
            resources: Vec<Kind>,
        }
        #[derive(Deserialize)]
        struct Kind {
            name: String,
            kind: String,
            namespaced: bool,
        }
        let version = &object.api_version;
        let root = if version.contains('/') {
            format!("/apis/{version}")
        } else {
            format!("/api/{version}")
        };
        let kinds: Kinds = calls.get_json(client, &root).await?;
        let mut kinds = kinds.resources.into_iter();
        // Subresources such as `deployments/scale` are no paths of objects.
        let kind = kinds.find(|kind| kind.kind == object.kind && !kind.name.contains('/'));
        let kind = kind.ok_or_else(|| {
            CallError::Unreadable(format!("{version} knows no kind {}", object.kind))
        })?;
        let namespace = if kind.namespaced {
            format!("/namespaces/{}", object.namespace)
        } else {
            String::new()
        };
        let path = format!("{root}{namespace}/{}/{}", kind.name, object.name);
        Ok(ObjectPath {
            calls,
            client,
            path,
        })
    }

    /// The object; `None` when it does not exist.
    ///
    /// # Errors
    /// [`CallError`]
    pub async fn get(&self) -> Result<Option<Value>, CallError> {
        match self.calls.get_json(self.client, &self.path).await {
            Err(CallError::Status { status: 404, .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    /// Applies a JSON merge patch (RFC 7396). Gives the object as it is then, or with `is_trial` as it
    /// would be.
    ///
    /// # Errors
    /// [`CallError`]
    pub async fn merge(&self, patch: &Value, is_trial: bool) -> Result<Value, CallError> {
        self.patch("application/merge-patch+json", "", patch, is_trial)
            .await
    }

    /// Applies a manifest (server-side apply). Gives the object as it is then, or with `is_trial` as it
    /// would be.
    ///
    /// # Errors
    /// [`CallError`]
    pub async fn apply(&self, manifest: &Value, is_trial: bool) -> Result<Value, CallError> {
        let query = format!("fieldManager={FIELD_MANAGER}&force=true");
        self.patch("application/apply-patch+yaml", &query, manifest, is_trial)
            .await
    }

    async fn patch(
        &self,
        media_type: &str,
        query: &str,
        body: &Value,
        is_trial: bool,
    ) -> Result<Value, CallError> {
        let trial = if is_trial { "dryRun=All" } else { "" };
        let query: Vec<&str> = [query, trial]
            .into_iter()
            .filter(|one| !one.is_empty())
            .collect();
        let path = format!("{}?{}", self.path, query.join("&"));
        let path = path.trim_end_matches('?');
        let answer = self
            .calls
            .change(self.client, Method::PATCH, path, media_type, body)
            .await?;
        read_json(&answer.body)
    }

    /// Deletes the object; one that does not exist is no error.
    ///
    /// # Errors
    /// [`CallError`]
    pub async fn delete(&self) -> Result<(), CallError> {
        let body = serde_json::json!({ "propagationPolicy": "Background" });
        let answer = self
            .calls
            .change(
                self.client,
                Method::DELETE,
                &self.path,
                "application/json",
                &body,
            )
            .await;
        match answer {
            Err(CallError::Status { status: 404, .. }) => Ok(()),
            other => other.map(|_| ()),
        }
    }
}

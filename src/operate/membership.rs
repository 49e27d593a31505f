//! Whether a namespace and its pods are what an arm says: the labels, and every pod in the mesh or
//! every pod outside of it.

use crate::resources::{Mesh, Pod};
use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};

/// What a namespace should be.
#[derive(Debug, Clone, Copy)]
pub struct Membership<'a> {
    pub namespace: &'a str,
    /// Labels that it should carry.
    pub labels: &'a BTreeMap<String, String>,
    /// Whether its pods should be in the mesh; `None` when it does not matter.
    pub meshed: Option<bool>,
}

/// How a namespace is not what it should be.
#[derive(Debug, PartialEq, Eq)]
pub enum MembershipError {
    /// The namespace does not carry a label.
    Label {
        namespace: String,
        /// The label, as `name=value`.
        label: String,
    },
    /// The namespace has no pods; its name.
    NoPods(String),
    /// Some pods are in the mesh or outside of it against the arm.
    Pods {
        namespace: String,
        /// Whether they should be in the mesh.
        meshed: bool,
        /// The pods that are not as they should be.
        wrong: Vec<String>,
        /// How many pods there are.
        of: usize,
    },
}

impl Membership<'_> {
    /// Holds the labels of the namespace against those that it should carry.
    ///
    /// # Errors
    /// [`MembershipError::Label`] for the first that is missing or has another value.
    pub fn check_labels(&self, found: &BTreeMap<String, String>) -> Result<(), MembershipError> {
        let mut wanted = self.labels.iter();
        match wanted.find(|(name, value)| found.get(*name) != Some(value)) {
            None => Ok(()),
            Some((name, value)) => Err(MembershipError::Label {
                namespace: self.namespace.to_owned(),
                label: format!("{name}={value}"),
            }),
        }
    }

    /// Holds the pods of the namespace against what they should be; gives a note of what was seen.
    ///
    /// # Errors
    /// [`MembershipError::NoPods`] or [`MembershipError::Pods`].
    pub fn check_pods(&self, pods: &[Pod], meshed: bool) -> Result<String, MembershipError> {
        let namespace = self.namespace.to_owned();
        if pods.is_empty() {
            return Err(MembershipError::NoPods(namespace));
        }
        let wrong = if meshed {
            pods_outside_mesh(pods)
        } else {
            pods_in_mesh(pods)
        };
        if wrong.is_empty() {
            let place = if meshed { "in" } else { "outside of" };
            let count = pods.len();
            return Ok(format!(
                "all {count} pods of {namespace} are {place} the mesh"
            ));
        }
        Err(MembershipError::Pods {
            namespace,
            meshed,
            wrong,
            of: pods.len(),
        })
    }
}

/// Names of the pods that are outside of the mesh. Pods on their node's network are left out: sidecars
/// cannot mesh them.
pub fn pods_outside_mesh(pods: &[Pod]) -> Vec<String> {
    names(pods, |pod| pod.mesh == Mesh::None)
}

fn pods_in_mesh(pods: &[Pod]) -> Vec<String> {
    names(pods, |pod| pod.mesh != Mesh::None)
}

fn names(pods: &[Pod], counts: fn(&Pod) -> bool) -> Vec<String> {
    let chosen = pods.iter().filter(|pod| !pod.host_network && counts(pod));
    chosen.map(|pod| pod.name.clone()).collect()
}

impl MembershipError {
    /// What is wrong.
    pub fn message(&self) -> String {
        match self {
            MembershipError::Label { namespace, label } => {
                format!("the namespace {namespace} does not carry the label {label}")
            }
            MembershipError::NoPods(namespace) => format!("the namespace {namespace} has no pods"),
            MembershipError::Pods {
                namespace,
                meshed,
                wrong,
                of,
            } => {
                let place = if *meshed { "outside of" } else { "in" };
                let (count, names) = (wrong.len(), wrong.join(", "));
                format!("{count} of {of} pods of {namespace} are {place} the mesh: {names}")
            }
        }
    }

    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            MembershipError::Label { namespace, label } => format!(
                "set it (kubectl label namespace {namespace} {label}), or let --switch do it"
            ),
            MembershipError::NoPods(_) => "name the application's with -n".to_owned(),
            MembershipError::Pods { meshed: true, .. } => {
                "label the namespace and restart them (kubectl rollout restart deployment), or let --switch do it".to_owned()
            }
            MembershipError::Pods { meshed: false, .. } => {
                "take the label off the namespace and restart them, or let --switch do it".to_owned()
            }
        }
    }
}

impl Display for MembershipError {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}; {}", self.message(), self.cure())
    }
}

impl std::error::Error for MembershipError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_with_another_value_is_missing_and_says_how_it_is_set() {
        let labels = BTreeMap::from([("istio-injection".to_owned(), "enabled".to_owned())]);
        let wanted = Membership {
            namespace: "hotel",
            labels: &labels,
            meshed: None,
        };
        assert_eq!(wanted.check_labels(&labels), Ok(()));
        let other = BTreeMap::from([("istio-injection".to_owned(), "disabled".to_owned())]);
        let error = wanted.check_labels(&other).expect_err("another value");
        assert!(matches!(error, MembershipError::Label { .. }), "{error:?}");
        let text = error.to_string();
        assert!(
            text.contains("kubectl label namespace hotel istio-injection=enabled"),
            "{text}"
        );
        let error = wanted.check_pods(&[], true).expect_err("no pods");
        assert_eq!(error, MembershipError::NoPods("hotel".to_owned()));
    }
}

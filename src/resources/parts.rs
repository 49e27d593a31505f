//! The one place that adds up what containers used, by part of a service, over any set of pods.
//!
//! The rule: a part is the sum over its containers, each pod weighted with the share of the window in
//! which it was there. A part without a container used 0, because all containers of its pods were
//! seen: so do the sidecars of ambient and unmeshed pods, whose share of their node's proxy is in
//! that proxy's figure alone. A container that is known not to have run used 0. A sum is not known
//! only where a container ran and no sample tells what it used.

use super::figures::{PodUse, Quality, Resources};
use super::{Category, NotKnown, Quantity, Role};
use serde::{Deserialize, Serialize};

/// A part of what was used. The mesh's own parts are figures of their own and no part of the
/// application's `app`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The services themselves.
    App,
    /// The mesh's proxies inside the services' pods.
    Sidecar,
    /// An ambient mesh's proxies of nodes (ztunnel).
    NodeProxy,
    /// An ambient mesh's proxies of namespaces or services.
    Waypoint,
    /// The mesh's proxies at its edge.
    Gateway,
    /// The mesh's control plane (istiod).
    ControlPlane,
    /// All containers.
    Total,
}

impl Part {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Part; 7] = [
        Part::App,
        Part::Sidecar,
        Part::NodeProxy,
        Part::Waypoint,
        Part::Gateway,
        Part::ControlPlane,
        Part::Total,
    ];

    /// The name in files and thresholds.
    pub fn name(self) -> &'static str {
        match self {
            Part::App => "app",
            Part::Sidecar => "sidecar",
            Part::NodeProxy => "node_proxy",
            Part::Waypoint => "waypoint",
            Part::Gateway => "gateway",
            Part::ControlPlane => "control_plane",
            Part::Total => "total",
        }
    }

    /// The part of that name.
    pub fn of_name(name: &str) -> Option<Part> {
        Part::ALL.into_iter().find(|part| part.name() == name)
    }

    /// Whether containers of a role belong to it. Kubernetes' own pods have no proxies: their
    /// containers are the service itself.
    pub fn counts(self, role: Role) -> bool {
        match self {
            Part::App => matches!(role, Role::App | Role::System),
            Part::Sidecar => role == Role::Sidecar,
            Part::NodeProxy => role == Role::NodeProxy,
            Part::Waypoint => role == Role::Waypoint,
            Part::Gateway => role == Role::Gateway,
            Part::ControlPlane => role == Role::ControlPlane,
            Part::Total => true,
        }
    }

    /// Whether it belongs to the mesh, wherever its pods run, and not to the application.
    pub fn is_of_mesh(self) -> bool {
        !matches!(self, Part::App | Part::Sidecar | Part::Total)
    }

    /// The reason that there is no figure of this part: no pod of it was seen, or none of a service.
    pub fn no_pod(self, service: Option<&str>) -> NotKnown {
        let of = match service {
            Some(service) => format!("the service {service}"),
            None if self.is_of_mesh() => format!("the mesh's {}", self.name()),
            None => "the application".to_owned(),
        };
        NotKnown::NoPod { of }
    }

    /// The part that a service of the mesh's namespaces is by its usual name, for tables that say
    /// nothing else of it.
    pub fn of_mesh_service(name: &str) -> Part {
        match name {
            "ztunnel" => Part::NodeProxy,
            _ if name.contains("waypoint") => Part::Waypoint,
            _ if name.contains("gateway") => Part::Gateway,
            _ => Part::ControlPlane,
        }
    }
}

/// What a part of the pods used together, each pod with the share of the window in which it was there.
///
/// # Errors
/// [`NotKnown`] without a pod, or where a container that ran has no figure.
pub fn use_of<'a>(
    pods: impl IntoIterator<Item = &'a PodUse>,
    part: Part,
    quantity: Quantity,
) -> Result<f64, NotKnown> {
    sum(pods, quantity, |role| part.counts(role))
}

/// What the pods' containers of one role used together.
///
/// # Errors
/// As [`use_of`].
pub(super) fn use_of_role<'a>(
    pods: impl IntoIterator<Item = &'a PodUse>,
    role: Role,
    quantity: Quantity,
) -> Result<f64, NotKnown> {
    sum(pods, quantity, |one| one == role)
}

fn sum<'a>(
    pods: impl IntoIterator<Item = &'a PodUse>,
    quantity: Quantity,
    counts: impl Fn(Role) -> bool,
) -> Result<f64, NotKnown> {
    let mut pods = pods.into_iter().peekable();
    if pods.peek().is_none() {
        return Err(NotKnown::NoPod {
            of: "the kind that is asked for".to_owned(),
        });
    }
    let mut sum = 0.0;
    for pod in pods {
        let containers = pod.containers.iter().filter(|one| counts(one.role));
        for container in containers {
            let figure = container.figure(quantity);
            let Some(value) = figure.and_then(|figure| figure.value) else {
                return Err(NotKnown::NoSamples {
                    quantity: quantity.name().to_owned(),
                    container: format!("{}/{}/{}", pod.namespace, pod.pod, container.name),
                    why: match figure.map(|figure| &figure.quality) {
                        Some(Quality::Missing(why)) => why.clone(),
                        _ => "it has no samples".to_owned(),
                    },
                });
            };
            sum += value * pod.presence;
        }
    }
    Ok(sum)
}

/// What the pods received or sent together, in bytes per second, each pod weighted with the share of the
/// window in which it was there. The traffic of a pod on its node's network is the node's, so it is in
/// no sum.
///
/// Returns `None` without a pod that has its own network, or where one of those has no figure.
pub fn network_of<'a>(
    pods: impl IntoIterator<Item = &'a PodUse>,
    quantity: Quantity,
) -> Option<f64> {
    let own = pods.into_iter().filter(|pod| pod.has_own_network());
    let mut own = own.peekable();
    own.peek()?;
    // Begun with 0, because the sum of nothing is -0.
    own.try_fold(0.0, |sum, pod| {
        Some(sum + pod.figure(quantity)? * pod.presence)
    })
}

/// A sum of sums: not known where one of them is not.
///
/// # Errors
/// The first reason among them.
pub fn sum_of<'a>(
    sums: impl IntoIterator<Item = Result<f64, &'a NotKnown>>,
) -> Result<f64, &'a NotKnown> {
    // Begun with 0, because the sum of nothing is -0.
    let mut sums = sums.into_iter();
    sums.try_fold(0.0, |sum, one| Ok(sum + one?))
}

impl Resources {
    /// What a part used, of the whole application or of one of its services; the mesh's parts
    /// wherever their pods run.
    ///
    /// # Errors
    /// [`NotKnown`] without a pod of that part, or where a container that ran has no figure.
    pub fn used(
        &self,
        part: Part,
        service: Option<&str>,
        quantity: Quantity,
    ) -> Result<f64, NotKnown> {
        use_of(self.pods_of(part, service)?, part, quantity)
    }

    /// The pods in which a part is looked for.
    ///
    /// # Errors
    /// [`NotKnown::NoPod`]
    pub fn pods_of(&self, part: Part, service: Option<&str>) -> Result<Vec<&PodUse>, NotKnown> {
        let is_meant = |pod: &&PodUse| {
            let mut containers = pod.containers.iter();
            service.is_none_or(|service| pod.service == service)
                && match part.is_of_mesh() {
                    true => containers.any(|one| part.counts(one.role)),
                    false => pod.category == Category::Application,
                }
        };
        let pods: Vec<&PodUse> = self.pods.iter().filter(is_meant).collect();
        if pods.is_empty() {
            return Err(part.no_pod(service));
        }
        Ok(pods)
    }
}

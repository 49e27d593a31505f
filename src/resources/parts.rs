//! The one place that adds up the use of containers, by part of a service, over any set of pods.
//!
//! The use of a part is the sum over its containers, where each pod is weighted with the share of the window
//! in which it existed. A part without a container used 0, because all containers of the pods were seen.
//! The sidecars of pods in an ambient mesh, or in none, therefore used 0; what a node's proxy does for such a
//! pod is in that proxy's figure alone. A container that is known not to have run used 0 as well. A sum is
//! not known only where a container ran and has no samples.

use super::figures::{PodUse, Quality, Resources};
use super::{Category, NotKnown, Quantity, Role};
use serde::{Deserialize, Serialize};

/// A set of containers whose use is added up under one name. The containers of the mesh's own pods are not
/// counted in `App`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The containers of the services themselves.
    App,
    /// The mesh's proxies in the pods of the services.
    Sidecar,
    /// The proxies of nodes in an ambient mesh (ztunnel).
    NodeProxy,
    /// The proxies of namespaces or services in an ambient mesh.
    Waypoint,
    /// The mesh's proxies at its border.
    Gateway,
    /// The mesh's control plane (istiod).
    ControlPlane,
    /// All containers.
    Total,
}

impl Part {
    /// All parts, in the order in which they are shown.
    pub const ALL: [Part; 7] = [
        Part::App,
        Part::Sidecar,
        Part::NodeProxy,
        Part::Waypoint,
        Part::Gateway,
        Part::ControlPlane,
        Part::Total,
    ];

    /// The name in files and in `--fail-if`.
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

    /// The part of this name.
    pub fn of_name(name: &str) -> Option<Part> {
        Part::ALL.into_iter().find(|part| part.name() == name)
    }

    /// Whether containers of this role belong to the part. Kubernetes' own pods have no proxies, so their
    /// containers count as those of a service.
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

    /// Whether the part consists of the mesh's own pods, in whatever namespace they run.
    pub fn is_of_mesh(self) -> bool {
        !matches!(self, Part::App | Part::Sidecar | Part::Total)
    }

    /// The reason for a missing figure where no pod of this part, or of this service, was seen.
    pub fn no_pod(self, service: Option<&str>) -> NotKnown {
        let of = match service {
            Some(service) => format!("the service {service}"),
            None if self.is_of_mesh() => format!("the mesh's {}", self.name()),
            None => "the application".to_owned(),
        };
        NotKnown::NoPod { of }
    }

    /// Guesses the part from the usual name of a service in a mesh's namespace, for tables that have no
    /// roles.
    pub fn of_mesh_service(name: &str) -> Part {
        match name {
            "ztunnel" => Part::NodeProxy,
            _ if name.contains("waypoint") => Part::Waypoint,
            _ if name.contains("gateway") => Part::Gateway,
            _ => Part::ControlPlane,
        }
    }
}

/// The use of one part of these pods, in the unit of [`Quantity::unit`]; each pod is weighted with the share
/// of the window in which it existed.
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

/// The use of the pods' containers of one role, otherwise as [`use_of`].
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

/// The traffic of the pods in bytes per second, each pod weighted with the share of the window in which it
/// existed. The figure of a pod that uses its node's network is that of the node, so it is in no sum.
///
/// Returns `None` without a pod that has its own network, or where one of those has no figure.
pub fn network_of<'a>(
    pods: impl IntoIterator<Item = &'a PodUse>,
    quantity: Quantity,
) -> Option<f64> {
    let own = pods.into_iter().filter(|pod| pod.has_own_network());
    let mut own = own.peekable();
    own.peek()?;
    // The fold begins with 0, because `Iterator::sum` of no numbers is -0.
    own.try_fold(0.0, |sum, pod| {
        Some(sum + pod.figure(quantity)? * pod.presence)
    })
}

/// Adds sums up. The total is not known where one of the sums is not.
///
/// # Errors
/// The reason of the first sum that is not known.
pub fn sum_of<'a>(
    sums: impl IntoIterator<Item = Result<f64, &'a NotKnown>>,
) -> Result<f64, &'a NotKnown> {
    // The fold begins with 0, because `Iterator::sum` of no numbers is -0.
    let mut sums = sums.into_iter();
    sums.try_fold(0.0, |sum, one| Ok(sum + one?))
}

impl Resources {
    /// The use of a part of the application, or of one of its services, in the unit of
    /// [`Quantity::unit`]. The mesh's own parts are looked for in all namespaces.
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

    /// The pods whose containers are added up for a part: those of the application or of one service,
    /// or the mesh's own pods.
    ///
    /// # Errors
    /// [`NotKnown::NoPod`] without such a pod.
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

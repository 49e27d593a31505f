//! The API's description of a node -> the topology's.

use crate::readings::parse_quantity;
use crate::resources::Node;
use k8s_openapi::api::core::v1 as api;

/// A node of the topology, from the API's description. `None` for a description without a name.
pub fn node(described: api::Node) -> Option<Node> {
    let status = described.status.unwrap_or_default();
    let info = status.node_info.unwrap_or_default();
    let capacity = status.capacity.unwrap_or_default();
    let amount = |name: &str| parse_quantity(&capacity.get(name)?.0);
    let addresses = status.addresses.unwrap_or_default();
    let address = |kind: &str| addresses.iter().find(|address| address.type_ == kind);
    let endpoint = status
        .daemon_endpoints
        .and_then(|endpoints| endpoints.kubelet_endpoint);
    Some(Node {
        name: described.metadata.name?,
        runtime: info.container_runtime_version,
        kubelet: info.kubelet_version,
        kernel: info.kernel_version,
        cores: amount("cpu"),
        memory_bytes: amount("memory"),
        address: address("InternalIP")
            .or_else(|| address("Hostname"))
            .map(|address| address.address.clone()),
        kubelet_port: endpoint.and_then(|endpoint| u16::try_from(endpoint.port).ok()),
    })
}

//! Bytes through the interfaces of a pod: which interfaces count, and as what.

use crate::resources::Quantity;
use serde::Deserialize;

/// Byte counters of an interface since it came up, as `/proc/net/dev` and kubelets give them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Interface {
    /// Name, such as `eth0`.
    #[serde(default)]
    pub name: String,
    #[serde(rename = "rxBytes", default)]
    pub rx_bytes: Option<u64>,
    #[serde(rename = "txBytes", default)]
    pub tx_bytes: Option<u64>,
}

/// Whether an interface is the loopback, where a sidecar's interception shows.
pub fn is_loopback(interface: &str) -> bool {
    interface == "lo"
}

/// Whether a pod reaches others through an interface. Bridges and the host's ends of pods' cables
/// (veth*, cni*, docker*) carry what other interfaces carry as well, and do not count.
pub fn is_wire(interface: &str) -> bool {
    ["eth", "ens", "eno", "enp", "net"]
        .iter()
        .any(|prefix| interface.starts_with(prefix))
}

/// Sums over the interfaces: bytes received and sent over the wire and over the loopback.
/// `of_nothing` is the sum where no such interface has a number: `Some(0)` when the list is known to
/// be complete, `None`, which leaves the quantity out, when it may not be.
pub fn network_sums(interfaces: &[Interface], of_nothing: Option<u64>) -> Vec<(Quantity, u64)> {
    let sum = |counts: fn(&str) -> bool, bytes: fn(&Interface) -> Option<u64>| {
        let chosen = interfaces.iter().filter(|one| counts(&one.name));
        let numbers = chosen.filter_map(bytes);
        numbers.reduce(u64::saturating_add).or(of_nothing)
    };
    let rx = |one: &Interface| one.rx_bytes;
    let tx = |one: &Interface| one.tx_bytes;
    let sums = [
        (Quantity::NetworkRx, sum(is_wire, rx)),
        (Quantity::NetworkTx, sum(is_wire, tx)),
        (Quantity::LoopbackRx, sum(is_loopback, rx)),
        (Quantity::LoopbackTx, sum(is_loopback, tx)),
    ];
    let known = sums.into_iter();
    known
        .filter_map(|(quantity, sum)| Some((quantity, sum?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bridges_do_not_count_and_an_empty_list_is_nothing_or_not_known() {
        let interface = |name: &str, rx_bytes, tx_bytes| Interface {
            name: name.to_owned(),
            rx_bytes,
            tx_bytes,
        };
        let interfaces = [
            interface("eth0", Some(1), Some(10)),
            interface("ens3", Some(2), None),
            interface("cni0", Some(500), Some(500)),
            interface("lo", Some(7), Some(7)),
        ];
        assert_eq!(
            network_sums(&interfaces, None),
            [
                (Quantity::NetworkRx, 3),
                (Quantity::NetworkTx, 10),
                (Quantity::LoopbackRx, 7),
                (Quantity::LoopbackTx, 7)
            ]
        );
        let wire_only = &interfaces[..1];
        assert_eq!(network_sums(wire_only, None).len(), 2);
        assert_eq!(
            network_sums(wire_only, Some(0))[2..],
            [(Quantity::LoopbackRx, 0), (Quantity::LoopbackTx, 0)]
        );
    }
}

"""Who can reach whom, computed from the network policies that were rendered as Kubernetes defines them."""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tests.k8s.manifests import Object


class End(NamedTuple):
    """One end of a connection: a pod of a namespace with labels, or an `address` outside the cluster."""

    namespace: str = ""
    labels: Mapping[str, str] = {}
    address: str = ""


class Port(NamedTuple):
    """A port and its protocol."""

    number: int
    protocol: str = "TCP"


def reaches(policies: Sequence[Object], source: End, target: End, port: Port) -> bool:
    """Whether the source may leave for the target, and the target lets it in."""
    return _lets(policies, source, target, port, "Egress") and _lets(policies, target, source, port, "Ingress")


def _lets(policies: Sequence[Object], here: End, there: End, port: Port, direction: str) -> bool:
    """A pod that no policy of this direction selects is open; any other needs one rule that allows it."""
    if here.address:
        return True
    selecting = [item for item in policies if _selects(item, here) and direction in item["spec"]["policyTypes"]]
    way = {"Egress": "to", "Ingress": "from"}[direction]
    rules = [rule for item in selecting for rule in item["spec"].get(direction.lower(), [])]
    return not selecting or any(
        _any(rule.get("ports"), lambda entry: _is_port(entry, port))
        and _any(rule.get(way), lambda peer, rule=rule: _is_peer(peer, here.namespace, there))
        for rule in rules
    )


def _selects(policy: Object, end: End) -> bool:
    return policy["metadata"]["namespace"] == end.namespace and _matches(policy["spec"]["podSelector"], end.labels)


def _any(entries: Iterable[Any] | None, fits: Any) -> bool:
    """No list means everything."""
    return entries is None or any(fits(entry) for entry in entries)


def _is_port(entry: Object, port: Port) -> bool:
    same = entry.get("protocol", "TCP") == port.protocol
    return same and ("port" not in entry or entry["port"] <= port.number <= entry.get("endPort", entry["port"]))


def _is_peer(peer: Object, namespace: str, end: End) -> bool:
    if block := peer.get("ipBlock"):
        return _within(block, end)
    if end.address:
        return False
    if "namespaceSelector" in peer:
        names = {"kubernetes.io/metadata.name": end.namespace}
        if not _matches(peer["namespaceSelector"], names):
            return False
    elif end.namespace != namespace:
        return False
    return _matches(peer.get("podSelector", {}), end.labels)


def _within(block: Object, end: End) -> bool:
    """The worst case: a plugin may take the addresses of pods to be in any block."""
    if not end.address:
        return True
    address = ipaddress.ip_address(end.address)
    inside, *outside = (ipaddress.ip_network(cidr) for cidr in (block["cidr"], *block.get("except", [])))
    return address in inside and not any(address in network for network in outside)


def _matches(selector: Object, labels: Mapping[str, str]) -> bool:
    wanted = selector.get("matchLabels", {})
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _expression(entry, labels) for entry in selector.get("matchExpressions", [])
    )


def _expression(entry: Object, labels: Mapping[str, str]) -> bool:
    has = entry["key"] in labels
    match entry["operator"]:
        case "In":
            return has and labels[entry["key"]] in entry["values"]
        case "NotIn":
            return not has or labels[entry["key"]] not in entry["values"]
        case "Exists":
            return has
    return not has

"""Who may do what, computed from the roles and bindings that were rendered."""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import NamedTuple

from tests.k8s.manifests import Object


class Right(NamedTuple):
    """One verb on one resource in one namespace ("*": all); `name` is "*" where the object does not matter."""

    namespace: str
    verb: str
    resource: str
    name: str


def rights(objects: Iterable[Object]) -> dict[str, set[Right]]:
    """The rights of every subject, `kind namespace/name`."""
    items = list(objects)
    roles = {_key(item["kind"], item["metadata"]): item for item in items if item["kind"] in ("Role", "ClusterRole")}
    found: dict[str, set[Right]] = {}
    for item in items:
        if item["kind"] in ("RoleBinding", "ClusterRoleBinding"):
            namespace = item["metadata"].get("namespace", "*")
            kind = item["roleRef"]["kind"]
            role = roles[_key(kind, {"name": item["roleRef"]["name"], "namespace": namespace})]
            for subject in item["subjects"]:
                who = f"{subject['kind']} {subject.get('namespace', '')}/{subject['name']}"
                found.setdefault(who, set()).update(_granted(role, namespace))
    return found


def _key(kind: str, metadata: Object) -> tuple[str, str, str]:
    return kind, metadata["name"], "" if kind == "ClusterRole" else metadata["namespace"]


def _granted(role: Object, namespace: str) -> Iterator[Right]:
    for rule in role.get("rules") or []:
        names = rule.get("resourceNames", ["*"])
        for group, resource, verb, name in product(rule["apiGroups"], rule["resources"], rule["verbs"], names):
            yield Right(namespace, verb, f"{resource}.{group}".rstrip("."), name)

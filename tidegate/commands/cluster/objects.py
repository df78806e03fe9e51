"""The objects that a run needs in its namespace: secrets, config maps, volume claims and its service account."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import urllib3
from kubernetes import client as kubernetes

from tidegate.process.errors import InputError

# Keys of the compiled pipeline that name a required object, and the kind of that object.
NAMED: Mapping[str, tuple[str, str]] = {
    "secretAsEnv": ("secrets", "secretName"),
    "secretAsVolume": ("secrets", "secretName"),
    "imagePullSecret": ("secrets", "secretName"),
    "configMapAsEnv": ("configmaps", "configMapName"),
    "configMapAsVolume": ("configmaps", "configMapName"),
    "pvcMount": ("persistentvolumeclaims", "constant"),
}
WORDS = {
    "secrets": "secret",
    "configmaps": "config map",
    "persistentvolumeclaims": "volume claim",
    "serviceaccounts": "service account",
}
# Only metadata is requested, never the content.
ACCEPT = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


class Thing(NamedTuple):
    """An object of Kubernetes."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{WORDS[self.kind]} {self.name}"


def needed(platform: Mapping[str, Any], account: str) -> list[Thing]:
    """The objects that must exist before a run: those that the platform spec does not mark optional."""
    executors = platform.get("platforms", {}).get("kubernetes", {}).get("deploymentSpec", {}).get("executors", {})
    things = {
        Thing(kind, entry[key])
        for executor in executors.values()
        for section, (kind, key) in NAMED.items()
        for entry in executor.get(section, [])
        if not entry.get("optional")
    }
    return [Thing("serviceaccounts", account), *sorted(things)]


def refused(error: kubernetes.ApiException, right: str) -> str:
    """Why the cluster refuses: the missing right as verb, kind of object and namespace."""
    if error.status == 403:
        return f"no right to {right}"
    if error.status == 401:
        return "401 (not signed in to the cluster): see `kubectl auth whoami`"
    return f"the cluster does not let {right}: {error.status} {error.reason}"


def absent(cluster: kubernetes.ApiClient, namespace: str, things: Iterable[Thing], timeout: float) -> list[Thing]:
    """The objects that are missing in the namespace; PermissionError when some may not be read."""
    missing, unseen = [], []
    for thing in things:
        try:
            if not _is_there(cluster, namespace, thing, timeout):
                missing.append(thing)
        except PermissionError as reason:
            unseen.append(str(reason))
    if unseen and not missing:
        raise PermissionError(", ".join(unseen))
    return missing


def _is_there(cluster: kubernetes.ApiClient, namespace: str, thing: Thing, timeout: float) -> bool:
    where = f"namespace {namespace}"
    try:
        cluster.call_api(
            f"/api/v1/namespaces/{namespace}/{thing.kind}/{thing.name}",
            "GET",
            header_params={"Accept": ACCEPT},
            auth_settings=["BearerToken"],
            _preload_content=False,
            _request_timeout=timeout,
        )
    except kubernetes.ApiException as error:
        if error.status == 404:
            return False
        if error.status in (401, 403):
            raise PermissionError(refused(error, f"get {thing.kind}/{thing.name} in {where}")) from None
        raise InputError(
            where, f"to be told of {thing}", f"{error.status} {error.reason}", "ask again later"
        ) from None
    except urllib3.exceptions.HTTPError:
        raise InputError(where, "a cluster that answers", "no answer", "see `kubectl version`") from None
    return True

"""What a pod template of ours must be: the Pod Security Standard `restricted`, and what it leaves open."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tests.k8s.manifests import Object, containers

VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip
SYSCTLS = {
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
}  # fmt: skip
PINNED = re.compile(r"^[\w./:-]+:(?!latest@)[\w.-]+@sha256:(?!0{64})[0-9a-f]{64}$")
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|ACCESS_KEY")


def violations(pod: Object) -> list[str]:
    """Everything wrong with a pod template, in words."""
    found = [f"pod: {text}" for check in OF_PODS for text in check(pod["spec"])]
    for container in containers(pod):
        found += [f"{container['name']}: {text}" for check in OF_CONTAINERS for text in check(container, pod["spec"])]
    for container in pod["spec"]["containers"]:
        found += [f"{container['name']}: no {name}" for name in PROBES if name not in container]
    return found


PROBES = ("readinessProbe", "livenessProbe")


def _host(spec: Object) -> Iterator[str]:
    yield from (name for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name))


def _volumes(spec: Object) -> Iterator[str]:
    for volume in spec.get("volumes", []):
        kinds = volume.keys() - {"name"}
        if not kinds <= VOLUMES:
            yield f"volume {volume['name']} is a {', '.join(kinds)}"
        if "emptyDir" in kinds and not (volume["emptyDir"] or {}).get("sizeLimit"):
            yield f"volume {volume['name']} has no sizeLimit"


def _sysctls(spec: Object) -> Iterator[str]:
    for sysctl in spec.get("securityContext", {}).get("sysctls", []):
        if sysctl["name"] not in SYSCTLS:
            yield f"sysctl {sysctl['name']}"


def _identity(spec: Object) -> Iterator[str]:
    if spec.get("automountServiceAccountToken") is not False:
        yield "mounts a token"
    if spec.get("serviceAccountName", "default") == "default":
        yield "runs as the default account"
    if spec.get("enableServiceLinks") is not False:
        yield "is told every service by environment"


def _user(container: Object, spec: Object) -> Iterator[str]:
    if _setting(container, spec, "runAsNonRoot") is not True:
        yield "may be root"
    if _setting(container, spec, "runAsUser") in (0, None):
        yield "is root, or what its image says"


def _profile(container: Object, spec: Object) -> Iterator[str]:
    if (_setting(container, spec, "seccompProfile") or {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "no seccomp profile"
    for name, allowed in (("seLinuxOptions", ("user", "role")), ("appArmorProfile", ())):
        options: Mapping[str, Any] = _setting(container, spec, name) or {}
        if any(key in options for key in allowed) or options.get("type") == "Unconfined":
            yield name


def _privileges(container: Object, _: Object) -> Iterator[str]:
    own = container.get("securityContext", {})
    if own.get("privileged"):
        yield "is privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "may gain privileges"
    if own.get("readOnlyRootFilesystem") is not True:
        yield "can write to its root"
    if own.get("procMount", "Default") != "Default":
        yield "sees all of /proc"
    capabilities = own.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", []) or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        yield "has capabilities"


def _ports(container: Object, _: Object) -> Iterator[str]:
    if any(port.get("hostPort") for port in container.get("ports", [])):
        yield "takes a port of the node"
    for probe in (*PROBES, "startupProbe"):
        if any("host" in container.get(probe, {}).get(kind, {}) for kind in ("httpGet", "tcpSocket")):
            yield f"{probe} asks another host"


def _resources(container: Object, _: Object) -> Iterator[str]:
    for end in ("requests", "limits"):
        if {"cpu", "memory"} - container.get("resources", {}).get(end, {}).keys():
            yield f"no {end}"


def _image(container: Object, _: Object) -> Iterator[str]:
    if not PINNED.match(container["image"]):
        yield f"image {container['image']} is not pinned by tag and digest"


def _scratch(container: Object, _: Object) -> Iterator[str]:
    if "/tmp" not in {mount["mountPath"] for mount in container.get("volumeMounts", [])}:
        yield "has no /tmp"


def _secrets(container: Object, _: Object) -> Iterator[str]:
    for variable in container.get("env", []):
        if SECRET.search(variable["name"]) and "value" in variable:
            yield f"{variable['name']} is written down"


def _setting(container: Object, spec: Object, name: str) -> Any:
    """What holds for a container: its own word, else the pod's."""
    for place in (container, spec):
        if name in place.get("securityContext", {}):
            return place["securityContext"][name]
    return None


OF_PODS: Sequence[Callable[[Object], Iterator[str]]] = (_host, _volumes, _sysctls, _identity)
OF_CONTAINERS: Sequence[Callable[[Object, Object], Iterator[str]]] = (
    _user, _profile, _privileges, _ports, _resources, _image, _scratch, _secrets,
)  # fmt: skip

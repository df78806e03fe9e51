"""The policy accepts our pods, and refuses a pod for every single thing that is wrong with it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.k8s.manifests import OVERLAYS, pods
from tests.k8s.policy import violations

DIGEST = "sha256:" + "5e" * 32
Pod = dict[str, Any]


def good() -> Pod:
    """A pod that nothing is wrong with."""
    probe = {"httpGet": {"path": "/health", "port": 5000}}
    amounts = {"cpu": "1", "memory": "1Gi"}
    container = {
        "name": "server",
        "image": f"registry.example.com/tidegate/steps:1.0@{DIGEST}",
        "resources": {"requests": {**amounts}, "limits": {**amounts}},
        "ports": [{"containerPort": 5000}],
        "env": [{"name": "DO_NOT_TRACK", "value": "true"}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    return {
        "spec": {
            "serviceAccountName": "server",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "initContainers": [{**copy.deepcopy(container), "name": "prepare"}],
            "containers": [container | {"readinessProbe": probe, "livenessProbe": copy.deepcopy(probe)}],
            "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}}],
        }
    }


def the(pod: Pod, *path: str | int) -> Any:
    """What lies in the pod's spec, at a path."""
    found = pod["spec"]
    for step in path:
        found = found[step]
    return found


def server(pod: Pod, *path: str | int) -> Any:
    """What lies in the pod's one container, at a path."""
    return the(pod, "containers", 0, *path)


BAD: dict[str, tuple[Callable[[Pod], Any], str]] = {
    "root by its own word": (lambda p: server(p, "securityContext").update(runAsUser=0), "is root"),
    "root by the image's word": (lambda p: the(p, "securityContext").pop("runAsUser"), "is root"),
    "perhaps root": (lambda p: the(p, "securityContext").pop("runAsNonRoot"), "may be root"),
    "root in one container": (lambda p: server(p, "securityContext").update(runAsNonRoot=False), "may be root"),
    "privileged": (lambda p: server(p, "securityContext").update(privileged=True), "is privileged"),
    "escalation": (lambda p: server(p, "securityContext").pop("allowPrivilegeEscalation"), "may gain privileges"),
    "a root it can write to": (lambda p: server(p, "securityContext").pop("readOnlyRootFilesystem"), "can write"),
    "no capability dropped": (lambda p: server(p, "securityContext").pop("capabilities"), "capabilities"),
    "a capability added": (lambda p: server(p, "securityContext", "capabilities").update(add=["NET_RAW"]), "capabil"),
    "unmasked /proc": (lambda p: server(p, "securityContext").update(procMount="Unmasked"), "/proc"),
    "no seccomp": (lambda p: the(p, "securityContext").pop("seccompProfile"), "seccomp"),
    "seccomp off": (lambda p: the(p, "securityContext", "seccompProfile").update(type="Unconfined"), "seccomp"),
    "an SELinux user": (lambda p: the(p, "securityContext").update(seLinuxOptions={"user": "x"}), "seLinuxOptions"),
    "AppArmor off": (lambda p: the(p, "securityContext").update(appArmorProfile={"type": "Unconfined"}), "appArmor"),
    "a sysctl": (lambda p: the(p, "securityContext").update(sysctls=[{"name": "kernel.msgmax"}]), "kernel.msgmax"),
    "the node's network": (lambda p: p["spec"].update(hostNetwork=True), "hostNetwork"),
    "the node's processes": (lambda p: p["spec"].update(hostPID=True), "hostPID"),
    "the node's memory": (lambda p: p["spec"].update(hostIPC=True), "hostIPC"),
    "the node's port": (lambda p: server(p, "ports", 0).update(hostPort=5000), "port of the node"),
    "the node's files": (lambda p: the(p, "volumes").append({"name": "h", "hostPath": {"path": "/"}}), "hostPath"),
    "a probe elsewhere": (lambda p: server(p, "livenessProbe", "httpGet").update(host="10.0.0.1"), "another host"),
    "a token": (lambda p: p["spec"].pop("automountServiceAccountToken"), "token"),
    "the default account": (lambda p: p["spec"].pop("serviceAccountName"), "default account"),
    "service links": (lambda p: p["spec"].pop("enableServiceLinks"), "every service"),
    "no limits": (lambda p: server(p, "resources").pop("limits"), "no limits"),
    "no memory request": (lambda p: server(p, "resources", "requests").pop("memory"), "no requests"),
    "no digest": (lambda p: server(p).update(image="registry.example.com/tidegate/steps:1.0"), "not pinned"),
    "no tag": (lambda p: server(p).update(image=f"registry.example.com/tidegate/steps@{DIGEST}"), "not pinned"),
    "latest": (lambda p: server(p).update(image=f"tidegate/steps:latest@{DIGEST}"), "not pinned"),
    "zeros for a digest": (lambda p: server(p).update(image=f"tidegate/steps:1.0@sha256:{'0' * 64}"), "not pinned"),
    "a sidecar's image": (lambda p: the(p, "initContainers", 0).update(image="busybox"), "prepare: image busybox"),
    "no readiness": (lambda p: server(p).pop("readinessProbe"), "readinessProbe"),
    "no liveness": (lambda p: server(p).pop("livenessProbe"), "livenessProbe"),
    "no place to write": (lambda p: server(p, "volumeMounts").clear(), "/tmp"),
    "endless scratch": (lambda p: the(p, "volumes", 0).update(emptyDir={}), "sizeLimit"),
    "a password in git": (lambda p: server(p, "env").append({"name": "PGPASSWORD", "value": "x"}), "written down"),
}


def test_a_good_pod_is_accepted() -> None:
    assert violations(good()) == []


@pytest.mark.parametrize("name", BAD)
def test_one_bad_thing_is_refused(name: str) -> None:
    change, told = BAD[name]
    pod = good()
    change(pod)
    found = violations(pod)
    assert found and all(told in text for text in found), found


@pytest.mark.tools
def test_a_digest_for_every_image_but_that_which_never_left_the_machine() -> None:
    found = {text for _, pod in pods("local") for text in violations(pod)}
    local = "image tidegate/steps:local is not pinned by tag and digest"
    assert found == {f"prepare: {local}", f"mlflow: {local}"}


@pytest.mark.tools
def test_production_starts_nothing_until_somebody_names_an_image() -> None:
    found = {text for _, pod in pods("production") for text in violations(pod)}
    zeros = f"image tidegate/steps:example@sha256:{'0' * 64} is not pinned by tag and digest"
    assert found == {f"prepare: {zeros}", f"mlflow: {zeros}"}


@pytest.mark.tools
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_it_is_asked_about_every_pod(overlay: str) -> None:
    assert {name for name, _ in pods(overlay)} >= {"mlflow"}

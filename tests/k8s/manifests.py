"""What kustomize makes of the manifests, and the few questions that the tests ask it."""

import functools
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.tiers import lacking, needs

Object = Mapping[str, Any]
ROOT = Path(__file__).parents[2]
OVERLAYS = ("local", "production")
SERVING = ("local/serving", "production/serving")  # after an overlay, on a cluster with KServe
PODS = {"Deployment", "StatefulSet", "DaemonSet", "Job"}


@functools.cache
def rendered(overlay: str) -> tuple[Object, ...]:
    """Every object of an overlay."""
    return render(ROOT / "k8s/overlays" / overlay)


def render(folder: Path) -> tuple[Object, ...]:
    """Every object of a folder with a kustomization."""
    needs("tools")
    found = subprocess.run([*_kustomize(), folder], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return tuple(YAML(typ="safe", pure=True).load_all(found.stdout))


def one(overlay: str, kind: str, name: str) -> Object:
    """The object of that kind and name."""
    (found,) = [item for item in of_kind(overlay, kind) if item["metadata"]["name"] == name]
    return found


def of_kind(overlay: str, kind: str) -> list[Object]:
    """The objects of one kind."""
    return [item for item in rendered(overlay) if item["kind"] == kind]


def pods(overlay: str) -> Iterator[tuple[str, Object]]:
    """Name and pod template of everything that runs."""
    for item in rendered(overlay):
        if item["kind"] in PODS:
            yield item["metadata"]["name"], item["spec"]["template"]
        if item["kind"] == "InferenceService":
            yield "predictor", _of_kserve(item)


def _of_kserve(service: Object) -> Object:
    """The pod template that KServe makes: fields of its own and those of a pod stand side by side."""
    name, spec = service["metadata"]["name"], service["spec"]["predictor"]
    labels = {"serving.kserve.io/inferenceservice": name, "component": "predictor", "app": f"isvc.{name}-predictor"}
    return {"metadata": {"labels": {**labels, **spec["labels"]}}, "spec": spec}


def containers(pod: Object) -> list[Object]:
    """All containers of a pod template, those that prepare it first."""
    spec = pod["spec"]
    return [*spec.get("initContainers", []), *spec["containers"], *spec.get("ephemeralContainers", [])]


def _kustomize() -> list[str]:
    """The program a user has: kubectl with kustomize 5 inside, or kustomize itself."""
    if shutil.which("kubectl"):
        told = subprocess.run(["kubectl", "version", "--client"], capture_output=True, text=True, check=False).stdout
        if re.search(r"Kustomize Version: v5", told):
            return ["kubectl", "kustomize"]
    if shutil.which("kustomize"):
        return ["kustomize", "build"]
    lacking("needs kubectl 1.27 or kustomize 5")

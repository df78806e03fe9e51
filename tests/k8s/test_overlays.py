"""What somebody changes in an overlay has the effect that its comment promises."""

import re
import shutil
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest
from kubernetes.utils import parse_quantity

from tests.k8s.manifests import OVERLAYS, PODS, ROOT, Object, pods, render, rendered
from tests.k8s.network import End, Port, reaches
from tests.k8s.policy import violations
from tests.k8s.test_network import TASK


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The manifests, to do things to."""
    return Path(shutil.copytree(ROOT / "k8s", tmp_path / "k8s"))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_namespace_of_the_tasks_is_said_in_one_place(overlay: str, copy: Path) -> None:
    replace(copy / "base/tasks/kustomization.yaml", "namespace: kubeflow", "namespace: team-a")
    objects = render(copy / "overlays" / overlay)
    assert {item["metadata"].get("namespace", "tidegate") for item in objects} == {"tidegate", "team-a"}
    bindings = [item for item in objects if item["kind"] == "RoleBinding"]
    assert {subject["namespace"] for item in bindings for subject in item["subjects"]} == {"team-a"}
    policies = [item for item in objects if item["kind"] == "NetworkPolicy"]
    for name, pod in pods(overlay):
        target, port = End("tidegate", pod["metadata"]["labels"]), _first_port(pod["spec"])
        assert not reaches(policies, End("kubeflow", TASK), target, port)
        assert reaches(policies, End("team-a", TASK), target, port) is (name != "postgres")


def test_production_is_pinned_by_naming_an_image(copy: Path) -> None:
    digest = "sha256:" + "5e" * 32
    replace(copy / "overlays/production/kustomization.yaml", "sha256:" + "0" * 64, digest)
    objects = render(copy / "overlays/production")
    (mlflow,) = [item for item in objects if item["kind"] == "Deployment"]
    assert violations(mlflow["spec"]["template"]) == []
    assert mlflow["spec"]["replicas"] == 2
    assert [item["spec"]["minAvailable"] for item in objects if item["kind"] == "PodDisruptionBudget"] == [1]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_quota_has_room_for_every_pod_and_one_that_replaces_another(overlay: str) -> None:
    (hard,) = [item["spec"]["hard"] for item in rendered(overlay) if item["kind"] == "ResourceQuota"]
    running = [item["spec"] for item in rendered(overlay) if item["kind"] in PODS]
    for end, resource in product(("requests", "limits"), ("cpu", "memory")):
        amounts = [_amount(spec["template"]["spec"], end, resource) for spec in running]
        needed = sum(amount * spec["replicas"] for amount, spec in zip(amounts, running, strict=True)) + max(amounts)
        assert needed <= parse_quantity(hard[f"{end}.{resource}"]), f"{end}.{resource}"
    claims = [claim["spec"] for spec in running for claim in spec.get("volumeClaimTemplates", [])]
    assert len(claims) <= int(hard["persistentvolumeclaims"])
    storage = sum(parse_quantity(claim["resources"]["requests"]["storage"]) for claim in claims)
    assert storage <= parse_quantity(hard["requests.storage"])


def _amount(spec: Object, end: str, resource: str) -> Decimal:
    """What a pod counts for: its containers together, or the largest of those that prepare it."""
    together = sum(parse_quantity(item["resources"][end][resource]) for item in spec["containers"])
    preparing = [parse_quantity(item["resources"][end][resource]) for item in spec.get("initContainers", [])]
    found: Decimal = max(Decimal(together), *preparing, Decimal(0))
    return found


def replace(path: Path, old: str, new: str) -> None:
    """Change a text that has to be there once."""
    text = path.read_text()
    assert len(re.findall(re.escape(old), text)) == 1
    path.write_text(text.replace(old, new))


def _first_port(spec: Object) -> Port:
    return Port(spec["containers"][0]["ports"][0]["containerPort"])

"""Every rendered object is one that Kubernetes knows, field by field, in an older and a newer version."""

import copy

import jsonschema
import kubernetes_validate
import pytest

from tests.k8s import crds
from tests.k8s.manifests import OVERLAYS, SERVING, Object, one, rendered

VERSIONS = ("1.31", "1.36")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS + SERVING)
def test_every_object_is_valid(overlay: str, version: str) -> None:
    for item in rendered(overlay):
        if item["kind"] in crds.SOURCES:
            jsonschema.validate(dict(item), crds.schema(item["kind"]))
        else:
            kubernetes_validate.validate(dict(item), version, strict=True)


@pytest.mark.parametrize(("kind", "field"), [("InferenceService", "predictor"), ("ServiceMonitor", "selector")])
def test_a_field_that_a_custom_resource_does_not_have_is_refused(kind: str, field: str) -> None:
    (item,) = [copy.deepcopy(dict(item)) for item in rendered("local/serving") if item["kind"] == kind]
    item["spec"][field]["mininumReplicas"] = 1
    with pytest.raises(jsonschema.ValidationError, match="mininumReplicas"):
        jsonschema.validate(item, crds.schema(kind))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_misspelled_field_is_refused(version: str) -> None:
    deployment = copy.deepcopy(dict(one("local", "Deployment", "mlflow")))
    deployment["spec"]["template"]["spec"]["containers"][0]["redinessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="redinessProbe"):
        kubernetes_validate.validate(deployment, version, strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS + SERVING)
def test_every_object_is_there_once_and_says_whose_it_is(overlay: str) -> None:
    names = [_identity(item) for item in rendered(overlay)]
    assert sorted(names) == sorted(set(names))
    assert {item["metadata"]["labels"]["app.kubernetes.io/part-of"] for item in rendered(overlay)} == {"tidegate"}


@pytest.mark.parametrize("overlay", OVERLAYS + SERVING)
def test_no_secret_is_among_them(overlay: str) -> None:
    assert "Secret" not in {item["kind"] for item in rendered(overlay)}


def test_production_brings_no_store_of_its_own() -> None:
    kinds = {item["kind"] for item in rendered("production")}
    assert kinds.isdisjoint({"StatefulSet", "PersistentVolumeClaim"})


def _identity(item: Object) -> tuple[str, str, str]:
    return item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]

"""The schemas of custom resources that the manifests use, reduced from the definitions that their projects publish.

`python -m tests.k8s.crds FOLDER` writes them anew. FOLDER holds the sources of the modules in `SOURCES`, as `go mod
download` puts them into `$(go env GOMODCACHE)`.
"""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

FOLDER = Path(__file__).parent / "schemas"


class Source(NamedTuple):
    """A definition: its module with the version, its file there, the version of the resource; `without` fields."""

    module: str
    file: str
    version: str
    without: frozenset[str] = frozenset()


# The predictor is any container, or one of these, of which each repeats all fields of a container.
SERVERS = frozenset(
    {
        *("huggingface", "lightgbm", "model", "onnx", "paddle", "pmml", "pytorch", "sklearn", "tensorflow", "triton"),
        *("xgboost", "workerSpec", "explainer", "transformer", "status", "ephemeralContainers"),
    }
)
SOURCES = {
    "InferenceService": Source(
        "github.com/kserve/kserve@v0.20.0",
        "config/crd/full/serving.kserve.io_inferenceservices.yaml",
        "v1beta1",
        SERVERS,
    ),
    "PrometheusRule": Source(
        "github.com/prometheus-operator/prometheus-operator@v0.82.0",
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
        "v1",
        frozenset({"status", "partial_response_strategy"}),  # Thanos' own; its pattern is one of Go's
    ),
    "ServiceMonitor": Source(
        "github.com/prometheus-operator/prometheus-operator@v0.82.0",
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
        "v1",
        frozenset({"status"}),
    ),
}


def schema(kind: str) -> dict[str, Any]:
    """The JSON schema of a custom resource, in which a field that is not defined is refused."""
    found: dict[str, Any] = json.loads((FOLDER / f"{kind}.json").read_text())
    return found


def reduced(definition: Any, source: Source) -> Any:
    """The schema of one version, without descriptions and without fields that the manifests do not use."""
    (version,) = [entry for entry in definition["spec"]["versions"] if entry["name"] == source.version]
    whole = version["schema"]["openAPIV3Schema"]
    whole["properties"]["metadata"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {"$comment": f"{source.module}/{source.file}", **_reduced(whole, source.without)}


def _reduced(node: Any, without: frozenset[str]) -> Any:
    if node.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    found = {key: node[key] for key in ("type", "enum", "required", "minimum", "maximum", "pattern") if key in node}
    if "properties" in node:
        named = {name: field for name, field in node["properties"].items() if name not in without}
        found |= {"properties": {name: _reduced(field, without) for name, field in named.items()}}
        found |= {"additionalProperties": False}
    elif isinstance(node.get("additionalProperties"), dict):
        found |= {"additionalProperties": _reduced(node["additionalProperties"], without)}
    if "items" in node:
        found |= {"items": _reduced(node["items"], without)}
    return found


def main(modules: Path) -> None:
    """Write the schema of every custom resource."""
    for kind, source in SOURCES.items():
        text = (modules / source.module / source.file).read_text()
        found = reduced(YAML(typ="safe", pure=True).load(text), source)
        (FOLDER / f"{kind}.json").write_text(json.dumps(found, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

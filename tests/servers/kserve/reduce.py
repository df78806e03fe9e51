"""Reduces the CRD of KServe to what a canary needs: `python reduce.py CRD.yaml > inferenceservices.json`.

Of the spec are kept the predictor and the canaries; of these the fields that the deploy step reads or writes. Another
field keeps its name, and takes anything.
"""

import json
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

PREDICTOR = (
    *("name", "annotations", "labels", "minReplicas", "maxReplicas", "scaleTarget", "scaleMetric", "scaleMetricType"),
    *("canaryTrafficPercent", "containers", "model", "serviceAccountName"),
)
CONTAINER = ("name", "image", "command", "args", "env", "ports", "modelFormat", "runtime", "storageUri")
ANYTHING = {"x-kubernetes-preserve-unknown-fields": True}


def kept(schema: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """A schema of an object, with only these properties as they are."""
    properties = {name: rule if name in names else ANYTHING for name, rule in schema["properties"].items()}
    return {**schema, "properties": properties}


def predictor(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a predictor, reduced."""
    reduced = kept(schema, PREDICTOR)
    properties = reduced["properties"]
    properties["model"] = kept(properties["model"], CONTAINER)
    properties["containers"] = {
        **properties["containers"],
        "items": kept(properties["containers"]["items"], CONTAINER),
    }
    return reduced


def reduced(crd: dict[str, Any]) -> dict[str, Any]:
    """The schema of an InferenceService, reduced."""
    schema: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    spec, status = schema["properties"]["spec"], schema["properties"]["status"]
    canary = spec["properties"]["canary"]
    item = {**canary["items"], "properties": dict(canary["items"]["properties"])}
    item["properties"]["predictor"] = predictor(item["properties"]["predictor"])
    properties = {"predictor": predictor(spec["properties"]["predictor"]), "canary": {**canary, "items": item}}
    spec = {**spec, "properties": {name: properties.get(name, ANYTHING) for name in spec["properties"]}}
    fields = ("address", "canaryStatuses", "conditions", "deploymentMode", "url")
    return {**schema, "properties": {**schema["properties"], "spec": spec, "status": kept(status, fields)}}


def main() -> None:
    """Print the reduced schema of the CRD that is named."""
    crd = YAML(typ="safe").load(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(json.dumps(without_words(reduced(crd)), separators=(",", ":"), sort_keys=True))


def without_words(schema: Any) -> Any:
    """Without descriptions for people."""
    if isinstance(schema, dict):
        return {
            key: without_words(rule)
            for key, rule in schema.items()
            if not (key == "description" and isinstance(rule, str))
        }
    return [without_words(each) for each in schema] if isinstance(schema, list) else schema


if __name__ == "__main__":
    main()

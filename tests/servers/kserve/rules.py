"""What the API server and KServe's webhooks refuse of an InferenceService: by its schema, by rules for canaries."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

MODE = "serving.kserve.io/deploymentMode"
STANDARD, LEGACY = "Standard", "RawDeployment"
WEBHOOK = 'admission webhook "inferenceservice.kserve-webhook-server.validator" denied the request: '
IMPLEMENTATIONS = ("model", "sklearn", "xgboost", "tensorflow", "pytorch", "triton", "onnx", "huggingface", "pmml",
                   "lightgbm", "paddle")  # fmt: skip
AUTOSCALING = ("scaleTarget", "scaleMetric", "autoScaling")


@cache
def schema() -> Mapping[str, Any]:
    """The schema of an InferenceService (see README.md)."""
    document: Mapping[str, Any] = json.loads(Path(__file__).with_name("inferenceservices.json").read_text())
    return document


def pruned(value: Any, rule: Mapping[str, Any]) -> Any:
    """Without the fields that the schema does not know, as the API server stores it."""
    if isinstance(value, list) and "items" in rule:
        return [pruned(each, rule["items"]) for each in value]
    if not isinstance(value, dict) or "properties" not in rule:
        return value
    known, everything = rule["properties"], rule.get("x-kubernetes-preserve-unknown-fields")
    return {key: pruned(each, known.get(key, {})) for key, each in value.items() if key in known or everything}


def filled(value: Any, rule: Mapping[str, Any]) -> Any:
    """With the defaults of the schema, which the API server writes before it validates."""
    if isinstance(value, list):
        return [filled(each, rule.get("items", {})) for each in value]
    if not isinstance(value, dict):
        return value
    known = rule.get("properties", {})
    missing = {key: each["default"] for key, each in known.items() if "default" in each and key not in value}
    return missing | {key: filled(each, known.get(key, {})) for key, each in value.items()}


def invalid(document: Mapping[str, Any]) -> str | None:
    """What of a document the schema of the CRD refuses (422)."""
    spec = {key: document[key] for key in ("spec", "status") if key in document}
    fault = next(iter(jsonschema.Draft7Validator(schema()).iter_errors(spec)), None)
    if fault is None:
        return None
    path = ".".join(map(str, fault.absolute_path))
    return f'InferenceService.serving.kserve.io "{document["metadata"]["name"]}" is invalid: {path}: {fault.message}'


def defaulted(document: dict[str, Any]) -> dict[str, Any]:
    """As DefaultInferenceService writes it: the older name of the mode is replaced."""
    result: dict[str, Any] = filled(deepcopy(document), schema())
    notes = result["metadata"].setdefault("annotations", {})
    if notes.get(MODE) == LEGACY:
        notes[MODE] = STANDARD
    return result


def denied(document: Mapping[str, Any]) -> str | None:
    """What validateInferenceService refuses (403, as the API server passes it on)."""
    return next((WEBHOOK + reason for reason in _canary_faults(document)), None)


def _canary_faults(document: Mapping[str, Any]) -> Iterator[str]:
    """validateCanarySpecs."""
    canaries, stable = document["spec"].get("canary") or [], document["spec"]["predictor"]
    if not canaries:
        return
    if document["metadata"].get("annotations", {}).get(MODE) != STANDARD:
        yield f"canary is only supported in {STANDARD} deployment mode"
    if "model" not in stable and _storage(stable) is None:
        yield "canary requires a stable predictor with a model (multi-model serving is not supported with canary)"
    names = [canary["predictor"].get("name", "") for canary in canaries]
    for number, name in enumerate(names):
        if not name:
            yield f"canary[{number}] predictor.name is required"
        if name in names[:number]:
            yield f'canary predictor.name "{name}" is duplicated'
        if name == stable.get("name", ""):
            yield f'canary predictor.name "{name}" conflicts with stable predictor name'
        yield from _predictor_faults(name, canaries[number]["predictor"], stable)
    if (total := sum(canary["trafficPercent"] for canary in canaries)) > 100:
        yield f"sum of canary trafficPercent values ({total}) must be <= 100"


def _predictor_faults(name: str, canary: Mapping[str, Any], stable: Mapping[str, Any]) -> Iterator[str]:
    """validateCanarySpecs, of one canary."""
    kinds = [kind for kind in IMPLEMENTATIONS if kind in canary] or ["containers"] * ("containers" in canary)
    if len(kinds) != 1:  # validateExactlyOneImplementation
        yield f'canary "{name}" predictor: Exactly one of [Custom, SKLearn, ...] must be specified in PredictorSpec'
    if "workerSpec" in canary:
        yield f'canary "{name}" must not set workerSpec (multi-node is not yet supported for canary)'
    if canary.get("maxReplicas", 0) > 0:
        yield f'canary "{name}" must not set maxReplicas (canary uses fixed replicas)'
    for field in AUTOSCALING:
        if field in canary:
            yield f'canary "{name}" must not set {field} (canary uses fixed replicas)'
    least, most = canary.get("minReplicas"), stable.get("minReplicas", 1)
    if least is not None and least > most:
        yield f'canary "{name}" minReplicas ({least}) must not exceed stable predictor minReplicas ({most})'


def _storage(predictor: Mapping[str, Any]) -> str | None:
    """CustomPredictor.GetStorageUri."""
    for container in predictor.get("containers") or ():
        if container.get("name") == "kserve-container":
            return next((one["value"] for one in container.get("env") or () if one["name"] == "STORAGE_URI"), None)
    return None

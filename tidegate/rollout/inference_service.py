"""An InferenceService of KServe (v1beta1): what its document says, and the canary of a version; pure."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tidegate.process.errors import InputError

GUIDE = 'see docs/serving.md, "Deployment on KServe"'
STANDARD = ("Standard", "RawDeployment")  # the second is what KServe called the first before 0.16
MODE = "serving.kserve.io/deploymentMode"
# On the canary alone: those of the InferenceService itself go to its pods, which would start anew.
VERSION, BATCH = "tidegate/version", "tidegate/batch"
CONTAINER = "kserve-container"
STORAGE = "STORAGE_URI"
# What a canary may not have, because KServe computes its replicas; and what only the predictor has.
LEFT_OUT = {
    *("name", "minReplicas", "maxReplicas", "scaleTarget", "scaleMetric", "scaleMetricType", "autoScaling"),
    *("canaryTrafficPercent", "workerSpec"),
}
Spec = Mapping[str, Any]


@dataclass(frozen=True)
class Canary:
    """A canary: its share of the traffic as it should be and as it is (None: not yet seen by KServe), whether it is
    ready, and the version that it is of (None: no canary of ours)."""

    name: str
    percent: int
    observed: int | None
    ready: bool
    version: str | None
    batch: str


@dataclass(frozen=True)
class InferenceService:
    """An InferenceService: where it is, how it is deployed, whether it is ready, else why not."""

    namespace: str
    name: str
    resource_version: str
    mode: str
    predictor: Spec
    canaries: tuple[Canary, ...]
    ready: bool
    why_not: str
    url: str
    address: str

    def __str__(self) -> str:
        return f"InferenceService {self.namespace}/{self.name}"

    @property
    def canary(self) -> Canary | None:
        """The canary of ours."""
        return next((canary for canary in self.canaries if canary.version), None)

    @property
    def state(self) -> object:
        """What changes while KServe makes progress."""
        return self.canaries, self.ready, self.why_not

    @property
    def replicas(self) -> int:
        """The predictor's pods, at least."""
        return max(1, int(self.predictor.get("minReplicas") or 1))


def parse(document: Mapping[str, Any]) -> InferenceService:
    """The InferenceService that a document of the API is."""
    metadata, spec, status = document["metadata"], document.get("spec", {}), document.get("status", {})
    conditions = {condition["type"]: condition for condition in status.get("conditions", ())}
    ready = conditions.get("Ready", {})
    seen = {each["name"]: each for each in status.get("canaryStatuses") or ()}
    return InferenceService(
        namespace=metadata["namespace"],
        name=metadata["name"],
        resource_version=metadata["resourceVersion"],
        mode=metadata.get("annotations", {}).get(MODE) or status.get("deploymentMode") or "none",
        predictor=spec.get("predictor", {}),
        canaries=tuple(_canary(each, seen) for each in spec.get("canary") or ()),
        ready=ready.get("status") == "True",
        why_not=_why_not(conditions),
        url=status.get("url") or "",
        address=(status.get("address") or {}).get("url") or "",
    )


def _canary(spec: Spec, seen: Mapping[str, Spec]) -> Canary:
    predictor, name = spec["predictor"], spec["predictor"].get("name", "")
    status, notes = seen.get(name, {}), predictor.get("annotations") or {}
    return Canary(
        name=name,
        percent=spec["trafficPercent"],
        observed=status.get("trafficPercent"),
        ready=bool(status.get("ready")),
        version=notes.get(VERSION),
        batch=notes.get(BATCH, ""),
    )


def _why_not(conditions: Mapping[str, Spec]) -> str:
    """The first condition that is not met, in words."""
    for kind, condition in sorted(conditions.items()):
        if condition.get("status") != "True" and kind not in ("Ready", "Stopped"):
            return ": ".join(filter(None, (kind, condition.get("message") or condition.get("reason"))))
    return "no condition yet"


def check(service: InferenceService) -> None:
    """InputError for an InferenceService that KServe would give no canary, or would not split."""
    where, predictor = str(service), service.predictor
    if service.mode not in STANDARD:
        raise InputError(where, f"the annotation {MODE}: Standard", service.mode, GUIDE)
    if "canaryTrafficPercent" in predictor:
        raise InputError(where, "no canaryTrafficPercent, which this mode ignores", "one", "take it out")
    # As validateCanarySpecs of KServe has it.
    if "model" not in predictor and STORAGE not in _variables(predictor):
        found = "a container of its own, of which KServe makes no canary"
        raise InputError(where, "spec.predictor.model with a ServingRuntime", found, GUIDE)
    check_ours(service)


def check_ours(service: InferenceService) -> None:
    """InputError when there is a canary that Tidegate did not make."""
    if others := [canary.name for canary in service.canaries if not canary.version]:
        raise InputError(service, "no canary of another's", ", ".join(others), "take it out of spec.canary")


def _variables(predictor: Spec) -> set[str]:
    containers = [each for each in predictor.get("containers") or () if each.get("name") == CONTAINER]
    return {variable["name"] for container in containers for variable in container.get("env") or ()}


def canary_name(version: str) -> str:
    """The name of the canary of a version."""
    return f"v{version}"


def canary_of(service: InferenceService, version: str, batch: str, percent: int) -> Spec:
    """The canary of a version: the predictor once more, pinned to that version.

    InputError when nothing in the predictor runs `tidegate serve`.
    """
    predictor: dict[str, Any] = {
        key: deepcopy(value) for key, value in service.predictor.items() if key not in LEFT_OUT
    }
    container = _container(predictor)
    if container is None:
        raise InputError(str(service), f"a model, or a container {CONTAINER}", "neither", GUIDE)
    container["args"] = [*(container.get("args") or ()), "--version", version]
    predictor["annotations"] = {**(predictor.get("annotations") or {}), VERSION: version, BATCH: batch}
    return {"trafficPercent": percent, "predictor": {"name": canary_name(version), **predictor}}


def _container(predictor: dict[str, Any]) -> dict[str, Any] | None:
    """What has the arguments of the server. KServe adds those of a model to those of its ServingRuntime."""
    if "model" in predictor:
        model: dict[str, Any] = predictor["model"]
        model.setdefault("name", "")  # the CRD of KServe 0.20 demands it in a canary, and its webhook that it is empty
        return model
    return next((each for each in predictor.get("containers") or () if each.get("name") == CONTAINER), None)


def address_of_canary(service: InferenceService, version: str) -> str:
    """The address of the canary's own Service, which lies beside that of the predictor.

    KServe names it as `PredictorServiceName` says, and gives it nowhere.
    """
    if not service.address:
        return ""
    parts = urlsplit(service.address)
    _first, _, domain = parts.netloc.partition(".")
    return parts._replace(netloc=f"{service.name}-{canary_name(version)}-predictor.{domain}").geturl()

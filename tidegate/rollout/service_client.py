"""Reads one InferenceService and changes its canary, through the API of Kubernetes; nothing else of it is changed."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import urllib3
from kubernetes import client as kubernetes

from tidegate.process import limits
from tidegate.process.errors import InputError, UnavailableError
from tidegate.rollout.inference_service import GUIDE, InferenceService, Spec, parse
from tidegate.rollout.kubernetes_api import kubernetes_api, namespace
from tidegate.rollout.target import Target

API = "/apis/serving.kserve.io/v1beta1"
KIND = "inferenceservices.serving.kserve.io"
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
WEBHOOK = "admission webhook"  # its refusals are 403 too, and begin so
CONFLICTS = 8  # of attempts: KServe writes the status of the same object, several times a second while it works
Change = Callable[[InferenceService], Spec | None]


class ServiceClient:
    """The InferenceService of a name in a namespace."""

    def __init__(self, api: kubernetes.ApiClient, namespace: str, name: str) -> None:
        self._api, self.namespace, self.name = api, namespace, name
        self._path = f"{API}/namespaces/{namespace}/inferenceservices/{name}"

    def __str__(self) -> str:
        return f"InferenceService {self.namespace}/{self.name}"

    def read(self) -> InferenceService:
        """How it is now; InputError when it is not there or may not be read."""
        return parse(self._asked("GET", None, False))

    def change(self, canary: Change, dry_run: bool = False) -> InferenceService:
        """Set its only canary to what `canary` makes of it as it is, None for none; returns how it is then.

        Nobody else's change is lost: it is read again if another one came between.
        """
        for attempt in range(CONFLICTS):
            now = self.read()
            wanted = canary(now)
            patch = {
                "metadata": {"resourceVersion": now.resource_version},
                "spec": {"canary": None if wanted is None else [wanted]},
            }
            try:
                changed = parse(self._asked("PATCH", patch, dry_run))
            except _ConflictError:
                time.sleep(limits.ROLLOUT_POLL_SECONDS * attempt / CONFLICTS)
                continue
            if wanted and not changed.canaries:  # the CRD does not know the field, and drops it
                raise InputError(self, "a KServe that knows spec.canary", "an older one", "install 0.20 or later")
            return changed
        cure = "stop who else writes it, and run the step again"
        raise UnavailableError(self, "a change that comes through", f"{CONFLICTS} conflicts in a row", cure)

    def _asked(self, method: str, body: Any, dry_run: bool) -> Mapping[str, Any]:
        """The answer to a request, which is repeated while the API is away."""
        until = time.monotonic() + limits.ROLLOUT_AWAY_SECONDS
        while True:
            try:
                return self._once(method, body, dry_run)
            except (kubernetes.ApiException, urllib3.exceptions.HTTPError, OSError) as error:
                away = _away(error)
                if away is None:
                    assert isinstance(error, kubernetes.ApiException)
                    raise self._refused(method, error) from None
                if time.monotonic() > until:
                    cure = "run it again once it answers"
                    raise UnavailableError(self, "the Kubernetes API to answer", away, cure) from None
            time.sleep(limits.ROLLOUT_POLL_SECONDS)

    def _once(self, method: str, body: Any, dry_run: bool) -> Mapping[str, Any]:
        response, *_ = self._api.call_api(
            self._path,
            method,
            query_params=[("dryRun", "All")] if dry_run else [],
            header_params={"Accept": JSON, **({"Content-Type": MERGE_PATCH} if body else {})},
            body=body,
            auth_settings=["BearerToken"],
            _preload_content=False,
            _request_timeout=limits.API_SECONDS,
        )
        document: Mapping[str, Any] = json.loads(response.data)
        return document

    def _refused(self, method: str, error: kubernetes.ApiException) -> InputError:
        """Why the API refuses, for a person."""
        said = _message(error)
        if error.status == 409:
            return _ConflictError(self, "no change meanwhile", said, "run it again")
        if error.status in (401, 403) and WEBHOOK not in said:
            right = f"the right to {'get' if method == 'GET' else 'patch'} {KIND} in namespace {self.namespace}"
            return ForbiddenError(self, right, str(error.status), f"give it to who runs this: {GUIDE}")
        if error.status == 404:
            return InputError(self, "one on the cluster", "none, or no KServe", f"apply it first: {GUIDE}")
        return InputError(self, "a canary that KServe accepts", f"{error.status} ({said})", GUIDE)


class ForbiddenError(InputError):
    """The API refuses for lack of a right."""


class _ConflictError(InputError):
    """Another one has changed the object."""


def _away(error: Exception) -> str | None:
    """Why the API does not answer for now; None when it has answered."""
    if not isinstance(error, kubernetes.ApiException):
        return type(error).__name__
    return f"{error.status} {error.reason}" if error.status == 429 or error.status >= 500 else None


def _message(error: kubernetes.ApiException) -> str:
    """What the API says of a refusal."""
    try:
        return str(json.loads(error.body)["message"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)


def service_client_of(target: Target, problem: str, context: str | None = None) -> ServiceClient:
    """The InferenceService that serves a problem; InputError without a way to a cluster."""
    api = kubernetes_api(context)
    if api is None:
        cure = "run it in a pod, or set KUBECONFIG"
        raise InputError("deploy.target kserve", "a way to a cluster", "no kubeconfig", cure)
    place, _, name = (target.service or problem).rpartition("/")
    return ServiceClient(api, place or namespace(context), name)

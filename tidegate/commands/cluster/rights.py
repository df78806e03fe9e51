"""Checks the rights of the submitter and of the run's service account, and names the missing ones."""

from typing import Any, NamedTuple

import urllib3
from kubernetes import client as kubernetes

from tidegate.commands.cluster import objects
from tidegate.process.errors import InputError


class Right(NamedTuple):
    """A verb on a kind of object."""

    verb: str
    group: str
    resource: str
    subresource: str = ""

    def __str__(self) -> str:
        kind = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        return f"{self.verb} {kind}" + (f".{self.group}" if self.group else "")


# `logs`, `runs` and `submit --wait` need them to say why a pod does not start.
OWN = (Right("list", "", "pods"), Right("get", "", "pods", "log"), Right("list", "argoproj.io", "workflows"))
# Kubeflow's driver needs it to read the time that a run was scheduled for.
RUNS = Right("get", "argoproj.io", "workflows")
REVIEW = Right("create", "authorization.k8s.io", "localsubjectaccessreviews")


def check(cluster: kubernetes.ApiClient, namespace: str, account: str, timeout: float) -> str:
    """A sentence on the rights; InputError when the account lacks one, PermissionError when the submitter does."""
    try:
        lacking = [right for right in OWN if not _self(cluster, namespace, right, timeout)]
        run = _account(cluster, namespace, account, timeout)
    except kubernetes.ApiException as error:
        raise PermissionError(objects.refused(error, f"ask for rights in namespace {namespace}")) from None
    except urllib3.exceptions.HTTPError:
        expected, cure = "a cluster that answers", "see `kubectl version`"
        raise InputError(f"namespace {namespace}", expected, "no answer", cure) from None
    if run is False:
        thing = f"service account {account} in namespace {namespace}"
        expected = f"the right to {RUNS}, by which a run knows for when it was scheduled"
        raise InputError(thing, expected, "none", "apply k8s/base/tasks/run.yaml again: see docs/cluster.md")
    if missing := [*lacking, *([REVIEW] if run is None else [])]:
        rights = ", ".join(map(str, missing))
        raise PermissionError(f"no right to {rights} in namespace {namespace}: see k8s/base/tasks/submit.yaml")
    return f"{account} may {RUNS}, you may {', '.join(map(str, OWN))} in {namespace}"


def _self(cluster: kubernetes.ApiClient, namespace: str, right: Right, timeout: float) -> bool:
    spec = {"resourceAttributes": _attributes(namespace, right)}
    review = kubernetes.AuthorizationV1Api(cluster).create_self_subject_access_review
    return bool(review({"spec": spec}, _request_timeout=timeout).status.allowed)


def _account(cluster: kubernetes.ApiClient, namespace: str, account: str, timeout: float) -> bool | None:
    """None when the user may not review the rights of others."""
    spec = {
        "user": f"system:serviceaccount:{namespace}:{account}",
        "groups": ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"],
        "resourceAttributes": _attributes(namespace, RUNS),
    }
    body = {"metadata": {"namespace": namespace}, "spec": spec}
    review = kubernetes.AuthorizationV1Api(cluster).create_namespaced_local_subject_access_review
    try:
        return bool(review(namespace, body, _request_timeout=timeout).status.allowed)
    except kubernetes.ApiException as error:
        if error.status == 403:
            return None
        raise


def _attributes(namespace: str, right: Right) -> dict[str, Any]:
    attributes = {"namespace": namespace, "verb": right.verb, "group": right.group, "resource": right.resource}
    return attributes | ({"subresource": right.subresource} if right.subresource else {})

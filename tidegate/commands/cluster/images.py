"""Where the image of a run is: in its registry, or loaded into the nodes, as kind does it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import docker.auth
import urllib3
from kubernetes import client as kubernetes

from tidegate.commands.cluster import objects, registry
from tidegate.commands.cluster.registry import HUB
from tidegate.pipelines import kubeflow
from tidegate.pipelines.cluster import Cluster
from tidegate.process.errors import InputError
from tidegate.rollout.kubernetes_api import kubernetes_api

MOST_TOLD = 50  # the default number of images that a kubelet reports, the largest first
TAINTED = ("NoSchedule", "NoExecute")


class Nodes(NamedTuple):
    """The schedulable nodes: with the image, without it, and those whose report of images is incomplete."""

    having: Sequence[str]
    lacking: Sequence[str]
    silent: Sequence[str]


def check(settings: Cluster, context: str | None, timeout: float) -> str:
    """Where the image is; InputError when no pod could pull it, PermissionError when the cluster does not say."""
    image = kubeflow.image_of(settings)
    if settings.pull_policy == "Never":
        return _loaded(image, nodes(image, context, timeout))
    try:
        return f"{image} {registry.check(image, timeout)}".strip()
    except InputError as refused:
        if settings.pull_policy == "Always":
            raise
        return _instead(image, context, timeout, refused)


def nodes(image: str, context: str | None, timeout: float) -> Nodes:
    """The nodes by whether they have the image; PermissionError when they may not be listed."""
    cluster = kubernetes_api(context)
    if cluster is None:
        raise PermissionError("no kubeconfig, by which to see the images of the nodes")
    try:
        all_nodes = kubernetes.CoreV1Api(cluster).list_node(_request_timeout=timeout).items
    except kubernetes.ApiException as error:
        raise PermissionError(objects.refused(error, "list nodes in the cluster")) from None
    except urllib3.exceptions.HTTPError:
        raise PermissionError("no answer from the cluster, whose nodes have the images") from None
    taking = [node for node in all_nodes if _takes_pods(node)]
    having = [node.metadata.name for node in taking if _names(image) & _image_names(node)]
    others = [node for node in taking if node.metadata.name not in having]
    full = [node.metadata.name for node in others if len(node.status.images or []) >= MOST_TOLD]
    return Nodes(having, [node.metadata.name for node in others if node.metadata.name not in full], full)


def _instead(image: str, context: str | None, timeout: float, refused: InputError) -> str:
    """For an image in no registry: right when all nodes have it; `refused` when none has or reports it."""
    try:
        cluster_nodes = nodes(image, context, timeout)
    except PermissionError:
        raise refused from None
    if not cluster_nodes.having:
        raise refused
    return f"{_loaded(image, cluster_nodes)}, in no registry"


def _loaded(image: str, cluster_nodes: Nodes) -> str:
    if cluster_nodes.lacking:
        names = ", ".join(cluster_nodes.lacking)
        raise InputError(image, "it on every node", f"none on {names}", f"run `kind load docker-image {image}`")
    if cluster_nodes.silent:
        raise PermissionError(f"{', '.join(cluster_nodes.silent)} tells of its {MOST_TOLD} largest images only")
    if not cluster_nodes.having:
        raise InputError(image, "a node that takes pods", "none", "see `kubectl get nodes`")
    return f"{image} on {', '.join(cluster_nodes.having)}"


def _takes_pods(node: Any) -> bool:
    return not node.spec.unschedulable and not any(taint.effect in TAINTED for taint in node.spec.taints or [])


def _image_names(node: Any) -> set[str]:
    return {name for entry in node.status.images or [] for name in entry.names or []}


def _names(image: str) -> set[str]:
    """The name as written, and as container runtimes complete it."""
    repository, _, tag = image.rpartition(":")
    host, name = docker.auth.resolve_repository_name(repository)
    return {image, f"{host}/{'library/' if host == HUB and '/' not in name else ''}{name}:{tag}"}

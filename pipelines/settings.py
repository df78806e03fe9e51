"""Applies the settings of `cluster.yaml` to every task, and the fixed ones: caching, user, run id."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

from kfp import kubernetes
from kfp.dsl import PipelineTask
from kfp.dsl.pipeline_context import Pipeline

from tidegate.pipelines.cluster import FACTOR, Cluster, Reference, Step, Volume, agree
from tidegate.process import code

# They read the sources or the registry, or write to MLflow; a cache key does not cover these.
NEVER_CACHED = ("collect", "gate", "train", "evaluate", "deploy", "predict", "monitor")
USER = 10001  # the non-root user of the image
LABEL = {"label_key": "app.kubernetes.io/part-of", "label_value": "tidegate"}  # network policies select by it
RUN_ID = {"env_name": "TIDEGATE_KUBEFLOW_RUN", "field_path": "metadata.labels['pipeline/runid']"}


def configured(
    wiring: Callable[..., None], cluster: Cluster, image: str, others: Sequence[str] = code.BESIDE
) -> Callable[..., None]:
    """`wiring` with settings for every task; InputError unless each task has a section in `steps` and vice versa."""

    @functools.wraps(wiring)
    def pipeline(*args: Any, **kwargs: Any) -> None:
        wiring(*args, **kwargs)
        tasks = Pipeline.get_default_pipeline().tasks  # includes those within `dsl.If`
        agree(cluster, list(tasks), others)
        for name, task in tasks.items():
            _set(task, cluster, cluster.steps[name], image)

    return pipeline


def _set(task: PipelineTask, cluster: Cluster, step: Step, image: str) -> None:
    task.set_container_image(image)
    task.set_caching_options(task.name not in NEVER_CACHED)  # kfp's default depends on a variable
    task.set_cpu_request(step.cpu["request"]).set_cpu_limit(step.cpu["limit"])
    task.set_memory_request(step.memory["request"]).set_memory_limit(step.memory["limit"])
    if step.retries.times:
        _try_again(task, step)
    kubernetes.set_timeout(task, step.patience)
    kubernetes.set_security_context(task, run_as_user=USER, run_as_group=USER, run_as_non_root=True)
    kubernetes.add_pod_label(task, **LABEL)
    kubernetes.set_image_pull_policy(task, cluster.pull_policy)
    if cluster.pull_secrets:
        kubernetes.set_image_pull_secrets(task, list(cluster.pull_secrets))
    for label, value in step.node_selector.items():
        kubernetes.add_node_selector(task, label, value)
    for toleration in step.tolerations:
        kubernetes.add_toleration(task, **toleration)
    kubernetes.use_field_path_as_env(task, **RUN_ID)
    for reference in step.environment:
        _give(task, reference)
    for volume in step.volumes:
        _mount(task, volume)


def _try_again(task: PipelineTask, step: Step) -> None:
    """Retry in the pod, because clusters configure Argo's retries; and by Argo, which can replace a lost pod."""
    times, wait = step.retries
    flags = {"times": times, "wait": wait, "timeout": step.timeout}
    words = [word for flag, value in flags.items() for word in (f"--{flag}", str(value))]
    spec = task.container_spec
    spec.command = ["python", "-m", "tidegate.process.attempts", *words, "--", *spec.command]
    task.set_retry(times, f"{wait}s", FACTOR, f"{step.persistence}s")


def _give(task: PipelineTask, reference: Reference) -> None:
    use = kubernetes.use_secret_as_env if reference.kind == "secret" else kubernetes.use_config_map_as_env
    use(task, reference.name, dict(reference.keys), optional=reference.optional)


def _mount(task: PipelineTask, volume: Volume) -> None:
    mounts: dict[str, Callable[..., PipelineTask]] = {
        "secret": kubernetes.use_secret_as_volume,
        "config_map": kubernetes.use_config_map_as_volume,
        "claim": kubernetes.mount_pvc,
    }
    mounts[volume.kind](task, volume.name, volume.at)

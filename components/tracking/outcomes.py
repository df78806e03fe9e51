"""What came of a run on a cluster, read back from MLflow: the batch's decision, its release with the verdict in it."""

from collections.abc import Mapping
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run

from components.tracking.records import recorded
from components.tracking.runs import batch_tag
from components.tracking.store import answering, quoted

# Kubeflow's own plugin gives its runs this tag; ours have it as well.
kubeflow_tag = "kfp.pipeline_run_id"
until_tag = "tidegate.until"
Document = dict[str, Any]


@answering()
def outcome(
    client: MlflowClient, name: str, kubeflow_run: str, until: str, policies: Mapping[str, Mapping[str, Any]]
) -> tuple[Document | None, Document | None]:
    """The decision and the release of a run on Kubeflow; None for what is not recorded.

    `policies` are the parameters of the steps `gate` and `evaluate`: a batch has a record for each that it was asked
    with. A run without a tag of its own (the batch was decided before) is found by the moment it was for.
    """
    run = _run(client, name, kubeflow_run, until)
    if run is None:
        return None, None
    decisions, releases = (_records(client, run, kind) for kind in ("decision", "release"))
    decided = [document for document in decisions if _asked(document["policy"], policies["gate"])]
    released = [document for document in releases if _asked(document["verdict"]["policy"], policies["evaluate"])]
    decision = decided[-1] if decided else None
    # A gate that was opened by another policy left a release behind, which is none of this run's.
    return decision, released[-1] if released and decision and decision["retrain"] else None


def _asked(policy: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    return all(parameters.get(key, value) == value for key, value in policy.items())


def _run(client: MlflowClient, name: str, kubeflow_run: str, until: str) -> Run | None:
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return None
    for tag, value in ((kubeflow_tag, kubeflow_run), (until_tag, until[:10])):
        query = f"tags.`{tag}` = {quoted(value)} AND tags.`{batch_tag}` != ''"
        found = client.search_runs([experiment.experiment_id], query, order_by=["attributes.start_time DESC"])
        decided = [run for run in found if "tidegate.decision" in run.data.tags]
        if decided:
            return decided[0]
    return None


def _records(client: MlflowClient, run: Run, kind: str) -> list[Document]:
    """Every document of a kind, in the order of their names."""
    names = [key.removeprefix("tidegate.") for key in sorted(run.data.params)]
    found = [recorded(client, run.info.run_id, name) for name in names if name.startswith(f"{kind}.")]
    return [document for document in found if document is not None]

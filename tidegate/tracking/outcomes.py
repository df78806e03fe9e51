"""What came of a run on a cluster, read back from MLflow: the batch's decision, its release with the verdict in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tidegate.documents.decision import Decision
from tidegate.documents.release import Release
from tidegate.tracking.batch_runs import of_same_batch, runs_about
from tidegate.tracking.records import document
from tidegate.tracking.store import answering, quoted
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from tidegate.tracking.reader import Reader, Run

Document = dict[str, Any]


@answering()
def outcome(
    client: Reader, name: str, kubeflow_run: str, until: str, policies: Mapping[str, Mapping[str, Any]]
) -> tuple[Decision | None, Release | None]:
    """The decision and the release of a run on Kubeflow; None for what is not recorded.

    `policies` are the parameters of the steps `gate` and `evaluate`: a batch has a record for each that it was asked
    with. A run whose tag another one has taken since is found by the moment it was for.
    """
    runs = _runs(client, name, kubeflow_run, until)
    # What a person has still to approve has a verdict, and is not released.
    decisions, settled, open_still = (_records(client, runs, kind) for kind in ("decision", "release", "judged"))
    releases = [Release.of(values, f"release of {name} until {until[:10]}") for values in settled or open_still]
    every = [Decision.of(values, f"decision of {name} until {until[:10]}") for values in decisions]
    decided = [each for each in every if _agrees(each.policy.document(), policies["gate"])]
    released = [each for each in releases if _agrees(each.verdict.policy.document(), policies["evaluate"])]
    decision = decided[-1] if decided else None
    # A gate that was opened by another policy left a release behind, which is none of this run's.
    return decision, released[-1] if released and decision and decision.retrain else None


def _agrees(policy: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    return all(parameters.get(key, value) == value for key, value in policy.items())


def _runs(client: Reader, name: str, kubeflow_run: str, until: str) -> list[Run]:
    """The runs in MLflow of the batch that was decided, none if none was."""
    for tag, value in ((Tag.KUBEFLOW_RUN, kubeflow_run), (Tag.UNTIL, until[:10])):
        runs = runs_about(client, name, f"tags.`{tag}` = {quoted(value)} AND tags.`{Tag.DECISION}` != ''")
        if runs:
            return of_same_batch(client, runs[-1].info.run_id)
    return []


def _records(client: Reader, runs: Sequence[Run], kind: str) -> list[Document]:
    """Every document of a kind that the batch of these runs has, in the order of their names."""
    holders = {
        key.removeprefix("tidegate."): (run, digest)
        for run in reversed(runs)
        for key, digest in run.data.params.items()
        if key.startswith(f"tidegate.{kind}.")
    }
    return [document(client, run, name, digest) for name, (run, digest) in sorted(holders.items())]

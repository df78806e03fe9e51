"""What becomes of a challenger: why it is not registered, why it is promoted, and the release that says so; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from tidegate.documents.batch import Batch
from tidegate.documents.decision import Decision
from tidegate.documents.record import Record
from tidegate.documents.release import Release
from tidegate.documents.verdict import Verdict
from tidegate.process.errors import InputError
from tidegate.tables.recipe import check_trained
from tidegate.tracking.artifacts import Content

CURE = "run `tidegate run --anew`"


@dataclass(frozen=True)
class Challenger:
    """A challenger with what the steps before say of it; `files` are those that train logged, by name."""

    batch: Batch
    decision: Decision
    verdict: Verdict
    record: Record
    files: Mapping[str, Content]

    def release(
        self,
        version: str | None,
        champion: str | None,
        reason: str,
        experiment: str | None = None,
        waiting: bool = False,
    ) -> Release:
        """Its release: the version that it got, if any, and the champion after it.

        `waiting` is a version that a person has still to approve or to reject.
        """
        return Release(
            batch=self.batch.id,
            name=self.batch.name,
            until=self.batch.end[:10],
            promoted=version is not None and version == champion,
            waiting=waiting,
            version=version,
            champion=champion,
            experiment=experiment,
            reason=reason,
            verdict=self.verdict,
        )


def check_chain(challenger: Challenger) -> None:
    """InputError unless all documents are of the same batch, and the verdict is on the model that was trained."""
    batch, decision, verdict, record = challenger.batch, challenger.decision, challenger.verdict, challenger.record
    check_trained(record, batch)
    for name, found in {"decision.json": decision.batch, "verdict.json": verdict.batch}.items():
        if found != batch.id:
            raise InputError(name, f"batch {batch.id}", f"batch {found}", CURE)
    if verdict.challenger != record.digest:
        raise InputError("verdict.json", f"a verdict on {record.digest}", verdict.challenger, CURE)
    if not decision.retrain:
        raise InputError("decision.json", "an open gate", decision.decision, CURE)


def refusal(decision: Decision, verdict: Verdict, experiment: str | None, approval: str = "automatic") -> str | None:
    """Why a challenger is not registered, None when it may be."""
    if experiment:
        return f"experiment {experiment}: evaluated, never promoted"
    if not verdict.accepted:
        return "; ".join(verdict.reasons)
    if approval == "never":
        return "deploy.approval is never: evaluated, not promoted"
    return None


def promotion_reason(decision: Decision, verdict: Verdict) -> str:
    """One sentence for the journal: why it was retrained and why it was accepted."""
    return f"retrained because {'; '.join(decision.reasons)}; accepted because {'; '.join(verdict.reasons)}"

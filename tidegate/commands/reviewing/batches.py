"""`tidegate batches`: every batch that was decided, from the runs that MLflow holds."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from tidegate.commands.console import console
from tidegate.commands.loop.workspace import CONTRACT
from tidegate.contract.contract import read_contract
from tidegate.scoring.tasks import TASKS, display
from tidegate.tracking.tags import Tag


def decided() -> list[dict[str, str]]:
    """One document per batch in the order of time: what was decided, why, and who served after it."""
    from tidegate.tracking.batch_runs import batches
    from tidegate.tracking.store import reader

    promise = read_contract(CONTRACT)
    loss = TASKS[promise.task].loss
    return [row(tags, loss) for tags in batches(reader(), promise.name) if Tag.DECISION in tags]


def show(rows: Sequence[Mapping[str, str]]) -> None:
    """Print them for a person."""
    if not rows:
        console().print("no batch was decided yet: run `tidegate run`")
        return
    table = Table(
        "until",
        "rows",
        "gate",
        "verdict",
        "challenger",
        "champion",
        "serves",
        "because",
        box=None,
        padding=(0, 1),
        caption="challenger, champion: loss on the batch; serves: the version after it",
        caption_justify="left",
    )
    for batch in rows:
        because = batch["verdict_reasons"].split("; ")[0] if batch["verdict"] == "refused" else batch["reasons"]
        table.add_row(
            batch["until"],
            f"{int(batch['rows']):,}",
            batch["decision"],
            batch["verdict"],
            batch["challenger_loss"],
            batch["champion_loss"],
            batch["champion"],
            because,
        )
    console().print(table)


def row(tags: Mapping[str, str], loss: str) -> dict[str, str]:
    """The document of one batch, from the tags and metrics of its runs."""
    retrained = tags[Tag.DECISION] == "retrain"
    return {
        "batch": tags[Tag.BATCH],
        "until": tags[Tag.UNTIL],
        "rows": tags[Tag.ROWS],
        "decision": tags[Tag.DECISION],
        "reasons": tags[Tag.REASONS],
        "verdict": tags.get(Tag.VERDICT, "none yet") if retrained else "",
        "verdict_reasons": tags.get(Tag.VERDICT_REASONS, "") if retrained else "",
        "challenger_loss": _number(loss, tags.get(f"challenger.{loss}")) if retrained else "",
        "champion_loss": _number(loss, tags.get(f"champion.{loss}")) if retrained else "",
        "champion": tags[Tag.CHAMPION],
        "experiment": tags.get(Tag.EXPERIMENT, ""),
    }


def _number(loss: str, text: str | None) -> str:
    return display(loss, float(text)) if text else ""

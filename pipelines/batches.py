"""`tidegate batches`: every batch that was decided, from the runs that MLflow holds."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from components.contract import read_contract
from pipelines.console import console
from pipelines.workspace import contract


def decided() -> list[dict[str, str]]:
    """One document per batch in the order of time: what was decided, why, and who served after it."""
    from components.tracking.runs import batches
    from components.tracking.store import connect

    return [_row(tags) for tags in batches(connect(), read_contract(contract).name) if "tidegate.decision" in tags]


def show(rows: Sequence[Mapping[str, str]]) -> None:
    """Print them for a person."""
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
        caption="challenger, champion: log loss on the batch; serves: the version after it",
        caption_justify="left",
    )
    for row in rows:
        because = row["verdict_reasons"].split("; ")[0] if row["verdict"] == "refused" else row["reasons"]
        table.add_row(
            row["until"],
            f"{int(row['rows']):,}",
            row["decision"],
            row["verdict"],
            row["challenger_loss"],
            row["champion_loss"],
            row["champion"],
            because,
        )
    console().print(table)


def _row(tags: Mapping[str, str]) -> dict[str, str]:
    retrained = tags["tidegate.decision"] == "retrain"
    return {
        "batch": tags["tidegate.batch"],
        "until": tags["tidegate.until"],
        "rows": tags["tidegate.rows"],
        "decision": tags["tidegate.decision"],
        "reasons": tags["tidegate.reasons"],
        "verdict": tags.get("tidegate.verdict", "none yet") if retrained else "",
        "verdict_reasons": tags.get("tidegate.verdict.reasons", "") if retrained else "",
        "challenger_loss": _number(tags.get("challenger.log_loss")) if retrained else "",
        "champion_loss": _number(tags.get("champion.log_loss")) if retrained else "",
        "champion": tags["tidegate.champion"],
        "experiment": tags.get("tidegate.experiment", ""),
    }


def _number(text: str | None) -> str:
    return f"{float(text):.4f}" if text else ""

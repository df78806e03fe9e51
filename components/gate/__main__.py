"""The command of gate."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from components.champion import Champion, load_champion
from components.command import run
from components.contract import Contract, read_contract
from components.features import Window
from components.formats import read_json, replacing, write_json, write_parameter, write_text
from components.gate import asking
from components.gate.decision import check_mode, decide, document, numbers, settled
from components.gate.drift import column_threshold
from components.gate.page import write_decision
from components.gate.swapped import check_places
from components.gate.workspace import dumped
from components.tracking import decisions, logs, opinions, records
from components.tracking.runs import batch_run, finish
from components.tracking.store import connect

files = ("drift.json", "evidently.html", "report.html")


def gate(
    clean: Path,
    batch: Path,
    contract: Path,
    mode: str,
    sample_rows: int,
    minimum_rows: int,
    minimum_effect: float,
    prediction_drift: float,
    decay: float,
    decision: Path,
    drift: Path,
    evidently: Path,
    report: Path,
    signals: Path,
    retrain: Path,
) -> Mapping[str, Mapping[str, Any]]:
    """Decide once per batch and policy whether to retrain; asked again, return what was decided."""
    check_mode(mode)
    promise, this = read_contract(contract), read_json(batch)
    policy = {
        "mode": mode,
        "sample_rows": sample_rows,
        "minimum_rows": minimum_rows,
        "minimum_effect": minimum_effect,
        "prediction_drift": prediction_drift,
        "decay": decay,
    }
    paths = dict(zip(files, (drift, evidently, report), strict=True))
    answer = _answer(connect(), promise, this, policy, clean, paths)
    write_json(decision, answer)
    write_json(signals, numbers(answer))
    write_parameter(retrain, answer["retrain"])
    print(f"{answer['decision']}: {'; '.join(answer['reasons'])}")
    return {"signals": numbers(answer)}


def _answer(
    client: MlflowClient,
    contract: Contract,
    batch: dict[str, Any],
    policy: dict[str, Any],
    clean: Path,
    paths: dict[str, Path],
) -> dict[str, Any]:
    """What was decided, with its pages; a new one is recorded. Keeping the champion ends the batch."""
    run_id = batch_run(client, contract.name, batch["id"], {"tidegate.until": batch["end"][:10]})
    question = records.question("decision", policy)
    answer = records.recorded(client, run_id, question)
    if answer is not None:
        for name, path in paths.items():
            write_text(path, logs.text(client, run_id, f"gate/{question}/{name}"))
    else:
        more: dict[str, str] = {}
        answer = _decide(client, contract, batch, policy, clean, paths, more)
        noted = json.loads(more.pop("noted.json"))
        logs.dataset(client, run_id, contract.event, batch["data"], "batch")
        logs.files(
            client, run_id, {**paths, **more, "decision.json": json.dumps(answer, indent=2)}, f"gate/{question}"
        )
        logs.tags(client, run_id, {**_tags(batch, answer), **noted})
        answer = records.record(client, run_id, question, answer)
    if not answer["retrain"]:
        finish(client, run_id)
    return answer


def _tags(batch: dict[str, Any], answer: dict[str, Any]) -> dict[str, str]:
    return {
        "tidegate.rows": str(batch["rows"]),
        "tidegate.decision": answer["decision"],
        "tidegate.reasons": "; ".join(answer["reasons"]),
        "tidegate.champion": answer["champion"] or "none",
    }


def _decide(
    client: MlflowClient,
    contract: Contract,
    batch: dict[str, Any],
    policy: dict[str, Any],
    clean: Path,
    paths: dict[str, Path],
    more: dict[str, str],
) -> dict[str, Any]:
    """Decide anew; writes Evidently's findings and the page that shows them."""
    champion = load_champion(client, contract.name)
    if champion is None:
        answer = document(batch, None, settled(policy["mode"], "retrain", "there is no champion yet"), [], policy)
        _without_evidently(paths, "there is no champion to compare with")
    elif plain := _plain(champion, batch, policy):
        answer = document(batch, champion.version, settled(policy["mode"], *plain), [], policy)
        _without_evidently(paths, plain[1])
    else:
        answer = _compare(champion, batch, policy, clean, paths, more)
    past = decisions.past(client, contract.name, batch["end"])
    shown = {**_as_agreed(answer), "judgements": opinions.opinions(client, contract.name)}
    more |= {"noted.json": json.dumps(decisions.noted(shown, None))}
    write_decision(paths["report.html"], contract.name, shown, {}, past)
    return answer


def _plain(champion: Champion, batch: dict[str, Any], policy: dict[str, Any]) -> tuple[str, str] | None:
    """A decision that needs no comparison, and why; None when the champion is to be compared with the batch."""
    if champion.record["to"] >= batch["start"]:
        reason = f"the champion has learned from rows up to {champion.record['to']}, later than this batch begins"
        return "keep", reason
    if batch["rows"] < policy["minimum_rows"]:
        limit = f"gate.minimum_rows {policy['minimum_rows']:,}"
        return "cannot tell", f"{batch['rows']:,} rows are too few to tell drift from chance ({limit})"
    return None


def _compare(
    champion: Champion,
    batch: dict[str, Any],
    policy: dict[str, Any],
    clean: Path,
    paths: dict[str, Path],
    more: dict[str, str],
) -> dict[str, Any]:
    window = Window(datetime.fromisoformat(batch["start"]), datetime.fromisoformat(batch["end"]))
    rows = champion.batch(clean, window)
    snapshot, scores, nulls = asking.measured(champion, rows, policy["sample_rows"], int(batch["id"][:8], 16))
    found = asking.signals(champion, rows, scores, nulls, policy)
    if policy["mode"] == "auto":
        check_places(champion.reference, rows, champion.features, scores)
    write_json(paths["drift.json"], json.loads(snapshot.json()))
    more["snapshot.json"] = dumped(snapshot)
    with replacing(paths["evidently.html"]) as temporary:
        snapshot.save_html(str(temporary))
    return document(batch, champion.version, decide(policy["mode"], found), found, policy)


def _as_agreed(answer: dict[str, Any]) -> dict[str, Any]:
    """The decision as the page reads it, until this step writes it so."""
    signals = [_signal(it) for it in answer["signals"]]
    more = {"until": answer["window"]["end"][:10], "would_change": [], "compared": None}
    return {**answer, **more, "signals": signals}


def _signal(it: dict[str, Any]) -> dict[str, Any]:
    is_feature = "score" in it["detail"]
    kind = "features" if is_feature else "predictions" if "predictions" in it["name"] else "decay"
    compared = {"chance": column_threshold, "method": "", "new": [], "importance": None, "null_shift": 0.0}
    return {
        **it,
        "signal": kind,
        "column": it["name"].removeprefix("drift of ") if is_feature else None,
        "state": "opens" if it["opens"] else "shut",
        "limit": it["threshold"],
        "detail": {**compared, **it["detail"]} if is_feature else it["detail"],
    }


def _without_evidently(paths: dict[str, Path], reason: str) -> None:
    write_json(paths["drift.json"], {"skipped": reason})
    write_text(
        paths["evidently.html"], f"<!doctype html><html lang=en><title>Evidently</title><p>Not compared: {reason}."
    )


if __name__ == "__main__":
    run(gate)

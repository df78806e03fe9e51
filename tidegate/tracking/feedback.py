"""What people said of the gate's decisions: one on a batch was right or wrong, drift of a column is to be ignored."""

from typing import Any

from mlflow import MlflowClient

from tidegate.process.errors import InputError
from tidegate.tracking import journal, numbered
from tidegate.tracking.claims import batch_tag
from tidegate.tracking.entries import Entry, History, judgement
from tidegate.tracking.runs import runs_about
from tidegate.tracking.store import answering

Opinion = dict[str, Any]
cure = "see `tidegate batches --json`"


def opinions(past: History) -> list[Opinion]:
    """What holds by a journal, the oldest first: of several judgements on one batch or column only the last one does.

    Each is as `judgements` of a decision: kind (`batch`, `ignore`), about, said, until, who, when, why.
    """
    found: dict[tuple[str, str], Opinion] = {}
    for entry in past.judged:
        opinion = _opinion(entry)
        key = (opinion["kind"], opinion["about"])
        found.pop(key, None)
        found[key] = opinion
    return list(found.values())


@answering()
def say(client: MlflowClient, name: str, opinion: Opinion) -> bool:
    """Write a judgement into the journal; False when the same person's same word is what holds already."""
    unchanged = {key: value for key, value in opinion.items() if key != "when"}
    past = journal.history(client, name)
    if any(unchanged.items() <= known.items() for known in opinions(past)):
        return False
    said = {key: opinion[key] for key in ("kind", "about", "said", "until")}
    batch = opinion["about"] if opinion["kind"] == "batch" else ""
    told = (opinion["who"], opinion["when"], opinion["why"])
    entry = Entry(past.champion, "", batch, *told, feedback=said, kind=judgement)
    run_id = _run(client, name, batch)
    numbered.ensure(client, name)
    journal.append(client, name, entry, run_id)
    journal.repair(client, name)
    return True


@answering()
def decided_batch(client: MlflowClient, name: str, given: str) -> str:
    """The id of the decided batch that a prefix of its id, or its `until`, means; InputError when that is not one."""
    tags = [run.data.tags for run in runs_about(client, name, "tags.`tidegate.decision` != ''")]
    known = {it[batch_tag]: it.get("tidegate.until", "") for it in tags}
    found = [it for it, until in known.items() if given and (it.startswith(given) or until == given)]
    if len(found) == 1:
        return found[0]
    ids = ", ".join(f"{it[:12]} ({known[it]})" for it in found[:5]) or "none"
    raise InputError(f"batch {given!r}", "one that was decided: its id, the beginning of it, or its date", ids, cure)


def _opinion(entry: Entry) -> Opinion:
    said = {key: str(entry.feedback.get(key, "")) for key in ("kind", "about", "said", "until")}
    return {**said, "who": entry.who, "when": entry.when, "why": entry.why}


def _run(client: MlflowClient, name: str, batch: str) -> str:
    """The run of the batch that is judged; of a column, that of the batch that was decided last."""
    runs = runs_about(client, name)
    found = [str(run.info.run_id) for run in runs if not batch or run.data.tags[batch_tag] == batch]
    if not found:
        raise InputError(f"batch {batch!r}" if batch else name, "a batch that was decided", "none", cure)
    return found[-1]

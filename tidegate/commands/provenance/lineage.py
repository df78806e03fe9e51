"""What made a version, down to the digest of every source file, and what it led to; pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.commands.provenance.registered import Registered
from tidegate.tracking.tags import Tag

PROBLEM = ("contract.yaml", "features.sql", "model.yaml")
CODE = ("tidegate", "wheel", "lock")  # the version, and the digests of what it is made of


def lineage(registered: Registered, files: Mapping[str, str]) -> dict[str, Any]:
    """The lineage as a document; `files` are the SHA-256 of what was registered, by name."""
    record = registered.record
    made_from, where = record.made_from, record.environment.document()
    return {
        "name": registered.name,
        "version": registered.version,
        "model": record.digest,
        "serves": registered.history.champion == registered.version,
        "made_from": {
            "data": {"version": registered.tags[Tag.DATA], "md5": dict(made_from.files)},
            "problem": {name: files[name] for name in PROBLEM},
            "code": {"commit": registered.commit} | {key: where[key] for key in CODE},
            "batch": {"id": record.batch, "start": made_from.start, "end": made_from.end},
            "training": {
                "rows": record.rows,
                "from": record.from_,
                "to": record.to,
                "window_days": made_from.recipe.window_days,
            },
            "environment": {key: value for key, value in where.items() if key not in CODE},
        },
        "verdict": {
            key: value
            for key, value in registered.verdict.document().items()
            if key in ("champion", "accepted", "loss", "rows", "reasons")
        },
        "journal": [
            entry.row() for entry in registered.history.entries if registered.version in (entry.to, entry.before)
        ],
        "led_to": {
            "served": list(_terms(registered)),
            "batches": [{"batch": tags[Tag.BATCH], "until": tags[Tag.UNTIL]} for tags in registered.batches],
            "challengers": [
                {"version": version, "accepted": verdict.accepted} for version, verdict in registered.heirs.items()
            ],
        },
    }


def digests(tags: Mapping[str, str]) -> dict[str, str]:
    """The SHA-256 of every registered file, from a version's tags."""
    files: dict[str, str] = json.loads(tags[Tag.FILES])
    return files


def _terms(registered: Registered) -> Iterator[dict[str, Any]]:
    """When it served: from when, until when, and which version came after it; None while it serves."""
    counted = registered.history.counted
    for entry, after in zip(counted, [*counted[1:], None], strict=True):
        if entry.to == registered.version:
            yield {
                "since": entry.when,
                "until": after.when if after else None,
                "replaced_by": after.to if after else None,
            }


def lines(document: Mapping[str, Any]) -> Iterator[str]:
    """The lineage as text, one thing per line, what belongs to it indented below."""
    made_from, led = document["made_from"], document["led_to"]
    training, batch = made_from["training"], made_from["batch"]
    yield f"{document['name']} version {document['version']}{' (serves)' if document['serves'] else ''}"
    yield f"  model      {document['model']}"
    yield f"  data       {made_from['data']['version']}"
    yield from (f"    {digest}  {path}" for path, digest in made_from["data"]["md5"].items())
    yield "  problem"
    yield from (f"    {digest}  {name}" for name, digest in made_from["problem"].items())
    yield f"  code       commit {made_from['code']['commit']}"
    yield f"    lock     {made_from['code']['lock']}"
    yield f"  training   {training['rows']:,} rows, {training['from']} to {training['to']}"
    yield f"  batch      {batch['id']}, {batch['start'][:10]} to {batch['end'][:10]}"
    yield f"  verdict    {'accepted' if document['verdict']['accepted'] else 'refused'} against " + (
        f"version {document['verdict']['champion']}" if document["verdict"]["champion"] else "no champion"
    )
    yield "  journal"
    for entry in document["journal"]:
        move = f"{entry['from'] or 'none'} → {entry['to']}" if entry["kind"] != "rejection" else entry["to"]
        yield f"    {entry['entry']}  {entry['when']}  {move}  {entry['kind']} by {entry['who']}: {entry['why']}"
    yield "  led to"
    yield from (f"    {line}" for line in led_lines(led))


def led_lines(led: Mapping[str, Any]) -> list[str]:
    """What a version led to, a line each."""
    texts = []
    for term in led["served"]:
        after = f" until {term['until']}, then version {term['replaced_by']}" if term["until"] else " until now"
        texts.append(f"served from {term['since']}{after}")
    texts += [f"served after the batch until {batch['until']} ({batch['batch']})" for batch in led["batches"]]
    for each in led["challengers"]:
        texts.append(f"version {each['version']}, {'accepted' if each['accepted'] else 'refused'} against it")
    return texts or ["nothing"]

"""A model card from a version's record: sections of sentences and tables; pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.commands.provenance.lineage import led_lines
from tidegate.commands.provenance.markdown import Section
from tidegate.commands.provenance.registered import Registered
from tidegate.contract.contract import Contract
from tidegate.documents.record import Record
from tidegate.documents.verdict import Verdict
from tidegate.scoring.tasks import TASKS, display


def card(registered: Registered, contract: Contract, lineage: Mapping[str, Any]) -> list[Section]:
    """The sections of the card of a registered version, from its contract and its lineage."""
    return [
        Section("Purpose", tuple(_purpose(contract, registered, lineage))),
        _data(contract, registered.record, lineage["made_from"]),
        Section("Model", tuple(_model(registered.record))),
        _metrics(contract, registered.verdict),
        _slices(contract, registered.verdict),
        Section("Limits", tuple(_limits(contract, registered))),
        _lineage(lineage),
    ]


def _purpose(contract: Contract, registered: Registered, lineage: Mapping[str, Any]) -> Iterator[str]:
    yield contract.purpose
    prediction = f"{contract.task} prediction of {contract.label} per row of {contract.event}"
    yield f"One {prediction}, {contract.horizon} before it."
    status = "It serves now." if lineage["serves"] else "It does not serve now."
    yield f"{status} Version {registered.version} of {registered.name}."


def _data(contract: Contract, record: Record, made_from: Mapping[str, Any]) -> Section:
    private = [
        name
        for table in contract.tables.values()
        for name, column in table.columns.items()
        if column.role == "private"
    ]
    sentences = (
        f"{record.rows:,} rows from {record.from_} to {record.to} (UTC), at most "
        f"{made_from['training']['window_days']} days of history.",
        f"Data version {made_from['data']['version']}.",
        f"Private columns, which no model sees: {', '.join(private) or 'none are declared'}.",
    )
    rows = tuple((path, digest) for path, digest in made_from["data"]["md5"].items())
    return Section("Data", sentences, ("file", "MD5"), rows)


def _model(record: Record) -> Iterator[str]:
    parameters = record.estimator.parameters
    yield f"{record.estimator.estimator} with {_pairs(parameters) or 'its defaults'}."
    yield f"Features: {', '.join(f'{name} ({kind})' for name, kind in record.features.items())}."
    leading = list(record.importances.items())[:5]
    yield f"It leans most on {', '.join(f'{name} ({share:.3g})' for name, share in leading)}."
    where = {key: value for key, value in record.environment.document().items() if key != "lock"}
    yield f"Trained with {_pairs(where)}."


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items())


def _metrics(contract: Contract, verdict: Verdict) -> Section:
    names = [name for name in TASKS[contract.task].metrics if any(name in each.metrics for each in verdict.models)]
    rows = tuple(
        (each.model, *(display(name, each.metrics[name]) if name in each.metrics else "–" for name in names))
        for each in verdict.models
    )
    sentences = (
        f"Measured on {verdict.rows:,} labelled rows in {verdict.blocks} blocks, unseen by all models.",
        *(f"Accepted: {reason}." for reason in verdict.reasons),
        *(f"To be known: {note}." for note in verdict.notes),
    )
    return Section("Metrics", sentences, ("model", *(name.replace("_", " ") for name in names)), rows)


def _slices(contract: Contract, verdict: Verdict) -> Section:
    if not verdict.slices:
        return Section("Slices", ("No slice had enough rows, or none is declared.",))
    names = [name for name in verdict.slices[0].document() if name != "interval"]
    rows = tuple(tuple(_cell(getattr(part, name)) for name in names) for part in verdict.slices)
    loss = TASKS[contract.task].words
    return Section("Slices", (f"{loss.capitalize()} on each slice.",), tuple(names), rows)


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _limits(contract: Contract, registered: Registered) -> Iterator[str]:
    record = registered.record
    yield f"It knows nothing after {record.to}, and nothing before {record.from_}."
    yield f"Its features are what is known {contract.horizon} before an event."
    yield f"A label counts {contract.label_delay} after its event."
    yield f"It was evaluated on one batch of {registered.verdict.rows:,} rows; elsewhere its quality is not known."
    for name, reason in record.dropped.items():
        yield f"{name} is not learned from: {reason}."
    if lone := record.lone_classes:
        yield f"Classes it cannot predict, for want of rows: {', '.join(lone)}."
    if listed := len(registered.verdict.slices):
        yield f"Slices that are not listed above ({listed} are) had too few rows to be evaluated."


def _lineage(lineage: Mapping[str, Any]) -> Section:
    made_from = lineage["made_from"]
    sentences = (
        f"Commit {made_from['code']['commit']}, lock {made_from['code']['lock']}.",
        f"Model digest {lineage['model']}.",
        *(f"{name}: {digest}." for name, digest in made_from["problem"].items()),
        *(f"{line}." for line in led_lines(lineage["led_to"])),
    )
    rows = tuple(
        (entry["when"], entry["kind"], entry["to"], entry["who"], entry["why"]) for entry in lineage["journal"]
    )
    return Section("Lineage", sentences, ("when", "what", "version", "who", "why"), rows)

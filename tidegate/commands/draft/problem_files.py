"""The files of a new problem, drafted from one file of its events."""

import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from tidegate.commands.draft import PARAMETERS
from tidegate.commands.draft.column_names import chosen, stated
from tidegate.commands.draft.draft import draft, private_because
from tidegate.commands.draft.flow import flow
from tidegate.commands.draft.guesses import Label, Span, identifier, label_of, left_out, same_where_labelled, span_of
from tidegate.commands.draft.inference import noted
from tidegate.commands.draft.primary_key import key_of_events
from tidegate.documents.parameters import read_parameters
from tidegate.process.command import run
from tidegate.process.errors import InputError, line
from tidegate.process.termination import leave_after
from tidegate.tables.engine import columns_of, engine
from tidegate.tables.features import kind_of, subquery

if TYPE_CHECKING:
    import pandas as pd

LEARNED_ROWS = 1000  # of history that the training window should have
MOST_DAYS = 36_500
DECAY_SHARE = 0.05  # of the label's variance
CONTRACT_TOP = """\
# Drafted from {file}. Check every line, and promise what the next file must hold too.
name: {name}
purpose: {purpose}
task: {task}
event: {table}
label: {label}
label_delay: 0d          # check this: a label counts once its event is this old
horizon: 0h              # check this: features are what is known this long before the event
block: {block:<17} # rows of one block depend on each other
slices: []

tables:
  {table}:
    files: {files}
"""
WRITTEN = ("delimiter", "encoding", "header", "skip_lines", "missing")
MARKS = {
    "none": "  # check this: the first line has no names",
    "row_names": "  # check this: the first column has the names of the rows",
}
PROMISED = ("type", "from", "format", "missing", "nullable")
MODEL_TOP = "# The estimator by its import path, and its hyper-parameters.\n"


def begin(file: Path, label: str, time: str, key: str, names: str) -> None:
    """Print as JSON the texts of a problem's files, the parameters that differ from the defaults, and the task."""
    if not file.is_file():
        raise InputError(file, "a file", "nothing", "check the path")
    with engine(file.parent) as connection:
        table = draft(connection, file, time, stated(names))
        label, time, *own = chosen(table, file, label, time, [name for name in key.split(",") if name])
        name = _plain(file)
        table["key"] = own or _key(connection, file, table, label, time)
        target = label_of(connection, name, label, table["columns"][label]["type"])
        span = span_of(connection, time, file.name)
        without = left_out(connection, table["columns"], label, time, target.task)
        sql = _sql(connection, name, table, label, time, target, without)
        # With scikit-learn, whose import takes seconds: what is wrong with the file is told before.
        from tidegate.commands.draft.first_estimator import best, labelled_rows, typed_view
        from tidegate.commands.draft.rehearsal import rehearse

        typed_view(connection, name, table["columns"])
        features = _features(connection, sql, [time, label, *table["key"]])
        rows = labelled_rows(connection, sql, time, label, target.task)
        doubts = [f"check this: {target.doubt}."] if target.doubt else []
        texts = {
            "contract.yaml": _contract(file, name, table, label, time, target, span, without),
            "features.sql": _noted(
                sql, [*doubts, *_suspicions(connection, table, rows, features, label, target.task)]
            ),
            "model.yaml": MODEL_TOP + best(rows, features, label, target.task),
        }
    params = _params(target, span)
    rehearse(texts, params, file)
    print(json.dumps({"files": texts, "params": params, "task": target.task}, ensure_ascii=False))


def _plain(file: Path) -> str:
    """The file's name as a table's name."""
    name = re.sub(r"\W+", "_", file.name.partition(".")[0].lower(), flags=re.ASCII).strip("_")
    return name if name and not name[0].isdigit() and name != "drafted" else f"table_{name}".rstrip("_")


def _files(file: Path) -> str:
    """A glob for this file and later ones whose names begin the same."""
    stem, dot, ending = file.name.partition(".")
    return f"{escape(stem)}*{dot}{escape(ending)}"


def _key(
    connection: duckdb.DuckDBPyConnection, file: Path, table: Mapping[str, Any], label: str, time: str
) -> list[str]:
    others = {name: column for name, column in table["columns"].items() if name != label}
    key = key_of_events(connection, others, time)
    if not key:
        expected = "columns that tell all rows apart"
        raise InputError(file, expected, "rows that are the same in all of them", "remove them, or add a row number")
    return key


def _contract(
    file: Path,
    name: str,
    table: Mapping[str, Any],
    label: str,
    time: str,
    target: Label,
    span: Span,
    without: Mapping[str, str],
) -> str:
    purpose = f"What will {label} of {name} be?"
    head = CONTRACT_TOP.format(
        file=line(file.name), name=flow(name), purpose=flow(purpose), task=target.task, table=flow(name),
        label=flow(label), block=span.block, files=flow(_files(file)),
    )  # fmt: skip
    marks = {"header": MARKS.get(table.get("header", ""), "")}
    lines = [f"    {part}: {flow(table[part])}{marks.get(part, '')}" for part in WRITTEN if part in table]
    lines += [f"    time: {flow(time)}", f"    key: {flow(table['key'])}", "    columns:"]
    for column, promise in table["columns"].items():
        promised = {key: value for key, value in promise.items() if key in PROMISED}
        role = _role(column, promise, label, time, table["key"], without)
        mark = f"  # check this: {without[column]}" if role == "outcome" else ""
        mark = f"  # check this: {private_because(column)}" if role == "private" else mark
        mark = mark or noted(table, column)
        nulls = {"nullable": True} if column == label else {}
        values = {"values": list(target.values)} if column == label and target.values else {}
        document = {**promised, **({"role": role} if role else {}), **values, **nulls}
        lines.append(f"      {flow(column)}: {flow(document)}{mark}")
    return head + "\n".join(lines) + "\n"


def _role(
    name: str, promise: Mapping[str, Any], label: str, time: str, key: list[str], without: Mapping[str, str]
) -> str:
    if name == label:
        return "label"
    if without.get(name, "").startswith("tells the label"):
        return "outcome"
    return "" if name == time or name in key else str(promise.get("role", ""))


def _sql(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    table: Mapping[str, Any],
    label: str,
    time: str,
    target: Label,
    without: Mapping[str, str],
) -> str:
    """One SELECT: time and key, the label, every possible feature; the other columns as comments."""
    identifiers = {column: identifier(connection, column) for column in table["columns"]}
    private = [column for column, promise in table["columns"].items() if promise.get("role") == "private"]
    source = identifier(connection, name)
    own = list(dict.fromkeys([time, *table["key"]]))
    lines = [f"{source}.{identifiers[column]}" for column in own] + [f"{target.sql} AS {identifiers[label]}"]
    for column in table["columns"]:
        if column in (time, label) or column in private or column in without:
            continue
        if column in own:
            alone = f"SELECT count(*) = count(DISTINCT {identifiers[column]}) FROM drafted"
            # A measurement may be a feature even if all its values are distinct.
            if table["columns"][column]["type"] == "number" or not connection.execute(alone).fetchall()[0][0]:
                alias = identifier(connection, f"{column}_as_feature")
                lines.append(f"{source}.{identifiers[column]} AS {alias}")
        else:
            lines.append(f"{source}.{identifiers[column]}")
    if len(lines) == len(own) + 1:
        raise InputError(table["files"], "a column to learn from", "only time, key and label", "add some columns")
    reasons = {column: reason for column, reason in without.items() if column != time and column not in private}
    comments = [line(f"-- Left out: {identifiers[column]} ({reason}).") for column, reason in reasons.items()]
    head = "-- One row per row of the file: its time and key, the label, and what is known before the event."
    return "\n".join([head, *comments, "SELECT", "    " + ",\n    ".join(lines), f"FROM {source}", ""])


def _features(connection: duckdb.DuckDBPyConnection, sql: str, own: list[str]) -> dict[str, str]:
    """The kind of each feature in the drafted SQL."""
    names = columns_of(connection, subquery(sql))
    return {name: kind_of(name, sql_type) for name, sql_type in names.items() if name not in own}


def _suspicions(
    connection: duckdb.DuckDBPyConnection,
    table: Mapping[str, Any],
    rows: "pd.DataFrame",
    features: dict[str, str],
    label: str,
    task: str,
) -> list[str]:
    """What a person should check of the features: those that may be known only after the event."""
    from tidegate.components.evaluate.suspicions import suspicions_of
    from tidegate.scoring.scores import labels

    same = same_where_labelled(connection, [name for name in features if name in table["columns"]], label)
    notes = [f"check this: {name} is the same in every labelled row, and differs in the others" for name in same]
    return [*notes, *suspicions_of(rows, features, labels(rows, label, task), task)]


def _noted(sql: str, notes: list[str]) -> str:
    """The SQL after these comments."""
    return "".join(f"{line(f'-- {note}')}\n" for note in notes) + sql


def _params(target: Label, span: Span) -> dict[str, dict[str, str]]:
    """The parameters that differ for these data, as YAML: the windows, the minimum of rows, the limit of decay.

    Rare events need a longer batch, and longer periods that are measured in batches.
    """
    usual = read_parameters(PARAMETERS)
    # DVC reads 1e-05 as a text.
    decay = {"decay": f"{Decimal(f'{target.spread * DECAY_SHARE:.1g}'):f}"} if target.task == "regression" else {}
    batches = {"max_age_days": 2, "cooldown_days": 0.25, "refused_days": 3}
    longer = {name: math.ceil(span.batch_days * times) for name, times in batches.items()}
    window, learned = usual["train"]["window_days"], math.ceil(LEARNED_ROWS / span.rows_per_day)
    return {
        "ingest": {"until": f'"{span.until}"', "batch_days": str(span.batch_days)},
        "gate": {
            "minimum_rows": str(max(20, min(200, span.batch_rows // 2))),
            **decay,
            **{name: str(days) for name, days in longer.items() if days > usual["gate"][name]},
        },
        **({"train": {"window_days": str(min(learned, MOST_DAYS))}} if learned > window else {}),
    }


if __name__ == "__main__":
    leave_after(partial(run, begin))

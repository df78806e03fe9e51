"""Every mistake is told in one line: the thing, what was expected, what was found, the cure; earlier outputs stay."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from tests.components.disks import mounting, need_mounting
from tests.workspaces import Workspace
from tidegate.process.errors import REFUSED, UNAVAILABLE

if TYPE_CHECKING:
    from tests.toy import World

Spoil = Callable[[Any], Any]  # of a World, or for `tidegate run` of a Workspace
steps = ("ingest", "validate", "featurize", "gate", "train", "evaluate", "deploy")
rewritten = {
    "validate": {"findings.json", "validate.html"},  # the report of a stop
    "run": {"artifacts/registry.json"},  # how the registry was found
}


class Mistake(NamedTuple):
    """The step that tells (`run`: `tidegate run`), what a person does, how the line reads; where the step runs, how it
    ends.
    """

    step: str
    spoil: Spoil
    told: str
    before: tuple[str, ...] = ()  # words in front of the step's; {folder} is the problem's
    given: Mapping[str, str] = {}  # files below that folder in the place of the usual ones
    code: int = REFUSED


def nothing(_: object) -> None:
    """The files are right."""


def data(change: Callable[[pd.DataFrame], pd.DataFrame], table: str = "orders") -> Spoil:
    """Change a raw table."""

    def spoil(world: "World") -> None:
        frame = pd.read_csv(world / f"data/{table}.csv", dtype=str, keep_default_na=False)
        world.lay(**{table: change(frame)})

    return spoil


def cells(column: str, value: str, rows: slice = slice(None)) -> Spoil:
    """Put a value into some rows of a column of the orders."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame.index[rows], column] = value
        return frame

    return data(change)


def raw(change: Callable[[bytes], bytes]) -> Spoil:
    """Change the bytes of the orders' file."""

    def spoil(world: "World") -> None:
        path = world / "data/orders.csv"
        path.write_bytes(change(path.read_bytes()))

    return spoil


def edit(name: str, old: str, new: str) -> Spoil:
    """Replace a text in one of the problem's files."""

    def spoil(place: "World | Workspace") -> None:
        text = (place / name).read_text()
        assert old in text
        (place / name).write_text(text.replace(old, new))

    return spoil


def lines(change: Callable[[list[bytes]], list[bytes]]) -> Spoil:
    """Change the lines of the orders' file."""
    return raw(lambda content: b"".join(change(content.splitlines(keepends=True))))


def written(name: str, content: bytes) -> Spoil:
    """A file with this content in the place of its own."""
    return lambda place: (place / name).write_bytes(content)


MISTAKES: dict[str, Mistake] = {
    "no file": Mistake(
        "ingest",
        lambda world: (world / "data/orders.csv").unlink(),
        r"orders.csv: expected the files of table orders, found none",
    ),
    "no data folder": Mistake(
        "ingest",
        lambda world: (world / "data").rename(world / "date"),
        "expected the folder of raw data, found nothing",
    ),
    "an empty file": Mistake("ingest", raw(lambda _: b""), "orders.csv: expected column names"),
    "a header only": Mistake(
        "validate", lines(lambda found: found[:1]), "orders: rows: expected at least one, found none"
    ),
    "a short row": Mistake(
        "ingest", lines(lambda found: [*found[:7], b"1,2\n", *found[7:]]), r"orders.csv:8: expected 6 cells"
    ),
    "a long row": Mistake(
        "ingest",
        lines(lambda found: [*found[:7], b"1,2,3,4,5,6,7,8\n", *found[7:]]),
        r"orders.csv:8: expected 6 cells",
    ),
    "another encoding": Mistake(
        "ingest",
        lines(lambda found: [*found[:7], found[7].replace(b"secret", b"\xe9\xe8"), *found[8:]]),
        r"orders.csv:8: expected UTF-8",
    ),
    "a missing column": Mistake(
        "validate",
        data(lambda frame: frame.rename(columns={"price": "prise"})),
        r"column price: .* found none .*did you mean 'prise'\?",
    ),
    "an extra column": Mistake(
        "validate", data(lambda frame: frame.assign(colour="red")), "orders: column colour: expected"
    ),
    "a column twice": Mistake(
        "ingest",
        lines(lambda found: [found[0].replace(b"price", b"shop"), *found[1:]]),
        "orders.csv:1: expected .* found .*shop",
    ),
    "text in a number column": Mistake(
        "validate",
        cells("price", "cheap", slice(0, 400)),
        r"orders: bad rows: .*price: a value of type number .*'cheap'",
    ),
    "all null": Mistake("validate", cells("price", "NA"), r"orders: column price: expected .*found only nulls"),
    "too many nulls": Mistake(
        "validate", cells("shop", "NA", slice(0, 400)), r"orders: bad rows: .*shop: no null \(\d+ rows"
    ),
    "infinities": Mistake(
        "validate", cells("price", "inf", slice(0, 400)), r"orders: bad rows: .*price: a finite number"
    ),
    "out of range": Mistake(
        "validate", cells("price", "5000", slice(0, 400)), r"orders: bad rows: .*price: 0 to 1000"
    ),
    "an unknown category": Mistake(
        "validate", cells("shop", "west", slice(0, 400)), r"orders: bad rows: .*shop: one of north, south .*'west'"
    ),
    "duplicate keys": Mistake(
        "validate",
        data(lambda frame: frame.assign(id=1, at=frame["at"].iloc[0])),
        r"orders: key: expected unique rows, found",
    ),
    "duplicate rows": Mistake(
        "validate",
        data(lambda frame: pd.concat([frame, frame.head(5)])),
        r"orders: key: expected unique rows, found 10 rows",
    ),
    "a constant": Mistake(
        "featurize",
        cells("shop", "north"),
        r"features.sql: shop: expected values that differ, found 'north' in all [\d,]+ rows",
    ),
    "the label among the features": Mistake(
        "featurize",
        edit("features.sql", "orders.price,", "orders.price, orders.kept_days < 14 AS fast,"),
        r"features.sql: .*fast",
    ),
    "what is known later among the features": Mistake(
        "featurize",
        edit("features.sql", "orders.price,", "orders.price, orders.kept_days,"),
        r"features.sql: expected features that are known 6h before the event, found kept_days",
    ),
    "SQL that does not parse": Mistake(
        "featurize",
        edit("features.sql", "SELECT", "SELEKT"),
        r"features.sql: expected one SELECT that runs, found .*syntax error",
    ),
    "an unknown table in SQL": Mistake(
        "featurize", edit("features.sql", "JOIN rates", "JOIN rate"), r"features.sql: .*rate does not exist"
    ),
    "an unknown column in SQL": Mistake(
        "featurize", edit("features.sql", "orders.price,", "orders.prise,"), r"features.sql: .*prise.*"
    ),
    "another number of rows": Mistake(
        "featurize",
        lambda world: (world / "features.sql").write_text(
            (world / "features.sql").read_text() + "WHERE orders.price > 50\n"
        ),
        r"features.sql: expected one row per row of orders",
    ),
    "no label in SQL": Mistake(
        "featurize",
        edit("features.sql", "AS returned", "AS came_back"),
        r"features.sql: expected a column returned, found",
    ),
    "no identity in SQL": Mistake(
        "featurize", edit("features.sql", "orders.id,", ""), r"features.sql: expected a column id, found"
    ),
    "a label of another type": Mistake(
        "featurize",
        edit("features.sql", "orders.kept_days < 14 AS", "orders.kept_days AS"),
        r"features.sql: returned: expected true or false, found BIGINT",
    ),
    "nothing but a label": Mistake(
        "featurize",
        edit("features.sql", ", orders.shop, orders.price, rates.rate", ""),
        r"features.sql: expected at least one feature",
    ),
    "a label that is always null": Mistake(
        "validate", cells("kept_days", "NA"), r"column kept_days: expected .* found only nulls"
    ),
    "labels that are nearly all null": Mistake(
        "train", cells("kept_days", "NA", slice(20, None)), r"expected at least 100 labelled rows, found 20"
    ),
    "a label of one class": Mistake("train", cells("kept_days", "30"), r"expected both outcomes, found only False"),
    "too few rows": Mistake(
        "train", data(lambda frame: frame[frame["at"] >= "2024-03-01"]), r"expected at least 100 labelled rows, found"
    ),
    "columns in each other's place": Mistake(
        "gate",
        lambda world: exchanged(world),
        r"features price and rate of the batch: .* found each in the other's place",
    ),
    "a task that there is none of": Mistake(
        "ingest",
        edit("contract.yaml", "task: binary", "task: ranking"),
        r"contract.yaml:3: task: expected one of binary, multiclass, regression, found 'ranking'",
    ),
    "a contract that is no YAML": Mistake(
        "ingest", edit("contract.yaml", "tables:\n", "tables: [\n"), r"contract.yaml:\d+: expected YAML"
    ),
    "a key column that is none": Mistake(
        "ingest",
        edit("contract.yaml", "key: [at, id]", "key: [at, it]"),
        r"contract.yaml:\d+: tables.orders.key: .*did you mean 'i?[dt]'",
    ),
    "no such estimator": Mistake(
        "train",
        edit("model.yaml", "HistGradientBoostingClassifier", "HistGradientBoostClassifier"),
        r"model.yaml:?\d*: estimator: expected one of",
    ),
    "no such hyper-parameter": Mistake(
        "train", edit("model.yaml", "max_iter", "max_itr"), r"model.yaml:?\d*: .*max_itr"
    ),
    "a hyper-parameter out of range": Mistake(
        "train", edit("model.yaml", "max_iter: 30", "max_iter: -1"), r"model.yaml:?\d*: .*max_iter"
    ),
    "a model that is no YAML": Mistake(
        "featurize", edit("model.yaml", "parameters: {", "parameters: {{"), r"model.yaml:\d+: expected YAML"
    ),
    "a folder that cannot be written": Mistake(
        "ingest",
        written("file", b"in the way"),  # that stops the superuser too
        r"file.*: expected a readable and writable path, found .*; check ",
        given={"tables": "file/tables"},
    ),
    "a full disk": Mistake(
        "ingest",
        lambda world: (world / "disk").mkdir(),
        "disk/.*: expected room to write, found no space left on device; free some",
        before=(*mounting, "sh", "-c", 'mount -t tmpfs -o size=4k none {folder}/disk && exec "$@"', "sh"),
        given={"tables": "disk/tables"},
    ),
    "no MLflow there": Mistake(
        "train",
        nothing,
        r"127.0.0.1:9: expected .*, found no connection; start ",
        before=("env", "MLFLOW_TRACKING_URI=http://127.0.0.1:9"),
        code=UNAVAILABLE,
    ),
    "no such parameter": Mistake(
        "run",
        edit("params.yaml", "gate:\n", "gate:\n  colour: red\n"),
        r"params.yaml:\d+: gate: expected one of .* 'colour'",
    ),
    "no such section of parameters": Mistake(
        "run",
        edit("params.yaml", "ingest:\n", "colour: {}\ningest:\n"),
        r"params.yaml:\d+: expected one of .*'colour'",
    ),
    "parameters that are no YAML": Mistake(
        "run", edit("params.yaml", "ingest:\n", "ingest: [\n"), r"params.yaml:\d+: expected YAML"
    ),
    "a parameter that is no number": Mistake(
        "run",
        edit("params.yaml", "minimum_rows: 200 ", "minimum_rows: many "),
        r"gate.minimum_rows: expected a whole number",
    ),
    "a parameter out of range": Mistake(
        "run", edit("params.yaml", "max_bad_share: 0.01", "max_bad_share: 2"), r"validate.max_bad_share: expected "
    ),
    "a mode that there is none of": Mistake(
        "run", edit("params.yaml", "mode: auto", "mode: sometimes"), r"gate.mode: expected one of auto, always, never"
    ),
    "a lock that is no YAML": Mistake(
        "run", written("dvc.lock", b"schema: ["), r"dvc.lock: expected YAML that DVC reads"
    ),
    "a lock that is cut": Mistake(
        "run", written("dvc.lock", b"schema: '2.0'\n"), r"dvc.lock: expected a document with stages"
    ),
    "an empty lock": Mistake("run", written("dvc.lock", b""), r"dvc.lock: expected a document with stages"),
    "a lock of another encoding": Mistake(
        "run", written("dvc.lock", b"\xff\xfe"), r"dvc.lock: expected YAML that DVC reads, found another encoding"
    ),
    "stages that are no YAML": Mistake(
        "run", written("dvc.yaml", b"stages: ["), r"dvc.yaml: expected YAML that DVC reads"
    ),
    "a version of the data that is none": Mistake(
        "run", written("data.dvc", b"outs: ["), r"data.dvc: expected YAML that DVC reads"
    ),
    "a second run in the same workspace": Mistake("run", lambda workspace: begin(workspace), r"expected .*, found .*"),
}


def exchanged(world: "World") -> None:
    """From the eleventh of March on, prices come as rates and rates as prices."""
    random = np.random.default_rng(2)

    def put(column: str, mean: float, spread: float) -> Callable[[pd.DataFrame], pd.DataFrame]:
        def change(frame: pd.DataFrame) -> pd.DataFrame:
            late = frame["at"].str[:10] >= "2024-03-04"
            return frame.assign(
                **{column: np.where(late, random.normal(mean, spread, len(frame)).round(4).astype(str), frame[column])}
            )

        return change

    data(put("price", 1, 0.1))(world)
    data(put("rate", 50, 15), "rates")(world)


def begin(workspace: Workspace) -> "subprocess.Popen[str]":
    """A run that has begun, and stands still."""
    first = subprocess.Popen(
        [sys.executable, "-m", "tidegate", "run", "--until", "2013-03-15"],
        cwd=workspace.folder,
        env=workspace.environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert first.stderr
    assert any(line.strip() == "ingest" for line in first.stderr)
    os.killpg(first.pid, signal.SIGSTOP)
    return first


@pytest.fixture
def ran(turned_once: Workspace, tmp_path: Path) -> Workspace:
    """A workspace after a turn of the loop."""
    return turned_once.copy(tmp_path / "workspace")


def outcome(place: "World | Workspace", mistake: Mistake) -> "subprocess.CompletedProcess[str]":
    if isinstance(place, Workspace):
        return place.tidegate("run", check=False)
    given = {name: place / path for name, path in mistake.given.items()}
    if mistake.before:
        return place.command(mistake.step, *(word.format(folder=place.folder) for word in mistake.before), **given)
    return place.here(mistake.step, **given)


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_line_and_leaves_what_was(case: str, request: pytest.FixtureRequest) -> None:
    mistake = MISTAKES[case]
    if set(mounting) <= set(mistake.before):
        need_mounting()
    place = request.getfixturevalue("ran" if mistake.step == "run" else "released")
    beside = mistake.spoil(place)
    if isinstance(beside, subprocess.Popen):
        request.addfinalizer(lambda: os.killpg(beside.pid, signal.SIGKILL))
    if mistake.step != "run":
        place.run(*steps[: steps.index(mistake.step)])
    outputs = place.snapshot()
    found = outcome(place, mistake)
    lines = [line for line in found.stderr.splitlines() if line.startswith("error: ") or mistake.step != "run"]
    assert found.returncode == mistake.code and lines, found.stderr
    assert all(line.startswith("error: ") for line in lines) and "Traceback" not in found.stderr, found.stderr
    assert [line for line in lines if re.search(mistake.told, line)], found.stderr
    assert len(lines) == 1 + (mistake.step == "validate"), found.stderr
    assert re.fullmatch(r"error: .*: expected .*, found .*(; .*)?", lines[0]), lines[0]
    changed = {name for name, content in place.snapshot().items() if outputs.get(name) != content}
    assert changed <= rewritten.get(mistake.step, set())
    assert set(outputs) <= set(place.snapshot())
    assert "secret-" not in found.stderr  # what is private stays so

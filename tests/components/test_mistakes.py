"""Every mistake is told in one line: the thing, what was expected, what was found, the cure; earlier outputs stay."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from tests.components.conftest import World

Spoil = Callable[["World"], Any]
steps = ("ingest", "validate", "featurize", "gate", "train", "evaluate", "deploy")
rewritten = {"validate": {"findings.json", "validate.html"}}  # the report of a stop


class Mistake(NamedTuple):
    """What a person does, the step that tells, and how its line reads."""

    step: str
    spoil: Spoil
    told: str


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
    return lambda world: world.edit(name, (old, new))


def lines(change: Callable[[list[bytes]], list[bytes]]) -> Spoil:
    """Change the lines of the orders' file."""
    return raw(lambda content: b"".join(change(content.splitlines(keepends=True))))


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
    "an empty file": Mistake("ingest", raw(lambda _: b""), "orders.csv: expected a header"),
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
    "a label that is always null": Mistake("train", cells("kept_days", "NA", slice(0, 1552)), r"labelled rows"),
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


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_line_and_leaves_what_was(case: str, released: "World") -> None:
    mistake = MISTAKES[case]
    mistake.spoil(released)
    before = steps[: steps.index(mistake.step)]
    released.run(*before)
    outputs = released.snapshot()
    found = released.command(mistake.step)
    lines = found.stderr.splitlines()
    assert found.returncode == 2 and lines, found.stderr
    assert all(line.startswith("error: ") for line in lines), found.stderr
    assert [line for line in lines if re.search(mistake.told, line)], found.stderr
    assert len(lines) == 1 + (mistake.step == "validate"), found.stderr
    assert re.fullmatch(r"error: .*: expected .*, found .*(; .*)?", lines[0]), lines[0]
    changed = {name for name, content in released.snapshot().items() if outputs.get(name) != content}
    assert changed <= rewritten.get(mistake.step, set())
    assert set(outputs) <= set(released.snapshot())
    assert "secret-" not in found.stderr  # what is private stays so


def test_a_folder_that_cannot_be_written_is_one_line(released: "World") -> None:
    (released / "file").write_text("in the way")  # that stops the superuser too
    before = released.snapshot()
    found = released.command("ingest", tables=released / "file/tables")
    assert found.returncode == 2
    assert re.fullmatch(r"error: .*file.*: expected what can be read and written, found .*; check .*\n", found.stderr)
    assert released.snapshot() == before


def test_an_mlflow_that_does_not_answer_is_one_line(released: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    before = released.snapshot()
    found = released.command("train")
    assert found.returncode == 2
    assert re.fullmatch(r"error: .*127.0.0.1:9: expected .*, found no connection; start .*\n", found.stderr), (
        found.stderr
    )
    assert released.snapshot() == before

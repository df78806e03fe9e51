"""Tables that nobody planned for: what is wrong is told in lines, and nothing else ever escapes."""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tiers import large
from tidegate.commands.draft.draft import draft
from tidegate.commands.draft.inference import yaml
from tidegate.components.ingest.raw_files import files_of
from tidegate.components.ingest.table import ingest_table
from tidegate.components.validate.findings import findings_of
from tidegate.components.validate.ingested import sources
from tidegate.components.validate.page import TEMPLATE, values
from tidegate.components.validate.rules import bad_rows, clean_rows
from tidegate.components.validate.table_check import check
from tidegate.contract.contract import Column, Contract, Table, column_of, parse_contract
from tidegate.documents.findings import Findings
from tidegate.pages.page import write_page
from tidegate.process.errors import InputError
from tidegate.tables.engine import copy, engine

# Of ten thousand; one in ten with every change.
examples = {"promises": 4500, "draft": 3000, "parquet": 1000, "bytes": 1300, "yaml": 200}
secret = "Gehe1m"
until = "2024-02-01"

nasty_names = [
    *(
        "a",
        "b",
        "at",
        "id",
        "é",
        "É",
        "ß",
        "K",
        "ı",
        "a b",
        " a",
        '"',
        '""',
        "'",
        "a.b",
        "*",
        "1",
        "0",
        "#",
        "`",
        "\\",
    ),
    *("select", "FROM", "order", "group", "table", "row", "rowid", "null", "true", "time", "key", "count(*)", "😀"),
    *("file_row_number", "filename", "file_index", "drafted", "sampled", "shared", "reasons", "reason", "n", "p"),
    *("first", "before", "this_0", "price as text", "'; DROP TABLE t; --", "a\nb", "a\tb", "\x1b[31m", "x" * 300),
]
refused_names = ["", " ", "\n", "\r", "\0", "A", "SELECT", "a;b", "a|b"]
nasty_cells = [
    *(
        "",
        " ",
        "NA",
        "nan",
        "NaN",
        "inf",
        "-inf",
        "Infinity",
        "null",
        "None",
        "true",
        "FALSE",
        "t",
        "yes",
        "0",
        "1",
        "-0",
        "2",
    ),
    *(
        "1e308",
        "-1e308",
        "1e999",
        "5e-324",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "007",
    ),
    *(
        "1.5",
        "1,5",
        "0x10",
        "1_000",
        "٣",
        "½",
        "99999999999999999999999999999999999999999999",
        "2024-01-01",
        "2024-02-30",
    ),
    *(
        "2024-01-31 23:59:59",
        "2024-01-01T00:00:00+99:99",
        "0001-01-01",
        "9999-12-31",
        "10000-01-01",
        "infinity",
        "epoch",
    ),
    *(
        "290309-12-22 (BC)",
        "294247-01-10 04:00:54",
        "-infinity",
        "24:00",
        "\0",
        "\n",
        "\r\n",
        "\r",
        '"',
        '""',
        "'",
        ",",
        ";",
    ),
    *("\x1b[31m", "\x7f", "\u2028", "😀", "é" * 50, "x" * 3000, "{}", "[1, 2]", "\\N", "<script>", "%s", "a\tb"),
]
good_names = st.sampled_from(nasty_names) | st.text("abä–.,: \"'", min_size=1, max_size=5).map("c{}".format)
any_names = good_names | st.sampled_from(refused_names) | st.text(max_size=5)
names = st.lists(good_names, min_size=1, max_size=4, unique=True)
cells = st.sampled_from(nasty_cells) | st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]), max_size=5)
kinds = st.sampled_from(["integer", "number", "text", "boolean", "timestamp"])
numbers = st.integers(-5, 5) | st.floats() | st.sampled_from([10**30, -(10**30), 1e308, -1e308])
durations = st.sampled_from(["1m", "6h", "1d", "2w", "99999w"])
conditions = st.sampled_from(
    [
        "1 = 1",
        "a > 0",
        '"a" < "at"',
        "sum(a) > 0",
        "a::INTEGER > 0",
        "a ~ '('",
        "1 / 0 = 1",
        "; DROP",
        "NULL",
        "'x'",
        "(SELECT 1) = 1",
    ]
)


@st.composite
def columns(draw: st.DrawFn) -> Column:
    """A promise about a column."""
    kind = draw(kinds)
    more: dict[str, Any] = {}
    if kind in ("integer", "number") and draw(st.booleans()):
        more["range"] = tuple(sorted(draw(st.tuples(numbers, numbers)), key=lambda end: (end != end, end)))
    elif kind != "timestamp" and draw(st.booleans()):
        more["values"] = draw(st.lists(cells | st.integers(-1, 2) | st.booleans(), min_size=1, max_size=3).map(tuple))
    nullable = draw(st.sampled_from([False, True, True, 0.5, 0.0]))
    role = draw(st.sampled_from(["feature", "feature", "feature", "outcome", "private"]))
    return Column(kind, role, nullable=nullable, unique=draw(st.sampled_from([False, False, False, True])), **more)


@st.composite
def frames(draw: st.DrawFn, timed: bool = False) -> tuple[list[str], list[list[str]]]:
    """Names and rows of a table as texts."""
    header = draw(names if draw(st.integers(0, 9)) else st.lists(any_names, min_size=1, max_size=4))
    row = st.lists(cells, min_size=len(header), max_size=len(header))
    rows = draw(st.lists(row, max_size=4))
    if timed or draw(st.integers(0, 3)):
        header.append("at")
        rows = [[*row, f"2024-01-{number + 1:02}"] for number, row in enumerate(rows)]
    return header, rows * draw(st.sampled_from([1, 1, 1, 2, 40]))


@st.composite
def tables(draw: st.DrawFn, header: list[str]) -> Table:
    """Promises that know some of these columns, and some that are not there."""
    known = {name: draw(columns()) for name in header if name != "at" and draw(st.integers(0, 9))}
    known |= {"missing": draw(columns())} if draw(st.integers(0, 5)) == 0 else {}
    known["at"] = Column("timestamp")
    seen = [name for name, column in known.items() if column.role != "private"]
    more: dict[str, Any] = {}
    for name, strategy in {
        "missing": st.sampled_from([("NA",), ("",), (",",), ('"',), ("nan",), ("NA", ""), ("", "-", "nan")]),
        "rules": st.dictionaries(st.sampled_from(nasty_names), conditions, max_size=2),
        "references": st.sampled_from(seen).map(lambda name: {} if "." in name else {name: f"t.{name}"}),
        "freshness": durations,
        "rows_per": st.dictionaries(durations, st.sampled_from([(0, 1), (1, 1), (2, 9)]), max_size=2),
    }.items():
        if draw(st.integers(0, 3)) == 0:
            more[name] = draw(strategy)
    key = draw(st.lists(st.sampled_from(seen), max_size=3, unique=True))
    return Table("t.csv", known, tuple(key), "at", **more)


def contract_of(name: str, table: Table) -> Contract:
    """The contract of this table alone."""
    return Contract("x", "x", "binary", name, "late", "1d", "1d", "1d", (), {name: table})


def csv_of(header: list[str], rows: list[list[str]], **dialect: Any) -> bytes:
    """The bytes of a CSV file, as other programs write them."""
    text = io.StringIO(newline="")
    csv.writer(text, **dialect).writerows([header, *rows])
    return text.getvalue().encode("utf-8", "surrogatepass")


class Place:
    """A folder and a connection that the examples of one test share: to make them anew would take most of the time."""

    def __init__(self, folder: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.folder, self.connection, self.numbers = folder, connection, count()

    def checked(self, table: Table, max_bad_share: float = 0.3) -> tuple[Findings, Contract]:
        """What ingest and validate do with a table, and what they write if it may go on."""
        name = f"t{next(self.numbers)}"  # the engine writes no file twice
        references = {column: target.replace("t.", f"{name}.", 1) for column, target in table.references.items()}
        contract = contract_of(name, replace(table, references=references))
        ingested = ingest_table(
            self.connection,
            files_of(self.folder / "data", name, contract.tables[name]),
            name,
            contract.tables[name],
            until,
            self.folder,
        )
        source = sources(self.connection, contract, {name: self.folder / f"{name}.parquet"})
        checked = check(self.connection, contract, name, source, ingested, until, max_bad_share)
        findings = findings_of({name: checked.findings}, max_bad_share)
        written = json.dumps([ingested.document(), findings.document()], allow_nan=False, ensure_ascii=False)
        assert secret not in "\n".join(findings.violations()) + written
        assert Findings.of(findings.document(), "findings.json") == findings
        if findings.accepted:
            clean, quarantine = (self.folder / f"{name}-{part}.parquet" for part in ("clean", "bad"))
            good = copy(self.connection, clean_rows(checked.source, checked.broken), clean)
            bad = copy(self.connection, bad_rows(checked.source, checked.broken), quarantine)
            assert (good + bad, bad) == (checked.findings.rows, checked.findings.bad_rows)
        return findings, contract

    def drafted(self, path: Path) -> dict[str, Any]:
        """The document of a drafted table."""
        try:
            return draft(self.connection, path)
        finally:
            self.connection.execute("DROP TABLE IF EXISTS drafted")

    def lay(self, name: str, content: bytes) -> Path:
        """The file of the table."""
        path = self.folder / "data" / name
        path.write_bytes(content)
        return path


@contextmanager
def told() -> Iterator[None]:
    """Nothing may escape but lines, which can be printed and hold no value of a private column."""
    try:
        yield
    except InputError as error:
        for line in str(error).splitlines():
            assert line.isprintable() and "expected" in line and secret not in line, line


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The folder and the connection."""
    folder = tmp_path_factory.mktemp("any")
    (folder / "data").mkdir()
    with engine(folder) as connection:
        connection.execute("SET threads = 1")
        yield Place(folder, connection)


def many(name: str) -> Callable[[Any], Any]:
    """The settings of a test: its share of the examples, the same in each run."""
    return settings(
        max_examples=large(examples[name], examples[name] // 10),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


def test_there_are_ten_thousand_and_a_tenth_with_every_change() -> None:
    assert sum(examples.values()) == 10_000
    assert sum(count // 10 for count in examples.values()) == 1_000


def hidden(header: list[str], rows: list[list[str]], table: Table) -> list[list[str]]:
    """The rows with a mark in every value that must not be told."""
    shy = table.identifying() - {"at"}
    return [
        [f"{secret}{cell}" if name in shy else cell for name, cell in zip(header, row, strict=True)] for row in rows
    ]


def as_table(document: dict[str, Any]) -> Table:
    """A drafted table as promises."""
    document = {name: value for name, value in document.items() if name != "notes"}  # remarks for a person
    promised = {name: column_of(column) for name, column in document["columns"].items()}
    missing = document.get("missing", "")
    parts = {"missing": (missing,) if isinstance(missing, str) else tuple(missing), "columns": promised}
    return Table(**{**document, "key": tuple(document["key"]), **parts})


@many("promises")
@given(data=st.data())
def test_any_table_and_any_promises(place: Place, data: st.DataObject) -> None:
    header, rows = data.draw(frames())
    table = data.draw(tables(header))
    end, share = data.draw(st.sampled_from(["\n", "\r\n"])), data.draw(st.sampled_from([0.0, 1.0]))
    place.lay("t.csv", csv_of(header, hidden(header, rows, table), lineterminator=end))
    with told():
        place.checked(table, share)


@many("draft")
@given(frame=frames())
def test_any_table_and_what_is_drafted_from_it(place: Place, frame: Any) -> None:
    path = place.lay("t.csv", csv_of(*frame))
    with told():
        findings, _ = place.checked(as_table(place.drafted(path)))
        (table,) = findings.tables.values()
        broken = {item.promise.rpartition(": ")[2] for item in table.broken}
        assert broken <= {"a finite number"}, table.broken  # an infinity is never promised


@many("parquet")
@given(data=st.data())
def test_any_parquet_file(place: Place, data: st.DataObject) -> None:
    header = data.draw(names | st.lists(any_names, min_size=1, max_size=4))
    rows = data.draw(st.integers(0, 5))
    cells = [data.draw(st.sampled_from(typed))(data, rows) for _ in header]
    path = place.folder / f"data/{next(place.numbers)}.parquet"
    pq.write_table(pa.table(cells, names=header), path)
    with told():
        place.checked(replace(data.draw(tables(header)), files=path.name))
    with told():
        place.drafted(path)


def typed_cells(kind: pa.DataType, values: st.SearchStrategy[Any]) -> Callable[[st.DataObject, int], pa.Array]:
    """Draws so many cells of a type."""
    cells = values | st.none()
    return lambda data, rows: pa.array(data.draw(st.lists(cells, min_size=rows, max_size=rows)), kind)


typed = [
    typed_cells(pa.float64(), st.floats()),
    typed_cells(pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    typed_cells(pa.uint64(), st.integers(0, 2**64 - 1)),
    typed_cells(pa.string(), cells),
    typed_cells(pa.binary(), st.binary(max_size=5)),
    typed_cells(pa.bool_(), st.booleans()),
    typed_cells(pa.timestamp("us", "UTC"), st.integers(-(2**62), 2**62)),
    typed_cells(pa.timestamp("ns"), st.integers(-(2**62), 2**62)),
    typed_cells(pa.date32(), st.integers(-(2**31), 2**31 - 1)),
    typed_cells(pa.decimal128(38, 2), st.decimals(-(10**30), 10**30, places=2)),
    typed_cells(pa.list_(pa.int64()), st.lists(st.integers(0, 3), max_size=2)),
    typed_cells(pa.null(), st.none()),
]


@many("bytes")
@given(
    frame=frames(), cut=st.integers(0, 200), noise=st.binary(max_size=5), ending=st.sampled_from(["", ".gz", ".zst"])
)
def test_any_bytes(place: Place, frame: Any, cut: int, noise: bytes, ending: str) -> None:
    """A file that was cut, or overwritten in its middle, some of them after they were compressed."""
    content = csv_of(*frame)
    if ending:
        content = gzip.compress(content) if ending == ".gz" else pa.compress(content, codec="zstd", asbytes=True)
    place.lay(f"t.csv{ending}", content[:cut] + noise + content[cut + 2 * len(noise) :])
    with told():
        place.checked(Table(f"t.csv{ending}", {"at": Column("timestamp"), "a": Column("number")}, ("a",), "at"))


@many("yaml")
@given(frame=frames(timed=True))
def test_any_draft_as_a_person_reads_it(place: Place, frame: Any) -> None:
    """The draft is a contract.yaml, and what was found is a page."""
    path = place.lay("t.csv", csv_of(*frame))
    with told():
        text = yaml({"t": place.drafted(path)})
        findings, contract = place.checked(parse_contract(text).tables["t"])
        write_page(place.folder / "page.html", TEMPLATE, "any", **values(findings, contract))

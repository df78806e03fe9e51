"""Raw files become ordered, typed tables: nothing is lost, nothing private or later gets through."""

import gzip
import io
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tidegate.components.ingest.window import batch_window
from tidegate.documents.data_version import folder_version
from tidegate.process.errors import InputError

if TYPE_CHECKING:
    from tests.toy import World

Builders = dict[str, Callable[..., pd.DataFrame]]
Fails = Callable[..., list[str]]
HEADER = "at,id,shop,price,customer,kept_days\n"
ROW = "2024-01-01 00:00:00,1,north,5,secret-x,3\n"


def raw(world: "World", rows: str, header: str = HEADER) -> None:
    (world / "data/orders.csv").write_text(header + rows, encoding="utf-8")


def column(world: "World", name: str, table: str = "orders") -> list[object]:
    frame = world.table(f"tables/{table}")
    return [None if pd.isna(value) else value for value in frame[name]]


def test_the_version_is_what_dvc_says(world: "World") -> None:
    (world / "data/deep/er").mkdir(parents=True)
    (world / "data/deep/er/ü b.txt").write_text("x")
    (world / "data/deep.txt").write_text("")
    for words in (["init", "--no-scm", "--quiet"], ["add", "--quiet", "data"]):
        subprocess.run([sys.executable, "-m", "dvc", *words], cwd=world.folder, check=True)
    world.run("ingest")
    assert f"md5: {world.json('manifest')['data']}\n" in (world / "data.dvc").read_text()


def test_the_version_follows_names_and_contents_only() -> None:
    digests = {"b/x": "1" * 32, "a": "2" * 32}
    assert folder_version(digests) == folder_version(dict(reversed(digests.items())))
    assert folder_version(digests) != folder_version({"b/y": "1" * 32, "a": "2" * 32})
    assert folder_version(digests) != folder_version({"b/x": "2" * 32, "a": "1" * 32})


def test_the_same_rows_give_the_same_bytes_in_any_order(world: "World", builders: Builders) -> None:
    orders = builders["orders"]()
    orders = pd.concat([orders, orders.head(300).assign(price=1.0)])  # ties in time and key
    found = []
    for seed in (0, 0, 1):
        world.lay(orders=orders.sample(frac=1, random_state=seed))
        world.run("ingest")
        found.append((world / "tables/orders.parquet").read_bytes())
    assert found[0] == found[1] == found[2]
    table = world.table("tables/orders")
    assert table[["at", "id", "shop", "price"]].equals(
        table[["at", "id", "shop", "price"]].sort_values(["at", "id", "shop", "price"], ignore_index=True)
    )


@pytest.mark.parametrize(
    ("until", "rows", "last"),
    [
        ("2024-01-02", 12, "2024-01-01 22:00"),
        ("2024-01-02T00:00:01", 13, "2024-01-02 00:00"),
        ("2023-12-31T12:00", 0, None),
        ("2025-01-01", 1560, "2024-05-09 22:00"),
    ],
)
def test_rows_from_until_on_do_not_exist(until: str, rows: int, last: str | None, world: "World") -> None:
    world.run("ingest", until=until)
    table = world.table("tables/orders")
    assert len(table) == rows
    assert world.json("manifest")["tables"]["orders"]["rows"] == rows
    assert last is None or table["at"].max() == pd.Timestamp(last)


def test_a_time_that_cannot_be_read_lets_nothing_later_in(world: "World") -> None:
    raw(world, "2024-02-30 00:00:00,1,north,5,x,3\n2024-03-31 23:00:00,2,north,5,x,3\n2024-04-01,3,north,5,x,3\n")
    world.run("ingest")
    assert column(world, "at") == ["2024-02-30 00:00:00", "2024-03-31 23:00:00"]
    assert world.json("manifest")["tables"]["orders"]["kept_as_text"] == ["at"]


@pytest.mark.parametrize(
    ("name", "texts", "found", "as_text"),
    [
        ("price", ["1.5", "NA", "2e1"], [1.5, None, 20.0], []),
        ("price", ["1.5", "", "2"], ["1.5", "", "2"], ["price"]),
        ("price", ["1.5", "cheap", "NA"], ["1.5", "cheap", None], ["price"]),
        ("price", ["1", "1,5", "2"], ["1", "1,5", "2"], ["price"]),
        ("kept_days", ["3", "NA", "007"], [3, None, 7], []),
        ("kept_days", ["3", "4.0", "NA"], [3, 4, None], []),
        ("kept_days", ["3", "1.5", "NA"], ["3", "1.5", None], ["kept_days"]),
        ("kept_days", ["3", "inf", "NA"], ["3", "inf", None], ["kept_days"]),
        ("kept_days", ["9223372036854775807", "1", "2"], [9223372036854775807, 1, 2], []),
        ("kept_days", ["99999999999999999999", "1", "2"], ["99999999999999999999", "1", "2"], ["kept_days"]),
        ("shop", ["NA", "na", "N/A"], [None, "na", "N/A"], []),
        ("shop", ["#north", "'x", "a\\"], ["#north", "'x", "a\\"], []),
        ("shop", ["two\nlines", 'a "b"', " x "], ["two\nlines", 'a "b"', " x "], []),
    ],
)
def test_values_are_cast_or_kept_as_text(
    name: str, texts: list[str], found: list[object], as_text: list[str], world: "World", builders: Builders
) -> None:
    world.lay(orders=builders["orders"]().head(3).assign(**{name: texts}))
    world.run("ingest")
    assert column(world, name) == found
    assert world.json("manifest")["tables"]["orders"]["kept_as_text"] == as_text


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2024-01-01 12:00:00", "2024-01-01 12:00"),
        ("2024-01-01T12:00:00Z", "2024-01-01 12:00"),
        ("2024-01-01T12:00:00+02:00", "2024-01-01 10:00"),
        ("2024-01-01 00:30:00-05", "2024-01-01 05:30"),
        ("2024-03-31 23:00:00-05:00", None),
        ("2024-04-01 01:00:00+02:00", "2024-03-31 23:00"),
    ],
)
def test_times_become_utc(text: str, utc: str | None, world: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    raw(world, f"{text},1,north,5,x,3\n")
    world.run("ingest")
    assert column(world, "at") == ([pd.Timestamp(utc)] if utc else [])


def test_rows_that_begin_with_a_hash_are_rows(world: "World") -> None:
    raw(world, f"#{ROW}{ROW}# a remark,,,,,\n")
    world.run("ingest")
    assert len(world.table("tables/orders")) == 3


@pytest.mark.parametrize("kind", ["csv.gz", "csv.zst", "parquet", "parquet.gzip", "parquet.zstd", "two files"])
def test_other_files_give_the_same_table(kind: str, world: "World") -> None:
    world.run("ingest")
    before, text = world.table("tables/orders"), (world / "data/orders.csv").read_bytes()
    (world / "data/orders.csv").unlink()
    world.edit("contract.yaml", ("files: orders.csv", "files: orders*"))
    if kind == "csv.gz":
        (world / "data/orders.csv.gz").write_bytes(gzip.compress(text, mtime=0))
    elif kind == "csv.zst":
        (world / "data/orders.csv.zst").write_bytes(pa.compress(text, codec="zstd", asbytes=True))
    elif kind.startswith("parquet"):
        frame = pd.read_csv(io.BytesIO(text), parse_dates=["at"])
        frame["at"] = frame["at"].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
        codec = kind.partition(".")[2] or "snappy"
        pq.write_table(pa.Table.from_pandas(frame), world / "data/orders.parquet", compression=codec)
    else:
        lines = text.splitlines(keepends=True)
        (world / "data/orders-2.csv").write_bytes(b"".join([lines[0], *lines[500:]]))
        (world / "data/orders-1.csv").write_bytes(b"".join(lines[:500]))
    world.run("ingest")
    pd.testing.assert_frame_equal(world.table("tables/orders"), before)


def test_private_values_are_nowhere(world: "World") -> None:
    world.run("ingest")
    assert "secret-" in (world / "data/orders.csv").read_text()
    written = {name: content for name, content in world.snapshot().items() if not name.startswith("data/")}
    assert "tables/orders.parquet" in written
    assert not [name for name, content in written.items() if b"secret-" in content]
    assert "customer" not in world.table("tables/orders")
    found = duckdb.connect().execute(f"SELECT * FROM '{world / 'tables/orders.parquet'}'").df()
    assert not found.astype(str).apply(lambda values: values.str.contains("secret")).any(axis=None)


def test_private_values_are_in_no_artifact_of_any_step(judged: "World") -> None:
    """Every byte that all steps wrote, the store and its artifacts, and every cell of every table."""
    secrets = [value for value in pd.read_csv(judged / "data/orders.csv")["customer"] if len(value) > len("secret-99")]
    assert len(secrets) > 1000
    paths = [path for path in judged.folder.rglob("*") if path.is_file() and "data" not in path.parts[-2:]]
    names = {path.suffix for path in paths}
    assert {".parquet", ".json", ".html", ".skops", ".db"} <= names
    assert [path for path in paths if b"secret-" in path.read_bytes()] == []
    tables = [path for path in paths if path.suffix == ".parquet"]
    assert len(tables) >= 6
    for path in tables:
        frame = pd.read_parquet(path).astype(str)
        assert not frame.apply(lambda values: values.str.contains("secret-")).to_numpy().any(), path


def test_private_values_that_break_promises_stay_unsaid(
    world: "World", builders: Builders, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    world.edit("contract.yaml", ("role: private, nullable: true", "role: private, unique: true, values: [nobody]"))
    world.lay(orders=builders["orders"]().assign(customer="secret-twin", shop="west"))
    assert world.command("ingest").returncode == 0
    done = world.command("validate")
    assert (done.returncode, "secret-" in done.stdout + done.stderr) == (2, False)
    paths = [path for path in world.folder.rglob("*") if path.is_file() and path.parent.name != "data"]
    assert [path for path in paths if b"secret-" in path.read_bytes()] == []


def test_only_the_name_of_an_unknown_column_gets_past_ingest(world: "World", builders: Builders) -> None:
    world.lay(orders=builders["orders"]().assign(colour="red"))
    world.run("ingest")
    assert set(column(world, "colour")) == {None}
    world.edit("contract.yaml", ("files: orders.csv", "files: orders.csv\n    other_columns: drop"))
    world.run("ingest")
    assert "colour" not in world.table("tables/orders")


def test_the_manifest_says_what_was_read(world: "World") -> None:
    world.run("ingest", until="2024-02-02", batch_days=7)
    found = world.json("manifest")
    assert found["batch"] == {"start": "2024-01-26T00:00:00", "end": "2024-02-02T00:00:00"}
    assert list(found["files"]) == ["orders.csv", "rates.csv"]
    assert found["tables"]["orders"] == {
        "rows": 384,
        "kept_as_text": [],
        "rows_per_month": {"2024-01": 372, "2024-02": 12},
    }


@pytest.mark.parametrize(
    ("until", "days", "told"),
    [
        ("soon", 28, "ingest.until: expected a UTC time such as 2013-03-01, without an offset, found 'soon'; correct"),
        ("2024-02-30", 28, "ingest.until: expected a UTC time"),
        ("2024-04-01T00:00:00+02:00", 28, "ingest.until: expected a UTC time such as 2013-03-01, without an offset"),
        ("2024-04-01", 0, "ingest.batch_days: expected at least 1, found 0"),
    ],
)
def test_a_window_that_is_none_is_told(until: str, days: int, told: str) -> None:
    with pytest.raises(InputError, match=told):
        batch_window(until, days)


MANY = (HEADER + ROW * 30_000).encode()
PARQUET = io.BytesIO()
pq.write_table(pa.table({"at": ["2024-01-01"] * 5000, "shop": ["secret-north"] * 5000}), PARQUET)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, ": expected the files of table orders, found none; add them or correct contract.yaml"),
        (b"", ": expected column names, then rows, found an empty file; add them or remove the file"),
        (
            b"\xef\xbb\xbf",
            ": expected column names, then rows, found an empty file; add them or remove the file",
        ),
        (b"\n\n" + MANY, ":1: expected a name for each column, found none for column 1; correct that line"),
        (
            MANY + b"2024-01-02,secret-2,north\n" + ROW.encode(),
            ":30002: expected 6 cells as in the first line, found 3; correct that line",
        ),
        (
            MANY + b"1,2,3,4,secret-x,6,7\n",
            ":30002: expected 6 cells as in the first line, found 7; correct that line",
        ),
        (MANY[:-1] + b",\n", ":30001: expected 6 cells as in the first line, found 7; correct that line"),
        (
            b"My orders\n" + MANY,
            ":1: expected the names of 6 columns, found a single cell; "
            "say how many lines are above the names: `skip_lines` in contract.yaml",
        ),
        (
            MANY + ROW.replace("north", "M\xfcnchen").encode("latin-1"),
            ":30002: expected UTF-8 text, found another encoding; say `encoding`, "
            "such as latin-1, in contract.yaml or save the file as UTF-8",
        ),
        (
            HEADER.replace("shop", "caf\xe9").encode("latin-1"),
            ":1: expected UTF-8 text, found another encoding; say `encoding`, "
            "such as latin-1, in contract.yaml or save the file as UTF-8",
        ),
        ((HEADER + ROW).encode("utf-16"), ":1: expected text, found a NUL byte; save the file as UTF-8 text"),
        (
            MANY + b"2024-01-02,2,no\0rth,5,secret-x,3\n" + ROW.encode(),
            ":30002: expected text, found a NUL byte; save the file as UTF-8 text",
        ),
        (
            MANY + b'2024-01-02,2,"north,5,secret-x,3\n' + ROW.encode() * 9,
            ":30002: expected a closing quote at the end of each quoted value, found none; correct that line",
        ),
        (
            MANY + b'2024-01-02,2,"north" or so,5,secret-x,3\n',
            ":30002: expected a closing quote at the end of each quoted value, found none; correct that line",
        ),
        (
            b'at,id,"shop,price,customer,kept_days\n' + ROW.encode() * 9,
            ":1: expected a closing quote at the end of each quoted value, found none; correct that line",
        ),
        (
            MANY + b'1,2,"x\n\n\ny",4,5,6\n1,2\n',
            ":30006: expected 6 cells as in the first line, found 2; correct that line",
        ),
        (
            b'\xef\xbb\xbf"at",id\n1,2\n3,4\n5\n6,7\n',
            ":4: expected 2 cells as in the first line, found 1; correct that line",
        ),
        (
            MANY + ROW.encode().replace(b"\n", b"\r\n"),
            ":30002: expected the line end of the first line, found another one; use one kind of line end",
        ),
        (
            MANY + b"1,2,3,4,5,6\r7,8,9,10,11,12\n",
            ":30002: expected the line end of the first line, found another one; use one kind of line end",
        ),
        (
            MANY + b"1,2,3,4," + b"x" * 2_000_000 + b",6\n",
            ":30002: expected rows of at most 2,000,000 bytes, found a longer one; correct that line",
        ),
        (
            b"at,id,shop,price,shop\n",
            ":1: expected names that differ by more than upper and lower case, found 'shop' and 'shop'; rename one",
        ),
        (
            b"at,id,shop,Shop\n",
            ":1: expected names that differ by more than upper and lower case, found 'shop' and 'Shop'; rename one",
        ),
        (
            MANY.replace(b",", b";"),
            ':1: expected columns separated by commas, found semicolons; say `delimiter: ";"` in contract.yaml',
        ),
        (
            MANY.replace(b",", b"\t"),
            ':1: expected columns separated by commas, found tabs; say `delimiter: "\\t"` in contract.yaml',
        ),
    ],
)
def test_csv_that_cannot_be_read_is_told_with_its_line(
    content: bytes | None, told: str, world: "World", fails: Fails
) -> None:
    world.run("ingest")
    _broken(world, fails, "orders.csv", content, told)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (
            "orders.csv.gz",
            gzip.compress(MANY, mtime=0)[:-9],
            "a complete gzip file, found a truncated or damaged one; create it again",
        ),
        (
            "orders.csv.gz",
            gzip.compress(MANY, mtime=0)[:11],
            "a complete gzip file, found a truncated or damaged one; create it again",
        ),
        (
            "orders.csv.gz",
            gzip.compress(MANY, mtime=0)[:90] + bytes(90),
            "a complete gzip file, found a truncated or damaged one; create it again",
        ),
        ("orders.csv.gz", MANY, "a complete gzip file, found a truncated or damaged one; create it again"),
        (
            "orders.csv.gz",
            gzip.compress(b"", mtime=0),
            "column names, then rows, found an empty file; add them or remove the file",
        ),
        (
            "orders.csv.gz",
            b"",
            "column names, then rows, found an empty file; add them or remove the file",
        ),
        (
            "orders.csv.zst",
            pa.compress(MANY, codec="zstd", asbytes=True)[:-9],
            "a complete zstd file, found a truncated or damaged one; create it again",
        ),
        (
            "orders.csv.zst",
            pa.compress(MANY, codec="zstd", asbytes=True)[:90] + b"x" * 90,
            "a complete zstd file, found a truncated or damaged one; create it again",
        ),
        ("orders.csv.zst", MANY, "a complete zstd file, found a truncated or damaged one; create it again"),
        ("orders.parquet", MANY, "a complete Parquet file, found a truncated or damaged one; create it again"),
        ("orders.parquet", b"", "a complete Parquet file, found a truncated or damaged one; create it again"),
        (
            "orders.parquet",
            PARQUET.getvalue()[:-9],
            "a complete Parquet file, found a truncated or damaged one; create it again",
        ),
        (
            "orders.parquet",
            b"PAR1" + bytes(200) + PARQUET.getvalue()[204:],
            "a complete Parquet file, found a truncated or damaged one; create it again",
        ),
    ],
)
def test_a_file_that_is_cut_off_or_damaged_is_told(
    name: str, content: bytes, told: str, world: "World", fails: Fails
) -> None:
    world.run("ingest")
    (world / "data/orders.csv").unlink()
    world.edit("contract.yaml", ("files: orders.csv", f"files: {name}"))
    _broken(world, fails, name, content, f": expected {told}")


def _broken(world: "World", fails: Fails, name: str, content: bytes | None, told: str) -> None:
    before = world.snapshot()
    path = world / "data" / name
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_bytes(content)
    assert fails(world, "ingest") == [f"{path}{told}"]
    after = world.snapshot()
    for name in ("tables/orders.parquet", "tables/rates.parquet", "manifest.json"):
        assert after[name] == before[name]
    assert not [name for name in after if "/." in f"/{name}"]


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
def test_files_of_one_table_have_the_same_columns(kind: str, world: "World", fails: Fails, builders: Builders) -> None:
    world.edit("contract.yaml", ("files: orders.csv", "files: orders-*"))
    frame = builders["orders"]()
    parts = [frame.head(3), frame.tail(3)[frame.columns[::-1]], frame.head(2).rename(columns={"shop": "shops"})]
    for number, part in enumerate(parts):
        path = world / f"data/orders-{number}.{kind}"
        part.to_parquet(path) if kind == "parquet" else part.to_csv(path, index=False, na_rep="NA")
    (line,) = fails(world, "ingest")
    assert line == (
        f"{world / 'data'}/orders-2.{kind}: expected the columns of orders-0.{kind}, found no shop and also shops; "
        "give all files of a table the same columns, or see `since` and `other_columns` in docs/contract.md"
    )
    path.unlink()
    world.run("ingest", until="2100-01-01")
    assert column(world, "id") == [1, 2, 3, 1558, 1559, 1560]  # columns may come in another order


def test_parquet_columns_that_differ_in_case_are_told(world: "World", fails: Fails) -> None:
    world.edit("contract.yaml", ("files: orders.csv", "files: orders.parquet"))
    pq.write_table(pa.table({"at": ["2024-01-01"], "shop": ["x"], "Shop": ["y"]}), world / "data/orders.parquet")
    (line,) = fails(world, "ingest")
    assert "expected names that differ by more than upper and lower case, found 'shop' and 'Shop'" in line


@pytest.mark.parametrize("name", ["orders.csv", "orders.parquet"])
def test_a_folder_in_the_place_of_a_file_is_told(name: str, world: "World", fails: Fails) -> None:
    world.edit("contract.yaml", ("files: orders.csv", f"files: {name}"))
    (world / "data/orders.csv").unlink()
    (world / "data" / name).mkdir()
    (line,) = fails(world, "ingest")
    assert line == (
        f"{world / 'data' / name}: expected a file, found a folder; correct tables.orders.files in contract.yaml"
    )


@pytest.mark.parametrize("pattern", ["."])
def test_a_pattern_that_is_none_is_told(pattern: str, world: "World", fails: Fails) -> None:
    world.edit("contract.yaml", ("files: orders.csv", f"files: {pattern}"))
    (line,) = fails(world, "ingest")
    assert line.startswith(f"tables.orders.files: expected a pattern below {world / 'data'}, found '{pattern}'")


def test_a_missing_value_that_no_csv_can_hold_is_told(world: "World", fails: Fails) -> None:
    world.edit("contract.yaml", ("files: orders.csv\n    missing: NA", "files: orders.csv\n    missing: 'N,A'"))
    (line,) = fails(world, "ingest")
    assert line == (
        "tables.orders.missing: expected a text without delimiter, quote and line end, found 'N,A'; "
        "correct contract.yaml"
    )


def test_a_folder_that_is_not_there_is_told(world: "World", fails: Fails, tmp_path: Path) -> None:
    (line,) = fails(world, "ingest", data=tmp_path / "nowhere")
    assert (
        line == f"{tmp_path}/nowhere: expected the folder of raw data, found nothing; run `dvc pull` or `tidegate run`"
    )


def test_a_file_without_rows_is_left_to_validate(world: "World", fails: Fails) -> None:
    (world / "data/orders.csv").write_text(HEADER)
    world.run("ingest")
    assert world.json("manifest")["tables"]["orders"]["rows"] == 0
    assert fails(world, "validate")[0] == "orders: rows: expected at least one, found none"


def test_the_command_line_does_the_same(world: "World") -> None:
    world.run("ingest")
    before = world.snapshot()
    done = world.command("ingest")
    assert (done.returncode, done.stderr) == (0, "")
    assert world.snapshot() == before
    (world / "data/rates.csv").unlink()
    done = world.command("ingest")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def spelled(world: "World", text: str, encoding: str = "utf-8", **columns: str) -> None:
    """The orders as another file spells them; `columns` are lines of the contract in place of its own."""
    (world / "data/orders.csv").write_bytes(text.encode(encoding))
    contract = (world / "contract.yaml").read_text()
    for name, line in columns.items():  # of the first table that has it
        old = re.search(rf"      {name}: .*", contract)
        contract = contract.replace(old[0], f"      {name}: {line}", 1) if old else contract
    (world / "contract.yaml").write_text(contract)


@pytest.mark.parametrize(
    ("form", "text", "found"),
    [
        ("%d/%m/%Y %H:%M", "3/2/2024 05:30", "2024-02-03 05:30"),
        ("%b %d %Y", "Feb 3 2024", "2024-02-03"),
        ("%d/%m/%Y %H.%M.%S", "03/02/2024 18.00.00", "2024-02-03 18:00"),
        ("epoch seconds", "1706918400", "2024-02-03"),
        ("epoch milliseconds", "1706918400250", "2024-02-03 00:00:00.250"),
        ("epoch nanoseconds", "1706918400000000000", "2024-02-03"),
        ("%d/%m/%Y", "2024-02-03", None),
        ("%d/%m/%Y", "02/13/2024", None),
        ("%d/%m/%Y", "03/02/24", None),
        ("epoch seconds", "Feb 3 2024", None),
    ],
)
def test_times_are_read_in_their_format(form: str, text: str, found: str | None, world: "World") -> None:
    spelled(world, f"{HEADER}{text},1,north,5,x,3\n", at=f"{{type: timestamp, format: '{form}'}}")
    world.run("ingest")
    assert column(world, "at") == [pd.Timestamp(found) if found else text]


@pytest.mark.parametrize(
    ("form", "text", "found"),
    [
        ("1.234,5", "-1.013,25", -1013.25),
        ("1234,5", "0,5", 0.5),
        ("1,234.5", "1,013", 1013.0),
        ("1 234,5", "1\u00a0013,5", 1013.5),
        ("1'234.5", "1'013", 1013.0),
        ("1,234.5", "1013.5", 1013.5),
        ("1.234,5", "12.5", None),
        ("1,234.5", "1,2", None),
        ("1234,5", "1.5", None),
        ("$1,234.5", "$1,013.25", 1013.25),
        ("$1234.5", "-$ 13", -13.0),
        ("$1234.5", "$-13", -13.0),
        ("1.234,5 €", "1.013,5\u00a0€", 1013.5),
        ("1234.5%", "12.5 %", 12.5),
        ("$1,234.5", "1,013.25", None),
        ("1234.5%", "12.5", None),
        ("1234.5%", "%12.5", None),
        ("$1234.5", "€12.5", None),
        ("$1234.5", "-$-12.5", None),
    ],
)
def test_numbers_are_read_in_their_format(form: str, text: str, found: float | None, world: "World") -> None:
    spelled(world, f'{HEADER}2024-01-01,1,north,"{text}",x,3\n', price=f'{{type: number, format: "{form}"}}')
    world.run("ingest")
    assert column(world, "price") == [found if found is not None else text]


def test_a_whole_number_has_a_format_too(world: "World") -> None:
    spelled(world, f'{HEADER}2024-01-01,1,north,5,x,"1,013"\n', kept_days='{type: integer, format: "1,234.5"}')
    world.run("ingest")
    assert column(world, "kept_days") == [1013]


@pytest.mark.parametrize("encoding", ["latin-1", "windows-1252", "utf-16", "shift_jis"])
def test_a_file_of_another_tool_is_read_as_it_is(encoding: str, world: "World") -> None:
    """Semicolons, decimal commas, date and time in two columns, names of its own, empty rows at the end."""
    shop = {"shift_jis": "店", "windows-1252": "Zürich “€”"}.get(encoding, "Zürich")
    text = f"Date;Time;id;Shop(GT);price;customer;kept_days;\n10/03/2004;18.00.00;1;{shop};-200;x;3;\n"
    text += f"10/03/2004;19.30.00;2;{shop};2,5;x;;\n;;;;;;;\n;;;;;;;\n"
    spelled(
        world,
        text,
        encoding,
        at='{type: timestamp, from: [Date, Time], format: "%d/%m/%Y %H.%M.%S"}',
        shop='{type: text, from: "Shop(GT)"}',
        price="{type: number, format: '1234,5', missing: [-200], nullable: true}",
    )
    wanted = (
        f"files: orders.csv\n    delimiter: ';'\n    encoding: {encoding}\n    other_columns: drop\n    missing: ''"
    )
    world.edit("contract.yaml", ("files: orders.csv\n    missing: NA", wanted))
    world.run("ingest")
    assert column(world, "at") == [pd.Timestamp("2004-03-10 18:00"), pd.Timestamp("2004-03-10 19:30")]
    assert (column(world, "shop"), column(world, "price")) == ([shop, shop], [None, 2.5])
    assert column(world, "kept_days") == [3, None]
    assert set(world.table("tables/orders").columns) == {"at", "id", "shop", "price", "kept_days"}


FIRST_LINES: dict[str, tuple[str, str]] = {
    "names of rows": ("header: row_names", f"{HEADER}1,2024-01-01,1,north,5,x,3\n2,2024-01-01,2,south,6,x,4\n"),
    "no names": ("header: none", "2024-01-01,1,north,5,x,3\n2024-01-01,2,south,6,x,4\n"),
    "a title": ("skip_lines: 2", f'My "orders\n\n{HEADER}2024-01-01,1,north,5,x,3\n2024-01-01,2,south,6,x,4\n'),
    "spaces": (
        "delimiter: spaces",
        f"{HEADER.replace(',', '   ')}2024-01-01 1\tnorth 5 x 3\n  2024-01-01 2 south   6 x 4 \n\n",
    ),
}


@pytest.mark.parametrize("name", FIRST_LINES)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_begins_as_the_contract_says(name: str, encoding: str, world: "World") -> None:
    key, text = FIRST_LINES[name]
    spelled(world, text, encoding)
    lines = f"files: orders.csv\n    {key}\n    encoding: {encoding}\n    other_columns: drop"
    world.edit("contract.yaml", ("files: orders.csv", lines))
    world.run("ingest")
    assert (column(world, "id"), column(world, "shop")) == ([1, 2], ["north", "south"])
    assert (column(world, "price"), column(world, "kept_days")) == ([5.0, 6.0], [3, 4])


@pytest.mark.parametrize(
    ("key", "text", "line"),
    [
        ("header: none", "1,2,3\n1,2\n", ":2: expected 3 cells as in the first line, found 2"),
        ("skip_lines: 1", f"My orders\n{HEADER}2024-01-01,1\n", ":3: expected 6 cells as in line 2, found 2"),
        ("skip_lines: 9", HEADER, ": expected column names, then rows, found an empty file"),
        ("header: none", "", ": expected rows, found an empty file"),
        ("delimiter: spaces", "at id\n1 2\n\n3 4 5\n", ":4: expected 2 cells as in the first line, found 3"),
        ("skip_lines: 1", "a title\nat,id,at\n", ":2: expected names that differ by more than upper and lower case"),
    ],
)
def test_a_line_that_does_not_fit_is_named(key: str, text: str, line: str, world: "World", fails: Fails) -> None:
    world.edit("contract.yaml", ("files: orders.csv", f"files: orders.csv\n    {key}"))
    (world / "data/orders.csv").write_text(text)
    before = world.snapshot()
    (found,) = fails(world, "ingest")
    assert found.startswith(f"{world / 'data/orders.csv'}{line}")
    assert world.snapshot() == before


def test_bytes_that_an_encoding_has_not_are_told(world: "World", fails: Fails) -> None:
    spelled(world, f"{HEADER}2024-01-01,1,Zürich,5,x,3\n", "latin-1")
    world.edit("contract.yaml", ("files: orders.csv\n", "files: orders.csv\n    encoding: shift_jis\n"))
    (line,) = fails(world, "ingest")
    assert "orders.csv: expected text in shift_jis, found bytes that it does not have" in line
    assert line.endswith("; correct `encoding` in contract.yaml")


def test_a_column_without_a_name_is_called_by_its_place(world: "World") -> None:
    raw(world, "1,2024-01-01,1,north,5,x,3,\n", f",{HEADER[:-1]},\n")
    world.run("ingest")
    names = list(world.table("tables/orders").columns)
    assert names[0] == "column_1" or "column_1" in names
    assert "column_8" in names


def test_a_row_without_any_value_is_no_row(world: "World") -> None:
    """With a time or without: spreadsheets end with rows of nothing but separators."""
    raw(world, f"{ROW}NA,NA,NA,NA,NA,NA\n2024-01-01,NA,NA,NA,NA,NA\nNA,NA,NA,NA,x,NA\n")
    (world / "data/rates.csv").write_text("at,rate\nNA,NA\n2024-01-01,NA\n")
    world.edit(
        "contract.yaml",
        ("    files: rates.csv\n    missing: NA\n    time: at\n", "    files: rates.csv\n    missing: NA\n"),
    )
    world.run("ingest")
    assert (len(world.table("tables/orders")), len(world.table("tables/rates"))) == (3, 1)


def test_a_name_in_other_capitals_is_the_same_name(world: "World") -> None:
    raw(world, "2024-01-01,1,north,5,secret-x,3\n", "AT,Id,Shop,price,customer,KEPT_days\n")
    world.run("ingest")
    assert list(world.table("tables/orders").columns) == ["at", "id", "shop", "price", "kept_days"]


def test_nan_beside_one_value_alone_is_no_value_in_parquet(world: "World") -> None:
    """The file's statistics, which ignore NaN, say that all values are equal."""
    rows = {"at": ["2024-01-01"] * 5000, "kept_days": [5.0] * 4999 + [float("nan")]}
    pq.write_table(pa.table(rows), world / "data/orders.parquet")
    world.edit("contract.yaml", ("files: orders.csv", "files: orders.parquet"))
    world.run("ingest")
    assert set(column(world, "kept_days")) == {5, None}


def test_not_a_number_in_parquet_is_no_value(world: "World") -> None:
    world.edit("contract.yaml", ("files: orders.csv", "files: orders.parquet"))
    rows = {"at": ["2024-01-01"] * 3, "price": [1.5, float("nan"), float("inf")]}
    pq.write_table(pa.table(rows), world / "data/orders.parquet")
    world.run("ingest")
    assert sorted(column(world, "price"), key=str) == [1.5, None, float("inf")]


def test_the_file_that_is_not_as_the_contract_has_it_is_named(world: "World", fails: Fails) -> None:
    world.edit("contract.yaml", ("files: orders.csv", "files: orders*.csv"))
    row = "2024-02-01 00:00:00,2,north,5,secret-x,3"
    (world / "data/orders-2.csv").write_text(f"{HEADER[:-1]},extra\n{row},1\n")
    (line,) = fails(world, "ingest")
    assert "/orders-2.csv: expected the columns of orders.csv, found also extra; give all" in line
    world.edit("contract.yaml", ("files: orders*.csv", "files: orders*.csv\n    other_columns: drop"))
    world.run("ingest")
    assert "extra" not in world.table("tables/orders")


def test_a_column_may_begin_at_a_day(
    world: "World", fails: Fails, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    world.edit(
        "contract.yaml",
        ("files: orders.csv", "files: orders*.csv"),
        (
            "      at: {type: timestamp}\n",
            "      at: {type: timestamp}\n      extra: {type: integer, since: '2024-03-01'}\n",
        ),
    )
    (world / "data/orders-2.csv").write_text(f"{HEADER[:-1]},extra\n2024-03-31 05:00:00,9999,north,5,x,3,7\n")
    world.run("ingest")
    assert world.table("tables/orders")["extra"].sum() == 7
    assert "extra: no null (372 rows" in fails(world, "validate")[0]  # those of March that lack it

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

from components.errors import InputError
from components.ingest.versions import batch_window, folder_version

if TYPE_CHECKING:
    from tests.components.conftest import World

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
        (world / "data/orders.csv.gz").write_bytes(gzip.compress(text))
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


def test_unknown_columns_stay_text(world: "World", builders: Builders) -> None:
    world.lay(orders=builders["orders"]().assign(colour=1.5))
    world.run("ingest")
    assert set(column(world, "colour")) == {"1.5"}


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
        ("soon", 28, "ingest.until: expected a date such as 2013-03-01, found 'soon'; mend params.yaml"),
        ("2024-02-30", 28, "ingest.until: expected a date"),
        ("2024-04-01T00:00:00+02:00", 28, "ingest.until: expected a UTC time without an offset"),
        ("2024-04-01", 0, "ingest.batch_days: expected at least 1, found 0"),
    ],
)
def test_a_window_that_is_none_is_told(until: str, days: int, told: str) -> None:
    with pytest.raises(InputError, match=told):
        batch_window(until, days)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "orders.csv: expected the files of table orders, found none; add them or mend contract.yaml"),
        (
            (HEADER + ROW + "2024-01-02,2,north\n" + ROW).encode(),
            "orders.csv: expected a readable table, found .*; mend",
        ),
        (
            (HEADER + ROW * 30_000 + "2024-01-02,2\n").encode(),
            "found Invalid Input Error: CSV Error on Line: 30002; Expected Number of Columns: 6 Found: 2",
        ),
        (
            (HEADER + ROW + "1,2,3,4,5,6,7\n").encode(),
            "orders.csv: expected a readable table, found .*; mend the file",
        ),
        (("My orders\n" + HEADER + ROW).encode(), "orders.csv: expected a readable table, found .*; mend the file"),
        ((HEADER + ROW.replace("north", "M\xfcnchen")).encode("latin-1"), "found .*not utf-8 encoded"),
        (b"PAR1 but not really", None),
    ],
)
def test_what_cannot_be_read_is_one_line_and_leaves_the_earlier_output(
    content: bytes | None, told: str | None, world: "World", fails: Fails
) -> None:
    world.run("ingest")
    before = world.snapshot()
    path = world / "data/orders.csv"
    if told is None:
        path.unlink()
        world.edit("contract.yaml", ("orders.csv", "orders.parquet"))
        path, told = world / "data/orders.parquet", "orders.parquet: expected a readable table, found"
    path.unlink() if content is None else path.write_bytes(content)
    (line,) = fails(world, "ingest")
    assert re.search(told, line), line
    assert "secret-" not in line
    after = world.snapshot()
    for name in ("tables/orders.parquet", "tables/rates.parquet", "manifest.json"):
        assert after[name] == before[name]
    assert not [name for name in after if "/." in f"/{name}"]


def test_a_folder_that_is_not_there_is_told(world: "World", fails: Fails, tmp_path: Path) -> None:
    (line,) = fails(world, "ingest", data=tmp_path / "nowhere")
    assert (
        line == f"{tmp_path}/nowhere: expected the folder of raw data, found nothing; run `dvc pull` or `tidegate run`"
    )


@pytest.mark.parametrize("content", ["", HEADER])
def test_a_file_without_rows_is_left_to_validate(content: str, world: "World", fails: Fails) -> None:
    (world / "data/orders.csv").write_text(content)
    world.run("ingest")
    assert world.json("manifest")["tables"]["orders"]["rows"] == 0
    lines = fails(world, "validate")
    assert lines[0] == (
        "orders: rows: expected at least one, found none"
        if content
        else "orders: column at: expected a column of type timestamp, found none"
    )


def test_the_command_line_does_the_same(world: "World") -> None:
    world.run("ingest")
    before = world.snapshot()
    done = world.command("ingest")
    assert (done.returncode, done.stderr) == (0, "")
    assert world.snapshot() == before
    (world / "data/rates.csv").unlink()
    done = world.command("ingest")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)

"""`validate.publish`: the clean tables are where a server finds them, whole, and never older than before."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from tests.servers.programs import s3, silent
from tidegate.contract.contract import parse_contract
from tidegate.process import limits
from tidegate.serving.clean_tables import find, load

if TYPE_CHECKING:
    from tests.toy import World

Builders = dict[str, Callable[..., pd.DataFrame]]
Fails = Callable[..., list[str]]


@pytest.fixture
def there(world: "World") -> Path:
    return world / "there"


def run(world: "World", place: object, until: str = "2024-04-01") -> None:
    world.run("ingest", "validate", until=until, publish=str(place))


def rows(world: "World", place: object) -> int:
    """How many events a server finds at a place."""
    contract = parse_contract((world / "contract.yaml").read_text())
    tables = load(find(str(place)), contract, (world / "features.sql").read_text())
    found = tables.connection.execute("SELECT count(*) FROM history.orders").fetchone()
    assert found
    return int(found[0])


def test_a_server_finds_the_tables_of_the_newest_batch(
    world: "World", there: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(world, there)
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == f"{there} has 2 clean tables with rows until 2024-04-01T00:00:00"
    before = rows(world, there)
    assert {path.name for path in there.iterdir()} == {"orders.parquet", "rates.parquet", "published.json"}
    for path in (world / "clean").glob("*.parquet"):
        assert (there / path.name).read_bytes() == path.read_bytes()
    run(world, there, until="2024-05-01")
    assert rows(world, there) == before + 30 * 12


def test_tables_of_an_earlier_batch_do_not_take_their_place(
    world: "World", there: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(world, there, until="2024-05-01")
    before = {path.name: path.read_bytes() for path in there.iterdir()}
    run(world, there)
    assert {path.name: path.read_bytes() for path in there.iterdir()} == before
    said = capsys.readouterr().out.splitlines()[-1]
    moments = "they have rows until 2024-05-01T00:00:00, these until 2024-04-01T00:00:00"
    assert said == f"{there} keeps its tables: {moments}"


def test_what_breaks_the_contract_is_not_published(world: "World", there: Path, builders: Builders) -> None:
    orders = builders["orders"]()
    world.lay(orders=orders.assign(price=orders["price"] - 500))
    world.run("ingest")
    assert world.here("validate", publish=str(there)).returncode == 2
    assert not there.exists()


@pytest.mark.parametrize("name", ["clean", "clean/deeper", "clean/../clean"])
def test_the_step_s_own_folder_is_no_place(name: str, world: "World", fails: Fails) -> None:
    world.run("ingest")
    place = str(world / name)
    (line,) = fails(world, "validate", publish=place)
    assert line.startswith(f"validate.publish: {place}: expected another folder than that of the step")
    assert not (world / "clean").exists() and not (world / "findings.json").exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"until": 3}', '{"until": "soon"}'])
def test_a_state_that_says_nothing_is_told(content: str, world: "World", there: Path, fails: Fails) -> None:
    there.mkdir()
    (there / "published.json").write_text(content)
    world.run("ingest")
    (line,) = fails(world, "validate", publish=str(there))
    assert line.startswith(f"{there}: published.json: expected until when the tables have rows")
    assert [path.name for path in there.iterdir()] == ["published.json"]


def test_at_an_s3_prefix(world: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with s3("bucket") as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        run(world, "s3://bucket/clean/")
        before = rows(world, "s3://bucket/clean/")
        run(world, "s3://bucket/clean/", until="2024-05-01")
        assert rows(world, "s3://bucket/clean/") == before + 30 * 12
        run(world, "s3://bucket/clean")
        assert rows(world, "s3://bucket/clean/") == before + 30 * 12
        refused = world.here("validate", publish="s3://nowhere/clean/")
        expected = "error: s3://nowhere/clean/: expected a place that takes the clean tables, found "
        assert refused.returncode == 75 and refused.stderr.startswith(expected)


def test_a_store_that_does_not_answer_is_told(world: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STORE_ANSWER_SECONDS", 1)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    world.run("ingest")
    with silent() as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        refused = world.here("validate", publish="s3://bucket/clean/")
    expected = "error: s3://bucket/clean/: expected a place that takes the clean tables, found "
    assert refused.returncode == 75 and refused.stderr.startswith(expected)
    assert not (world / "findings.json").exists()


@pytest.mark.parametrize("place", ["s3://x:hidden-key@bucket/clean", "nosuch://bucket/clean", "://", "s3:///"])
def test_an_address_that_is_none(place: str, world: "World", fails: Fails) -> None:
    world.run("ingest")
    (line,) = fails(world, "validate", publish=place)
    assert line.startswith("validate.publish") and "hidden-key" not in line


def test_a_place_that_cannot_be_written(world: "World", there: Path) -> None:
    there.write_text("a file")
    world.run("ingest")
    refused = world.here("validate", publish=str(there))
    assert refused.returncode and len(refused.stderr.splitlines()) == 1
    assert refused.stderr.startswith(f"error: {there}")
    assert there.read_text() == "a file" and not (world / "findings.json").exists()

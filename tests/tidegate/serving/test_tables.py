"""Where the clean tables come from: a folder or an S3 prefix."""

from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.servers.programs import forget_stores, s3, silent
from tests.tidegate.serving.conftest import EVENT, Server
from tidegate.process import limits
from tidegate.process.errors import InputError, UnavailableError
from tidegate.serving import clean_tables

if TYPE_CHECKING:
    from tests.toy import World


def at(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The credentials of a store, as a pod has them; a connection of an earlier test knows another store."""
    forget_stores()
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)


def test_tables_of_an_s3_prefix(released: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    here = Server(released)
    here.model.load()
    expected = here.predict(EVENT).document
    with s3("bucket") as endpoint:
        at(endpoint, monkeypatch)
        client = boto3.client("s3", endpoint_url=endpoint)
        for name in ("orders", "rates"):
            client.upload_file(str(released / f"clean/{name}.parquet"), "bucket", f"clean/{name}.parquet")
        there = Server(released, tables="s3://bucket/clean/")
        there.model.load()
        assert there.predict(EVENT).document == expected
        released.table("clean/rates").assign(rate=0.25).to_parquet(released / "other.parquet")
        client.upload_file(str(released / "other.parquet"), "bucket", "clean/rates.parquet")
        there.model.load()
        assert there.lines == ["version 1 serves", "version 1 serves, with other tables"]
        assert there.predict(EVENT).document != expected
    there.model.load()
    assert there.predict(EVENT).status == 200


def test_a_silent_store_is_given_up(released: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STORE_ANSWER_SECONDS", 1.0)
    with silent() as port:
        at(f"http://127.0.0.1:{port}", monkeypatch)
        with pytest.raises(UnavailableError, match=r"s3://bucket/clean/: expected an answer, found TimeoutError"):
            clean_tables.find("s3://bucket/clean/")


def test_a_table_that_is_missing_is_named(released: "World") -> None:
    server = Server(released)
    server.model.load()
    champion = server.model.current().champion
    Path(released / "clean/rates.parquet").unlink()
    source = clean_tables.find(str(released / "clean"))
    with pytest.raises(InputError, match=r"expected the table rates, found only orders"):
        clean_tables.load(source, champion.contract, champion.sql)

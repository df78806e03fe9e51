"""The step: it writes its answer below a folder or an S3 prefix, in a file that a retry replaces."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3
import pandas as pd
import pytest

from tests.components.predict.conftest import write
from tests.servers.programs import s3
from tidegate.components.predict.__main__ import predict
from tidegate.process.errors import InputError

if TYPE_CHECKING:
    from tests.toy import World

MOMENT, FILE = "2024-04-02T03:04:05Z", "2024-04-02T03-04-05Z.parquet"


def ports(world: "World", **changes: Any) -> dict[str, Any]:
    usual = {
        "name": "toy", "version": "", "source": str(world / "in.parquet"), "target": str(world / "answers"),
        "tables": str(world / "clean"), "unknown": "accept", "skip_bad": True, "sign": "", "moment": MOMENT,
        "answered": world / "answered.json",
    }  # fmt: skip
    return usual | changes


@pytest.fixture
def events(released: "World") -> pd.DataFrame:
    """All events, two of them bad."""
    rows = released.table("clean/orders")[["at", "id", "shop", "price"]]
    rows.loc[[3, 5], "shop"] = "west"
    write(rows, released / "in.parquet")
    return rows


def test_a_folder(released: "World", events: pd.DataFrame) -> None:
    for _ in range(2):  # a retry
        predict(**ports(released))
    names = sorted(path.name for path in (released / "answers").iterdir())
    assert names == [FILE.replace(".parquet", ".bad.parquet"), FILE]
    told = json.loads((released / "answered.json").read_text())
    assert (told["rows"], told["bad"], told["file"]) == (len(events) - 2, 2, FILE)


def test_an_s3_prefix(released: "World", events: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    predict(**ports(released))
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
    with s3("bucket") as endpoint:
        for name, value in {**keys, "AWS_ENDPOINT_URL": endpoint}.items():
            monkeypatch.setenv(name, value)
        client = boto3.client("s3", endpoint_url=endpoint)
        client.upload_file(str(released / "in.parquet"), "bucket", "asked/in.parquet")
        for table in ("orders", "rates"):
            client.upload_file(str(released / f"clean/{table}.parquet"), "bucket", f"clean/{table}.parquet")
        places = {"source": "s3://bucket/asked/", "target": "s3://bucket/answers/", "tables": "s3://bucket/clean/"}
        predict(**ports(released, **places))
        client.download_file("bucket", f"answers/{FILE}", str(released / "fetched.parquet"))
        with pytest.raises(InputError, match="s3://bucket/nowhere/: expected rows to predict, found nothing"):
            predict(**ports(released, **{**places, "source": "s3://bucket/nowhere/"}))
    fetched, expected = pd.read_parquet(released / "fetched.parquet"), pd.read_parquet(released / "answers" / FILE)
    assert fetched["prediction"].tolist() == expected["prediction"].tolist()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"moment": "now"}, "moment: expected a time such as 2013-03-01T06:00:00Z, found 'now'; correct it"),
        ({"unknown": "maybe"}, "unknown: expected one of accept, refuse, found 'maybe'; correct it"),
        ({"source": "gs://x/"}, "gs://x/: expected a folder or an S3 prefix, found another store"),
        ({"name": "ships"}, "ships: expected a champion, found none yet"),
    ],
)
def test_what_it_refuses(
    changes: dict[str, str], message: str, released: "World", events: pd.DataFrame, fails: Callable[..., list[str]]
) -> None:
    given = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in ports(released, **changes).items()
    }
    (line,) = fails(released, "predict", **given)
    assert line.startswith(message)

"""One event goes from the recordings, and all others stay."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests import requests
from tidegate.process.errors import InputError
from tidegate.serving import recorded_events
from tidegate.serving.recorded_events import erase, holding
from tidegate.tables.features import Window
from tidegate.tracking.champion import load_champion
from tidegate.tracking.store import connect

if TYPE_CHECKING:
    from tests.toy import World


@pytest.fixture
def place(released: "World") -> Path:
    """Three days of requests."""
    champion = load_champion(connect(), "toy", ())
    assert champion is not None
    frame = champion.batch(released / "clean", Window(datetime(2024, 3, 20), datetime(2024, 3, 23)))
    requests.record(released / "asked", champion, frame[frame["at"] < "2024-03-23"].reset_index(drop=True))
    return released / "asked"


def rows(place: Path) -> pd.DataFrame:
    frames = [pd.read_parquet(path) for path in sorted(place.rglob("*.parquet"))]
    return pd.concat(frames).sort_values(["key_at", "key_id"], ignore_index=True)


def identity(row: "pd.Series[Any]") -> dict[str, Any]:
    return {"at": row["key_at"].to_pydatetime(), "id": int(row["key_id"])}


def test_its_rows_go_and_every_other_stays(place: Path) -> None:
    before = rows(place)
    gone = before.iloc[10]
    found = holding(str(place), identity(gone))
    assert [file.rows for file in found] == [1]
    erase(str(place), found, identity(gone))
    after = rows(place)
    expected = before[before["key_id"] != gone["key_id"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(after, expected)
    assert holding(str(place), identity(gone)) == []


def test_a_file_of_several_events_keeps_the_others_and_their_form(place: Path) -> None:
    files = sorted(place.rglob("*.parquet"))
    both = pd.concat([pd.read_parquet(path) for path in files[:2]], ignore_index=True)
    whole = place / "hour=2024-03-20T00" / "both.parquet"

    schema = pq.read_schema(files[0])
    pq.write_table(pa.Table.from_pandas(both, schema=schema, preserve_index=False), whole)
    for path in files[:2]:
        path.unlink()
    found = holding(str(place), identity(both.iloc[0]))
    assert [(file.path, file.rows, file.rest) for file in found] == [("hour=2024-03-20T00/both.parquet", 1, 1)]
    erase(str(place), found, identity(both.iloc[0]))
    assert pq.read_schema(whole).equals(schema)
    assert pd.read_parquet(whole)["key_id"].tolist() == [both["key_id"][1]]
    assert [path.name for path in whole.parent.iterdir()] == ["both.parquet"], "nothing half-written"


def test_a_file_that_cannot_be_read_stops_it_before_anything_goes(place: Path) -> None:
    (place / "hour=2024-03-22T22" / "x.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match=r"hour=2024-03-22T22/x.parquet: expected a file of recorded predictions"):
        holding(str(place), identity(rows_of_first(place)))


def rows_of_first(place: Path) -> "pd.Series[Any]":
    return pd.read_parquet(sorted(place.rglob("*.parquet"))[0]).iloc[0]


def test_a_place_without_recordings_is_named(tmp_path: Path) -> None:
    assert holding(str(tmp_path), {"id": 1}) == []
    with pytest.raises(InputError, match="expected recorded predictions, found nothing"):
        recorded_events.erase(str(tmp_path / "no"), [recorded_events.Recorded("a.parquet", 1, 1)], {"id": 1})

"""Old hours of recordings go, whole; all else stays."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import fsspec
import pytest

from tests.servers.programs import s3
from tidegate.process.errors import UnavailableError
from tidegate.serving import recorded_hours

NOON = datetime(2024, 1, 2, 12)
FILES = (
    *("hour=2024-01-01T23/a.parquet", "hour=2024-01-02T10/b.parquet", "hour=2024-01-02T10/c.parquet"),
    *("hour=2024-01-02T11/d.parquet", "hour=2024-01-02T12/e.parquet", "hour=soon/f.parquet", "notes.txt"),
)


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A folder, and a prefix of a bucket."""
    if request.param == "folder":
        yield str(tmp_path)
        return
    with s3("bucket") as endpoint:
        for name, value in {"ENDPOINT_URL": endpoint, "ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x"}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        yield "s3://bucket/asked"


def files(place: str) -> set[str]:
    system, folder = fsspec.core.url_to_fs(place, skip_instance_cache=True, use_listings_cache=False)
    return {str(path).partition(f"{folder}/")[2] for path in system.find(folder)}


def test_hours_that_ended_before_go_whole(place: str) -> None:
    system, folder = fsspec.core.url_to_fs(place, skip_instance_cache=True)
    assert recorded_hours.before(place, NOON) == []
    for file in FILES:
        if "://" not in place:
            Path(folder, file).parent.mkdir(exist_ok=True)
        system.pipe_file(f"{folder}/{file}", b"x" * 10)
    hours = recorded_hours.before(place, NOON.replace(hour=11, minute=59))
    assert [(hour.files, hour.bytes) for hour in hours] == [(1, 10), (2, 20)]
    assert files(place) == {*FILES}
    for _ in range(2):  # the second time, as after a kill, they are gone already
        recorded_hours.remove(place, hours)
        assert files(place) == {*FILES[3:]}
    assert [hour.path.rpartition("/")[2] for hour in recorded_hours.before(place, NOON)] == ["hour=2024-01-02T11"]


def test_a_store_that_is_away_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ENDPOINT_URL": "http://127.0.0.1:9", "ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    with pytest.raises(UnavailableError, match="s3://bucket/asked: expected an answer, found "):
        recorded_hours.before("s3://bucket/asked", NOON)

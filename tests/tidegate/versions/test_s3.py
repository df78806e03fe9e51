"""S3 with faults: three attempts at each request, with growing pauses, and one line when they are in vain."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tests.servers.flaky import Faults, flaky
from tests.servers.programs import s3, silent
from tidegate.process import limits
from tidegate.process.errors import UnavailableError
from tidegate.versions.listing import listed, text
from tidegate.versions.repository import opened

KEYS = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
VERSION = "20240101T000000.000000Z-" + "a" * 32
DATA_DVC = f"outs:\n- md5: {'a' * 32}.dir\n  path: data\n"


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """A store with one listed version."""
    with s3("bucket") as endpoint:
        client = boto3.client("s3", endpoint_url=endpoint, **KEYS)
        client.put_object(Bucket="bucket", Key=f"data/tidegate/versions/{VERSION}.dvc", Body=DATA_DVC.encode())
        yield endpoint


def versions(folder: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts of the versions on a remote."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name.upper().replace("REGION_NAME", "AWS_DEFAULT_REGION"), value)
    with opened(folder, f"url = s3://bucket/data\nendpointurl = {endpoint}\n") as repository:
        return [text(repository, version) for version in listed(repository)]


@pytest.mark.parametrize("fault", ["503", "reset", "broken off"])
@pytest.mark.parametrize("sound", [0, 2])
def test_a_fault_that_passes_is_not_noticed(
    fault: str, sound: int, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request fails twice; before that some go well."""
    faults = Faults(*([""] * sound), fault, fault)
    with flaky(store, faults) as endpoint:
        assert versions(tmp_path / "look", endpoint, monkeypatch) == [DATA_DVC]
    assert not faults.rest


@pytest.mark.parametrize("fault", ["503", "reset"])
def test_a_fault_that_stays_is_told_after_three_attempts(
    fault: str, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = Faults(forever=fault)
    with flaky(store, faults) as endpoint, pytest.raises(UnavailableError) as caught:
        versions(tmp_path / "look", endpoint, monkeypatch)
    assert limits.STORE_ATTEMPTS <= faults.count <= 2 * limits.STORE_ATTEMPTS  # aiohttp repeats what a reset ended
    assert "\n" not in str(caught.value) and "expected an answer, found" in str(caught.value)


def test_a_request_that_is_not_answered_is_given_up_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only each attempt: three that hear nothing would take longer than one."""
    monkeypatch.setattr(limits, "STORE_REQUEST_SECONDS", 1.5)
    with silent() as port, pytest.raises(UnavailableError, match=r"no answer in 1\.5 s"):
        versions(tmp_path / "look", f"http://127.0.0.1:{port}", monkeypatch)

"""With `deploy.sign` a version is signed when it is registered, and gate, evaluate and people refuse any other."""

from typing import TYPE_CHECKING

import pytest

from tests.components.deploy.test_deploy import Fails, registry
from tidegate.process import keys
from tidegate.process.errors import ModelError
from tidegate.tracking import signatures, versions
from tidegate.tracking.champion import load_champion
from tidegate.tracking.numbered import listed
from tidegate.tracking.store import connect
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from tests.toy import World

PRIVATE, PUBLIC = keys.make()
_, OTHER = keys.make()
UNSIGNED = "toy version 1: expected a signature by a key of deploy.sign, found none; promote another version, or check"


def test_a_champion_is_signed_and_loaded(trained: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(keys.KEY, PRIVATE)
    trained.run("deploy", sign=f"{OTHER} {PUBLIC}")
    champion = load_champion(connect(), "toy", (PUBLIC,))
    assert champion and champion.version == "1"
    with pytest.raises(ModelError):
        load_champion(connect(), "toy", (OTHER,))
    before = listed(connect(), "toy")[0].tags
    (trained / "release.json").unlink()
    trained.run("deploy", sign=PUBLIC)
    assert listed(connect(), "toy")[0].tags == before


@pytest.mark.parametrize("given", ["", PRIVATE])
def test_without_a_trusted_key_nothing_is_registered(
    given: str, trained: "World", fails: Fails, monkeypatch: pytest.MonkeyPatch
) -> None:
    if given:
        monkeypatch.setenv(keys.KEY, given)
    (line,) = fails(trained, "deploy", sign=OTHER)
    assert line.startswith("signing key: expected ")
    assert registry() == ([], [], None)


def test_an_unsigned_champion_stops_the_gate_and_the_verdict(judged: "World", fails: Fails) -> None:
    (line,) = fails(judged, "evaluate", sign=PUBLIC, margin=0.5)
    assert line.startswith(UNSIGNED)
    (line,) = fails(judged, "gate", sign=PUBLIC, decay=0.3)
    assert line.startswith(UNSIGNED)


def test_what_somebody_registered_before_is_not_signed_as_it_is(
    judged: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who can write the registry registers the challenger first, with a wheel of theirs."""
    monkeypatch.setenv(keys.KEY, PRIVATE)
    judged.run("deploy", approval="manual")
    client = connect()
    own = versions.tags_of(client, "toy", "2")[Tag.WHEEL]
    client.set_model_version_tag("toy", "2", Tag.WHEEL, "00 run evil.whl")
    judged.run("deploy", sign=PUBLIC)
    tags = versions.tags_of(client, "toy", "2")
    assert tags[Tag.WHEEL] == own
    assert signatures.holds("toy", "2", tags, (PUBLIC,))

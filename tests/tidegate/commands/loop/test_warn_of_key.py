"""Whether a version could be signed is said before it is trained."""

import pytest

from tidegate.commands.loop.turn import warn_of_key
from tidegate.process import keys

PRIVATE, PUBLIC = keys.make()


@pytest.mark.parametrize(
    ("approval", "sign", "given", "warned"),
    [
        ("automatic", "", "", False),
        ("automatic", PUBLIC, PRIVATE, False),
        ("never", PUBLIC, "", False),
        ("automatic", PUBLIC, "", True),
        ("manual", keys.make()[1], PRIVATE, True),
    ],
    ids=["unsigned", "signed", "never accepted", "no key", "another key"],  # the keys are random
)
def test_a_run_without_the_key_is_warned(
    approval: str,
    sign: str,
    given: str,
    warned: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(keys.KEY, given)
    warn_of_key({"approval": approval, "sign": sign})
    told = capsys.readouterr().err
    assert told.startswith("warning: an accepted version could not be signed: signing key: expected") == warned
    assert bool(told) == warned

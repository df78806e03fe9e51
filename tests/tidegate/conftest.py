"""What steps and commands share is tested without the settings of this machine."""

import pytest

from tests import toy


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step finds nothing of the outside."""
    toy.leave_outside(monkeypatch)

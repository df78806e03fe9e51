"""`tidegate batches`: where there is nothing to list it says so, in words."""

import pytest

from tidegate.commands.reviewing import batches, champions


def test_nothing_is_not_an_empty_table(capsys: pytest.CaptureFixture[str]) -> None:
    batches.show([])
    champions.show([])
    assert capsys.readouterr().out.splitlines() == [
        "no batch was decided yet: run `tidegate run`",
        "nothing was promoted yet",
    ]

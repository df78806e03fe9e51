"""`tidegate history`: what a row of the table has room for."""

import pytest

from tidegate.commands.reviewing.champions import brief

of_the_loop = "retrained because a drifted; accepted because better: log loss -0.1"


@pytest.mark.parametrize(
    ("why", "shown"),
    [
        (f"{of_the_loop}; holds against the dummy; calibrated", f"{of_the_loop}, and all other checks"),
        (of_the_loop, of_the_loop),
        ("rolled back: complaints; of the desk; again", "rolled back: complaints; of the desk; again"),
    ],
)
def test_a_verdict_is_told_by_its_first_reason_and_a_person_in_full(why: str, shown: str) -> None:
    assert brief(why) == shown

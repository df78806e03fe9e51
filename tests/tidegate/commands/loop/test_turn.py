"""What `tidegate run` shows of what DVC says."""

import pytest

from tidegate.commands.loop.turn import timed


@pytest.mark.parametrize(("code", "echoed"), [(2, False), (75, False), (1, True), (137, True)])
def test_what_a_step_has_said_itself_is_not_said_again(
    code: int, echoed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    echo = f"ERROR: failed to reproduce 'gate': failed to run: tidegate step gate, exited with {code}"
    seconds = timed(["Running stage 'gate':", "> tidegate step gate", "error: the server is away", echo])
    assert list(seconds) == ["gate"]
    assert capsys.readouterr().err.split("\n")[1:-1] == [
        "gate",
        "  error: the server is away",
        *[f"  {echo}"] * echoed,
    ]

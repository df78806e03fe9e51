"""Runs a step, and runs it again if what ended it may pass: a service that is away, a crash, a kill, a time-out.

`python -m tidegate.process.attempts --times 2 --wait 30 --timeout 1800 -- python -m tidegate.components.gate ...`

What a person has to mend ends it at once. A cluster may try again by itself, or not: this does not depend on it.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from tidegate.process.child import TIMED_OUT, child, split, tell
from tidegate.process.errors import REFUSED, UNAVAILABLE

FACTOR = 2
POD_RETRIES = "KFP_RETRY_INDEX"  # how often the cluster has started this pod again


def parser() -> argparse.ArgumentParser:
    """The command line up to `--`; what comes after it is the step's own."""
    program = "python -m tidegate.process.attempts"
    result = argparse.ArgumentParser(prog=program, description=__doc__, allow_abbrev=False)
    result.add_argument("--times", type=int, required=True, help="how often a step that failed is run again")
    result.add_argument("--wait", type=float, required=True, help="the seconds before the first of them; they double")
    result.add_argument("--timeout", type=float, required=True, help="the seconds of one attempt")
    return result


def attempts(command: Sequence[str], times: int, wait: float, timeout: float) -> int:
    """Run the command until it succeeds, is refused, or was run again so often; returns its last exit code."""
    with child() as running:
        code = running.run(command, timeout)
        for number in range(times):
            if code in (0, REFUSED) or running.ending:
                break
            pause = wait * FACTOR**number
            tell(f"attempt {number + 2} of {times + 1} in {pause:g} s: {reason(code, timeout)}")
            running.pause(pause)
            if running.ending:
                break
            code = running.run(command, timeout)
        return code


def remaining(times: int, started_again: str) -> int:
    """How many more attempts than one a pod has that the cluster has started again so often."""
    return max(0, times - int(started_again)) if started_again.isdecimal() else times


def reason(code: int, timeout: float) -> str:
    """Why an attempt ended."""
    if code == TIMED_OUT:
        return f"no end within {timeout:g} s"
    if code == UNAVAILABLE:
        return "a service did not answer"
    names = {128 + number: number.name for number in signal.Signals}
    return f"ended by {names[code]}" if code in names else f"exit code {code}"


def main() -> None:
    """Exit as the last attempt did."""
    flags, command = split(sys.argv[1:])
    given = parser().parse_args(flags)
    times = remaining(given.times, os.environ.get(POD_RETRIES, ""))
    sys.exit(attempts(command, times, given.wait, given.timeout))


if __name__ == "__main__":
    main()

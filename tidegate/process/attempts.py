"""Runs a step, with retries after transient failures: an unavailable service, a crash, a kill, a time-out.

`python -m tidegate.process.attempts --times 2 --wait 30 --timeout 1800 -- python -m tidegate.components.gate ...`

An error that a person has to correct is not retried. Retries by the cluster are independent of these.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from tidegate.process.child import TIMED_OUT, child, split, tell
from tidegate.process.errors import REFUSED, UNAVAILABLE

FACTOR = 2
POD_RETRIES = "KFP_RETRY_INDEX"  # the variable with the number of retries of this pod by the cluster


def parser() -> argparse.ArgumentParser:
    """The parser of the flags before `--`; the command of the step follows it."""
    program = "python -m tidegate.process.attempts"
    result = argparse.ArgumentParser(prog=program, description=__doc__, allow_abbrev=False)
    result.add_argument("--times", type=int, required=True, help="the number of retries of a failed step")
    result.add_argument("--wait", type=float, required=True, help="the seconds before the first retry; they double")
    result.add_argument("--timeout", type=float, required=True, help="the time-out of one attempt in seconds")
    return result


def attempts(command: Sequence[str], times: int, wait: float, timeout: float) -> int:
    """Run the command until it succeeds, ends with exit code 2, or has no retry left; returns its last exit code."""
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
    """The retries that remain for a pod; `started_again` is the cluster's own number of retries, as a text."""
    return max(0, times - int(started_again)) if started_again.isdecimal() else times


def reason(code: int, timeout: float) -> str:
    """Why an attempt failed, in words."""
    if code == TIMED_OUT:
        return f"no end within {timeout:g} s"
    if code == UNAVAILABLE:
        return "a service did not answer"
    names = {128 + number: number.name for number in signal.Signals}
    return f"ended by {names[code]}" if code in names else f"exit code {code}"


def main() -> None:
    """Exit with the code of the last attempt."""
    flags, command = split(sys.argv[1:])
    arguments = parser().parse_args(flags)
    times = remaining(arguments.times, os.environ.get(POD_RETRIES, ""))
    sys.exit(attempts(command, times, arguments.wait, arguments.timeout))


if __name__ == "__main__":
    main()

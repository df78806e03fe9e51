"""Deploys on KServe once per trial, each killed at a point: `python killed_on_kserve.py TRIALS.json`.

A trial is {"uri": ..., "point": [what, number, when], "flags": {...}}: `what` is `patch` (of the InferenceService) or
`entry` (of the journal), `when` is `before` or `after` the request; a point of null kills nothing. Printed is, per
trial, how its process ended.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.components.deploy.conftest import QUICK
from tests.components.deploy.killed import value_of
from tidegate.components.deploy.__main__ import deploy
from tidegate.process import limits
from tidegate.rollout.service_client import ServiceClient
from tidegate.tracking import journal


def main(trials: list[dict[str, Any]]) -> None:
    """Every trial in a process of its own."""
    for trial in trials:
        child = os.fork()
        if not child:
            for name, seconds in QUICK.items():
                setattr(limits, name, seconds)
            if trial["point"]:
                arm(*trial["point"])
            os.environ["MLFLOW_TRACKING_URI"] = trial["uri"]
            deploy(**{name: value_of(name, value) for name, value in trial["flags"].items()})
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def arm(what: str, number: int, when: str) -> None:
    """Kill this process before or after a change."""
    count = [0]

    def counted(function: Callable[..., Any], counts: Callable[..., bool]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if not counts(*args):
                return function(*args, **kwargs)
            count[0] += 1
            if count[0] == number and when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            result = function(*args, **kwargs)
            if count[0] == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    place: Any = ServiceClient if what == "patch" else journal
    if what == "patch":
        place._once = counted(ServiceClient._once, lambda _, method, *__: method == "PATCH")
    else:
        place.append = counted(journal.append, lambda *_: True)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))

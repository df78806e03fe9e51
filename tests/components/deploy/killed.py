"""Deploys once per trial, each killed before its N-th change of the store: `python killed.py TRIALS.json`.

A trial is {"uri": ..., "change": N, "flags": {...}}; printed is, per trial, how its process ended.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from tests.toy import SCALARS
from tidegate.components.deploy.__main__ import deploy
from tidegate.tracking import artifacts, direct

changing = ("create_", "set_", "log_", "delete_", "update_", "rename_", "finalize_", "transition_")


def main(trials: list[dict[str, Any]]) -> None:
    """Every trial in a process of its own; the imports, which take longest, are made once."""
    for trial in trials:
        child = os.fork()
        if not child:
            arm(trial["change"])
            os.environ["MLFLOW_TRACKING_URI"] = trial["uri"]
            deploy(**{name: value_of(name, value) for name, value in trial["flags"].items()})
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def value_of(name: str, value: Any) -> Any:
    """A scalar as it is, or the path of a file."""
    return value if name in SCALARS else Path(value)


def arm(change: int) -> None:
    """Kill this process instead of letting it change the store for the `change`-th time."""
    left = [change]

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return call

    places: list[tuple[Any, list[str]]] = [
        (MlflowClient, [name for name in dir(MlflowClient) if name.startswith(changing)]),
        (direct, ["end_run", "tag_model", "set_alias", "tag_registered"]),
        (artifacts, ["_write"]),
    ]
    for place, names in places:
        for name in names:
            setattr(place, name, counted(getattr(place, name)))


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))

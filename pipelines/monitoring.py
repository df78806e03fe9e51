"""The pipeline that judges what the champion was asked; where the gate opens, the training pipeline follows.

Training then decides by its own gate: it collects the newest rows, and a batch that has not drifted trains nothing.
"""

import inspect
from typing import Any

from kfp import dsl

from tidegate.pipelines import steps
from tidegate.pipelines.training import training

OWN = {"monitor_name": str, "monitor_window": str, "serve_tables": str}
# The parameters of the step, and those of the training pipeline.
SIGNATURE = inspect.Signature(
    [
        *(inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=OWN[name]) for name in OWN),
        *inspect.signature(training.pipeline_func).parameters.values(),
    ]
)


def _monitoring(*values: Any, **named: Any) -> None:
    given = SIGNATURE.bind(*values, **named).arguments
    own = {name: given.pop(name) for name in OWN}
    policy = {name.removeprefix("gate_"): value for name, value in given.items() if name.startswith("gate_")}
    monitor = steps.monitor(
        name=own["monitor_name"],
        window=own["monitor_window"],
        until="",  # the last whole hour
        recordings=given["serve_record"],
        tables=own["serve_tables"],
        sign=given["deploy_sign"],
        **policy,
    )
    # The result depends on the recorded predictions, which are not part of a cache key.
    monitor.set_caching_options(False)
    with dsl.If(monitor.outputs["retrain"] == True, name="open"):  # builds a condition, compares nothing
        training.pipeline_func(**given)


_monitoring.__signature__ = SIGNATURE  # type: ignore[attr-defined]
monitoring = dsl.pipeline(
    name="tidegate-monitoring", description="Judges what the champion was asked, and trains if the gate opens"
)(_monitoring)

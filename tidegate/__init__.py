"""Continuous training for tabular models on Kubeflow, gated by drift."""

import os
import sys

# Set before any step imports the library that reads them.
for name, value in {
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "OPENBLAS_NUM_THREADS": "1",  # with more, sums differ in their last bit, and small ones take twice the time
    "OMP_WAIT_POLICY": "passive",  # threads that spin while they wait double the time of training on a busy machine
}.items():
    os.environ.setdefault(name, value)

# On a cluster the tracking server has a name of ours: Kubeflow's MLflow plugin may hand over one by MLflow's own name,
# and Kubernetes refuses a pod that is given the same variable twice.
if uri := os.environ.get("TIDEGATE_TRACKING_URI"):
    os.environ.setdefault("MLFLOW_TRACKING_URI", uri)

# A step, or a program of ours that Python is looking for: the slow imports are yet to come.
named = sys.orig_argv[sys.orig_argv.index("-m") + 1] if "-m" in sys.orig_argv and sys.argv[:1] == ["-m"] else ""
if named.startswith("tidegate.") or (sys.argv[1:2] == ["step"] and (named or sys.argv[0].endswith("tidegate"))):
    import gc

    from tidegate.process.termination import at_once

    at_once()
    gc.disable()  # what is imported stays, so looking for garbage there is in vain; `command.run` enables it again

"""The steps of continuous training: data science behind command lines, with no orchestrator in sight."""

import os

# Set before any step imports the library that would phone home.
for switch, off in {
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}.items():
    os.environ.setdefault(switch, off)

"""`tidegate review`: shows all decided batches, on a page or in the UI of Evidently or MLflow."""

import argparse
import json

from tidegate.commands.command import JSON, Command

PORTS = {"evidently": 8000, "mlflow": 5000}


def review(arguments: argparse.Namespace) -> None:
    """Write a page of all batches, the newest first, with the gate's report and Evidently's of each, and open it."""
    from tidegate.commands.reviewing import page, viewer

    kind = "evidently" if arguments.evidently else "mlflow" if arguments.mlflow else None
    if kind:
        getattr(page, kind)(PORTS[kind] if arguments.port is None else arguments.port, not arguments.no_open)
        return
    rows = page.rows()
    path = page.write(rows, page.requests())
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    print(path)
    viewer.open_(path.resolve().as_uri(), not arguments.no_open)


COMMAND = Command(
    "show every decided batch in a browser",
    review,
    {
        "--evidently": {"action": "store_true", "help": "run Evidently's UI on all batches: drift over time"},
        "--mlflow": {"action": "store_true", "help": "run MLflow's UI on the tracking store"},
        "--port": {
            "type": int,
            "metavar": "N",
            "help": "the port of that UI; 8000 for Evidently, 5000 for MLflow",
        },
        "--no-open": {"action": "store_true", "help": "open no browser"},
        "--json": JSON,
    },
)

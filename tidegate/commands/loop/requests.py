"""`tidegate monitor`: the step `monitor` for the problem here, and the turn of the loop that an open gate starts."""

import sys
from contextlib import redirect_stdout
from typing import Any

from tidegate.commands.loop import summary, turn, workspace
from tidegate.contract.contract import read_contract
from tidegate.documents.decision import Decision, Policy
from tidegate.documents.parameters import read_parameters
from tidegate.process.errors import InputError
from tidegate.serving.options import settings

FOLDER = workspace.ARTIFACTS / "monitor"
PAGE = FOLDER / "traffic.html"
TABLES = workspace.ARTIFACTS / "validate" / "clean"
OUTPUTS = {
    "decision": FOLDER / "decision.json",
    "gate": FOLDER / "gate.html",
    "traffic": FOLDER / "traffic.json",
    "retrain": FOLDER / "retrain",
}


def judge(window: str, until: str, recordings: str, tables: str) -> Decision:
    """Judge a window of requests; a place that is empty is that of params.yaml. The step tells what it decides."""
    from tidegate.components.monitor.__main__ import monitor

    name, values = read_contract(workspace.CONTRACT).name, read_parameters(workspace.PARAMS)
    places = {"record": recordings or values["serve"]["record"], "tables": tables or values["serve"]["tables"]}
    serve = settings({**values["serve"], **places}, str(TABLES) if TABLES.is_dir() else "")
    if not serve.record:
        cure = "name a folder or an S3 prefix there, and let `tidegate serve` record to it"
        raise InputError("serve.record", "the place of the recorded predictions", "nothing", cure)
    policy = {key: values["gate"][key] for key in Policy.__dataclass_fields__}
    FOLDER.mkdir(parents=True, exist_ok=True)
    with redirect_stdout(sys.stderr):
        monitor(
            name=name,
            window=window,
            until=until,
            recordings=serve.record,
            tables=serve.tables,
            sign=values["deploy"]["sign"],
            **policy,
            decision=OUTPUTS["decision"],
            gate=OUTPUTS["gate"],
            traffic=OUTPUTS["traffic"],
            report=PAGE,
            retrain=OUTPUTS["retrain"],
        )
    return Decision.read(OUTPUTS["decision"])


def begin(decision: Decision) -> dict[str, Any] | None:
    """Run the loop once because the gate is open, and note it; None where this window has started it before.

    InputError names a run that is in progress. A run that ends early is no start, nor is one that trains nothing
    because the data does not reach into the window yet: the next window tries again.
    """
    from tidegate.tracking.store import connect
    from tidegate.tracking.tags import Tag
    from tidegate.tracking.windows import started, windows

    client, name = connect(), read_contract(workspace.CONTRACT).name
    own = next(tags for tags in windows(client, name) if tags[Tag.WINDOW] == decision.batch)
    if what := own.get(Tag.STARTED):
        print(f"this window has started {what} before", file=sys.stderr)
        return None
    print("the gate is open: the loop runs, as `tidegate run` does", file=sys.stderr, flush=True)
    done = summary.summary(*turn.turn(None, False, False))
    if done["decision"] and done["decision"]["retrain"] and "deploy" in done["seconds"]:
        started(client, own["run"], f"tidegate run, batch {done['batch']['id']}")
    elif done["batch"]:
        end, begins = done["batch"]["end"][:10], decision.window.start[:10]
        lacks = f"the newest batch ends {end}, what was asked begins {begins}"
        print(f"the loop has trained nothing: {lacks}", file=sys.stderr)
    return done

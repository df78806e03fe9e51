"""`tidegate review`: a page of all batches with their reports beside it, and the UIs of Evidently and MLflow."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.commands.loop.workspace import ARTIFACTS, CONTRACT
from tidegate.commands.reviewing import viewer
from tidegate.commands.reviewing.batches import row
from tidegate.contract.contract import read_contract
from tidegate.documents.decision import Decision
from tidegate.documents.formats import write_json
from tidegate.documents.signal import DriftDetail
from tidegate.process.errors import InputError
from tidegate.process.interpreter import python
from tidegate.process.redaction import address
from tidegate.scoring import tasks
from tidegate.tracking import database
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from tidegate.tracking.reviews import Decided

FOLDER = ARTIFACTS / "review"
INDEX = FOLDER / "index.html"
REPORTS = ("gate.html", "evidently.html")
MOST_COLUMNS = 8
MOST_WINDOWS = 24  # of requests: a day of hourly looks
Row = dict[str, Any]


def rows() -> list[Row]:
    """One document per batch, the newest first: decision, verdict, champion, feedback, and its reports, fetched."""
    from tidegate.tracking.feedback import current
    from tidegate.tracking.journal import history
    from tidegate.tracking.reviews import decided, fetch
    from tidegate.tracking.store import connect

    client, promise = connect(), read_contract(CONTRACT)
    feedback = {each.about: each.document() for each in current(history(client, promise.name)) if each.kind == "batch"}
    loss = tasks.TASKS[promise.task].loss
    batches = []
    for one in reversed(decided(client, promise.name)):
        files = fetch(client, one, FOLDER / one.place, REPORTS)
        places = {name.removesuffix(".html"): f"{one.place}/{name}" if name in files else None for name in REPORTS}
        more = {"run": one.link(client.tracking_uri), "feedback": feedback.get(one.batch), **places}
        batches.append({**row(one.tags, loss), **more})
    return batches


def requests() -> list[Row]:
    """One document per window of requests that was judged, the newest first, with its page, fetched."""
    from tidegate.tracking import windows
    from tidegate.tracking.store import connect

    client, newest = connect(), []
    for tags in reversed(windows.windows(client, read_contract(CONTRACT).name)[-MOST_WINDOWS:]):
        place = f"requests/{tags['run']}"
        there = windows.fetch(client, tags, FOLDER / place)
        newest.append(
            {
                "end": tags[Tag.END],
                "rows": tags[Tag.ROWS],
                "decision": tags[Tag.DECISION],
                "reasons": tags[Tag.REASONS],
                "champion": tags[Tag.CHAMPION],
                "started": tags.get(Tag.STARTED, ""),
                "page": f"{place}/traffic.html" if there else None,
            }
        )
    return newest


def write(batches: Sequence[Mapping[str, Any]], windows: Sequence[Mapping[str, Any]]) -> Path:
    """Write the page of all batches and of the newest windows of requests; returns its path."""
    from tidegate.pages.page import write_page

    promise = read_contract(CONTRACT)
    task = tasks.TASKS[promise.task]
    write_page(
        INDEX,
        Path(__file__).with_name("review.html"),
        f"{promise.name}: batches",
        rows=batches,
        windows=windows,
        name=promise.name,
        task=task,
    )
    return INDEX


def evidently(port: int, browse: bool) -> None:
    """Fill Evidently's workspace with every snapshot that the gate logged, and run its UI on it."""
    viewer.check_free(port)
    from tidegate.tracking.reviews import decided, fetch
    from tidegate.tracking.store import connect

    client, name = connect(), read_contract(CONTRACT).name
    taken: list[Row] = []
    columns: dict[str, float] = {}
    for one in decided(client, name):
        files = fetch(client, one, FOLDER / one.place, ("snapshot.json", "decision.json"))
        if len(files) == 2:
            taken.append(_taken(one))
            columns = _columns(Decision.read(FOLDER / one.place / "decision.json")) or columns
    if not taken:
        raise InputError(
            "tidegate review --evidently", "a batch that was compared", "none", "run `tidegate run` first"
        )
    write_json(FOLDER / "snapshots.json", {"columns": list(columns), "runs": taken})
    project = _filled(name)
    command = ["-m", "evidently.cli", "ui", "--host", viewer.HOST, "--port", str(port), "--workspace"]
    words = [sys.executable, *command, str((FOLDER / "evidently").resolve())]
    viewer.serve("Evidently", words, port, f"/projects/{project}", browse)


def mlflow(port: int, browse: bool) -> None:
    """Run MLflow's UI on the tracking store; where that is a server already, only say where."""
    from tidegate.tracking.store import connect

    uri = connect().tracking_uri
    path = database.path_of(uri)
    if path is None:
        print(f"MLflow: {address(uri)}")
        viewer.open_(address(uri), browse)
        return
    words = python("mlflow", "server", "--host", viewer.HOST, "--port", str(port), "--workers", "1")
    words += ["--backend-store-uri", uri, "--default-artifact-root", str(database.artifacts_of(uri))]
    viewer.serve("MLflow", words, port, "/", browse)


def _taken(one: "Decided") -> Row:
    until = one.tags[Tag.UNTIL]
    return {"batch": one.batch, "until": until, "path": str(FOLDER / one.place / "snapshot.json")}


def _columns(decision: Decision) -> dict[str, float]:
    """The features that the champion leans on most, with their importance."""
    shares = {
        signal.column: signal.detail.importance
        for signal in decision.signals
        if signal.signal == "features" and signal.column and isinstance(signal.detail, DriftDetail)
    }
    positive = [(column, share) for column, share in shares.items() if share]
    return dict(sorted(positive, key=lambda pair: -pair[1])[:MOST_COLUMNS])


def _filled(name: str) -> str:
    """Fill the workspace in a process of its own: Evidently takes seconds to import, and a step's code is not ours."""
    flags = {"listed": FOLDER / "snapshots.json", "folder": FOLDER / "evidently", "name": name}
    words = [f"--{flag}={value}" for flag, value in flags.items()]
    command = python("tidegate.components.gate.dashboard", *words)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = next(reversed(done.stderr.splitlines()), "nothing").removeprefix("error: ")
        raise InputError(FOLDER / "evidently", "Evidently to fill it", last, "remove that folder and try again")
    return done.stdout.split()[-1]

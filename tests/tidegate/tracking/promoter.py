"""A crowd of promoters, each a process with a version of its own: `python promoter.py FOLDER CROWD NAME ...`."""

import json
import os
import signal
import sys
import time
from pathlib import Path

from mlflow import MlflowClient

from tidegate.documents.verdict import VerdictSummary
from tidegate.tracking import journal, store, versions
from tidegate.tracking.entries import Entry


def main(folder: Path, crowd: int, names: list[str]) -> int:
    """Start the crowd; the imports, which take longest, are made once. Who fails ends all."""
    started = []
    for number in range(crowd):
        if not (child := os.fork()):
            promote(folder, str(number + 1), names)
            os._exit(0)
        started.append(child)
    for _ in range(crowd):
        child, status = os.wait()
        started.remove(child)
        if status:
            for other in started:
                os.kill(other, signal.SIGKILL)
            return 1
    return 0


def promote(folder: Path, version: str, names: list[str]) -> None:
    """Promote the version of each name, a round each, with the crowd; write down every entry's number."""
    client = store.connect()
    for turn, name in enumerate(names):
        champion = journal.history(client, name).champion  # each was judged before it knows of the others
        (folder / f"ready-{turn}-{version}").touch()
        while not (folder / f"go-{turn}").exists():
            time.sleep(0.01)
        numbers = promoted(client, name, version, champion)
        (folder / f"done-{turn}-{version}").write_text(json.dumps(numbers))


def promoted(client: MlflowClient, name: str, version: str, champion: str | None) -> list[int]:
    """The numbers of the entries that it took until this version served, or a better one did."""
    score = float(versions.tags_of(client, name, version)["score"])
    numbers = []
    while champion is None or score > float(versions.tags_of(client, name, champion)["score"]):
        verdict = VerdictSummary(-score, loss_error=0.0, rows=1, blocks=5, reasons=("better",), models=())
        entry = Entry(champion, version, f"batch{version}", "crowd", "2013-03-01", "better", verdict)
        outcome = journal.promote(client, name, entry)
        numbers.append(outcome.number)
        if outcome.counted:
            break
        champion = outcome.champion
    return numbers


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))

"""One promoter of a crowd: `python promoter.py FOLDER NAME:VERSION ...`, a round each."""

import json
import sys
import time
from pathlib import Path

from mlflow import MlflowClient

from components.tracking import journal, store, versions
from components.tracking.entries import Entry


def main(folder: Path, own: list[tuple[str, str]]) -> None:
    """Promote each (name, version) of `own`, a round each, with the crowd; write down every entry's number."""
    client = store.connect()
    for turn, (name, version) in enumerate(own):
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
        entry = Entry(champion, version, f"batch{version}", "crowd", "2013-03-01", "better", {"score": score})
        outcome = journal.promote(client, name, entry)
        numbers.append(outcome.number)
        if outcome.counted:
            break
        champion = outcome.champion
    return numbers


if __name__ == "__main__":
    main(Path(sys.argv[1]), [(pair.partition(":")[0], pair.partition(":")[2]) for pair in sys.argv[2:]])

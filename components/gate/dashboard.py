"""`python -m tidegate.components.gate.dashboard`: fills an Evidently workspace from snapshots that were fetched."""

from functools import partial
from pathlib import Path

from tidegate.components.gate.evidently_workspace import BatchSnapshot, fill
from tidegate.documents.formats import read_json, read_text
from tidegate.process.command import OutputFolder, run
from tidegate.process.termination import leave_after


def dashboard(listed: Path, folder: OutputFolder, name: str) -> None:
    """Print the id of the project; `listed` is JSON: `columns`, and `runs` with batch, until, path of a snapshot."""
    document = read_json(listed)
    snapshots = [BatchSnapshot(run["batch"], run["until"], read_text(Path(run["path"]))) for run in document["runs"]]
    print(fill(folder, name, snapshots, document["columns"]))


if __name__ == "__main__":
    leave_after(partial(run, dashboard))

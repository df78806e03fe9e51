"""`python -m tests.formats.make`: writes the archive of a format, once, with the version that has this format.

A small problem after five turns: version 1 promoted by the loop, two challengers refused, version 2 rejected by a
person, version 3 approved by one, who also called a decision wrong. An archive is never made again: it is what that
version wrote.
"""

import shutil
import tarfile
from pathlib import Path

from tests.toy import CONTRACT, MODEL, SQL, orders, rates
from tests.workspaces import Workspace
from tidegate.tracking.versions import FORMAT

FOLDER = Path("/tmp/orders")  # stands in the registry, so that every archive has the same one
TURNS = ("2024-03-01", "2024-04-01", "2024-05-01")
WAITING = {"2024-06-01": "reject", "2024-07-01": "approve"}
END = "2024-08-01"


def make(folder: Path) -> Workspace:
    """The problem after its turns."""
    raw = folder.with_name("orders-raw")
    raw.mkdir()
    for name, frame in {"orders": orders(END, flipped_from="2024-03-04"), "rates": rates(END)}.items():
        frame.to_csv(raw / f"{name}.csv", index=False, na_rep="NA")
    events = str(raw / "orders.csv")
    Workspace(raw).tidegate("init", str(folder), "--data", events, "--label", "kept_days", "--time", "at")
    for name, text in {"contract.yaml": CONTRACT, "features.sql": SQL, "model.yaml": MODEL}.items():
        (folder / name).write_text(text)
    (raw / "rates.csv").rename(folder / "data/rates.csv")
    shutil.rmtree(raw)
    workspace = Workspace(folder)
    workspace.environment |= {"TIDEGATE_USER": "ada"}
    workspace.run("dvc", "add", "--quiet", "data")
    _commit(workspace, "Two tables")
    for until in TURNS:
        workspace.tidegate("run", "--until", until)
        _commit(workspace, f"Run until {until}")
    workspace.tidegate("feedback", TURNS[1], "wrong", "--reason", "the drift was a price change")
    params = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(
        params.replace("mode: auto ", "mode: always ").replace("approval: automatic", "approval: manual")
    )
    for version, (until, answer) in enumerate(WAITING.items(), start=2):
        workspace.tidegate("run", "--until", until)
        workspace.tidegate(answer, str(version), "--reason", f"to {answer} is right")
        _commit(workspace, f"Run until {until}")
    return workspace


def _commit(workspace: Workspace, message: str) -> None:
    workspace.run("git", "add", "--all")
    workspace.run("git", "commit", "--quiet", "--message", message)


if __name__ == "__main__":
    shutil.rmtree(FOLDER, ignore_errors=True)
    make(FOLDER)
    with tarfile.open(Path(__file__).with_name(f"{FORMAT}.tar.xz"), "x:xz") as archive:
        archive.add(FOLDER, "orders")

"""`tidegate backup` and `tidegate restore`: the registry of this problem in one file, and back."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.commands.loop.workspace import CONTRACT
from tidegate.contract.contract import read_contract
from tidegate.process.errors import InputError

if TYPE_CHECKING:
    from tidegate.tracking.backups.inventory import Inventory


def backup(path: Path) -> str:
    """Write the copy; returns a sentence about it. InputError where MLflow has nothing of the problem."""
    from tidegate.tracking.backups import capture, container
    from tidegate.tracking.store import connect

    if path.is_dir():
        raise InputError(path, "a name for the file", "a folder", "name a file in it")
    client, name = connect(), read_contract(CONTRACT).name
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with container.writing(path) as writer:
        inventory = capture.inventory(client, name, now, writer.add)
        writer.end(inventory)
    return f"{_counts(inventory)}: {path}, {path.stat().st_size / 1e6:,.1f} MB"


def restore(path: Path) -> str:
    """Put the copy into the tracking store; returns a sentence about it. InputError leaves the store as it is."""
    from tidegate.tracking import journal
    from tidegate.tracking.backups import container, restoration
    from tidegate.tracking.store import connect

    name = read_contract(CONTRACT).name
    with container.reading(path, name) as copy:
        client = connect()
        restoration.restore(client, copy)
        champion = journal.champion(client, name)
        return f"{_counts(copy.inventory)}, as of {copy.inventory.made}; champion: version {champion or 'none'}"


def _counts(inventory: "Inventory") -> str:
    _, versions, journal = inventory.registered
    counts = {
        "runs": inventory.runs,
        "models": inventory.models,
        "versions": versions.versions,
        "entries of the journal": journal.versions,
    }
    return f"{inventory.name}: {', '.join(f'{len(each)} {kind}' for kind, each in counts.items())}"

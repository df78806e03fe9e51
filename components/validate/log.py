"""Tells MLflow why a run stopped: a failed task on a cluster uploads nothing, so its report would be lost."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from tidegate.documents.manifest import Manifest
from tidegate.process.errors import InputError
from tidegate.tracking.tags import Tag


def log(name: str, manifest: Manifest, files: Mapping[str, Path], lines: int) -> str:
    """Log the files to the run of this refusal; returns where they are, or why they are not: it never raises for that.

    There is no batch yet: the run is that of these data until this moment, the same when they are refused again.
    """
    try:
        from tidegate.tracking import batch_runs, run_data
        from tidegate.tracking.store import connect

        client = connect()
        digest = sha256(f"{manifest.data} {manifest.until}".encode()).hexdigest()[:16]
        tags = {
            Tag.UNTIL: manifest.until[:10],
            Tag.DATA: manifest.data,
            Tag.VALIDATION: "refused",
            Tag.VIOLATIONS: str(lines),
        }
        run_id = batch_runs.batch_run(client, name, f"refused-{digest}", tags)
        run_data.files(client, run_id, files, "validate")
        batch_runs.finish(client, run_id, "FAILED")
    except (InputError, OSError) as error:
        return f"MLflow does not have the report: {' '.join(str(error).split())}"
    return f"MLflow has the report in validate/ of run {run_id}"

"""`tidegate reproduce`: a version trained once more from its registry record alone, and held against it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.table import Table

from components.contract import read_contract
from components.errors import InputError
from components.formats import read_json, read_text, write_text
from pipelines import remote, workspace
from pipelines.beginning import with_params
from pipelines.console import console
from pipelines.workspace import dvc
from pipelines.worktrees import worktree

data_dvc = "outs:\n- md5: {}\n  hash: md5\n  path: data\n"
of_make = ("MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS")
foreign = ("MLFLOW_", "TIDEGATE_", "DVC_STAGE", "DVC_EXP", "GIT_")


lock = Path("requirements.txt")


def reproduce(version: str, python: Path | None = None) -> dict[str, Any]:
    """Retrain a version in a worktree at its commit: its data, problem files and lock (or by `python`); compare."""
    from components.provenance import comparing, registered
    from components.tracking.store import connect

    with TemporaryDirectory(prefix="tidegate-") as scratch:
        kept = Path(scratch, "version")
        found = registered.read(connect(), read_contract(workspace.contract).name, version, kept)
        made_from, commit = found.made_from, found.commit.removesuffix("-dirty")
        with worktree(commit, Path(scratch, "worktree")) as tree:
            _lay(tree, found.tags["tidegate.data"], found.texts, made_from)
            _train(tree, Path(scratch, "mlflow.db"), python or _installed(tree))
            made = tree / workspace.artifacts / "train"
            answer = comparing.compared(found.record, read_json(made / "record.json"))
            answer["predictions"] = comparing.predictions(kept, made / "reference")
    if found.commit != commit:
        answer["differs"].insert(0, {"what": "code", "recorded": found.commit, "again": commit})
    return {"version": version, "commit": commit, **answer}


def _lay(tree: Path, version: str, texts: Mapping[str, str], made_from: Mapping[str, Any]) -> None:
    """Put the data, the problem's files and the parameters of the training into the worktree."""
    start, end = (datetime.fromisoformat(made_from[edge]) for edge in ("start", "end"))
    given = {
        "ingest": {"until": f'"{end.isoformat()}"', "batch_days": str((end - start).days)},
        "train": {"window_days": str(made_from["recipe"]["window_days"])},
        "gate": {"mode": "always"},
    }
    _fetch(tree, data_dvc.format(version), texts)
    write_text(tree / "data.dvc", data_dvc.format(version))
    write_text(tree / workspace.params, with_params(read_text(tree / workspace.params), given))
    (tree / "dvc.lock").unlink(missing_ok=True)  # nothing is taken from an earlier run


def _fetch(tree: Path, version: str, texts: Mapping[str, str]) -> None:
    """The step `pull`, from DVC's cache or else from the remote, into the worktree."""
    known = remote.find()
    cache = workspace.run_dvc("cache", "dir").stdout.strip()
    places: list[tuple[str, dict[str, str]]] = [(cache, {})] if Path(cache).is_dir() else []
    places += [(known.text, known.environment())] if known else []
    names = {"contract": "contract.yaml", "sql": "features.sql", "estimator": "model.yaml"}
    told = "no DVC cache and no DVC remote"
    for place, secrets in places:
        flags = {
            "data_dvc": version,
            "contract_yaml": texts["contract.yaml"],
            "features_sql": texts["features.sql"],
            "model_yaml": texts["model.yaml"],
            "remote": place,
            "data": str(tree / "data"),
            **{port: str(tree / name) for port, name in names.items()},
        }
        command = [sys.executable, "-m", "components.pull", *(f"--{name}={value}" for name, value in flags.items())]
        done = subprocess.run(command, env={**os.environ, **secrets}, capture_output=True, text=True, check=False)
        if not done.returncode:
            return
        told = (done.stderr.strip().splitlines() or ["nothing"])[-1].removeprefix("error: ")
    thing = f"data version {version.split()[2]}"
    raise InputError(thing, "it in DVC's cache or on its remote", told, "fetch it where it is, or `dvc push` it there")


def _installed(tree: Path) -> Path:
    """This interpreter, if the commit has the lock that it is made from; else one made from the commit's."""
    if lock.exists() and read_text(lock) == read_text(tree / lock):
        return Path(sys.executable)
    print("  installing the lock of that commit", file=sys.stderr, flush=True)
    command = ["make", ".venv/run", f"PYTHON={sys.executable}"]
    # A `make` that runs this one has flags, goals and a job server that are not meant for the worktree's.
    here = {name: value for name, value in os.environ.items() if name not in of_make}
    done = subprocess.run(command, cwd=tree, env=here, capture_output=True, text=True, check=False)
    if done.returncode:
        found = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise InputError(f"the lock of that commit, {lock}", "to be installed by `make`", found, "see `--python`")
    return tree / ".venv/bin/python"


def _train(tree: Path, store: Path, python: Path) -> None:
    """Run the pipeline of the worktree up to train, by `python`, with a tracking store that is thrown away."""
    here = {name: value for name, value in workspace.environment().items() if not name.startswith(foreign)}
    given = {
        "PATH": f"{python.absolute().parent}{os.pathsep}{here['PATH']}",
        "PYTHONPATH": str(tree),
        "MLFLOW_TRACKING_URI": f"sqlite:///{store}",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DVC_NO_ANALYTICS": "1",
    }
    command = dvc("repro", "--force", "--no-run-cache", "train")
    with subprocess.Popen(
        command, cwd=tree, env=here | given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip())
            if line.startswith("Running stage "):
                print("  " + line.split("'")[1], file=sys.stderr, flush=True)
    if process.returncode:
        errors = [line.strip() for line in lines if line.strip().startswith(("error: ", "ERROR: "))]
        raise InputError("the training again", "to succeed", errors[0] if errors else lines[-1], "mend what it names")


def show(found: Mapping[str, Any]) -> None:
    """Print for a person whether it is the same model, and if not, what differs."""
    screen, loss, far = console(), found["train_loss"], found["predictions"]
    word = "the same model" if found["same"] else "another model"
    screen.print(
        f"version {found['version']} at {found['commit']}: {word} ({found['digest']['again']})", soft_wrap=True
    )
    if not found["same"]:
        screen.print(f"train loss {loss['recorded']:.6g}, again {loss['again']:.6g} ({loss['difference']:+.3g})")
        by = f"at most {far['largest']:.3g} apart" if far["rows"] else "not comparable: other training rows"
        screen.print(f"predictions of {far['rows']:,} training rows: {by}")
    if found["differs"]:
        table = Table("what differs", "recorded", "again", box=None, padding=(0, 1))
        for row in found["differs"]:
            table.add_row(row["what"], str(row["recorded"]), str(row["again"]))
        screen.print(table)

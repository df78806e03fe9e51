"""`tidegate reproduce`: a version trained once more from its registry record alone, and held against it."""

import io
import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from rich.table import Table

from tidegate.commands.console import console
from tidegate.commands.draft.new_problem import with_params
from tidegate.commands.loop import remote, rewritten, workspace
from tidegate.commands.loop.workspace import dvc
from tidegate.contract.contract import read_contract
from tidegate.documents.formats import write_text
from tidegate.documents.record import Record
from tidegate.process import wheel
from tidegate.process.errors import InputError
from tidegate.process.interpreter import python
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from tidegate.commands.provenance.registered import Registered

DATA_DVC = "outs:\n- md5: {}\n  hash: md5\n  path: data\n"
FOREIGN = ("MLFLOW_", "TIDEGATE_", "DVC_STAGE", "DVC_EXP", "GIT_", "PYTHONPATH")
# In a wheel.
STAGES, PARAMETERS = (f"tidegate/commands/draft/{name}.yaml" for name in ("stages", "params"))
LOCK = "tidegate/requirements-steps.txt"


def reproduce(version: str, python: Path | None = None, wheelhouse: Path | None = None) -> dict[str, Any]:
    """Retrain a version from its data and its problem's files by the Tidegate that made it; compare the two.

    By this one where that is the same, else by one that is installed beside from what the registry keeps (its packages
    from the folder `wheelhouse`, if there is one), or by the interpreter `python`.
    """
    from tidegate.commands.provenance import registered, repetition
    from tidegate.tracking import tools
    from tidegate.tracking.store import connect

    with TemporaryDirectory(prefix="tidegate-") as scratch:
        fetched, problem = Path(scratch, "version"), Path(scratch, "problem")
        client = connect()
        name, keys = read_contract(workspace.CONTRACT).name, workspace.trusted_keys()
        original = registered.read(client, name, version, fetched, keys)
        tool = wheel.packed()
        if python is None and original.record.environment.wheel != tool.digest:
            tool = tools.fetch(client, original.tags, version)
            python = _installed(tool, Path(scratch, "environment"), wheelhouse)
        _lay(problem, original, tool)
        _train(problem, Path(scratch, "mlflow.db"), python or Path(sys.executable))
        trained = problem / workspace.ARTIFACTS / "train"
        answer = repetition.compared(original.record, Record.read(trained / "record.json"))
        answer["predictions"] = repetition.predictions(fetched, trained / "reference")
    return {"version": version, "commit": original.commit, **answer}


def _lay(problem: Path, original: "Registered", tool: wheel.Wheel) -> None:
    """Put the data, the problem's files, and the stages and parameters of that Tidegate into the folder `problem`."""
    made_from = original.record.made_from
    start, end = map(datetime.fromisoformat, (made_from.start, made_from.end))
    values = {
        "ingest": {"until": f'"{end.isoformat()}"', "batch_days": str((end - start).days)},
        "train": {"window_days": str(made_from.recipe.window_days)},
        "gate": {"mode": "always"},
    }
    with zipfile.ZipFile(io.BytesIO(tool.content)) as archive:
        stages, params = (archive.read(name).decode() for name in (STAGES, PARAMETERS))
    problem.mkdir()
    version = DATA_DVC.format(original.tags[Tag.DATA])
    _fetch(problem, version, original.texts)
    texts = {"dvc.yaml": stages, "data.dvc": version, str(workspace.PARAMS): with_params(params, values)}
    for name, text in texts.items():
        write_text(problem / name, text)
    _done(dvc("init", "--no-scm", "--quiet"), problem, "DVC in a folder of its own")


def _fetch(problem: Path, version: str, texts: Mapping[str, str]) -> None:
    """The step `pull`, from DVC's cache or else from the remote, into the folder."""
    default_remote = remote.find()
    cache = workspace.run_dvc("cache", "dir").stdout.strip()
    places: list[tuple[str, dict[str, str]]] = [(cache, {})] if Path(cache).is_dir() else []
    places += [(default_remote.text, default_remote.environment())] if default_remote else []
    names = {"contract": "contract.yaml", "sql": "features.sql", "estimator": "model.yaml"}
    message = "no DVC cache and no DVC remote"
    for place, secrets in places:
        flags = {
            "data_dvc": version,
            "contract_yaml": texts["contract.yaml"],
            "features_sql": texts["features.sql"],
            "model_yaml": texts["model.yaml"],
            "remote": place,
            "data": str(problem / "data"),
            **{port: str(problem / name) for port, name in names.items()},
        }
        command = python("tidegate", "step", "pull", *(f"--{name}={value}" for name, value in flags.items()))
        done = subprocess.run(command, env={**os.environ, **secrets}, capture_output=True, text=True, check=False)
        if not done.returncode:
            return
        message = (done.stderr.strip().splitlines() or ["nothing"])[-1].removeprefix("error: ")
    thing = f"data version {version.split()[2]}"
    raise InputError(
        thing, "it in DVC's cache or on its remote", message, "fetch it where it is, or `dvc push` it there"
    )


def _installed(tool: wheel.Wheel, folder: Path, wheelhouse: Path | None) -> Path:
    """The interpreter of an environment with that Tidegate and the packages of its lock."""
    print(f"  installing {tool.name} and its lock", file=sys.stderr, flush=True)
    venv.create(folder, with_pip=True)
    file, lock = folder / tool.name, folder / "lock.txt"
    file.write_bytes(tool.content)
    with zipfile.ZipFile(file) as archive:
        lock.write_bytes(archive.read(LOCK))
    python = folder / "bin/python"
    places = ["--no-index", "--find-links", str(wheelhouse.absolute())] if wheelhouse else []
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", *places]
    _done([*install, "--require-hashes", "--requirement", str(lock)], folder, f"the lock of {tool.name}")
    _done([*install, str(file)], folder, tool.name)
    return python


def _done(command: list[str], folder: Path, thing: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        found = (done.stderr.strip().splitlines() or ["nothing"])[-1].removeprefix("ERROR: ")
        raise InputError(thing, "to be installed", found, "see --wheelhouse and --python")


def _train(problem: Path, store: Path, python: Path) -> None:
    """Run the pipeline up to train, by `python`, with a tracking store that is thrown away."""
    here = {name: value for name, value in workspace.environment().items() if not name.startswith(FOREIGN)}
    variables = {
        "PATH": f"{python.absolute().parent}{os.pathsep}{here['PATH']}",
        "MLFLOW_TRACKING_URI": f"sqlite:///{store}",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DVC_NO_ANALYTICS": "1",
        **rewritten.checked(problem),
    }
    command = dvc("repro", "--force", "--no-run-cache", "train")
    with subprocess.Popen(
        command, cwd=problem, env=here | variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip())
            if line.startswith("Running stage ") and "'code'" not in line:
                print("  " + line.split("'")[1], file=sys.stderr, flush=True)
    if process.returncode:
        errors = [line.strip() for line in lines if line.strip().startswith(("error: ", "ERROR: "))]
        found = errors[0] if errors else lines[-1]
        raise InputError("the training again", "to succeed", found, "correct what it names")


def show(document: Mapping[str, Any]) -> None:
    """Print for a person whether it is the same model, and if not, what differs."""
    screen, loss, far = console(), document["train_loss"], document["predictions"]
    word = "the same model" if document["same"] else "another model"
    screen.print(
        f"version {document['version']} at {document['commit']}: {word} ({document['digest']['again']})",
        soft_wrap=True,
    )
    if not document["same"]:
        screen.print(f"train loss {loss['recorded']:.6g}, again {loss['again']:.6g} ({loss['difference']:+.3g})")
        by = f"at most {far['largest']:.3g} apart" if far["rows"] else "not comparable: other training rows"
        screen.print(f"predictions of {far['rows']:,} training rows: {by}")
    if document["differs"]:
        table = Table("what differs", "recorded", "again", box=None, padding=(0, 1))
        for row in document["differs"]:
            table.add_row(row["what"], str(row["recorded"]), str(row["again"]))
        screen.print(table)

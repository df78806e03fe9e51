"""What lies in the workspace: the step's documents, the data, params.yaml; and DVC as a program."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tidegate.commands.draft import STAGES
from tidegate.commands.loop import locks, sample, unchanged
from tidegate.documents.data_version import tracked
from tidegate.documents.document import Document
from tidegate.documents.formats import parse_yaml, read_json, read_text, read_yaml
from tidegate.documents.parameters import check_parameter, read_parameters
from tidegate.process import code, runner, wheel
from tidegate.process.errors import InputError
from tidegate.process.interpreter import python

if TYPE_CHECKING:
    from tidegate.process.keys import Trusted
    from tidegate.rollout.delivery import Delivery
    from tidegate.tracking.reader import Client

ARTIFACTS = Path("artifacts")
DATA, DATA_DVC, PARAMS = Path("data"), Path("data.dvc"), Path("params.yaml")
CONTRACT = Path("contract.yaml")
Kind = TypeVar("Kind", bound=Document)


def written(kind: type[Kind], step: str) -> Kind | None:
    """The document of this kind that a step left; None when there is none, it is of another form or was skipped."""
    path = ARTIFACTS / step / f"{kind.__name__.lower()}.json"
    values = read_json(path) if path.exists() else {}
    return kind.of(values, path) if values.get("schema") == kind.SCHEMA else None


def document(step: str, port: str) -> dict[str, Any] | None:
    """A JSON document that a step left, None when there is none or the step was skipped."""
    path = ARTIFACTS / step / f"{port}.json"
    values = read_json(path) if path.exists() else None
    return None if values is None or "skipped" in values else values


def with_until(text: str, until: str) -> str:
    """The text of params.yaml with another `ingest.until`, comments kept; InputError for an invalid one."""
    parameters = parse_yaml(text, PARAMS)
    ingest = parameters.get("ingest") if isinstance(parameters, dict) else None
    line = re.search(r"^( +until: *)(.*?)( *#.*)?$", text, re.MULTILINE)
    if not isinstance(ingest, dict) or "until" not in ingest or line is None:
        raise InputError(PARAMS, "ingest.until", "none", "add it, as `  until: 2013-03-01` below `ingest:`")
    if ingest["until"] == until:
        return text
    check_parameter("ingest", "until", until, "--until", "correct it")
    return f'{text[: line.start()]}{line[1]}"{until}"{line[3] or ""}{text[line.end() :]}'


def trusted_keys() -> "Trusted":
    """The public keys of `deploy.sign`, one of which must have signed every version that is used; empty for none."""
    from tidegate.process.keys import trusted  # with its library, which most commands do not need

    return trusted(read_parameters(PARAMS)["deploy"]["sign"])


def delivery_of(client: "Client", name: str) -> "Delivery":
    """The way of a version to `deploy.target`."""
    from tidegate.rollout.delivery import Delivery, tell
    from tidegate.rollout.target import target_of

    return Delivery(client, name, trusted_keys(), target_of(read_parameters(PARAMS)["deploy"]), tell)


def fetch_data() -> str | None:
    """Get the raw data if it is missing: from the DVC remote, else the sample; returns where from."""
    if DATA.exists():
        return None
    if not DATA_DVC.exists():
        raise InputError(DATA_DVC, "the version of the data", "nothing", "run `dvc add data`")
    if "core.remote" in _dvc_output("config", "--list"):
        from tidegate.versions.repository import pull

        pull(Path.cwd())
        return "the DVC remote"
    version = tracked(read_text(DATA_DVC)).md5
    if version not in sample.SAMPLES:
        raise InputError(DATA, "the data of data.dvc", "none, and no DVC remote", "add a remote, then `dvc pull`")
    sample.copy_sample(DATA, version)
    return f"the package {sample.PACKAGE}"


def remove_damaged() -> list[Path]:
    """Remove the objects of DVC's cache that are no longer what a stage wrote: DVC would put them over new outputs."""
    from tidegate.versions import object_cache

    lock = Path("dvc.lock")
    if not lock.exists():
        return []
    return object_cache.remove_damaged(Path(run_dvc("cache", "dir").stdout.strip()), read_yaml(lock))


def changed_stages(*targets: str) -> list[str]:
    """The stages (or `targets`) that `dvc repro` would look at; InputError when data/ is not what data.dvc says."""
    stamp = unchanged.now()
    if not targets and unchanged.up_to_date(stamp):
        return []
    _check_dvc_files(stages=not targets)
    if ARTIFACTS.exists():
        code.write_digests()  # or DVC would not see that the code of a step changed
    done = run_dvc("status", "--json", *targets)
    if done.returncode:
        raise InputError("dvc status", "an answer", _last_line(done.stderr), "correct what it names")
    status: dict[str, Any] = json.loads(done.stdout or "{}")
    status.pop("code", None)  # it always runs
    changes = [outs for entry in status.pop("data.dvc", []) for outs in entry.get("changed outs", {}).values()]
    if set(changes) - {"not in cache"}:  # `dvc repro` repairs that; other files it would take for the data
        raise InputError(DATA, "the data of data.dvc", "other files", "run `dvc checkout data` or `dvc add data`")
    stages = [*(["data.dvc"] if changes else []), *status]
    if not targets and not stages:
        unchanged.remember(stamp)
    return stages


_DVC_FILES = {
    "dvc.yaml": ("stages", dict, "restore it, or run `tidegate upgrade`"),
    "dvc.lock": ("stages", dict, "restore it, or remove it: the next run writes it anew"),
    "data.dvc": ("outs", list, "restore it, or run `dvc add data`"),
}


def _check_dvc_files(stages: bool) -> None:
    """InputError for files of DVC that are not as it writes them: its own words for that fill a screen."""
    for name, (key, kind, cure) in _DVC_FILES.items():
        path = Path(name)
        if name == "dvc.yaml" and path.exists() and path.read_bytes() == STAGES.read_bytes():
            continue
        try:
            content = read_yaml(path) if path.exists() else {key: kind()}
        except InputError as error:
            raise InputError(path, "YAML that DVC reads", str(error).partition("found ")[2], cure) from None
        if not isinstance(content, dict) or not isinstance(content.get(key), kind):
            raise InputError(path, f"a document with {key}", "another one", cure)
        if name == "dvc.yaml" and stages:
            _check_stages(path, content[key])


def _check_stages(path: Path, stages: Mapping[str, Any]) -> None:
    """InputError for stages that another version of Tidegate wrote."""
    for stage in other_stages(stages):
        there = f"another stage {stage}" if stage in stages else f"no stage {stage}"
        raise InputError(path, f"the stages of tidegate {wheel.version()}", there, "run `tidegate upgrade`")


def other_stages(stages: Mapping[str, Any]) -> list[str]:
    """The stages that are not as this version of Tidegate writes them; a problem may have more of its own."""
    wanted = read_yaml(STAGES)["stages"]
    return [stage for stage in wanted if stages.get(stage) != wanted[stage]]


def repro(within: Mapping[str, str], *arguments: str) -> Iterator[str]:
    """Run `dvc repro` within an environment and yield its lines as they come; InputError when a stage fails."""
    with subprocess.Popen(
        dvc("repro", *arguments),
        env=within,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        bufsize=1,
    ) as process:
        assert process.stdout is not None
        threading.Thread(target=_hold_stdin, args=[process], daemon=True).start()
        last = ""
        try:
            for line in process.stdout:
                last = line.strip() or last
                yield line.rstrip("\n")
        except BaseException:
            process.terminate()
            for _ in process.stdout:  # a step holds it open until it has tidied up
                pass
            raise
    if process.returncode < 0:
        found = f"that {signal.Signals(-process.returncode).name} ended it"
        raise InputError("dvc repro", "to run to its end", found, "run it again: it goes on where it was")
    if process.returncode:
        raise _failure(last.removeprefix("ERROR: "))


def _hold_stdin(process: subprocess.Popen[str]) -> None:
    """Keep the stages' stdin open as long as this process and DVC live: a step in a container ends when it closes."""
    process.wait()
    assert process.stdin is not None
    process.stdin.close()


def environment() -> dict[str, str]:
    """Stages say `tidegate`: it must be the one that runs this, and they end with this process."""
    folder = str(Path(sys.executable).parent)
    path = f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1", runner.COMMAND: str(os.getpid())}


def _failure(message: str) -> InputError:
    if locks.REFUSED.search(message):
        return locks.refused()
    stage = re.search(r"failed to reproduce '(\w+)'", message)
    if stage:
        return InputError(f"stage {stage[1]}", "to succeed", "the errors above", "correct them and run again")
    return InputError("dvc repro", "every stage to succeed", message, "correct it and run again")


def dvc(*arguments: str) -> list[str]:
    """DVC as a command of this interpreter."""
    return python("dvc", *arguments)


def run_dvc(*arguments: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
    """Run DVC here, whatever comes of it; TimeoutExpired after so many seconds, InputError during another run."""
    done = subprocess.run(
        dvc(*arguments), env=environment(), capture_output=True, text=True, timeout=timeout, check=False
    )
    if done.returncode and locks.REFUSED.search(done.stderr):
        raise locks.refused()
    return done


def _dvc_output(*arguments: str) -> str:
    return run_dvc(*arguments).stdout


def _last_line(text: str) -> str:
    """The last error of DVC, which ends its output with an address for help."""
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["nothing"])[-1].removeprefix("ERROR: ")

"""`tidegate run --in-containers`: the same commands of dvc.yaml, each step in a container of the image of the steps.

The stages say `tidegate`. DVC is given another program of that name, which starts a step in a container, under the
same path and the same user, and runs all else on this machine. Whoever runs DVC holds the other end of the stages'
stdin: when that closes, however it came to be closed, the step in the container ends.
"""

import csv
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tidegate.process import code, limits
from tidegate.process.context import user
from tidegate.process.errors import InputError
from tidegate.process.interpreter import python
from tidegate.tracking import database

DEFAULT_IMAGE = "tidegate/steps:latest"
DIGESTS = "/opt/code/digests"
# What the steps and the stores they write to are told by; an image knows its own commit and lock.
PASSED = ("AWS_", "AZURE_", "DVC_", "GOOGLE_", "MLFLOW_", "TIDEGATE_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
LABEL = "tidegate.run"
OF_THE_IMAGE = ("TIDEGATE_COMMIT",)


@contextmanager
def steps_in_containers(environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The environment in which the stages' `tidegate` is a container; InputError when that cannot be."""
    image = environment.get("TIDEGATE_IMAGE") or DEFAULT_IMAGE
    check_image(image)
    for folder in mounted(environment, Path.cwd()):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tidegate-") as programs:
        program = Path(programs, "tidegate")
        words = shlex.join(python("tidegate.commands.loop.containers"))
        program.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        program.chmod(0o755)
        path = f"{programs}{os.pathsep}{environment['PATH']}"
        run = Path(programs).name
        try:
            yield {**environment, "PATH": path, "TIDEGATE_IMAGE": image, "TIDEGATE_USER": user(), "TIDEGATE_RUN": run}
        finally:
            _remove_unstarted(run)


def main(words: Sequence[str]) -> None:
    """Become the container of a step, or `tidegate` on this machine."""
    if words[:1] == ["step"]:
        command = docker_run(words, os.environ, Path.cwd(), f"{os.getuid()}:{os.getgid()}")
    else:
        command = python("tidegate", *words)
    os.execvp(command[0], command)  # noqa: S606, no shell is what is wanted


def docker_run(words: Sequence[str], environment: Mapping[str, str], workspace: Path, owner: str) -> list[str]:
    """The command that runs `tidegate` with `words` in the image; a secret is named, and its value not shown."""
    names = [name for name in sorted(environment) if name.upper().startswith(PASSED) and name not in OF_THE_IMAGE]
    files = [Path(environment[name]) for name in names if environment[name].startswith("/")]
    return [
        *("docker", "run", "--rm", "--pull", "never", "--init", "--interactive", "--read-only", "--user", owner),
        *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
        # A server may be on this machine; a file needs no network.
        *("--network", "none" if _store(environment) else "host"),
        # A volume and not memory, because it takes what memory does not hold; it goes with the container.
        *("--mount", "type=volume,target=/tmp"),
        *(word for folder in mounted(environment, workspace) for word in ("--mount", _bind(folder))),
        # Such as the certificate of a server.
        *(word for file in dict.fromkeys(files) if file.is_file() for word in ("--mount", _bind(file, "readonly"))),
        *("--workdir", str(workspace), "--env", "TIDEGATE_LIFELINE=stdin"),
        *("--label", f"{LABEL}={environment['TIDEGATE_RUN']}"),
        *(word for name in names for word in ("--env", name)),
        *(environment["TIDEGATE_IMAGE"], "tidegate", *words),
    ]


def mounted(environment: Mapping[str, str], workspace: Path) -> list[Path]:
    """The workspace, and the folder of a tracking store outside of it, which holds its artifacts too."""
    store = _store(environment)
    folders = [store.parent, store.resolve().parent] if store else []
    return [workspace, *dict.fromkeys(folder for folder in folders if not folder.is_relative_to(workspace))]


def check_image(image: str) -> None:
    """InputError unless Docker answers and the image has the code of this installation, and its libraries."""
    digests = dict(line.split("=", 1) for line in _digests(image).split())
    for step in code.STEPS:
        if digests.get(step) != code.digest(step):
            there = "another digest" if step in digests else "none"
            thing = f"step {step} in the image {image}"
            raise InputError(thing, "the code that runs here", there, "run `make images`")


def _remove_unstarted(run: str) -> None:
    """Docker, killed after it made a container and before it started it, leaves it for ever; any other ends itself."""
    listing = ["docker", "ps", "--all", "--quiet", "--filter", "status=created", "--filter", f"label={LABEL}={run}"]
    containers = subprocess.run(listing, capture_output=True, text=True, check=False).stdout.split()
    if containers:
        subprocess.run(["docker", "rm", "--force", "--volumes", *containers], capture_output=True, check=False)


def _digests(image: str) -> str:
    """The digests of the steps in the image, read in a container: a small one must be able to run."""
    command = ["docker", "run", "--rm", "--pull", "never", "--network", "none", "--entrypoint", "cat", image, DIGESTS]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limits.CONTAINER_SECONDS, check=False)
    except FileNotFoundError:
        cure = "install Docker, or run without --in-containers"
        raise InputError("docker", "a program on the PATH", "nothing", cure) from None
    except subprocess.TimeoutExpired:
        raise InputError("docker", "an engine that answers", "no answer in a minute", "restart it") from None
    errors = " ".join(done.stderr.split())
    if "No such image" in errors:
        raise InputError(f"image {image}", "it on this machine", "none", "run `make images`, or `docker pull` it")
    if done.returncode == 125:  # Docker's own; any other is that of `cat`
        message = re.split(r"\.? (?:See|Run) 'docker", errors.removeprefix("docker: "))[0]
        raise InputError("docker", "an engine that runs containers", message, "start it, or see `docker info`")
    if done.returncode:
        raise InputError(f"image {image}", "an image of the steps", "another one", "run `make images`")
    return done.stdout


def _store(environment: Mapping[str, str]) -> Path | None:
    """The tracking store, if it is a file."""
    return database.path_of(environment.get("MLFLOW_TRACKING_URI") or database.DEFAULT_URI)


def _bind(path: Path, *options: str) -> str:
    """The same path inside, because MLflow remembers where its files are; quoted as Docker reads it, as CSV."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(["type=bind", f"source={path}", f"target={path}", *options])
    return line.getvalue()


if __name__ == "__main__":
    main(sys.argv[1:])

"""The images, built as a user builds them, from a base that is made here because none can be pulled."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.tiers import lacking, needs

root = Path(__file__).parents[1]
base_tag, tag, server_tag = "tidegate/test-base:bookworm", "tidegate/test-steps:latest", "tidegate/test-serve:latest"


def docker(*words: str, check: bool = True, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    """Run `docker`."""
    needs("containers")
    found = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=seconds, check=False)
    if check:
        assert found.returncode == 0, f"{words}\n{found.stdout}\n{found.stderr}"
    return found


def needs_docker() -> None:
    """Skip the test, or in CI fail it, where no engine runs."""
    needs("containers")
    if not shutil.which("docker"):
        lacking("docker is not installed")
    if (found := docker("version", check=False)).returncode:
        lacking(" ".join(found.stderr.split()))


class Images(NamedTuple):
    """Both images, by their ids."""

    steps: str
    server: str


def build() -> Images:
    """The images as `make images` builds them from these files; a second build takes what Docker remembers."""
    needs_docker()
    with _alone():
        done = make_images(tag, server_tag)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        ids = docker("image", "inspect", "--format", "{{.Id}}", tag, server_tag).stdout.split()
        return Images(*ids)


def make_images(steps: str, server: str, *flags: str) -> subprocess.CompletedProcess[str]:
    """Run `make images`."""
    environment = {**os.environ, "BASE_IMAGE": base()}
    command = ["make", "images", f"IMAGE={steps}", f"SERVER_IMAGE={server}"]
    command += [f"FLAGS={' '.join(['--network host', *flags])}"]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def base() -> str:
    """The base: what BASE_IMAGE names, else one that is made once per machine."""
    if given := os.environ.get("BASE_IMAGE"):
        return given
    if docker("image", "inspect", base_tag, check=False).returncode:
        path = f"{os.environ['PATH']}{os.pathsep}/usr/sbin"
        if not shutil.which("debootstrap", path=path):
            lacking("debootstrap is not installed, and BASE_IMAGE names no image")
        command = [*(["sudo", "-n"] if os.getuid() else []), str(root / "tests/base.sh")]
        with tempfile.TemporaryFile("w+") as log:
            made = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env={**os.environ, "PATH": path})
            subprocess.run(["docker", "import", "-", base_tag], stdin=made.stdout, check=True, capture_output=True)
            if made.wait():
                docker("image", "rm", base_tag)
                log.seek(0)
                lacking(f"debootstrap: {log.read()[-2000:]}")
    return base_tag


@contextmanager
def _alone() -> Iterator[None]:
    """One build at a time: each worker of the test run has a session of its own."""
    with Path(tempfile.gettempdir(), f"tidegate-images-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

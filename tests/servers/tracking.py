"""A real MLflow server of a test's own."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tests.components.disks import mounting, need_mounting
from tests.tidegate.tracking.conftest import free_port, wait_for

# A disk in place of the working directory, with what that holds; then a program.
ON_A_DISK = """\
set -e
cp -a . "$PWD.kept" && mount -t tmpfs -o size="$0" none . && cd "$PWD" && cp -a "$PWD.kept/." .
exec "$@"
"""


class Server:
    """One that can be stopped, killed, and started again at the same address; with `disk` on a disk of that size."""

    def __init__(self, folder: Path, migrated: Path, disk: str = "") -> None:
        self.folder, self.port, self._disk = folder, free_port(), disk
        shutil.copy(migrated, folder / "mlflow.db")
        if disk:
            need_mounting()
        self.start()

    @property
    def uri(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def seen(self) -> Path:
        """Its folder as the server sees it."""
        return Path(f"/proc/{self.process.pid}/root{self.folder}") if self._disk else self.folder

    def start(self) -> None:
        """Until it answers."""
        words = ["--port", str(self.port), "--backend-store-uri", "sqlite:///mlflow.db", "--workers", "1"]
        command = [sys.executable, "-m", "mlflow", "server", *words, "--artifacts-destination", "artifacts"]
        self.process = subprocess.Popen(
            [*mounting, "sh", "-c", ON_A_DISK, self._disk, *command] if self._disk else command,
            cwd=self.folder,
            env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for(f"{self.uri}/health", self.process)

    def send(self, number: signal.Signals) -> None:
        """A signal to all of its processes."""
        os.killpg(self.process.pid, number)

    def end(self) -> None:
        """Whatever state it is in."""
        self.send(signal.SIGKILL)
        self.process.wait()

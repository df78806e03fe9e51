"""The libraries' telemetry is off wherever Tidegate runs them, whatever the user's environment says of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.workspaces import clean_environment

root = Path(__file__).parents[1]
switched = ("DO_NOT_TRACK", "MLFLOW_DISABLE_TELEMETRY")
asked = {
    "mlflow": "from mlflow.telemetry.utils import is_telemetry_disabled as off; assert off()",
    "evidently": "import os; from evidently.telemetry import DO_NOT_TRACK_ENV as name; assert os.environ[name]",
    "dvc": "from dvc.analytics import is_enabled; assert not is_enabled()",
}


@pytest.mark.parametrize("library", asked)
def test_a_step_sends_nothing(library: str) -> None:
    environment = {name: value for name, value in clean_environment.items() if name not in switched}
    command = [sys.executable, "-c", f"import tidegate; {asked[library]}"]
    subprocess.run(command, cwd=root, env=environment, check=True, timeout=120)


def test_a_plain_dvc_in_this_repository_sends_nothing() -> None:
    command = [sys.executable, "-c", asked["dvc"]]
    subprocess.run(command, cwd=root, env=clean_environment, check=True, timeout=120)

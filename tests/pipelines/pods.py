"""The pod of a task, as Kubeflow's launcher runs it: placeholders filled in, folders made, no shell."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tidegate.documents.formats import read_json
from tidegate.pipelines.graph import Parameter, Port, Task, tasks

ROOT = Path(__file__).parents[2]


class Cluster:
    """Runs tasks of a compiled pipeline in a folder; `given` are outputs and parameters of what does not run here."""

    def __init__(
        self, ir: Mapping[str, Any], folder: Path, outputs: Mapping[Port, Path], parameters: Mapping[str, Any]
    ) -> None:
        self.ir, self.folder, self.parameters = ir, folder, parameters
        self.outputs = dict(outputs)

    def run(self, *names: str) -> str:
        """Run these tasks in their order; returns what they said on stderr. They must not fail."""
        said = []
        for task in (task for task in tasks(self.ir) if task.name in names):
            done = self._done(task)
            assert done.returncode == 0, done.stderr
            said.append(done.stderr)
        return "".join(said)

    def fails(self, name: str) -> tuple[int, list[str]]:
        """The exit code of a task, and the lines that it said on stderr."""
        done = self._done(next(task for task in tasks(self.ir) if task.name == name))
        return done.returncode, done.stderr.splitlines()

    def _done(self, task: Task) -> "subprocess.CompletedProcess[str]":
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            self._words(task),
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def _words(self, task: Task) -> list[str]:
        place = self.folder / task.name
        place.mkdir()
        made = {port: place / port for port in task.outputs}
        self.outputs |= {Port(task.name, port): path for port, path in made.items()}
        values = {
            f"{{{{$.outputs.{kind}['{port}'].{end}}}}}": str(path)
            for port, path in made.items()
            for kind, end in (("artifacts", "path"), ("parameters", "output_file"))
        }
        for port, source in task.inputs.items():
            if isinstance(source, Parameter):
                value = self.parameters[source.name.partition("_")[2]]
                text = str(value).lower() if isinstance(value, bool) else str(value)
                values[f"{{{{$.inputs.parameters['{port}']}}}}"] = text
            else:
                values[f"{{{{$.inputs.artifacts['{port}'].path}}}}"] = str(self.outputs[source])
        values["{{$}}"] = json.dumps(_executor_input(made, place))
        container = self.ir["deploymentSpec"]["executors"][f"exec-{task.name}"]["container"]
        words = [*container["command"], *container["args"]]
        for placeholder, value in values.items():
            words = [word.replace(placeholder, value) for word in words]
        assert [word for word in words if re.search(r"\{\{\$", word)] == []
        return words

    def told(self, task: str) -> dict[str, dict[str, float]]:
        """The numbers that a task left for Kubeflow's UI, by artifact."""
        found = read_json(self.folder / task / "executor.json")["artifacts"]
        return {name: entry["artifacts"][0]["metadata"] for name, entry in found.items()}


def _executor_input(made: Mapping[str, Path], place: Path) -> dict[str, Any]:
    artifacts = {port: {"artifacts": [{"name": port, "uri": f"minio://{port}"}]} for port in made}
    return {"outputs": {"artifacts": artifacts, "outputFile": str(place / "executor.json")}}


def contents(path: Path) -> dict[str, bytes]:
    """A file, or every file of a folder, with its bytes."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return {str(file.relative_to(path)): file.read_bytes() for file in files if file.is_file()}

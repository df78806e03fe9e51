"""Reads `cluster.yaml`: resources, time-outs, node selection and environment of every step; no Kubeflow here."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tidegate.documents.durations import seconds
from tidegate.documents.formats import parse_yaml, read_text
from tidegate.documents.schema import Fault, faults, hint, messages
from tidegate.documents.yaml import places
from tidegate.pipelines.agreement import disagreements
from tidegate.process import code, limits
from tidegate.process.errors import FaultsError, InputError

PATH = Path("cluster.yaml")
SCHEMA = Path(__file__).with_name("cluster.schema.json")
FACTOR = 2  # of the exponential backoff; Argo accepts only whole numbers


class Reference(NamedTuple):
    """Environment variables from a `config_map` or a `secret`; `keys` maps the keys of the object to variables."""

    kind: str
    name: str
    keys: Mapping[str, str]
    optional: bool


class Volume(NamedTuple):
    """A `secret`, `config_map` or `claim` of the cluster, and the folder in which it is mounted."""

    kind: str
    name: str
    at: str


class Retries(NamedTuple):
    """The number of retries of a failed step, and the seconds before the first one; each wait doubles."""

    times: int
    wait: int


@dataclass(frozen=True)
class Step:
    """The settings of one step: `cpu` and `memory` hold request and limit, `timeout` is the seconds of one attempt."""

    cpu: Mapping[str, str]
    memory: Mapping[str, str]
    timeout: int
    retries: Retries
    node_selector: Mapping[str, str]
    tolerations: Sequence[Mapping[str, str]]
    environment: tuple[Reference, ...]
    volumes: tuple[Volume, ...]

    @property
    def patience(self) -> int:
        """The time-out of one pod in seconds: all attempts and the waits between them."""
        times = self.retries.times
        return self.timeout * (times + 1) + self._waits + limits.POD_BESIDE_SECONDS if times else self.timeout

    @property
    def persistence(self) -> int:
        """The time-out in seconds of all pods that Argo starts for the step; Argo's own default is one hour."""
        return self.patience * (self.retries.times + 1) + self._waits

    @property
    def _waits(self) -> int:
        waits: int = sum(self.retries.wait * FACTOR**number for number in range(self.retries.times))
        return waits


@dataclass(frozen=True)
class Cluster:
    """The content of cluster.yaml, and its path."""

    path: Path
    repository: str
    pull_policy: str
    pull_secrets: tuple[str, ...]
    service_account: str
    steps: Mapping[str, Step]
    schedule: Mapping[str, Any]
    fuse: tuple[tuple[str, ...], ...]
    predict: Mapping[str, Any]
    monitor: Mapping[str, Any]

    def task_of(self, step: str) -> str:
        """The name of the task that runs a step: its own, or that of the fused task."""
        return next(("-".join(steps) for steps in self.fuse if step in steps), step)


def load(path: Path = PATH) -> Cluster:
    """Read and check the file; FaultsError names each invalid line and what is allowed there."""
    if not path.exists():
        cure = "write one: `tidegate upgrade --cluster --write`"
        raise InputError(display(path), "the settings of a run on a cluster", "nothing", cure)
    text, name = read_text(path), display(path)
    document = parse_yaml(text, name)
    _refuse(faults(document, json.loads(read_text(SCHEMA))), text, name)
    _refuse(list(disagreements(document)), text, name)
    defaults, groups, volumes = document["defaults"], document["environment"], document.get("volumes", {})
    return Cluster(
        path=path,
        repository=document["image"]["repository"],
        pull_policy=document["image"]["pull_policy"],
        pull_secrets=tuple(document["image"].get("pull_secrets", ())),
        service_account=document["service_account"],
        steps={name: _step(defaults | section, groups, volumes) for name, section in document["steps"].items()},
        schedule=document.get("schedule", {}),
        fuse=tuple(tuple(steps) for steps in document.get("fuse", ())),
        predict=document.get("predict", {}),
        monitor=document.get("monitor", {}),
    )


def agree(cluster: Cluster, steps: Sequence[str], others: Sequence[str] = code.BESIDE) -> None:
    """Raise InputError for a step without a section, and for a section without a step; `others` may have one."""
    place = display(cluster.path)
    for name in steps:
        if name not in cluster.steps:
            cure = "add one; `{}` takes the defaults"
            raise InputError(f"{place}: steps", f"a section for the step {name}", "none", cure)
    for name in cluster.steps:
        if name not in (*steps, *others):
            line, _ = places(read_text(cluster.path))(("steps", name))
            raise InputError(f"{place}:{line}: steps", f"one of {', '.join(steps)}", hint(name, steps), "remove it")


def display(path: Path) -> str:
    """The path, relative to the working directory if it is below it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _step(section: Mapping[str, Any], groups: Mapping[str, Any], volumes: Mapping[str, Any]) -> Step:
    return Step(
        cpu=section["cpu"],
        memory=section["memory"],
        timeout=seconds(section["timeout"]),
        retries=Retries(section["retries"]["times"], seconds(section["retries"]["wait"])),
        node_selector=section["node_selector"],
        tolerations=tuple(section["tolerations"]),
        environment=tuple(reference for name in section.get("uses", ()) for reference in _references(groups[name])),
        volumes=tuple(_volume(volumes[name]) for name in section.get("mounts", ())),
    )


def _volume(document: Mapping[str, str]) -> Volume:
    (kind,) = document.keys() - {"at"}
    return Volume(kind, document[kind], document["at"])


def _references(group: Mapping[str, Any]) -> Iterator[Reference]:
    for kind in ("config_map", "secret"):
        for name, keys in group.get(f"{kind}s", {}).items():
            yield Reference(kind, name, keys, group.get("optional", False))


def _refuse(problems: Sequence[Fault], text: str, name: str) -> None:
    if problems:
        raise FaultsError(messages(problems, text, name))

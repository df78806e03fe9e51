"""The tracking store in a sqlite file, read without MLflow, whose import takes seconds.

`Embedded` answers what the commands that only read ask of MLflow's client, by the same names and with as much of the
answers as they use. It asks the client for what is rare, such as a version that is not there.
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tidegate.tracking import database

if TYPE_CHECKING:
    from mlflow import MlflowClient, entities
    from mlflow.entities import model_registry

Item = TypeVar("Item")
REVISION = "dc11669786a5"  # of the tables that the queries below were written for
WORKSPACES = "MLFLOW_ENABLE_WORKSPACES"
# A condition in MLflow's search syntax, as the modules beside this one write it.
TERM = re.compile(r"(?:tags\.`(?P<tag>[^`]+)`|name) (?P<sign>!?=) '(?P<value>[^']*)'")
PROMPT = "mlflow.prompt.is_prompt"  # the tag of the prompts, which MLflow keeps in the same tables
NO_PROMPT = (
    "workspace = 'default' AND name NOT IN"
    f" (SELECT name FROM {{}} WHERE workspace = 'default' AND key = '{PROMPT}' AND value = 'true')"
)


class Page(list[Item]):
    """All items: there is no other page."""

    token: str | None = None


@dataclass(frozen=True)
class Experiment:
    """An experiment."""

    experiment_id: str
    name: str
    lifecycle_stage: str


@dataclass(frozen=True)
class RunInfo:
    """What a run is."""

    run_id: str
    experiment_id: str
    start_time: int
    artifact_uri: str


@dataclass(frozen=True)
class RunData:
    """What was logged with a run, of a metric the last value."""

    tags: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """A run."""

    info: RunInfo
    data: RunData


@dataclass(frozen=True)
class RegisteredModel:
    """A registered model; `aliases` are versions by alias."""

    name: str
    tags: dict[str, str]
    aliases: dict[str, str]


@dataclass(frozen=True)
class ModelVersion:
    """A version of a registered model."""

    name: str
    version: str
    source: str
    run_id: str
    tags: dict[str, str]


Ask = Callable[..., list[tuple[Any, ...]]]  # an SQL query and its values


def reads(path: Path) -> bool:
    """Whether a database has the tables of the installed MLflow, and these are known here."""
    if os.environ.get(WORKSPACES) or not database.revision(path) == REVISION == database.newest_revision():
        return False
    with database.reading(path) as connection:  # MLflow refuses a store with other workspaces
        return connection.execute("SELECT 1 FROM experiments WHERE workspace != 'default'").fetchone() is None


class Embedded:
    """Reads the database at `path`; `connect` makes MLflow's client of it."""

    def __init__(self, path: Path, connect: Callable[[], MlflowClient]) -> None:
        self._path, self.connect = path, connect

    def search_experiments(self, page_token: str | None = None) -> Page[Experiment]:
        """The experiments that are not deleted, the newest first."""
        return self._experiments("lifecycle_stage = 'active' ORDER BY creation_time DESC, experiment_id")

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """An experiment, even a deleted one; None without one."""
        return next(iter(self._experiments("workspace = 'default' AND name = ?", name)), None)

    def search_runs(
        self, experiment_ids: Sequence[str], filter_string: str = "", page_token: str | None = None
    ) -> Page[Run]:
        """The runs of experiments that meet a condition and are not deleted, the newest first."""
        condition, values = _condition(filter_string, "tags", "run_uuid = runs.run_uuid")
        among = "experiment_id IN (SELECT CAST(value AS INTEGER) FROM json_each(?)) AND lifecycle_stage = 'active'"
        return self._runs(f"{among} AND {condition}", json.dumps(experiment_ids), *values)

    def get_run(self, run_id: str) -> Run | entities.Run:
        """A run, even a deleted one."""
        return next(iter(self._runs("run_uuid = ?", run_id)), None) or self.connect().get_run(run_id)

    def search_registered_models(self, filter_string: str, max_results: int) -> Page[RegisteredModel]:
        """Those registered models that meet a condition, by name."""
        same = "workspace = 'default' AND name = registered_models.name"
        condition, values = _condition(filter_string, "registered_model_tags", same)
        where = f"{condition} AND {NO_PROMPT.format('registered_model_tags')} ORDER BY name LIMIT ?"
        with self._moment() as ask:
            names = ask(f"SELECT name FROM registered_models WHERE {where}", *values, max_results)
            return Page(_model(ask, name) for (name,) in names)

    def search_model_versions(
        self, filter_string: str, max_results: int, order_by: Sequence[str], page_token: str | None = None
    ) -> Page[ModelVersion]:
        """The versions that meet a condition, always by number, and never in several pages."""
        same = "workspace = 'default' AND name = model_versions.name AND version = model_versions.version"
        condition, values = _condition(filter_string, "model_version_tags", same)
        return self._versions(f"{condition} AND {NO_PROMPT.format('model_version_tags')}", *values)

    def get_model_version(self, name: str, version: str) -> ModelVersion | model_registry.ModelVersion:
        """A version of a registered model."""
        if re.fullmatch("[1-9][0-9]{0,17}", version):
            for match in self._versions("workspace = 'default' AND name = ? AND version = ?", name, int(version)):
                if PROMPT not in match.tags:
                    return match
        return self.connect().get_model_version(name, version)

    def _experiments(self, where: str, *values: object) -> Page[Experiment]:
        query = f"SELECT CAST(experiment_id AS TEXT), name, lifecycle_stage FROM experiments WHERE {where}"
        with self._moment() as ask:
            return Page(Experiment(*row) for row in ask(query, *values))

    def _runs(self, where: str, *values: object) -> Page[Run]:
        columns = "run_uuid, CAST(experiment_id AS TEXT), start_time, artifact_uri"
        these = f"run_uuid IN (SELECT run_uuid FROM runs WHERE {where})"
        data: dict[str, RunData] = defaultdict(RunData)
        with self._moment() as ask:
            for run_id, key, value in ask(f"SELECT run_uuid, key, value FROM tags WHERE {these}", *values):
                data[run_id].tags[key] = value
            for run_id, key, value in ask(f"SELECT run_uuid, key, value FROM params WHERE {these}", *values):
                data[run_id].params[key] = value
            metrics = ask(f"SELECT run_uuid, key, value, is_nan FROM latest_metrics WHERE {these}", *values)
            for run_id, key, value, is_nan in metrics:
                data[run_id].metrics[key] = float("nan") if is_nan else value
            rows = ask(f"SELECT {columns} FROM runs WHERE {where} ORDER BY start_time DESC, run_uuid", *values)
        return Page(Run(RunInfo(*row), data[row[0]]) for row in rows)

    def _versions(self, where: str, *values: object) -> Page[ModelVersion]:
        there = f"{where} AND current_stage != 'Deleted_Internal'"
        these = (
            f"workspace = 'default' AND (name, version) IN (SELECT name, version FROM model_versions WHERE {there})"
        )
        tags: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
        with self._moment() as ask:
            rows = ask(f"SELECT name, version, key, value FROM model_version_tags WHERE {these}", *values)
            for name, version, key, value in rows:
                tags[name, version][key] = value
            rows = ask(
                f"SELECT name, version, source, run_id FROM model_versions WHERE {there} ORDER BY version", *values
            )
        return Page(
            ModelVersion(name, version, source, run_id, tags[name, version]) for name, version, source, run_id in rows
        )

    @contextmanager
    def _moment(self) -> Iterator[Ask]:
        """Several queries that see the database as of one moment."""
        with database.reading(self._path) as connection:
            connection.execute("BEGIN")
            yield lambda query, *values: connection.execute(query, values).fetchall()


def _model(ask: Ask, name: str) -> RegisteredModel:
    where = "WHERE workspace = 'default' AND name = ?"
    tags = ask(f"SELECT key, value FROM registered_model_tags {where}", name)
    return RegisteredModel(
        name, dict(tags), dict(ask(f"SELECT alias, version FROM registered_model_aliases {where}", name))
    )


def _condition(text: str, table: str, same: str) -> tuple[str, list[str]]:
    """A condition as SQL with its values; `table` has the tags, `same` says of which thing."""
    terms = list(TERM.finditer(text))
    if " AND ".join(term[0] for term in terms) != text:
        raise ValueError(f"no condition known here: {text}")
    parts, values = ["TRUE"], []
    for term in terms:
        if term["tag"]:
            parts.append(f"EXISTS (SELECT 1 FROM {table} WHERE {same} AND key = ? AND value {term['sign']} ?)")
            values += [term["tag"], term["value"]]
        else:
            parts.append(f"name {term['sign']} ?")
            values.append(term["value"])
    return " AND ".join(parts), values

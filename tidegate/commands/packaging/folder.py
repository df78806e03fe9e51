"""The folder of a packaged version: a Python package with its files and digests, its lock, a Dockerfile, a README."""

import json
import re
from hashlib import sha256
from pathlib import Path
from string import Template
from typing import Any

from tidegate import models
from tidegate.commands.packaging.requirements import cut, pinned
from tidegate.components.predict.promises import checks, unlike
from tidegate.components.predict.scoring import probability_names
from tidegate.contract.contract import SQL_TYPE, quoted
from tidegate.documents.formats import replacing, write_json, write_text
from tidegate.process import code
from tidegate.process.errors import InputError
from tidegate.serving.clean_tables import needed
from tidegate.serving.fields import event_fields
from tidegate.tables.engine import cast
from tidegate.tables.features import subquery
from tidegate.tracking.champion import Champion

TEMPLATE = Path(__file__).with_name("template")
MODULES = ("__init__.py", "__main__.py", "predict.py")
TEXTS = {"pyproject.toml": "pyproject.txt", "Dockerfile": "Dockerfile.txt", "README.md": "README.txt"}
LIBRARIES = ("duckdb", "numpy", "pandas", "pyarrow", "scikit-learn", "skops")
FILES = ("contract.json", "features.sql", "model.skops")


def write(champion: Champion, folder: Path) -> str:
    """Write the folder, whole or not at all; returns the name of its package. InputError for a folder with files."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(folder, "a new or an empty folder", "one with files", "name another folder")
    name = package_name(champion.contract.name)
    with replacing(folder) as temporary:
        (temporary / name).mkdir(parents=True)
        _write_package(champion, temporary / name)
        _write_texts(champion, name, temporary)
    return name


def package_name(problem: str) -> str:
    """A name for a Python package; that of the problem where it may be one."""
    plain = re.sub(r"[^a-z0-9]+", "_", problem.lower()).strip("_")
    return f"{plain}_model" if plain[:1].isalpha() else f"model_{plain}".rstrip("_")


def _write_package(champion: Champion, folder: Path) -> None:
    for name in MODULES:
        write_text(folder / name, (TEMPLATE / name).read_text(encoding="utf-8"))
    models.save(champion.model, folder / "model.skops")
    write_text(folder / "features.sql", subquery(champion.sql)[1:-1])
    write_json(folder / "contract.json", excerpt(champion) | {"trusted": trusted(folder / "model.skops")})
    write_json(folder / "digests.json", {name: sha256((folder / name).read_bytes()).hexdigest() for name in FILES})


def trusted(model: Path) -> list[str]:
    """The types of the model that skops does not trust by itself; Tidegate has checked their state."""
    from skops.io import get_untrusted_types

    return sorted(get_untrusted_types(file=model))


def excerpt(champion: Champion) -> dict[str, Any]:
    """What the package needs of contract and record: columns of an event, promises as SQL, features, tables."""
    contract = champion.contract
    table, fields = contract.tables[contract.event], event_fields(contract)
    probabilities = probability_names([*champion.model.classes_]) if contract.task == "multiclass" else []
    return {
        "name": contract.name,
        "version": champion.version,
        "task": contract.task,
        "event": contract.event,
        "identity": contract.identity,
        "tables": sorted(needed(champion.sql, contract)),
        "columns": {name: _column(name, field.type) for name, field in fields.items()},
        "outcomes": {name: SQL_TYPE[column.type] for name, column in table.visible().items() if name not in fields},
        "checks": [check._asdict() for check in checks(fields)],
        "rules": dict(table.rules),
        "features": dict(champion.record.features),
        "probabilities": probabilities,
    }


def _column(name: str, kind: str) -> dict[str, str]:
    """The SQL of a value in its type, from its text, and of whether it has another one."""
    text = f"nullif({quoted(name)}, 'nan')" if kind == "number" else quoted(name)
    typed = cast(text, kind)
    return {"typed": typed, "wrong": f"{text} IS NOT NULL AND {typed} IS NULL", "flag": unlike(name)}


def _write_texts(champion: Champion, name: str, folder: Path) -> None:
    lock = code.LOCK.read_text(encoding="utf-8")
    requirements = cut(lock, LIBRARIES)
    dependencies = ",\n".join(f"    {json.dumps(line)}" for line in pinned(requirements, LIBRARIES))
    known = {
        "package": name,
        "name": champion.contract.name,
        "version": champion.version,
        "description": " ".join(champion.contract.purpose.split()).replace('"', "'").replace("\\", "/"),
        "data": champion.record.data,
        "dependencies": dependencies,
        "columns": ", ".join(event_fields(champion.contract)),
        "tables": ", ".join(f"{table}.parquet" for table in sorted(needed(champion.sql, champion.contract))),
    }
    for target, source in TEXTS.items():
        write_text(folder / target, Template((TEMPLATE / source).read_text(encoding="utf-8")).substitute(known))
    write_text(folder / "requirements.txt", requirements)
    write_text(folder / "requirements-build.txt", cut(lock, ["setuptools"]))

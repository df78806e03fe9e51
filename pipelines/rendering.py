"""Writes the files that are generated from the pipeline, or compares them with the present ones."""

import json
from itertools import zip_longest
from pathlib import Path

from tidegate.documents.batch import Batch
from tidegate.documents.decision import Decision
from tidegate.documents.document import Document
from tidegate.documents.findings import Findings
from tidegate.documents.formats import read_text, write_text
from tidegate.documents.manifest import Manifest
from tidegate.documents.record import Record
from tidegate.documents.release import Release
from tidegate.documents.traffic import Traffic
from tidegate.documents.verdict import Verdict
from tidegate.pipelines import dvc, kubeflow, picture
from tidegate.process.errors import InputError

SCHEMAS = Path("docs", "schemas")


def rendered() -> dict[Path, str]:
    """The expected text of each generated file, by its path relative to the folder of the problem.

    The pictures of the pipeline and the schemas belong to Tidegate's own documentation, not to another problem.
    """
    ir = kubeflow.ir()
    stages = {dvc.PIPELINE: dvc.render(ir)}
    if not SCHEMAS.is_dir():
        return stages
    pictures = {Path(f"docs/loop-{theme}.svg"): picture.draw(ir, theme) for theme in picture.THEMES}
    return {**stages, **pictures, **_schemas()}


def _schemas() -> dict[Path, str]:
    """The JSON schema of each document, for programs that read one."""
    kinds: tuple[type[Document], ...] = (Manifest, Findings, Batch, Decision, Record, Verdict, Release, Traffic)
    return {
        SCHEMAS / f"{kind.__name__.lower()}.schema.json": json.dumps(kind.schema(), indent=2) + "\n" for kind in kinds
    }


def write() -> None:
    """Write all generated files."""
    for path, text in rendered().items():
        write_text(path, text)


def check() -> None:
    """Raise InputError for the first line that differs from the generated text."""
    for path, text in rendered().items():
        present = read_text(path).split("\n") if path.exists() else []
        for number, (expected, found) in enumerate(zip_longest(text.split("\n"), present), start=1):
            if expected != found:
                raise InputError(f"{path}:{number}", _display(expected), _display(found), "run `tidegate render`")


def _display(line: str | None) -> str:
    return "the end" if line is None else f"`{line.strip()[:80]}`"

"""Writes the files that are generated from the pipeline, or compares them with the present ones."""

from itertools import zip_longest
from pathlib import Path

from tidegate.documents.formats import read_text, write_text
from tidegate.pipelines import dvc, kubeflow, picture
from tidegate.process.errors import InputError


def rendered() -> dict[Path, str]:
    """The expected text of each generated file, by its path relative to the root of the repository."""
    ir = kubeflow.ir()
    pictures = {Path(f"docs/loop-{theme}.svg"): picture.draw(ir, theme) for theme in picture.THEMES}
    return {dvc.PIPELINE: dvc.render(ir), **pictures}


def write() -> None:
    """Write all generated files."""
    for path, text in rendered().items():
        write_text(path, text)


def check() -> None:
    """Raise InputError for the first line that differs from the generated text."""
    for path, text in rendered().items():
        present = read_text(path).split("\n") if path.exists() else []
        for number, (wanted, found) in enumerate(zip_longest(text.split("\n"), present), start=1):
            if wanted != found:
                raise InputError(f"{path}:{number}", _display(wanted), _display(found), "run `tidegate render`")


def _display(line: str | None) -> str:
    return "the end" if line is None else f"`{line.strip()[:80]}`"

"""What CONTRIBUTING.md and the docs name is there: a newcomer follows them to the letter."""

import re
from pathlib import Path

import pytest

root = Path(__file__).parents[1]
PAGES = (root / "CONTRIBUTING.md", root / "README.md", root / "SECURITY.md", *sorted((root / "docs").glob("*.md")))
NAMED = re.compile(r"`((?:benchmarks|components|docs|examples|k8s|pipelines|tests|tidegate)/[\w./-]*)`")
GENERATED = {"k8s/secrets.env", "k8s/secrets.json", "k8s/secrets-serving.json"}  # by who reads it
PLACEHOLDER = re.compile(r"\b[A-Z]{3,}\b")  # such as STEP, NAME, NOUN


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_that_it_names_is_there(page: Path) -> None:
    named = {path for path in NAMED.findall(page.read_text()) if not PLACEHOLDER.search(path)} - GENERATED
    assert sorted(path for path in named if not (root / path).exists()) == []


def test_every_constant_that_a_change_names_is_there() -> None:
    rows = re.findall(r"^\| `([\w/.]+\.py)` \| (.*) \|$", PAGES[0].read_text(), re.MULTILINE)
    named = [(path, name) for path, text in rows for name in re.findall(r"`([A-Z][A-Z_]{3,})`", text)]
    there = [(path, name) for path, name in named if (root / path).exists()]
    assert there and [(path, name) for path, name in there if name not in (root / path).read_text()] == []

"""A stage depends on the code that it runs, and on no other."""

from pathlib import Path

import pytest

from components.errors import InputError
from pipelines.code import code


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small `components/`: two steps, modules that import one another, and a package."""
    files = {
        "__init__.py": "",
        "command.py": "import json\nfrom components.errors import InputError\n",
        "errors.py": "",
        "page.py": "def write():\n    from components import errors\n    import pandas\n",
        "page.html": "",
        "unused.py": "",
        "registry/__init__.py": "",
        "registry/journal.py": "from . import alias\nfrom ..numbers import share\n",
        "registry/alias.py": "import components.clock\n",
        "numbers.py": "from components import numbers\n",
        "clock.py": "import components\n",
        "train/__init__.py": "",
        "train/__main__.py": "from components.command import run\nfrom components.train import fitting\n",
        "train/fitting.py": "from componentsx.unused import nothing\n",
        "deploy/__main__.py": "import components.registry.journal as journal\nfrom .words import say\n",
        "deploy/words.py": "if True:\n    import components.page\n",
    }
    for name, text in files.items():
        path = tmp_path / "components" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_modules_are_followed(tree: Path) -> None:
    assert code("train") == [f"components/{name}" for name in ("__init__.py", "command.py", "errors.py", "train")]


def test_packages_templates_and_imports_inside_functions_count(tree: Path) -> None:
    names = ("__init__.py", "clock.py", "deploy", "errors.py", "numbers.py", "page.html", "page.py", "registry")
    assert code("deploy") == [f"components/{name}" for name in names]


def test_a_step_that_is_not_there_is_named(tree: Path) -> None:
    with pytest.raises(InputError, match=r"^components/gate: expected a step with __main__\.py"):
        code("gate")

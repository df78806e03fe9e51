"""The digest of a step changes with the code that decides what it writes, and with nothing else."""

import ast
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import tidegate
from tidegate.process import code
from tidegate.process.code import digest, locked, sources
from tidegate.process.errors import InputError

TREE = {
    "__init__.py": "import os\n",
    "process/__init__.py": "",
    "process/errors.py": "",
    "process/command.py": "import json\nfrom tidegate.process.errors import InputError\n",
    "pages/__init__.py": "",
    "pages/page.py": "import jinja2\n",
    "tracking/__init__.py": "",
    "tracking/run_data.py": "",
    "tracking/journal.py": "from . import entries\nfrom ..scoring.numbers import share\n",
    "tracking/entries.py": "import tidegate.clock\n",
    "scoring/__init__.py": "",
    "scoring/numbers.py": "import numpy as np\n",
    "clock.py": "",
    "unused.py": "",
    "components/__init__.py": "",
    "components/train/__init__.py": "",
    "components/train/__main__.py": "from tidegate.process.command import run\nfrom . import fit, log\n",
    "components/train/fit.py": "def fit():\n    from sklearn.base import clone\n    from tidegate.pages import page\n",
    "components/train/log.py": "from tidegate.tracking import run_data\n",
    "components/train/report.html": "",
    "components/train/process.schema.json": "",
    "components/deploy/__init__.py": "",
    "components/deploy/__main__.py": "import tidegate.tracking.journal as journal\n",
}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small package with two steps, and what they share."""
    for name, text in TREE.items():
        path = tmp_path / "tidegate" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(code, "ROOT", tmp_path / "tidegate")
    return tmp_path / "tidegate"


@pytest.fixture
def written(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small package, and in the working directory the digests of its steps."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(code, "STEPS", ("train", "deploy"))
    code.write_digests()
    return tree


def digests() -> dict[str, str]:
    """Both digests, with libraries of one version."""
    return {step: digest(step, lambda package: "1") for step in ("train", "deploy")}


@pytest.mark.parametrize(
    ("changed", "steps"),
    [
        ("components/train/fit.py", {"train"}),
        ("components/train/report.html", {"train"}),
        ("process/command.py", {"train"}),
        ("process/errors.py", {"train"}),  # imported by what is imported
        ("tracking/journal.py", {"deploy"}),
        ("tracking/entries.py", {"deploy"}),  # a module beside, by a relative import
        ("scoring/numbers.py", {"deploy"}),
        ("clock.py", {"deploy"}),
        ("__init__.py", {"train", "deploy"}),
        ("tracking/__init__.py", {"deploy"}),
        ("components/train/log.py", set()),
        ("tracking/run_data.py", set()),
        ("pages/page.py", set()),
        ("unused.py", set()),
    ],
)
def test_what_changes_a_digest(tree: Path, changed: str, steps: set[str]) -> None:
    before = digests()
    with (tree / changed).open("a") as file:
        file.write("# changed\n")
    after = digests()
    assert {step for step in after if after[step] != before[step]} == steps


def test_the_versions_of_the_libraries_that_it_computes_with_count(tree: Path) -> None:
    def with_newer(name: str) -> set[str]:
        after = {step: digest(step, lambda package: "2" if package == name else "1") for step in ("train", "deploy")}
        before = digests()
        return {step for step in after if after[step] != before[step]}

    assert with_newer("scikit-learn") == with_newer("scipy") == {"train"}
    assert with_newer("numpy") == {"deploy"}
    assert with_newer("jinja2") == set()


def test_the_steps_are_those_that_there_are() -> None:
    folders = {path.parent.name for path in (code.ROOT / "components").glob("*/__main__.py")}
    assert {*code.STEPS, *code.BESIDE} == folders


def test_this_step_is_made_of_its_own_folder_and_of_what_it_imports() -> None:
    def files(step: str) -> set[str]:
        return {path.relative_to(code.ROOT).as_posix() for path in sources(step)[0]}

    found = files("ingest")
    assert {"components/ingest/raw_files.py", "tables/engine.py", "contract/contract.schema.json"} <= found
    assert not [name for name in found if name.startswith(("components/gate", "tracking"))]
    found = files("gate")
    assert "tracking/journal.py" in found and not {"tracking/run_data.py", "pages/page.html"} & found


def test_the_lock_tells_the_versions_of_the_image() -> None:
    root = Path(tidegate.__file__).parents[1]
    assert code.LOCK.read_bytes() == (root / "requirements-steps.txt").read_bytes()
    assert all(locked(package) for packages in code.LIBRARIES.values() for package in packages)
    assert f"numpy=={locked('numpy')} " in code.LOCK.read_text()


def test_digests_that_hold_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code.write_digests()
    before = {path.name: path.stat().st_mtime_ns for path in code.DIGESTS.iterdir()}
    assert set(before) == set(code.STEPS)
    (code.DIGESTS / "gate").write_text("stale")
    code.write_digests()
    after = {path.name: path.stat().st_mtime_ns for path in code.DIGESTS.iterdir()}
    assert {name for name in after if after[name] != before[name]} == {"gate"}


def test_a_digest_is_computed_anew_when_a_file_changed(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(code, "digest", None)  # none is computed while all files are as they were
        code.check_digest("train")
        code.write_digests()
    (written / "components/train/fit.py").write_text("def fit():\n    pass\n")
    code.check_digest("deploy")
    with pytest.raises(InputError, match="artifacts/code/train: expected the digest of this code"):
        code.check_digest("train")
    code.write_digests()
    code.check_digest("train")


def test_a_digest_is_computed_anew_for_another_version_of_a_library(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code, "digest", lambda step: "another")
    code.check_digest("train")
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0")
    with pytest.raises(InputError, match="artifacts/code/train: expected the digest of this code, another"):
        code.check_digest("train")


def test_what_a_bare_interpreter_needs_for_it_is_little() -> None:
    script = "import sys; before = set(sys.modules); import tidegate.process.code as code; code.digest('gate')\n"
    script += "print({name.partition('.')[0] for name in set(sys.modules) - before} & {'numpy', 'pandas', 'mlflow'})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_every_import_is_a_statement_that_is_looked_at() -> None:
    for path in code.ROOT.rglob("*.py"):
        tree = ast.parse(path.read_bytes())
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        seen = [node for node in code._statements(tree.body) if isinstance(node, ast.Import | ast.ImportFrom)]
        assert sorted(ast.dump(node) for node in seen) == sorted(ast.dump(node) for node in imports), path

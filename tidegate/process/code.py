"""The code of a step as one digest: its modules, its templates, the versions of the libraries it computes with."""

import ast
import hashlib
import importlib.metadata
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

import tidegate
from tidegate.documents.formats import read_text, write_text
from tidegate.process.errors import InputError

ROOT = Path(tidegate.__file__).parent
LOCK = ROOT / "requirements-steps.txt"
DIGESTS = Path("artifacts/code")  # the outputs of the stage `code`
STEPS = ("collect", "pull", "ingest", "validate", "featurize", "gate", "train", "evaluate", "deploy")
# How a document is shown, how the tracking server is reached and written to, and how long anything is waited for,
# changes no answer of a step.
APART = ("tidegate.pages", "tidegate.components.*.log", "tidegate.process.limits", *(
    f"tidegate.tracking.{name}" for name in (
        "artifacts", "bundle", "cache", "database", "direct", "logs", "rehearsal", "store",
    )
))  # fmt: skip
# What a step computes with: the packages behind an import.
LIBRARIES = {
    "duckdb": ("duckdb",),
    "evidently": ("evidently", "scipy"),
    "numpy": ("numpy",),
    "pandas": ("pandas",),
    "pyarrow": ("pyarrow",),
    "scipy": ("scipy",),
    "sklearn": ("scikit-learn", "scipy"),
    "skops": ("skops",),
}


def digest(step: str, version: Callable[[str], str] = importlib.metadata.version) -> str:
    """64 hex digits that change when the step may answer differently; `version` tells that of a package."""
    files, imported = sources(step)
    packages = sorted({package for name in imported & LIBRARIES.keys() for package in LIBRARIES[name]})
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(ROOT).as_posix()}" for path in files]
    lines += [f"{package}=={version(package)}" for package in packages]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def digests() -> dict[str, str]:
    """The digest of every step."""
    return {step: digest(step) for step in STEPS}


def write_digests(folder: Path = DIGESTS) -> None:
    """A file per step with its digest; one that holds it already is left alone."""
    for step, found in digests().items():
        path = folder / step
        if not path.is_file() or read_text(path) != found:
            write_text(path, found)


def check_digest(step: str) -> None:
    """InputError where the stage `code` has not seen the code that would run."""
    path, found = DIGESTS / step, digest(step)
    if path.exists() and read_text(path) != found:
        cure = "run `dvc repro` without --single-item and --downstream, or `tidegate run`"
        raise InputError(path, f"the digest of this code, {found[:12]}", read_text(path)[:12], cure)


def locked(package: str) -> str:
    """The version of a package in the lock of the image."""
    found = re.search(rf"^{re.escape(package)}==(\S+)", _lock(), re.MULTILINE)
    assert found, f"{package} is not in {LOCK.name}"
    return found[1]


@cache
def _lock() -> str:
    return LOCK.read_text(encoding="utf-8")


def sources(step: str) -> tuple[list[Path], set[str]]:
    """The files of Tidegate that the step runs, in order, and what else they import; nothing is imported for that."""
    own = ROOT / "components" / step
    queue = [ROOT / "__init__.py", *(path for path in own.iterdir() if path.suffix in (".py", ".html", ".json"))]
    found: set[Path] = set()
    others: set[str] = set()
    while queue:
        path = queue.pop()
        if path in found or _apart(path):
            continue
        found.add(path)
        for name in _imports(path) if path.suffix == ".py" else ():
            if name.partition(".")[0] == "tidegate":
                queue += _files(name)
            else:
                others.add(name.partition(".")[0])
    return sorted(found), others


def _apart(path: Path) -> bool:
    name = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
    return any(re.fullmatch(rf"{apart.replace('*', '[^.]+')}(\..+)?", name) for apart in APART)


def _files(name: str) -> Iterator[Path]:
    """The module of a name, or the one that defines it; the packages it lies in; the schema beside it."""
    *above, last = name.split(".")
    place = ROOT.parent.joinpath(*above)
    if not above or (not place.is_dir() and not place.with_suffix(".py").is_file()):
        return
    module = place / last
    for file in (module.with_suffix(".py"), module / "__init__.py", place.with_suffix(".py"), place / "__init__.py"):
        if file.is_file():
            yield file
    yield from place.glob(f"{last}.*.json")
    if len(above) > 1:
        yield from _files(".".join(above))


def _imports(path: Path) -> tuple[str, ...]:
    return _names(path.read_bytes(), ".".join(path.relative_to(ROOT.parent).parent.parts))


@cache
def _names(source: bytes, package: str) -> tuple[str, ...]:
    """What a module of the package imports; most modules are those of many steps."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            found += [f"{base}.{alias.name}" for alias in node.names]
    return tuple(found)

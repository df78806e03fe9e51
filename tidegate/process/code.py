"""The digest of the code of a step: its modules, its templates, and the versions of its numerical libraries."""

import ast
import hashlib
import importlib.metadata
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib.util import resolve_name
from itertools import chain
from pathlib import Path

import tidegate
from tidegate.documents.formats import read_text, write_json, write_text
from tidegate.process.errors import InputError
from tidegate.process.stamps import files, noted, stamp

ROOT = Path(tidegate.__file__).parent
LOCK = ROOT / "requirements-steps.txt"
SERVER_LOCK = ROOT / "requirements-serve.txt"
DIGESTS = Path("artifacts/code")  # the outputs of the stage `code`
COMPUTED = Path("artifacts/code.json")  # the digests that it computed, with the stamp of the files that it read
STEPS = ("collect", "pull", "ingest", "validate", "featurize", "gate", "train", "evaluate", "deploy")
BESIDE = ("predict", "monitor")  # steps of pipelines of their own: no stage of the loop
# Modules that cannot change the result of a step: reports, access to the tracking server, its start, limits and end.
APART = ("tidegate.pages", "tidegate.components.*.log", *(
    f"tidegate.process.{name}" for name in ("fork", "fork_server", "limits", "runner", "stamps")
), *(
    f"tidegate.tracking.{name}" for name in (
        "alerts", "artifacts", "bundle", "cache", "database", "direct", "patience", "rehearsal", "run_data", "store",
    )
))  # fmt: skip
# Where a statement, an exception handler or a case holds statements.
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
# The packages behind each import that computes results.
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
    """64 hex digits that change if the result of the step may change; `version` returns that of a package."""
    files, imported = sources(step)
    packages = sorted({package for name in imported & LIBRARIES.keys() for package in LIBRARIES[name]})
    return _digest([*map(_line, files), *(f"{package}=={version(package)}" for package in packages)])


def server_digest() -> str:
    """64 hex digits that change if the answers of the server may change: its modules, and all of its lock."""
    files, _ = _reached([ROOT / "__init__.py", ROOT / "commands/serve.py", *_parts(ROOT / "serving")])
    return _digest([*map(_line, files), SERVER_LOCK.read_text(encoding="utf-8")])


def _line(path: Path) -> str:
    return f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(ROOT).as_posix()}"


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def digests() -> dict[str, str]:
    """The digest of every step."""
    return {step: digest(step) for step in STEPS}


def write_digests() -> None:
    """Write a file with the digest of each step; unchanged files are not written."""
    read = _stamp()
    computed = _computed(read)
    current = computed or digests()
    for step, value in current.items():
        path = DIGESTS / step
        if not path.is_file() or read_text(path) != value:
            write_text(path, value)
    if not computed:
        write_json(COMPUTED, {"stamp": read, "digests": current})


def check_digest(step: str) -> None:
    """Raise InputError if the stage `code` recorded another digest than that of the present code."""
    path = DIGESTS / step
    if not path.exists():
        return
    current = _computed(_stamp()).get(step) or digest(step)
    if read_text(path) != current:
        cure = "run `dvc repro` without --single-item and --downstream, or `tidegate run`"
        raise InputError(path, f"the digest of this code, {current[:12]}", read_text(path)[:12], cure)


def _computed(read: str) -> dict[str, str]:
    """The digests that were computed from files with this stamp; empty if they were others."""
    note = noted(COMPUTED)
    by_step = note.get("digests")
    return by_step if note.get("stamp") == read and isinstance(by_step, dict) and by_step.keys() == set(STEPS) else {}


def own_files() -> Iterator[Path]:
    """The files of this installation, without what Python makes of them."""
    return files(ROOT, lambda path: path.name == "__pycache__")


def _stamp() -> str:
    versions = (importlib.metadata.version(name) for name in sorted({*chain(*LIBRARIES.values())}))
    return " ".join((stamp(own_files()), *versions))


def locked(package: str) -> str:
    """The version of a package in the lock file of the image."""
    match = re.search(rf"^{re.escape(package)}==(\S+)", _lock(), re.MULTILINE)
    assert match, f"{package} is not in {LOCK.name}"
    return match[1]


@cache
def _lock() -> str:
    return LOCK.read_text(encoding="utf-8")


def sources(step: str) -> tuple[list[Path], set[str]]:
    """The files of Tidegate that the step runs, sorted, and the other imports, by static analysis."""
    return _reached([ROOT / "__init__.py", *_parts(ROOT / "components" / step)])


def _parts(folder: Path) -> Iterator[Path]:
    """The modules, templates and schemas of a folder."""
    return (path for path in folder.iterdir() if path.suffix in (".py", ".html", ".json"))


def _reached(queue: list[Path]) -> tuple[list[Path], set[str]]:
    """These files and those of Tidegate that they import, sorted, and the other imports."""
    paths: set[Path] = set()
    imported: set[str] = set()
    while queue:
        path = queue.pop()
        if path in paths or _apart(path):
            continue
        paths.add(path)
        for name in set(_imports(path)) - imported if path.suffix == ".py" else ():
            imported.add(name)
            if name.startswith("tidegate."):
                queue += _files(name)
    return sorted(paths), {name.partition(".")[0] for name in imported} - {"tidegate"}


def _apart(path: Path) -> bool:
    name = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
    return any(re.fullmatch(rf"{apart.replace('*', '[^.]+')}(\..+)?", name) for apart in APART)


def _files(name: str) -> Iterator[Path]:
    """The module of a name or the one that defines it, its parent packages, and the JSON schema beside it."""
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
    """The names that a module of the package imports; cached, because many steps share modules."""
    names: list[str] = []
    for node in _statements(ast.parse(source).body):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            names += [f"{base}.{alias.name}" for alias in node.names]
    return tuple(names)


def _statements(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """The statements and those in their blocks: no expression imports, and most of a tree is expressions."""
    for statement in body:
        yield statement
        for block in BLOCKS:
            yield from _statements(getattr(statement, block, ()))

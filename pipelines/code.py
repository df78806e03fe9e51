"""Which files a step's behaviour depends on, read from its import statements: nothing is imported."""

import ast
import hashlib
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

from components.errors import InputError
from components.formats import read_text

ROOT = Path("components")
REPOSITORY = Path(__file__).parents[1]
LOCK = Path("requirements-steps.txt")


def code(step: str) -> list[str]:
    """The step's folder and the shared modules of `components` it imports, however indirectly, as paths."""
    if not (ROOT / step / "__main__.py").is_file():
        raise InputError(ROOT / step, "a step with __main__.py", "none", "run this at the root of the repository")
    found: set[Path] = set()
    queue = [ROOT / "__init__.py", ROOT / step]
    while queue:
        path = queue.pop()
        if path not in found:
            found.add(path)
            queue += [module for file in _files(path) for module in _imports(file)]
    return [path.as_posix() for path in sorted(found)]


def of_the_image() -> str:
    """What the image of the steps is made from, as it tells itself: a digest and a path per line."""
    found = (path.relative_to(REPOSITORY) for path in (REPOSITORY / ROOT).rglob("*") if path.is_file())
    beside = {ROOT / "Dockerfile"}  # says how, and is not in it
    names = sorted(path.as_posix() for path in found if path not in beside and "__pycache__" not in path.parts)
    digests = {name: hashlib.sha256((REPOSITORY / name).read_bytes()) for name in [*names, LOCK.as_posix()]}
    return "".join(f"{digest.hexdigest()}  {name}\n" for name, digest in digests.items())


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py")) if path.is_dir() else [path] * (path.suffix == ".py")


def _imports(file: Path) -> Iterator[Path]:
    """The module's file or folder, and what lies beside it under its name: `page.html` belongs to `page.py`."""
    for node in ast.walk(ast.parse(read_text(file), str(file))):
        for name in _names(node, ".".join(file.parent.parts)):
            root, _, rest = name.partition(".")
            module = rest.partition(".")[0]
            if root == ROOT.name and module:
                yield from (path for path in ROOT.iterdir() if path.name.partition(".")[0] == module)


def _names(node: ast.AST, package: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = resolve_name("." * node.level + (node.module or ""), package)
        return [f"{base}.{alias.name}" for alias in node.names]
    return []

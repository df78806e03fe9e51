"""Time-outs stand in one table, and nowhere else."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidegate.process import code, limits

WAITS = re.compile(r"(?i)(^|_)(seconds|timeout|grace)(_|$)|_timeout$")
TABLE = Path(limits.__file__)
MODULES = sorted(path for room in ("", "components", "pipelines") for path in (code.ROOT / room).rglob("*.py"))


def waits(tree: ast.Module) -> Iterator[str]:
    """Constants of a module, and arguments of calls, that say in numbers how long something is waited for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and node in tree.body:
            names = [name.id for name in node.targets if isinstance(name, ast.Name)]
        elif isinstance(node, ast.keyword):
            names = [node.arg or ""]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "within":
            yield from (ast.unparse(node) for first in node.args[:1] if isinstance(first, ast.Constant))
            continue
        else:
            continue
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, int | float):
            yield from (name for name in names if WAITS.search(name))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("READ_SECONDS = 3", ["READ_SECONDS"]),
        ("run(timeout=3)", ["timeout"]),
        ("within(3.0, work)", ["within(3.0, work)"]),
        ("run(timeout=limits.GIT_SECONDS)", []),
        ("def run(timeout: float | None = None) -> None: ...", []),
    ],
)
def test_a_wait_is_seen(text: str, found: list[str]) -> None:
    assert list(waits(ast.parse(text))) == found


def test_no_other_module_says_how_long_it_waits() -> None:
    found = {path: list(waits(ast.parse(path.read_bytes()))) for path in MODULES if path != TABLE}
    assert {path.relative_to(code.ROOT).as_posix(): names for path, names in found.items() if names} == {}


def test_every_limit_is_used_and_has_its_reason() -> None:
    texts = [path.read_text() for path in MODULES]
    names = [name for name in vars(limits) if name.isupper()]
    assert names and [name for name in names if not any(f"limits.{name}" in text for text in texts)] == []
    bare = [line for line in TABLE.read_text().splitlines() if " = " in line and "#" not in line]
    assert bare == []

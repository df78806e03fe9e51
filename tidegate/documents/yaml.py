"""Parses YAML 1.2 and reports syntax errors in one line that names the place."""

import math
import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode
from ruamel.yaml.reader import ReaderError

from tidegate.process.errors import CONTROL, InputError

Place = tuple[int, int]

# A document may repeat values by aliases; one that is so many times as long by them as without is refused.
MOST_REPETITIONS, FEW_VALUES = 50, 10_000
CORRECT, QUOTE = "correct that line", "put the text in quotes"
EITHER = f"correct that line or the one above, or {QUOTE}"
# A pattern of ruamel's messages: what was found in the file, and the cure.
MEANINGS = {
    r"character '\\t'": ("a tab", "indent with spaces"),
    r"character '(.)' that cannot start any token": (r"\1 where a value begins", QUOTE),
    r"mapping values are not allowed here": ("a colon that is not allowed there", EITHER),
    r"expected <block end>": ("a line that is indented unlike those before it", "correct its indentation"),
    r"expected ',' or '(.)', but got": (r"no , and no \1", CORRECT),
    r"unexpected end of stream": ("a quote that is never closed", "close it"),
    r"could not find expected ':'": ("a name without a colon", CORRECT),
    r"but found another document": ("a second document", "remove it"),
    r"(duplicate key \".*?\") with value ": (r"the \1", CORRECT),
    r"undefined alias '(.*)'": (r"the alias *\1 without an anchor &\1", QUOTE),
    r"could not determine a constructor for the tag '(.*)'": (r"the unknown tag \1", "remove it"),
    r"unhashable key": ("a name that is not a text", CORRECT),
}


class _Constructor(SafeConstructor):
    """Reports the place of a value that does not fit its tag, contains itself, or has no end in the document's use."""

    def construct_document(self, node: Any) -> Any:
        sizes: dict[Node, int] = {}
        size = _size(node, sizes)
        if size > max(FEW_VALUES, MOST_REPETITIONS * len(sizes)):
            raise ConstructorError(None, None, f"aliases that make {size:.0e} values of {len(sizes)}", node.start_mark)
        return super().construct_document(node)

    def construct_yaml_float(self, node: Any) -> float:
        value = float(super().construct_yaml_float(node))
        if not math.isfinite(value):
            raise ConstructorError(None, None, f"{_short(node.value)}, which is not a finite number", node.start_mark)
        return value

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        for name, _ in node.value if isinstance(node, MappingNode) else ():
            if isinstance(name.value, str) and CONTROL.search(name.value):
                problem = f"{_short(name.value)!r}, a name with a control character"
                raise ConstructorError(None, None, problem, name.start_mark)
        return super().construct_mapping(node, deep=deep)

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        if node in self.recursive_objects:
            raise ConstructorError(None, None, "an alias of a value that contains it", node.start_mark)
        try:
            return super().construct_object(node, deep=True)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            kind = node.tag.rpartition(":")[2]
            problem = f"{_short(node.value)}, which is not a valid {kind}"
            raise ConstructorError(None, None, problem, node.start_mark) from None


_Constructor.add_constructor("tag:yaml.org,2002:float", _Constructor.construct_yaml_float)


def parse(text: str, name: object) -> Any:
    """The parsed document; InputError names the line that is not YAML."""
    try:
        return deepcopy(_parsed(text))
    except MarkedYAMLError as error:
        raise InputError(f"{name}:{_line(error)}", "YAML", *_meaning(error)) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InputError(f"{name}:{line}", "YAML", f"the character {chr(error.character)!r}", "remove it") from None
    except RecursionError:
        raise InputError(name, "YAML", "values that are nested too deeply", "correct it") from None


@lru_cache(maxsize=16)  # a step reads its contract twice: to compare it with the batch's, and to use it
def _parsed(text: str) -> Any:
    loader = YAML(typ="safe", pure=True)
    loader.Constructor = _Constructor
    return loader.load(text)


def places(text: str) -> Callable[[Sequence[str | int]], Place]:
    """A function from a path to its line and column in `text`; for a missing path, those of its nearest parent."""
    document = YAML(pure=True).load(text)

    def place(path: Sequence[str | int]) -> Place:
        node, position = document, (1, 0)
        for step in path:
            try:
                line, column = node.lc.data[step][:2]
                node = node[step]
            except (AttributeError, LookupError, TypeError):  # a scalar, or merged from elsewhere
                break
            position = (line + 1, column)
        return position

    return place


def _size(node: Node, sizes: dict[Node, int]) -> int:
    """The number of values of a node, where each alias counts as what it stands for; `sizes` takes those below it."""
    if node not in sizes:
        sizes[node] = 1  # of one that contains itself, which is refused later
        inner = node.value if isinstance(node, MappingNode | SequenceNode) else ()
        each = [item for pair in inner for item in pair] if isinstance(node, MappingNode) else inner
        sizes[node] = 1 + sum(_size(item, sizes) for item in each)
    return sizes[node]


def _line(error: MarkedYAMLError) -> int:
    lacking = re.search("end of stream|could not find", str(error.problem))  # the place to correct is where it begins
    mark = error.context_mark if lacking else error.problem_mark
    return int(mark.line) + 1 if mark else 1


def _meaning(error: MarkedYAMLError) -> tuple[str, str]:
    """What was found, and the cure."""
    said, opened = " ".join(str(error.problem).split()).removeprefix("found "), ""
    if "a flow " in str(error.context) and error.context_mark:
        opened = f" after the bracket of line {error.context_mark.line + 1}"
    for pattern, (found, cure) in MEANINGS.items():
        if match := re.match(pattern, said):
            return match.expand(found) + opened, cure
    return said + opened, CORRECT


def _short(value: object) -> str:
    return value[:40] if isinstance(value, str) else "a collection"

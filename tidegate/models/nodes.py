"""Checks the schema of a model file before any object is built from it."""

from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.models.archive import CURE, MAX_BYTES
from tidegate.models.state import is_sound
from tidegate.models.trust import ACCEPTED, ESTIMATORS
from tidegate.process.errors import ModelError

PROTOCOL = 2  # of skops 0.16; an older number selects older, laxer readers

_COMMON_FIELDS = {"__class__", "__module__", "__loader__"}
_FIELDS = {
    "DTypeNode": {"content"},
    "DictNode": {"content", "key_types"},
    "JsonNode": {"content", "is_json"},
    "LossNode": {"content", "__reduce__"},
    "TreeNode": {"content", "__reduce__"},
    "TypeNode": set(),
}


def check_schema(schema: Any, members: Mapping[str, bytes], name: object) -> None:
    """Raise ModelError unless every node has a trusted type, the fields of its kind and a safe state."""
    if not isinstance(schema, dict) or schema.get("protocol") != PROTOCOL or "_skops_version" not in schema:
        raise ModelError(name, f"skops protocol {PROTOCOL}", "another schema", CURE)
    root = {key: value for key, value in schema.items() if key not in ("protocol", "_skops_version")}
    _check_root(root, name)
    used: set[str] = set()
    total = 0
    for node in _nodes(root, name):
        _check_state(node, members, name)
        if "file" in node:  # each use of an array unpacks it again
            used.add(node["file"])
            total += len(members[node["file"]])
    if used != set(members):
        raise ModelError(name, "each array used by the model", ascii(sorted(used ^ set(members)))[:80], CURE)
    if total > MAX_BYTES:
        raise ModelError(name, f"at most {MAX_BYTES} bytes of arrays", f"{total}", "train a smaller model")


def _check_root(root: dict[str, Any], name: object) -> None:
    values = [root]
    if root.get("__loader__") == "DictNode" and isinstance(root.get("content"), dict):
        values = list(root["content"].values())
    for value in values:
        _check_type(value, name)
        if f"{value['__module__']}.{value['__class__']}" not in ESTIMATORS:
            raise ModelError(name, "an estimator or a dict of estimators", _type(value), "save the estimators alone")


def _nodes(root: Any, name: object) -> Iterator[dict[str, Any]]:
    """Every node below `root`; the type of a node is checked before its children are read."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        _check_type(node, name)
        yield node
        try:
            waiting.extend(_children(node))
        except (KeyError, TypeError, AttributeError):
            raise _refused(node, name, "the fields of its kind", "others") from None


def _check_type(node: Any, name: object) -> None:
    if not isinstance(node, dict) or not all(isinstance(node.get(key), str) for key in _COMMON_FIELDS):
        raise ModelError(name, "a schema of skops nodes", ascii(node)[:80], CURE)
    if f"{node['__module__']}.{node['__class__']}" not in ACCEPTED.get(node["__loader__"], ()):
        cure = "choose an estimator and parts from tidegate/models/trust.py"
        raise ModelError(name, "only trusted types", _type(node), cure)
    fields = _FIELDS.get(node["__loader__"], {"content"})
    if node["__loader__"] == "NdArrayNode":
        fields = {"type", "file"} if node.get("type") == "numpy" else {"type", "content", "shape"}
    if set(node) != _COMMON_FIELDS | fields:
        found = ascii(sorted(set(node) ^ (_COMMON_FIELDS | fields)))[:80]
        raise _refused(node, name, f"the fields {sorted(fields)}", f"a difference of {found}")


def _children(node: dict[str, Any]) -> list[Any]:
    content: Any = node.get("content")
    match node["__loader__"]:
        case "ListNode" | "TupleNode":
            return list(_a(list, content))
        case "DictNode":
            return [node["key_types"], *_a(dict, content).values()]
        case "NdArrayNode" if node["type"] == "json":
            return [node["shape"], *_a(list, content)]
        case "LossNode" | "TreeNode":
            return [content, _a(dict, node["__reduce__"])["args"]]
        case "RandomGeneratorNode":
            return [_a(dict, content)["bit_generator"], content["seed_seq"]]
        case "DTypeNode" | "ObjectNode" | "RandomStateNode":
            return [content]
    return []


def _check_state(node: dict[str, Any], members: Mapping[str, bytes], name: object) -> None:
    try:
        sound = is_sound(node, members)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError):
        sound = False
    if not sound:
        found = ascii(node["content"])[:60] if isinstance(node.get("content"), str) else "one that is not"
        raise _refused(node, name, "a state that is safe to build", found)


def _a(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"not a {kind.__name__}")
    return value


def _type(node: dict[str, Any]) -> str:
    return ascii(f"{node['__module__']}.{node['__class__']} ({node['__loader__']})")[1:-1][:120]


def _refused(node: dict[str, Any], name: object, expected: str, found: str) -> ModelError:
    return ModelError(f"{name}: {_type(node)}", expected, found, CURE)

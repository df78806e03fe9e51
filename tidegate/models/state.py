"""Checks the state of one schema node before skops passes it to a constructor."""

import json
from collections.abc import Mapping
from typing import Any

from tidegate.models.archive import array_header


def is_sound(node: dict[str, Any], members: Mapping[str, bytes]) -> bool:
    """Whether `node` is safe to build; KeyError, TypeError and the like for a missing or mistyped field."""
    content: Any = node.get("content")
    match node["__loader__"]:
        case "JsonNode":
            value = json.loads(content)
            return node["is_json"] is True and (value is None or isinstance(value, (bool, int, float, str)))
        case "DictNode":
            kinds = node["key_types"]
            types = all(kind["__loader__"] == "TypeNode" for kind in kinds["content"])
            return kinds["__loader__"] == "ListNode" and types and len(kinds["content"]) == len(content or {})
        case "NdArrayNode":
            return _sound_array(node, members)
        case "DTypeNode":
            return bool(content["__loader__"] == "NdArrayNode" and content["__class__"] == "ndarray")
        case "ObjectNode":
            return _sound_attributes(content)
        case "LossNode":
            return not _plain(content, members) and all(type(x) is float for x in _plain(_arguments(node), members))
        case "TreeNode":
            return _sound_tree(node, members)
        case "RandomStateNode":
            state = _plain(content, members)
            # numpy reads its 624 words from `pos` without a bounds check
            return bool(state["bit_generator"] == "MT19937" and 0 <= state["state"]["pos"] <= 624)
        case "RandomGeneratorNode":
            pool = _plain(content["seed_seq"], members)["pool_size"]
            return bool(_plain(content["bit_generator"], members)["bit_generator"] == "PCG64" and pool == 4)
        case "SliceNode":
            return all(type(content[key]) in (int, type(None)) for key in ("start", "stop", "step"))
    return True


def _sound_array(node: dict[str, Any], members: Mapping[str, bytes]) -> bool:
    if node["type"] == "json":
        return node["__class__"] == "ndarray" and all(type(x) is int for x in _plain(node["shape"], members))
    shape, _ = array_header(members[node["file"]])
    return node["__class__"] == "ndarray" or shape == ()


def _sound_attributes(content: dict[str, Any]) -> bool:
    if content["__loader__"] == "JsonNode":
        return bool(content["content"] == "null")
    kinds = {kind["__class__"] for kind in content["key_types"]["content"]}
    names = content["content"]
    return kinds <= {"str"} and all(name.isidentifier() and not name.startswith("__") for name in names)


def _sound_tree(node: dict[str, Any], members: Mapping[str, bytes]) -> bool:
    """Compiled code reads `n_outputs` counts and `node_count` records without bounds checks."""
    features, classes, outputs = _arguments(node)["content"]
    state = node["content"]["content"]
    nodes, _ = array_header(members[state["nodes"]["file"]])
    counts, dtype = array_header(members[classes["file"]])
    return (
        type(_plain(features, members)) is int
        and counts == (_plain(outputs, members),)
        and counts[0] > 0
        and dtype == "int64"
        and len(nodes) == 1
        and nodes[0] == _plain(state["node_count"], members) > 0
    )


def _plain(node: dict[str, Any], members: Mapping[str, bytes]) -> Any:
    """The value of a node that contains only JSON; an array becomes its shape."""
    match node["__loader__"]:
        case "JsonNode":
            return json.loads(node["content"])
        case "DictNode":
            return {key: _plain(value, members) for key, value in node["content"].items()}
        case "ListNode" | "TupleNode":
            return tuple(_plain(value, members) for value in node["content"])
        case "NdArrayNode":
            return array_header(members[node["file"]])[0]
    raise ValueError("not a plain value")


def _arguments(node: dict[str, Any]) -> Any:
    arguments = node["__reduce__"]["args"]
    if arguments["__loader__"] != "TupleNode":
        raise ValueError("not a tuple")
    return arguments

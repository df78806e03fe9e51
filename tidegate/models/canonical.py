"""The canonical form of a skops file: without memory addresses, times and random names."""

import io
import json
import zipfile
from typing import Any

from tidegate.process.errors import ModelError

# Attributes without effect that depend on the machine: a number of threads, a memory address.
_MACHINE_DEPENDENT = {"_BinMapper": {"n_threads": "1"}, "HashingVectorizer": {"_stop_words_id": "0"}}

# Member names by content: they are numbered in the order of traversal, and equal arrays share one member.
Names = dict[bytes, str]


def dumped(model: Any, name: object) -> bytes:
    """The skops file of `model` in canonical form; ModelError if skops cannot write it."""
    import skops.io

    try:
        data = skops.io.dumps(model)
    except Exception as error:  # skops raises several exceptions for unsupported objects
        found = ascii(" ".join(str(error).split()))[1:-1][:120]
        raise ModelError(name, "a model that skops can write", found, "choose another estimator") from None
    return canonical(data)


def canonical(data: bytes) -> bytes:
    """Rewrite a skops file: no object ids, renamed and shared members, sorted keys, fixed times and attributes."""
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        names: Names = {}
        schema = _rewritten(json.loads(source.read("schema.json")), source, names)
    text = json.dumps(schema, separators=(",", ":"), ensure_ascii=False)
    return _zipped({"schema.json": text.encode(), **{name: content for content, name in names.items()}})


def _rewritten(value: Any, source: zipfile.ZipFile, names: Names) -> Any:
    if isinstance(value, list):
        return [_rewritten(item, source, names) for item in value]
    if not isinstance(value, dict):
        return value
    if not isinstance(value.get("__loader__"), str):  # a dict of the estimator: its order is part of its state
        return {key: _rewritten(item, source, names) for key, item in value.items()}
    # ids are memory addresses; without them shared objects are built separately, which has no effect
    node = {key: _rewritten(value[key], source, names) for key in sorted(value) if key != "__id__"}
    for attribute, text in _MACHINE_DEPENDENT.get(node["__class__"], {}).items():
        if attribute in node["content"]["content"]:
            node["content"]["content"][attribute]["content"] = text
    if "file" in node:
        content, suffix = source.read(node["file"]), node["file"].rpartition(".")[2]
        content = _plain(content) if suffix == "npy" else content
        node["file"] = names.setdefault(content, f"{len(names)}.{suffix}")
    return node


def _plain(content: bytes) -> bytes:
    """The array file with zeroed padding between record fields, which otherwise holds arbitrary memory."""
    import numpy as np

    array = np.load(io.BytesIO(content), allow_pickle=False)
    if array.dtype.names is None:
        return content
    clean = np.zeros(array.shape, array.dtype)
    for field in array.dtype.names:
        clean[field] = array[field]
    result = io.BytesIO()
    np.save(result, clean, allow_pickle=False)
    return result.getvalue()


def _zipped(members: dict[str, bytes]) -> bytes:
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3  # the same on every operating system
            info.external_attr = 0o644 << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED, compresslevel=6)
    return result.getvalue()

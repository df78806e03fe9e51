"""One form for one fitted state: skops writes memory addresses, times and chance names, which are taken out here."""

import io
import json
import zipfile
from typing import Any

from tidegate.process.errors import ModelError

# Attributes that depend on the machine and matter to nothing: threads that trained, an address seen by a vectoriser.
_MACHINE_DEPENDENT = {"_BinMapper": {"n_threads": "1"}, "HashingVectorizer": {"_stop_words_id": "0"}}

# The member's name follows the order of traversal, equal arrays share one member.
Names = dict[bytes, str]


def dumped(model: Any, name: object) -> bytes:
    """The skops file of `model` in canonical form; ModelError when skops cannot write it."""
    import skops.io

    try:
        data = skops.io.dumps(model)
    except Exception as error:  # skops refuses in several ways, depending on what the estimator holds
        found = ascii(" ".join(str(error).split()))[1:-1][:120]
        raise ModelError(name, "a model that skops can write", found, "choose another estimator") from None
    return canonical(data)


def canonical(data: bytes) -> bytes:
    """Rewrite a skops file: no object ids, members renamed and shared, keys sorted, fixed times and attributes."""
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
    if not isinstance(value.get("__loader__"), str):  # an estimator's own dict: its order is part of its state
        return {key: _rewritten(item, source, names) for key, item in value.items()}
    # ids are addresses; without them equal objects are built apart, which no fitted estimator notices
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
    """The array file with zeros between the fields of its records: there, memory is written as it was found."""
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

"""Eight malicious artifacts in the registry, their digests made to agree: none runs, each is refused on one line."""

import io
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from mlflow import MlflowClient

from tests.tidegate.models.test_models_hostile import Boom, mapping, node, put, rezip, sequence, text, unzip
from tidegate import models
from tidegate.documents.document import checksum
from tidegate.models import archive
from tidegate.tracking import bundle
from tidegate.tracking.bundle import BUNDLE
from tidegate.tracking.journal import journal_of
from tidegate.tracking.models import DESCRIBED, digest_of, digests
from tidegate.tracking.store import connect
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from tests.toy import World

Fails = Callable[..., list[str]]
Attack = Callable[[dict[str, bytes], str], None]


def with_model(files: dict[str, bytes], data: bytes) -> None:
    """Put another model in place, and its digest into the record."""
    record = json.loads(files["record.json"])
    files["model.skops"] = data
    del record["checksum"]
    record |= {"digest": models.digest(data)}
    files["record.json"] = json.dumps(record | {"checksum": checksum(record)}).encode()


def members(files: dict[str, bytes], folder: str) -> dict[str, bytes]:
    path = Path(folder, "before.skops")
    path.write_bytes(files["model.skops"])
    return unzip(path)


def with_schema(files: dict[str, bytes], folder: str, edit: Callable[[Any], Any]) -> None:
    found = members(files, folder)
    schema = json.loads(found["schema.json"])
    edit(schema)
    with_model(files, rezip({**found, "schema.json": json.dumps(schema).encode()}))


def caller(folder: str) -> Any:
    """A node that would call os.system if skops built it."""
    return node("LossNode", "os.system", content=mapping(), __reduce__={"args": sequence(text(f"touch {folder}/ran"))})


def pickle_renamed(files: dict[str, bytes], folder: str) -> None:
    with_model(files, pickle.dumps(Boom(f"touch {folder}/ran")))


def mlmodel_to_pickle(files: dict[str, bytes], folder: str) -> None:
    files["model.pkl"] = pickle.dumps(Boom(f"touch {folder}/ran"))
    files[DESCRIBED] += b"flavors:\n  sklearn: {pickled_model: model.pkl, serialization_format: pickle}\n"


def loader_module(files: dict[str, bytes], folder: str) -> None:
    files["evil.py"] = f"import os\nos.system('touch {folder}/ran')\n".encode()
    files[DESCRIBED] += b"flavors:\n  python_function: {loader_module: evil, code: .}\n"


def self_declared_trust(files: dict[str, bytes], folder: str) -> None:
    files[DESCRIBED] += b"flavors:\n  sklearn: {pickled_model: model.skops, skops_trusted_types: [os.system]}\n"

    def edit(schema: Any) -> None:
        put(schema, "extra", caller(folder))
        schema["trusted"] = ["os.system"]

    with_schema(files, folder, edit)


def unknown_type(files: dict[str, bytes], folder: str) -> None:
    with_schema(files, folder, lambda schema: put(schema, "extra", caller(folder)))


def node_index_out_of_range(files: dict[str, bytes], folder: str) -> None:
    found = members(files, folder)
    for name, content in found.items():
        array: Any = np.load(io.BytesIO(content), allow_pickle=False) if name.endswith(".npy") else np.zeros(0)
        if array.dtype.names and "left" in array.dtype.names:
            array["left"][0] = 10**6
            np.save(stream := io.BytesIO(), array)
            found[name] = stream.getvalue()
    with_model(files, rezip(found))


def zip_bomb(files: dict[str, bytes], folder: str) -> None:
    with_model(files, rezip({**members(files, folder), "7.npy": b" " * (archive.MAX_BYTES + 1)}))


def path_traversal(files: dict[str, bytes], folder: str) -> None:
    files["../ran"] = b"#!/bin/sh\n"


attacks: dict[str, tuple[Attack, str]] = {
    "a pickle renamed": (pickle_renamed, "model.skops"),
    "MLmodel edited to pickle": (mlmodel_to_pickle, "expected no flavour in MLmodel, found 'sklearn'"),
    "loader_module": (loader_module, "expected no flavour in MLmodel, found 'python_function'"),
    "trust declared by the file": (self_declared_trust, "expected no flavour in MLmodel, found 'sklearn'"),
    "an unknown type": (unknown_type, "only trusted types, found"),
    "a node index out of range": (node_index_out_of_range, "a sound fitted state"),
    "a zip bomb": (zip_bomb, "bytes"),
    "a path that leads outside": (path_traversal, "expected plain file names, found '../ran'"),
}


def place_of(world: "World") -> Path:
    """The folder of the champion's files in the store."""
    (found,) = (world / "mlartifacts").rglob(BUNDLE)
    return found.parent


def plant(world: "World", attack: Attack) -> None:
    """Change the champion's files in the store, and every digest that an attacker with all rights can change."""
    client = connect()
    place = place_of(world)
    files = unzip(place / BUNDLE) | {DESCRIBED: (place / DESCRIBED).read_bytes().replace(b"flavors: {}\n", b"")}
    attack(files, str(world.folder))
    (place / DESCRIBED).write_bytes(files[DESCRIBED])
    (place / BUNDLE).write_bytes(rezip({name: content for name, content in files.items() if name != DESCRIBED}))
    own = digest_of(digests({name: content for name, content in files.items() if name != DESCRIBED}))
    tag(client, "toy", {Tag.FILES: json.dumps(digests(files)), Tag.DIGEST: own})
    tag(client, journal_of("toy"), {Tag.DIGEST: own})


def tag(client: MlflowClient, name: str, tags: dict[str, str]) -> None:
    for key, value in tags.items():
        client.set_model_version_tag(name, "1", key, value)


@pytest.mark.parametrize("case", attacks)
def test_it_is_refused_on_one_line_and_does_not_run(
    case: str, released: "World", fails: Fails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 10**6)
    attack, expected = attacks[case]
    plant(released, attack)
    (line,) = fails(released, "gate", sample_rows=400)
    assert expected in line and ": expected " in line and ", found " in line, line
    assert not (released / "ran").exists() and not (released.folder.parent / "ran").exists()


def test_the_trap_itself_works(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Boom(f"touch {tmp_path}/ran")))
    assert (tmp_path / "ran").exists() and os.name == "posix"


def test_a_list_of_files_that_was_not_registered_is_refused(released: "World", fails: Fails) -> None:
    files = json.loads(dict(connect().get_model_version("toy", "1").tags)[Tag.FILES])
    del files["features.sql"]
    tag(connect(), "toy", {Tag.FILES: json.dumps(files)})
    (line,) = fails(released, "gate", sample_rows=400)
    assert "toy version 1: expected the files that were registered, found another list of files" in line


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        (None, "found none: it was made before Tidegate 0.1; begin anew with another store, or another name"),
        ("2", "found format 2; upgrade Tidegate"),
    ],
)
def test_a_version_that_is_kept_otherwise_is_refused(
    released: "World", fails: Fails, kept: str | None, told: str
) -> None:
    client = connect()
    if kept:
        client.set_model_version_tag("toy", "1", Tag.FORMAT, kept)
    else:
        client.delete_model_version_tag("toy", "1", Tag.FORMAT)
    (line,) = fails(released, "gate", sample_rows=400)
    assert line.startswith(f"toy version 1: expected a version of format 1, {told}")


@pytest.mark.parametrize("file", ["model.skops", "reference.parquet", "record.json", BUNDLE, DESCRIBED])
def test_a_deleted_artifact_is_noticed_and_named(file: str, released: "World", fails: Fails) -> None:
    whole = place_of(released) / BUNDLE
    files = unzip(whole)
    if file in files:
        whole.write_bytes(rezip({name: content for name, content in files.items() if name != file}))
    else:
        (whole.parent / file).unlink()
    (line,) = fails(released, "gate", sample_rows=400)
    assert line == f"toy version 1: expected {file}, found no such file; restore it or promote another version"


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"PK\x05\x06" + b"\x00" * 18])
def test_a_bundle_that_is_none_is_refused(data: bytes, released: "World", fails: Fails) -> None:
    (place_of(released) / BUNDLE).write_bytes(data)
    (line,) = fails(released, "gate", sample_rows=400)
    assert line.startswith("toy version 1: expected ")


def test_a_bundle_that_unpacks_to_more_than_there_may_be_is_refused(
    released: "World", fails: Fails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "MAX_BYTES", 1000)
    (line,) = fails(released, "gate", sample_rows=400)
    assert line.startswith("toy version 1: expected version.zip as registered, found more than 1000 bytes; ")

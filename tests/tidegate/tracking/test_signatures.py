"""Whoever can write the registry, and has no key, gets no version of theirs loaded."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from tidegate.process import keys
from tidegate.process.errors import ModelError
from tidegate.tracking import approvals, artifacts, batch_runs, models, signatures, store, versions
from tidegate.tracking.bundle import BUNDLE, packed
from tidegate.tracking.tags import Tag

PAIRS = [keys.make() for _ in range(3)]
CONTENTS: dict[str, artifacts.Content] = {"model.skops": b"PK\x03", "features.sql": "SELECT 1"}
OTHER = {"model.skops": b"evil", "features.sql": b"SELECT 1"}
TAGS = {Tag.DATA: "d41d", Tag.MODEL: "sha256:00", Tag.WHEEL: "ab run tidegate.whl", Tag.VERDICT: "{}"}


@pytest.fixture
def signer(monkeypatch: pytest.MonkeyPatch) -> keys.Signer:
    monkeypatch.setenv(keys.KEY, PAIRS[0][0])
    return keys.signer()


@pytest.fixture
def client(uri: str) -> MlflowClient:
    return store.connect()


def registered(client: MlflowClient, name: str, batch: str = "ab12") -> str:
    run = batch_runs.batch_run(client, name, batch, {})
    frame = pd.DataFrame({"delay": [1.5, 2.0]})
    logged = models.log_model(client, run, "challenger", CONTENTS, frame, np.array([0.1, 0.9]))
    return str(versions.register(client, name, run, logged, batch, TAGS).version)


@pytest.fixture
def version(client: MlflowClient, name: str, signer: keys.Signer) -> str:
    number = registered(client, name)
    found = versions.get(client, name, number)
    versions.tag(client, found, signatures.signed(signer, name, number, found.tags))
    return number


def load(client: MlflowClient, name: str, version: str, folder: Path, *pairs: int) -> Path:
    return versions.fetch(client, name, version, folder / "x", tuple(PAIRS[number][1] for number in pairs))


def test_a_signed_version_is_loaded_by_either_of_two_keys(
    client: MlflowClient, name: str, version: str, tmp_path: Path
) -> None:
    for trusted in ((0,), (0, 1), (2, 0), ()):
        load(client, name, version, tmp_path / str(trusted), *trusted)
    with pytest.raises(ModelError, match=r"expected a signature by a key of deploy\.sign, found one by ed25519:"):
        load(client, name, version, tmp_path, 1, 2)
    assert not (tmp_path / "x").exists()


def test_an_unsigned_version_is_refused_once_there_are_keys(
    client: MlflowClient, name: str, signer: keys.Signer, tmp_path: Path
) -> None:
    number = registered(client, name)
    load(client, name, number, tmp_path)
    with pytest.raises(ModelError, match=rf"found none; promote another version, or .* `tidegate keys sign {number}`"):
        load(client, name, number, tmp_path / "signed", 0)


def test_all_that_is_signed_is_needed(client: MlflowClient, name: str, version: str) -> None:
    tags = versions.tags_of(client, name, version)
    assert {*TAGS, Tag.FILES, Tag.DIGEST, Tag.BATCH, Tag.FORMAT} <= tags.keys() & set(signatures.SIGNED)
    trusted = (PAIRS[0][1],)
    assert signatures.holds(name, version, tags, trusted)
    for key in tags.keys() & set(signatures.SIGNED):
        assert not signatures.holds(name, version, {**tags, key: tags[key] + " "}, trusted), key
        assert not signatures.holds(name, version, {other: tags[other] for other in tags if other != key}, trusted)
    assert not signatures.holds(name, version, {**tags, Tag.APPROVAL: "never"}, trusted)
    assert not signatures.holds(f"{name}2", version, tags, trusted)
    assert not signatures.holds(name, f"{version}0", tags, trusted)
    for text in ("", PAIRS[0][1], f"{PAIRS[0][1]} ====", f"{PAIRS[0][1]} AAAA", "x y"):
        assert not signatures.holds(name, version, {**tags, Tag.SIGNATURE: text}, trusted), text


def test_another_model_with_all_its_digests_is_refused(
    client: MlflowClient, name: str, version: str, tmp_path: Path
) -> None:
    found = versions.get(client, name, version)
    artifacts.write(client, str(found.source), {BUNDLE: packed(OTHER)})
    files = {**json.loads(found.tags[Tag.FILES]), **models.digests(OTHER)}
    own = {file: digest for file, digest in files.items() if file != models.DESCRIBED}
    versions.tag(client, found, {Tag.FILES: json.dumps(files), Tag.DIGEST: models.digest_of(own)})
    assert (load(client, name, version, tmp_path / "unsigned") / "model.skops").read_bytes() == b"evil"
    with pytest.raises(ModelError, match="found one of something else"):
        load(client, name, version, tmp_path, 0)


def test_a_signature_of_another_version_is_none(client: MlflowClient, name: str, version: str, tmp_path: Path) -> None:
    number = registered(client, name, "cd34")
    copied = versions.tags_of(client, name, version)
    versions.tag(client, versions.get(client, name, number), copied)
    with pytest.raises(ModelError, match="found one of something else"):
        load(client, name, number, tmp_path, 0)


def test_a_verdict_that_was_altered_promotes_nothing(client: MlflowClient, name: str, version: str) -> None:
    client.set_model_version_tag(name, version, Tag.VERDICT, '{"accepted": true}')
    with pytest.raises(ModelError, match="found one of something else"):
        approvals.approve(client, name, version, "eve", "2024-06-01T00:00:00+00:00", "fine", (PAIRS[0][1],))
    with pytest.raises(ModelError, match="found one of something else"):
        approvals.whole(client, name, version, (PAIRS[0][1],))

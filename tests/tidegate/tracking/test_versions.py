import json
from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from tidegate.process.errors import ModelError, TrackingError
from tidegate.tracking import artifacts, batch_runs, models, store, versions
from tidegate.tracking.bundle import BUNDLE, packed, unpacked
from tidegate.tracking.tags import Tag

contents: dict[str, artifacts.Content] = {
    "model.skops": b"PK\x03",
    "features.sql": "SELECT 1",
    "reference.parquet": b"PAR1",
}
inputs = pd.DataFrame({"delay": [1.5, 2.0], "carrier": pd.Categorical(["AA", "UA"]), "seats": [100, 200]})
outputs = np.array([0.1, 0.9])


@pytest.fixture
def client(uri: str) -> MlflowClient:
    return store.connect()


@pytest.fixture
def run(client: MlflowClient, name: str) -> str:
    return batch_runs.batch_run(client, name, "ab12", {})


@pytest.fixture
def logged(client: MlflowClient, run: str) -> models.Logged:
    return models.log_model(client, run, "challenger", contents, inputs, outputs, {"rate": 0.1})


@pytest.fixture
def version(client: MlflowClient, name: str, run: str, logged: models.Logged) -> str:
    return str(versions.register(client, name, run, logged, "ab12", {"tidegate.data": "d41d"}).version)


def overwrite(client: MlflowClient, logged: models.Logged, file: str, content: str) -> None:
    """Another content of a file, wherever it lies."""
    found: bytes = content.encode()
    if file != models.DESCRIBED:
        bundle = artifacts.read(client, logged.place, BUNDLE)
        assert bundle is not None
        file, found = BUNDLE, packed({**unpacked(bundle, set(contents)), file: found})
    artifacts.write(client, logged.place, {file: found})


def test_a_model_is_logged_once_per_content(client: MlflowClient, run: str, logged: models.Logged) -> None:
    assert models.log_model(client, run, "challenger", contents, inputs, outputs) == logged
    other = models.log_model(client, run, "challenger", {**contents, "features.sql": "SELECT 2"}, inputs, outputs)
    assert (other.model_id != logged.model_id, other.digest != logged.digest) == (True, True)
    assert logged.files.keys() == {*contents, "MLmodel"}


def test_a_model_whose_upload_was_cut_off_is_not_taken(client: MlflowClient, run: str, logged: models.Logged) -> None:
    experiment = client.get_run(run).info.experiment_id
    lost = {**contents, "features.sql": "SELECT 3"}
    digest = models.digest_of(models.digests({file: artifacts.bytes_of(content) for file, content in lost.items()}))
    pending = client.create_logged_model(experiment, "challenger", run, {Tag.DIGEST: digest})
    again = models.log_model(client, run, "challenger", lost, inputs, outputs)
    assert again.model_id != pending.model_id
    assert models.log_model(client, run, "challenger", lost, inputs, outputs) == again


def test_mlflow_shows_the_schema(client: MlflowClient, name: str, version: str, tmp_path: Path) -> None:
    folder = versions.fetch(client, name, version, tmp_path / "champion", ())
    signature = mlflow.models.Model.load(folder / "MLmodel").signature
    assert [column.name for column in signature.inputs] == ["delay", "carrier", "seats"]


@pytest.mark.parametrize("load", [mlflow.pyfunc.load_model, mlflow.sklearn.load_model])
def test_the_loaders_of_mlflow_refuse_it(
    client: MlflowClient, name: str, version: str, load: Callable[[str], object]
) -> None:
    with pytest.raises(MlflowException, match="flavor"):
        load(f"models:/{name}/{version}")


def test_registering_again_gives_the_same_version(
    client: MlflowClient, name: str, run: str, logged: models.Logged, version: str
) -> None:
    assert str(versions.register(client, name, run, logged, "ab12", {}).version) == version
    assert str(versions.register(client, name, run, logged, "cd34", {}).version) != version
    tags = versions.tags_of(client, name, version)
    assert tags["tidegate.data"] == "d41d"
    assert tags["tidegate.batch"] == "ab12"
    assert json.loads(tags["tidegate.files"]) == logged.files


def test_a_version_comes_back_as_it_was(client: MlflowClient, name: str, version: str, tmp_path: Path) -> None:
    folder = versions.fetch(client, name, version, tmp_path / "champion", ())
    assert {path.name for path in folder.iterdir()} == {*contents, "MLmodel"}
    assert (folder / "model.skops").read_bytes() == contents["model.skops"]
    assert (folder / "features.sql").read_text() == contents["features.sql"]


def test_a_version_that_is_not_there_is_named(client: MlflowClient, name: str, version: str, tmp_path: Path) -> None:
    with pytest.raises(TrackingError, match="version 77"):
        versions.fetch(client, name, "77", tmp_path / "champion", ())


@pytest.mark.parametrize("file", ["model.skops", "MLmodel"])
def test_an_altered_file_is_noticed_and_nothing_is_left(
    client: MlflowClient, name: str, logged: models.Logged, version: str, file: str, tmp_path: Path
) -> None:
    overwrite(client, logged, file, "cos\nsystem")
    with pytest.raises(ModelError, match=file):
        versions.fetch(client, name, version, tmp_path / "champion", ())
    assert not (tmp_path / "champion").exists()


@pytest.mark.parametrize("files", [{"gone.parquet": "00"}, {"../out": "00"}, {"/etc/passwd": "00"}, {"a/b": "00"}])
def test_a_file_that_is_missing_or_elsewhere_is_refused(
    client: MlflowClient, name: str, version: str, files: dict[str, str], tmp_path: Path
) -> None:
    client.set_model_version_tag(name, version, "tidegate.files", json.dumps(files))
    with pytest.raises(ModelError) as caught:
        versions.fetch(client, name, version, tmp_path / "champion", ())
    assert next(iter(files)) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "champion").exists()

"""A copy of the registry: what is in it comes back, into another MLflow, also after kills; nothing else gets in."""

import json
import shutil
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from tests import tiers
from tests.documents import VERDICT
from tests.tidegate.tracking.conftest import secured_uri
from tests.tidegate.tracking.killed import kills
from tidegate.documents.decision import Feedback
from tidegate.documents.document import CHECKSUM, checksum
from tidegate.process import keys
from tidegate.process.errors import InputError, TrackingError
from tidegate.process.wheel import Wheel
from tidegate.tracking import (
    approvals,
    batch_runs,
    feedback,
    journal,
    models,
    records,
    run_data,
    signatures,
    store,
    tools,
    versions,
    windows,
)
from tidegate.tracking.backups import capture, container, restoration
from tidegate.tracking.backups.inventory import RunCopy, registered_names
from tidegate.tracking.entries import Entry
from tidegate.tracking.tags import Tag

PRIVATE, PUBLIC = keys.make()
WHEEL = Wheel("tidegate-0.1.0-py3-none-any.whl", b"PK of a wheel")
MADE = "2024-01-01T00:00:00+00:00"
Call = Callable[..., tuple[str, str]]


def version(client: MlflowClient, name: str, batch: str, *, signed: bool = True) -> str:
    """A registered version with its verdict, the wheel that made it and, but the first, its signature."""
    run_id = batch_runs.batch_run(client, name, batch, {Tag.UNTIL: "2013-04-01"})
    points = [run_data.Point("loss", 0.5 / step, step) for step in (1, 2)]
    run_data.values(client, run_id, {"rows": 5}, points, {Tag.DECISION: "retrain", Tag.CHAMPION: "1"})
    run_data.dataset(client, run_id, "flights", "d" * 32 + ".dir", "training")
    run_data.files(client, run_id, {"gate.html": "<p>", "numbers.json": "{}"}, "gate/decision.ab12cd34")
    run_data.files(client, run_id, {approvals.FILE: approvals.text_of(VERDICT)}, approvals.place_of(VERDICT))
    records.record(client, run_id, "decision.ab12cd34", {"decision": "retrain"})
    contents: dict[str, Any] = {"model.skops": batch.encode(), "features.sql": "SELECT 1"}
    logged = models.log_model(client, run_id, name, contents, pd.DataFrame({"delay": [1.5]}), np.array([0.1]))
    champion = journal.champion(client, name)
    wheel = tools.keep(client, run_id, WHEEL, versions.tags_of(client, name, champion) if champion else {})
    made = versions.register(
        client, name, run_id, logged, batch, {**wheel, **approvals.tags_of(VERDICT, "manual"), Tag.UNTIL: "2013-04-01"}
    )
    if signed:
        versions.tag(client, made, signatures.signed(keys.signer(), name, str(made.version), made.tags))
    batch_runs.finish(client, run_id)
    return str(made.version)


def entry(before: str | None, to: str, kind: str = "promotion") -> Entry:
    return Entry(before, to, f"batch{to}", "ann", "2013-03-01", "better", VERDICT.summary, kind=kind)


@pytest.fixture
def client(migrated: Path, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """A store on this machine with the problem."""
    return problem(other_store(migrated, tmp_path / "here", monkeypatch), name, monkeypatch)


def problem(found: MlflowClient, name: str, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """Three promotions, a version that was deleted, one that waits, feedback, a rollback."""
    monkeypatch.setenv(keys.KEY, PRIVATE)
    first, second, third = (version(found, name, batch) for batch in ("ab12", "cd34", "ef56"))
    journal.promote(found, name, entry(None, first))
    journal.promote(found, name, entry(first, third))
    journal.reject(found, name, entry(third, second, "rejection"))
    found.delete_model_version(name, second)
    assert version(found, name, "0a1b") == "4"
    journal.promote(found, name, Entry(third, first, "", "bob", "2013-05-01", "rollback: no", kind="rollback"))
    feedback.add(found, name, Feedback("batch", "ab12", "wrong", "", "ann", "2013-05-02", "it was a strike"))
    assert version(found, name, "9f9f") == "5"
    journal.reject(found, name, entry(first, "5", "rejection"))
    window = windows.window_run(found, name, "77" * 8, {Tag.END: "2013-05-03T00:00:00", Tag.CHAMPION: first})
    records.record(found, window, "decision.ab12cd34", {"decision": "retrain"}, {Tag.DECISION: "retrain"})
    windows.started(found, window, "a run")
    found.delete_model_version(name, "5")  # its number is not given again
    return found


@pytest.fixture
def copy(client: MlflowClient, name: str, tmp_path: Path) -> Path:
    return written(client, name, tmp_path / "copy.zip")


@pytest.fixture
def elsewhere(copy: Path, migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """An MLflow that knows of nothing, as the process's MLFLOW_TRACKING_URI."""
    return other_store(migrated, tmp_path / "elsewhere", monkeypatch)


def other_store(migrated: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    folder.mkdir()
    shutil.copy(migrated, folder / "mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
    return store.connect()


def written(client: MlflowClient, name: str, path: Path) -> Path:
    with container.writing(path) as writer:
        writer.end(capture.inventory(client, name, MADE, writer.add))
    return path


def put_back(client: MlflowClient, copy: Path, name: str) -> None:
    with container.reading(copy, name) as whole:
        restoration.restore(client, whole)


def said(client: MlflowClient, name: str) -> dict[str, Any]:
    """All that a store says of a problem, its own ids left out."""
    found = capture.inventory(client, name, MADE, lambda content: sha256(content).hexdigest())
    return {
        "runs": sorted((run_as_said(run) for run in found.runs), key=lambda run: str(run["tags"].get(Tag.BATCH))),
        "models": sorted(str((each.title, own(each.tags), each.params, each.files)) for each in found.models),
        "registered": [
            (
                each.name,
                each.purpose,
                dict(each.tags),
                dict(each.aliases),
                each.last,
                [(one.number, dict(one.tags)) for one in each.versions],
            )
            for each in found.registered
        ],
    }


def run_as_said(run: RunCopy) -> dict[str, Any]:
    document = run.document()
    return {**{key: value for key, value in document.items() if key != "id"}, "tags": own(run.tags)}


def own(tags: Any) -> dict[str, str]:
    return {key: value for key, value in tags.items() if not key.startswith(Tag.RESTORED)}


def check_loop_goes_on(client: MlflowClient, name: str, folder: Path) -> None:
    """Signatures, digests, the wheel, the verdict, the records and the numbers are as they were."""
    trusted = (PUBLIC,)
    past = journal.history(client, name)
    assert past.champion == "1" and [each.to for each in past.counted] == ["1", "3", "1"]
    for number in ("1", "3", "4"):
        versions.fetch(client, name, number, folder / number, trusted)
        assert tools.fetch(client, versions.tags_of(client, name, number), number) == WHEEL
        assert approvals.whole(client, name, number, trusted) == VERDICT
    (waits,) = approvals.waiting(client, name)
    assert waits.version == "4"
    run_id = batch_runs.batch_run(client, name, "ab12", {})
    assert records.record(client, run_id, "decision.ab12cd34", {"decision": "keep"}) == {"decision": "retrain"}
    assert feedback.current(past)[0].why == "it was a strike"
    (window,) = windows.windows(client, name)
    assert windows.window_run(client, name, window[Tag.WINDOW], {}) == window["run"]
    assert [trial["until"] for trial in windows.trials([], [window], "2013-06-01")] == [window[Tag.END]]
    assert version(client, name, "7c7c") == "6"
    assert journal.promote(client, name, entry("1", "6")).counted


def test_what_is_restored_says_the_same(
    client: MlflowClient, name: str, copy: Path, elsewhere: MlflowClient, tmp_path: Path
) -> None:
    before = said(client, name)
    put_back(elsewhere, copy, name)
    assert said(elsewhere, name) == before
    check_loop_goes_on(elsewhere, name, tmp_path)


@pytest.mark.postgres
def test_a_server_where_one_signs_in_gives_and_takes_it(
    request: pytest.FixtureRequest, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = secured_uri(request, tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    secured = problem(store.connect(), name, monkeypatch)
    before = said(secured, name)
    copy = written(secured, name, tmp_path / "copy.zip")
    for each in registered_names(name):
        secured.delete_registered_model(each)
    for run in [*batch_runs.runs_about(secured, name), *windows.runs(secured, name)]:
        secured.delete_run(str(run.info.run_id))
    put_back(secured, copy, name)
    assert said(secured, name) == before


def test_a_server_takes_it_too_and_a_copy_of_what_was_restored_is_as_good(
    client: MlflowClient,
    name: str,
    copy: Path,
    server: str,
    migrated: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = said(client, name)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    on_server = store.connect()
    put_back(on_server, copy, name)
    assert said(on_server, name) == before
    again = written(on_server, name, tmp_path / "again.zip")
    third = other_store(migrated, tmp_path / "third", monkeypatch)
    put_back(third, again, name)
    assert said(third, name) == before
    check_loop_goes_on(third, name, tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    check_loop_goes_on(on_server, name, tmp_path / "server")


def test_it_is_refused_where_the_problem_is(
    client: MlflowClient, name: str, copy: Path, elsewhere: MlflowClient, tmp_path: Path
) -> None:
    put_back(elsewhere, copy, name)
    for where in (client, elsewhere):
        before = said(where, name)
        with pytest.raises(TrackingError, match=rf"{name}: expected an MLflow without this problem, found {name}"):
            put_back(where, copy, name)
        assert said(where, name) == before


def test_runs_alone_are_the_problem_too(copy: Path, name: str, elsewhere: MlflowClient) -> None:
    batch_runs.ensure_experiment(elsewhere, name)
    elsewhere.create_run(batch_runs.ensure_experiment(elsewhere, name), tags={Tag.BATCH: "x", Tag.NAME: name})
    with pytest.raises(TrackingError, match="found 1 runs of it"):
        put_back(elsewhere, copy, name)


def test_a_store_without_the_problem_gives_no_copy(elsewhere: MlflowClient, tmp_path: Path) -> None:
    with pytest.raises(TrackingError, match="expected a problem that MLflow knows, found none of this name"):
        written(elsewhere, "other", tmp_path / "other.zip")
    assert not (tmp_path / "other.zip").exists()


def test_killed_at_one_write_after_the_other_it_completes(
    client: MlflowClient, name: str, copy: Path, elsewhere: MlflowClient, tmp_path: Path
) -> None:
    """Each attempt gets a little further than the last one; between them the loop refuses what is half there."""
    before, moments = said(client, name), range(23, 1000, 2 if tiers.LONG else 23)
    assert kills(tmp_path, name, copy, 6) == 1
    with pytest.raises(TrackingError, match="found one whose restore has not ended; run the same `tidegate restore`"):
        journal.champion(elsewhere, name)
    assert 0 < kills(tmp_path, name, copy, *moments) < len(moments)
    assert said(elsewhere, name) == before
    check_loop_goes_on(elsewhere, name, tmp_path)


def test_what_another_copy_began_is_not_gone_on_with(
    client: MlflowClient, name: str, copy: Path, elsewhere: MlflowClient, tmp_path: Path
) -> None:
    kills(tmp_path, name, copy, 20)
    other = tmp_path / "other.zip"
    with container.writing(other) as writer:
        writer.end(capture.inventory(client, name, "2024-01-02T00:00:00+00:00", writer.add))
    with pytest.raises(TrackingError, match="found a restore of another copy, not ended"):
        put_back(elsewhere, other, name)
    put_back(elsewhere, copy, name)


def rewritten(copy: Path, target: Path, change: Callable[[dict[str, Any]], None], **more: bytes) -> Path:
    """The copy with another inventory, which is as consistent as an attacker can make it."""
    with zipfile.ZipFile(copy) as before, zipfile.ZipFile(target, "w") as after:
        for member in before.namelist()[:-1]:
            after.writestr(member, before.read(member))
        for member, content in more.items():
            after.writestr(member, content)
        document = json.loads(before.read(container.INVENTORY))
        del document[CHECKSUM]
        change(document)
        after.writestr(container.INVENTORY, json.dumps({**document, CHECKSUM: checksum(document)}))
    return target


def file_named(path: str) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        document["runs"][0]["files"][0]["path"] = path

    return change


@pytest.mark.parametrize(
    "path",
    [
        "../evil",
        "/etc/evil",
        "a/../../evil",
        "a\\..\\evil",
        "%2e%2e/evil",
        "%252e%252e/evil",
        "",
        "a//b",
        "C:evil",
        "a\nb",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(path: str, copy: Path, name: str, tmp_path: Path) -> None:
    hostile = rewritten(copy, tmp_path / "hostile.zip", file_named(path))
    with (
        pytest.raises(InputError, match="expected paths below a run or a model") as raised,
        container.reading(hostile, name),
    ):
        pass
    assert "\n" not in str(raised.value)


def test_what_is_altered_cut_off_or_another_file_is_refused(copy: Path, name: str, tmp_path: Path) -> None:
    whole = copy.read_bytes()
    with zipfile.ZipFile(copy) as archive:
        file = archive.getinfo(archive.namelist()[0])
        inventory = archive.getinfo(container.INVENTORY)
    bad = tmp_path / "bad.zip"
    for content in (
        b"",
        b"hello",
        whole[: len(whole) // 2],
        whole[:-1],
        flipped(whole, file.header_offset + 30 + len(file.filename) + 1),
        flipped(whole, inventory.header_offset + 30 + len(inventory.filename) + 9),
    ):
        bad.write_bytes(content)
        with pytest.raises(InputError, match=r"^.*bad\.zip.*: expected ") as raised, container.reading(bad, name):
            pass
        assert "\n" not in str(raised.value)
    shutil.copy(copy, bad)
    with zipfile.ZipFile(bad, "a") as archive:
        archive.writestr("more", b"")
    with (
        pytest.raises(InputError, match="expected a copy as `tidegate backup` wrote it"),
        container.reading(bad, name),
    ):
        pass
    rewritten(copy, bad, lambda document: None, **{"files/../evil": b""})
    with pytest.raises(InputError, match="found other files than it lists"), container.reading(bad, name):
        pass


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_a_copy_of_another_problem_is_refused(copy: Path, name: str, tmp_path: Path) -> None:
    found = f"expected a copy of other, as in contract.yaml, found one of '{name}'"
    with pytest.raises(InputError, match=found), container.reading(copy, "other"):
        pass
    renamed = rewritten(copy, tmp_path / "renamed.zip", lambda document: document.update(name="other"))
    found = "expected the registered models of other, found others"
    with pytest.raises(InputError, match=found), container.reading(renamed, "other"):
        pass


def test_the_same_bytes_are_kept_once(copy: Path, name: str) -> None:
    with container.reading(copy, name) as whole, zipfile.ZipFile(copy) as archive:
        digests = [file.digest for file in whole.inventory.files]
        assert len(archive.namelist()) == len(set(digests)) + 1 < len(digests)

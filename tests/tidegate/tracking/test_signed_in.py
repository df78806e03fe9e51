"""The steps against a server as on a cluster: signed in without an admin's rights, its files behind another name."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from mlflow import MlflowClient

from tests.servers.counting import CountingServer, counting
from tests.servers.http import QuietServer
from tests.tidegate.tracking.conftest import add_user, credentials
from tidegate.process import limits
from tidegate.process.errors import TrackingError
from tidegate.tracking import artifacts, batch_runs, journal, numbered, server_trial, store

if TYPE_CHECKING:
    from tests.toy import World

STEPS = ("gate", "train", "evaluate", "deploy")
OTHER = "ada"


@pytest.fixture
def server(secured: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[CountingServer]:
    """The server on Postgres, asked through a proxy that counts, by the user of the pods."""
    for key, value in credentials.items():
        monkeypatch.setenv(key, value)
    with counting(secured) as found:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", found.url)
        yield found


@pytest.fixture
def problem(prepared: "World", name: str, monkeypatch: pytest.MonkeyPatch) -> "World":
    """The small problem up to its features, under a name that no other test uses."""
    prepared.edit("contract.yaml", ("name: toy", f"name: {name}"))
    prepared.run("ingest", "validate", "featurize")
    return prepared


@contextmanager
def signed_in_as(name: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_USERNAME", name)
        yield


@pytest.fixture
def other(secured: str) -> str:
    """A second user of the server."""
    with suppress(OSError):  # there since another test
        add_user(secured, OTHER)
    return OTHER


def test_a_first_run_succeeds_and_a_turn_asks_for_little(
    server: CountingServer,
    problem: "World",
    name: str,
    builders: dict[str, Callable[..., pd.DataFrame]],
) -> None:
    with pytest.raises(OSError):
        socket.getaddrinfo("object-store", 8333)
    problem.run(*STEPS)
    assert problem.json("release")["promoted"] and journal.champion(store.connect(), name) == "1"
    problem.lay(orders=builders["orders"](flipped_from="2024-03-04"), rates=builders["rates"]())
    problem.run("ingest", "validate", "featurize", until="2024-05-10", window_days=39)
    asked = {}
    for step in STEPS:
        server.asked.clear()
        problem.run(step, until="2024-05-10", window_days=39)
        asked[step] = list(server.asked)
    assert problem.json("decision")["retrain"] and problem.json("release")["version"] == "2"
    assert len(asked["gate"]) <= 25, asked["gate"]
    assert sum(map(len, asked.values())) <= 65, asked  # two of them compare the verdict with the recorded one
    everything = [line for lines in asked.values() for line in lines]
    assert not [line for line in everything if "presigned" in line or "/mpu/" in line]


def test_a_gate_that_keeps_asks_for_little(server: CountingServer, problem: "World", name: str) -> None:
    problem.run(*STEPS)
    server.asked.clear()
    problem.run("gate", mode="never")
    assert problem.json("decision")["decision"] == "keep" and len(server.asked) <= 25, server.asked


def test_what_is_another_user_s_is_told_from_what_is_not_there(
    server: CountingServer, problem: "World", name: str, other: str
) -> None:
    client = store.connect()
    assert numbered.registered(client, name) is None and journal.champion(client, name) is None
    with signed_in_as(other):
        store.connect().create_registered_model(name)
    with pytest.raises(TrackingError) as error:
        problem.run("gate")
    assert str(error.value) == (
        f"registered model {name}: expected a registered model that the user tidegate may read and add to, found one "
        "of another user; let its owner or an admin grant MANAGE on it, or choose another `name` in contract.yaml"
    )


def test_an_experiment_of_another_user_is_named(server: CountingServer, name: str, other: str) -> None:
    with signed_in_as(other):
        store.connect().create_experiment(name)
    with pytest.raises(TrackingError, match=f"^experiment {name}: expected one that the user tidegate may read"):
        batch_runs.batch_run(store.connect(), name, "ab12", {})


def test_claims_and_journal_of_another_user_are_named(server: CountingServer, name: str, other: str) -> None:
    with signed_in_as(other):
        foreign = store.connect()
        foreign.create_registered_model(f"{name}.batches")
    with pytest.raises(TrackingError, match=rf"^registered model {name}\.batches: .* found one of another user"):
        batch_runs.batch_run(store.connect(), name, "ab12", {})


class Silent(BaseHTTPRequestHandler):
    """A server that says how long its answer is, and never says it."""

    def handle_any(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.server.ended.wait(60)  # type: ignore[attr-defined]

    do_GET = do_PUT = handle_any  # noqa: N815

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("transfer", ["read", "write"])
def test_no_transfer_outlasts_its_deadline(transfer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TRANSFER_SECONDS", 0.5)
    with QuietServer(("127.0.0.1", 0), Silent) as server:
        server.ended = threading.Event()  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        client = MlflowClient(f"http://127.0.0.1:{server.server_port}")
        place = "mlflow-artifacts:/1/run/artifacts"
        told = "expected an MLflow server that answers, found no answer"
        with pytest.raises(TrackingError, match=told), store.answering():
            if transfer == "read":
                artifacts.read(client, place, "a.txt", 0.5)
            else:
                artifacts.write(client, place, {"a.txt": b"text"})
        server.ended.set()  # type: ignore[attr-defined]
        server.shutdown()


def test_transfers_go_through_the_server_whatever_it_offers(uri: str) -> None:
    store.connect()
    assert os.environ["MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD"] == "false"
    assert os.environ["MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD"] == "false"


def test_the_doctor_tries_what_a_first_run_does_and_leaves_nothing(
    server: CountingServer, problem: "World", name: str
) -> None:
    client = store.connect()
    assert server_trial.rehearse(client, name) == "the user tidegate may create, read and delete"
    assert server_trial.rehearse(store.connect(), name)
    left = [model.name for model in client.search_registered_models() if server_trial.OWN in model.name]
    assert left == [] and numbered.registered(client, name) is None
    experiments = [found for found in client.search_experiments() if server_trial.OWN in found.name]
    assert len(experiments) == 1 and client.search_runs([experiments[0].experiment_id]) == []
    problem.run(*STEPS)
    assert server_trial.rehearse(store.connect(), name) and journal.champion(client, name) == "1"


@pytest.mark.parametrize("suffix", ["", ".batches", ".journal"])
def test_the_doctor_names_what_is_another_user_s(server: CountingServer, name: str, other: str, suffix: str) -> None:
    with signed_in_as(other):
        store.connect().create_registered_model(f"{name}{suffix}")
    with pytest.raises(TrackingError, match=f"^registered model {name}{suffix}: .* found one of another user"):
        server_trial.rehearse(store.connect(), name)


def test_the_doctor_notices_a_store_behind_the_server_that_takes_nothing(
    server: CountingServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setattr(server, "refused", "/mlflow-artifacts/")
    with pytest.raises(TrackingError, match="NoSuchBucket"):
        server_trial.rehearse(store.connect(), name)

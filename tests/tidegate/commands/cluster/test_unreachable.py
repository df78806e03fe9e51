"""What stands between a person and Kubeflow: one line with its cure, soon, and no secret in it."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kubernetes.config import kube_config

from tests.durations import HANGING
from tests.tidegate.commands.cluster import kubeconfigs
from tests.tidegate.commands.cluster.kfp_server import KfpServer
from tidegate.commands.cluster.connection import FLAGS

Tidegate = Callable[..., tuple[int, str, str]]
secrets = {"KFP_EXISTING_TOKEN": "secret-token", "KFP_COOKIES": "authservice_session=secret-cookie"}


def refused(tidegate: Tidegate, *words: str) -> str:
    """The one line that `tidegate runs` ends with when Kubeflow cannot be reached."""
    began = time.monotonic()
    code, out, err = tidegate("runs", *words)
    assert time.monotonic() - began < HANGING
    assert (code, out) == (2, "") and err.startswith("error: ") and err.count("\n") == 1, err
    return err


@pytest.mark.parametrize(
    ("fault", "found", "cure"),
    [
        ("hang", "no answer in 1 s", "--host"),
        ("trickle", "no answer in 1 s", "--host"),
        ("login", "a page for people", "KFP_COOKIES"),
        ("redirect", "a page for people", "KFP_COOKIES"),
        ("401", "401 (not signed in)", "KFP_EXISTING_TOKEN"),
        ("403", "403 (refused)", "--namespace"),
        ("forbidden", 'cannot get resource "services/proxy" in the namespace "kubeflow"', "ask for that right"),
        ("404", "404 (no such thing there)", "--host"),
        ("unready", "one that does not say what it is", "pods of ml-pipeline"),
        ("503", "503 (not ready)", "pods of ml-pipeline"),
    ],
)
def test_a_server_that_does_not_do_as_asked(
    server: KfpServer, tidegate: Tidegate, monkeypatch: pytest.MonkeyPatch, fault: str, found: str, cure: str
) -> None:
    server.faults = [fault]
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    line = refused(tidegate, "--timeout", "1")
    assert found in line and cure in line.partition(found)[2] and server.url in line
    assert "secret" not in line and "secret" not in str(tidegate("--debug", "runs", "--timeout", "1"))


@pytest.mark.parametrize("fault", ["hang", "login", "401", "503"])
def test_one_that_stops_answering_in_the_middle(server: KfpServer, tidegate: Tidegate, fault: str) -> None:
    server.faults = ["", "", fault]  # it answers whether it is well, and once more
    if fault == "hang":
        server.faults = ["", fault]
    assert "expected an API that answers" in refused(tidegate, "--timeout", "1")


def test_whoever_names_no_limit_waits_less_than_ten_seconds() -> None:
    assert FLAGS["--timeout"]["default"] <= 8


def test_nobody_at_the_door(server: KfpServer, tidegate: Tidegate) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        line = refused(tidegate, "--host", f"http://ada:secret@127.0.0.1:{closed.getsockname()[1]}")
    assert "no connection" in line and "kubectl port-forward" in line and "secret" not in line


def test_a_host_that_there_is_none_of(server: KfpServer, tidegate: Tidegate) -> None:
    line = refused(tidegate, "--host", "kubeflow.invalid")
    assert "https://kubeflow.invalid" in line and ("no such host" in line or "no answer" in line)


def test_no_endpoint_at_all(clone: Path, tidegate: Tidegate) -> None:
    assert "pass --host or set KFP_ENDPOINT" in refused(tidegate)


def test_a_proxy_that_is_not_there(server: KfpServer, tidegate: Tidegate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://ada:secret@127.0.0.1:9")
    line = refused(tidegate, "--host", "http://kubeflow.example")
    assert "a proxy that does not let through" in line and "secret" not in line
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert tidegate("runs")[0] == 0


def test_who_is_not_signed_in(server: KfpServer, tidegate: Tidegate, monkeypatch: pytest.MonkeyPatch) -> None:
    server.token = "secret-token"
    assert "401 (not signed in): Request header error" in refused(tidegate)
    monkeypatch.setenv("KFP_EXISTING_TOKEN", "secret-token")
    assert tidegate("runs")[0] == 0
    server.token, server.cookie = None, "authservice_session=MTY5"
    assert "a page for people" in refused(tidegate)
    assert tidegate("runs", "--cookies", "authservice_session=MTY5")[0] == 0


def test_a_mounted_token_is_read_anew_for_each_request(
    server: KfpServer, tidegate: Tidegate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    for server.token in ("first", "second"):
        file.write_text(server.token)
        monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(file))
        assert tidegate("runs")[0] == 0
    file.unlink()
    assert "--token-file: expected a file" in refused(tidegate)


def test_a_cluster_that_is_shared_wants_a_namespace_of_ones_own(server: KfpServer, tidegate: Tidegate) -> None:
    server.kubeflow.multi_user, server.namespaces = True, {"ada"}
    assert "pass --namespace or set KFP_NAMESPACE" in refused(tidegate)
    line = refused(tidegate, "--namespace", "bob")
    assert "403 (refused)" in line and "Namespace:bob" in line and "--namespace is not yours" in line
    assert tidegate("runs", "--namespace", "ada")[0] == 0


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of its own for 127.0.0.1, with its key."""
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost"
    paths = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "crt")]
    subprocess.run([*command.split(), *paths], check=True, capture_output=True)
    return tmp_path / "crt"


@pytest.fixture
def secured(server: KfpServer, certificate: Path) -> Iterator[str]:
    """The server over https, by a certificate that nobody knows."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_name("key"))
    with KfpServer() as found:
        found.socket = context.wrap_socket(found.socket, server_side=True)
        threading.Thread(target=found.serve_forever, args=(0.05,), daemon=True).start()
        yield found.url.replace("http:", "https:")
        found.shutdown()


def test_a_certificate_that_nobody_knows(secured: str, certificate: Path, tidegate: Tidegate) -> None:
    line = refused(tidegate, "--host", secured)
    assert "a certificate that is not trusted" in line and "--ssl-ca-cert" in line
    assert tidegate("runs", "--host", secured, "--ssl-ca-cert", str(certificate))[0] == 0
    code, _, err = tidegate("runs", "--host", secured, "--no-verify-ssl")
    assert (code, err) == (0, "")


def test_without_a_host_the_kubeconfig_leads_there(
    server: KfpServer, tidegate: Tidegate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", kubeconfigs.write(tmp_path / "kubeconfig", server.url)
    )
    monkeypatch.delenv("KFP_ENDPOINT")
    server.token = "kube-token"
    assert tidegate("runs", "--namespace", "pipelines")[0] == 0
    path = server.received[-1].path
    assert path.startswith("/api/v1/namespaces/pipelines/services/ml-pipeline:http/proxy/")
    assert "401" in refused(tidegate, "--kube-context", "other")
    assert "--kube-context: expected one of dev, other" in refused(tidegate, "--kube-context", "prod")

"""What flags and environment say of the way to the cluster."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tidegate.commands.cluster import connection as module
from tidegate.commands.cluster.connection import Connection, connection
from tidegate.process.errors import InputError

nothing: Mapping[str, str] = {}


def reached(flags: Mapping[str, str] = nothing, environment: Mapping[str, str] = nothing) -> Connection:
    return connection({"timeout": 8.0, **flags}, environment)


@pytest.mark.parametrize(
    ("flag", "name"),
    [
        ("host", "KFP_ENDPOINT"),
        ("host", "KF_PIPELINES_ENDPOINT"),
        ("ui_host", "KF_PIPELINES_UI_ENDPOINT"),
        ("namespace", "KFP_NAMESPACE"),
        ("existing_token", "KFP_EXISTING_TOKEN"),
        ("cookies", "KFP_COOKIES"),
        ("proxy", "KFP_PROXY"),
    ],
)
def test_a_flag_goes_before_the_environment(flag: str, name: str) -> None:
    first, second = ("https://one", "https://two") if "host" in flag else ("one", "two")
    assert getattr(reached({}, {name: second}), flag) == second
    assert getattr(reached({flag: first}, {name: second}), flag) == first
    assert getattr(reached({}, {name: ""}), flag) is None


@pytest.mark.parametrize(
    ("flag", "name"),
    [
        ("token_file", "KF_PIPELINES_SA_TOKEN_PATH"),
        ("ssl_ca_cert", "KFP_SSL_CA_CERT"),
        ("ssl_ca_cert", "SSL_CERT_FILE"),
    ],
)
def test_a_file_has_to_be_there(flag: str, name: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    with pytest.raises(InputError, match="expected a file, found none at"):
        reached({}, {name: str(file)})
    file.touch()
    assert getattr(reached({}, {name: str(file)}), flag) == str(file)


def test_a_token_that_kubeflow_mounts_into_a_notebook_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TOKEN_FILE", tmp_path / "token")
    assert reached().token_file is None
    (tmp_path / "token").touch()
    assert reached().token_file == str(tmp_path / "token")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("kubeflow.example", "https://kubeflow.example"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("https://kubeflow.example/pipeline/", "https://kubeflow.example/pipeline"),
    ],
)
def test_a_host_is_what_kfp_takes_for_one(host: str, expected: str) -> None:
    assert reached({"host": host}).host == expected


def test_secrets_do_not_show() -> None:
    found = reached(
        {},
        {
            "KFP_ENDPOINT": "https://ada:hush@kubeflow.example:8443",
            "KFP_EXISTING_TOKEN": "hush",
            "KFP_COOKIES": "session=hush",
            "KFP_PROXY": "http://ada:hush@proxy.example",
        },
    )
    shown = f"{found} {found.where} {found.link('runs', 'id')}"
    assert "hush" not in shown
    assert found.where == "Kubeflow Pipelines at https://kubeflow.example:8443"
    assert found.link("runs", "id") == "https://kubeflow.example:8443/#/runs/details/id"


@pytest.mark.parametrize("given", [{"KFP_EXISTING_TOKEN": "hush"}, {"KFP_COOKIES": "session=hush"}])
def test_a_token_is_not_sent_where_it_can_be_read(given: dict[str, str]) -> None:
    for host in ("http://localhost:8888", "http://api.kubeflow.svc:8888", "https://kubeflow.example"):
        assert reached({"host": host}, given).host == host
    with pytest.raises(InputError, match="--host: expected https, because credentials are sent"):
        reached({"host": "http://kubeflow.example"}, given)


def test_links_lead_to_the_ui() -> None:
    assert (
        reached({"host": "http://api:8888", "ui_host": "https://ui"}).link("runs", "7")
        == "https://ui/#/runs/details/7"
    )
    assert reached().link("recurringrun", "7") == "/pipeline/#/recurringrun/details/7"


def test_the_environments_proxy_is_for_its_scheme_and_not_for_who_is_excepted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"https_proxy": "http://proxy:1", "http_proxy": "", "no_proxy": "excepted.example"}.items():
        monkeypatch.setenv(name, value)
    assert reached({"host": "https://kubeflow.example"}).proxy == "http://proxy:1"
    assert reached({"host": "http://kubeflow.example"}).proxy is None
    assert reached({"host": "https://excepted.example"}).proxy is None
    assert reached({"host": "https://excepted.example", "proxy": "http://own:2"}).proxy == "http://own:2"
    assert reached().proxy is None


def test_without_a_host_the_place_is_the_cluster() -> None:
    assert reached().where == "Kubeflow Pipelines in namespace kubeflow of the cluster"
    found = reached({"kube_context": "dev", "namespace": "ada"})
    assert found.where == "Kubeflow Pipelines in namespace ada of the cluster of context dev"

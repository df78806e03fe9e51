"""The code and the manifests call the same things by the same names."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from mlflow import environment_variables

from k8s import passwords
from tests.k8s.manifests import OVERLAYS, ROOT, Object, containers, of_kind, one, pods, rendered
from tidegate.pipelines import cluster, kubeflow, settings

TEMPLATE = (ROOT / "k8s/secrets.example.env").read_text()
TASKS = "kubeflow"


@pytest.fixture(scope="module", params=["training", "predicting"])
def executors(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a compiled pipeline asks of Kubernetes, for every task."""
    path = tmp_path_factory.mktemp("cluster") / "cluster.yaml"
    section = "\nsteps:\n  predict: {uses: [mlflow, data, endpoint]}\n"  # as docs/predicting.md has it
    path.write_text((ROOT / "cluster.yaml").read_text().replace("\nsteps:\n", section))
    found = kubeflow.parts(kubeflow.compile("tidegate/steps:test", path, request.param))[1]
    tasks: dict[str, Any] = found["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert tasks
    return tasks


def secrets(overlay: str) -> dict[tuple[str, str], dict[str, str]]:
    """What `make secrets` makes, by place and name."""
    given = dict.fromkeys(re.findall(r"^(\w+)=", TEMPLATE, re.MULTILINE), "given")
    return {(place, name): data for place, name, data in passwords.objects(given, overlay)}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_key_that_a_task_names_is_there(overlay: str, executors: dict[str, Any]) -> None:
    made = {name: data for (place, name), data in secrets(overlay).items() if place == passwords.TASKS}
    maps = {item["metadata"]["name"]: item["data"] for item in of_kind(overlay, "ConfigMap") if _is_of_tasks(item)}
    named = [
        (there[entry[f"{kind}Name"]], key[f"{kind}Key"])
        for executor in executors.values()
        for kind, there in (("secret", made), ("configMap", maps))
        for entry in executor.get(f"{kind}AsEnv", [])
        for key in entry["keyToEnv"]
        if overlay == "local" or not entry.get("optional")
    ]
    assert named
    assert [key for data, key in named if key not in data] == []


def test_the_policies_select_the_pods_of_every_task(executors: dict[str, Any]) -> None:
    label = {settings.LABEL["label_key"]: settings.LABEL["label_value"]}
    assert all(executor["podMetadata"]["labels"] == label for executor in executors.values())
    policies = [item["spec"] for item in of_kind("local", "NetworkPolicy") if _is_of_tasks(item)]
    assert [spec["podSelector"] for spec in policies] == [{"matchLabels": label}] * len(policies)
    incoming = one("local", "NetworkPolicy", "mlflow-from-tasks")["spec"]["ingress"][0]["from"][0]
    assert incoming["podSelector"] == {"matchLabels": label}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_account_of_a_run_is_there(overlay: str) -> None:
    account = cluster.load().service_account
    assert one(overlay, "ServiceAccount", account)["metadata"]["namespace"] == TASKS
    assert one(overlay, "RoleBinding", account)["subjects"][0]["name"] == account
    rules = one(overlay, "Role", "tidegate-submit")["rules"]
    assert account in [name for rule in rules for name in rule.get("resourceNames", [])]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_mlflow_runs_in_the_image_of_the_steps_as_its_user(overlay: str) -> None:
    pod = one(overlay, "Deployment", "mlflow")["spec"]["template"]
    repositories = {re.split("[:@]", container["image"])[0] for container in containers(pod)}
    assert repositories == {cluster.load().repository}
    assert pod["spec"]["securityContext"]["runAsUser"] == settings.USER


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_address_is_that_of_a_service(overlay: str) -> None:
    data = {**one(overlay, "ConfigMap", "mlflow")["data"], **one(overlay, "ConfigMap", "tidegate")["data"]}
    addresses = [urlsplit(value) for value in data.values() if value.startswith("http")]
    assert addresses
    for address in addresses:
        name, _, rest = str(address.hostname).partition(".")
        assert rest in ("", "tidegate.svc")
        assert address.port in _ports(overlay, name)
    assert (data["PGHOST"] == "postgres") is (5432 in _ports(overlay, "postgres"))
    (uri,) = [address for address in addresses if str(address.hostname).startswith("mlflow.")]
    (hosts,) = _values(overlay, "MLFLOW_SERVER_ALLOWED_HOSTS")
    assert uri.netloc in hosts.split(",")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_service_leads_to_a_port_of_its_pods(overlay: str) -> None:
    templates = dict(pods(overlay))
    for service in of_kind(overlay, "Service"):
        pod = templates[service["metadata"]["name"]]
        assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
        named = {port["name"] for container in containers(pod) for port in container.get("ports", [])}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= named


def test_what_is_listened_on_is_what_is_declared() -> None:
    ports = {name: pod["spec"]["containers"][0]["ports"][0]["containerPort"] for name, pod in pods("local")}
    assert f"--port={ports['mlflow']}" in dict(pods("local"))["mlflow"]["spec"]["containers"][0]["args"]
    assert (ports["postgres"], ports["object-store"]) == (5432, 8333), "as these programs choose by themselves"


def test_every_bucket_is_made_and_has_its_own_key() -> None:
    (store,) = dict(pods("local"))["object-store"]["spec"]["containers"]
    (made,) = [word.removeprefix("-bucket=") for word in store["args"] if word.startswith("-bucket=")]
    assert one("local", "ConfigMap", "mlflow")["data"]["MLFLOW_ARTIFACTS_DESTINATION"] == "s3://mlflow"
    assert re.findall(
        r'"name": "(\w+)"', secrets("local")[passwords.SERVERS, "object-store"]["s3.json"]
    ) == made.split(",")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_mlflow_knows_every_setting_of_its_name(overlay: str) -> None:
    from mlflow.cli import server

    known = {parameter.envvar for parameter in server.params} | set(vars(environment_variables))
    pod = dict(pods(overlay))["mlflow"]["spec"]["containers"][0]
    names = {entry["name"] for entry in pod["env"]} | set(one(overlay, "ConfigMap", "mlflow")["data"])
    names |= set(secrets(overlay)[passwords.SERVERS, "mlflow"])
    assert {name for name in names if name.startswith("MLFLOW_")} <= known


def test_the_prepared_users_are_those_that_are_told_of() -> None:
    text = (ROOT / "k8s/base/servers/prepare.py").read_text()
    users = dict(re.findall(r'"(\w+)": "(MLFLOW_\w+_PASSWORD)"', text))
    assert set(users.values()) == set(secrets("local")[passwords.SERVERS, "mlflow-users"])
    assert secrets("local")[passwords.TASKS, "tidegate-mlflow"]["username"] in users
    assert "admin_username = admin" in (ROOT / "k8s/base/servers/basic_auth.ini").read_text()


def _is_of_tasks(item: Object) -> bool:
    return bool(item["metadata"]["namespace"] == TASKS)


def _ports(overlay: str, service: str) -> list[int]:
    found = [item for item in rendered(overlay) if item["kind"] == "Service" and item["metadata"]["name"] == service]
    return [port["port"] for item in found for port in item["spec"]["ports"]]


def _values(overlay: str, variable: str) -> Iterator[str]:
    entries = [
        entry for _, pod in pods(overlay) for item in pod["spec"]["containers"] for entry in item.get("env", [])
    ]
    return (entry["value"] for entry in entries if entry["name"] == variable)

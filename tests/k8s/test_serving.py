"""The predictor on a cluster with KServe: its pod, whom it reaches, who may change it, and what it is measured by."""

import json
import re
import subprocess
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from k8s import passwords
from tests.k8s.manifests import ROOT, SERVING, Object, of_kind, one, pods, render, rendered
from tests.k8s.network import End, Port, reaches
from tests.k8s.policy import violations
from tests.k8s.rbac import Right, rights
from tests.k8s.test_network import AROUND, EXPECTED
from tests.k8s.test_network import ends as other_ends
from tests.k8s.test_overlays import copy, replace  # noqa: F401
from tidegate.commands.cli import parser
from tidegate.commands.serve import values
from tidegate.pipelines import cluster, settings
from tidegate.process import limits
from tidegate.serving import hourly, metrics  # noqa: F401

GATEWAY, PROMETHEUS = "a gateway", "prometheus"
ELSEWHERE: dict[str, tuple[End, tuple[Port, ...]]] = {
    GATEWAY: (End("envoy-gateway-system", {"app.kubernetes.io/name": "envoy"}), ()),
    PROMETHEUS: (End("monitoring", {"app.kubernetes.io/name": "prometheus"}), ()),
}
EVERYWHERE = {
    "task > predictor 8080",
    f"{GATEWAY} > predictor 8080",
    f"{GATEWAY} > predictor 8081",
    f"{PROMETHEUS} > predictor 8080",
    "predictor > mlflow 5000",
    "predictor > dns 53",
    "predictor > dns 53 UDP",
}
OPEN = {
    "local": EVERYWHERE | {"predictor > object-store 8333"},
    # Until the block of `predictor-to-its-store` is narrowed.
    "production": EVERYWHERE | {"predictor > the world 443", "predictor > kubernetes 443"},
}


def service(overlay: str) -> Object:
    """The InferenceService of an overlay."""
    (found,) = of_kind(overlay, "InferenceService")
    return found


def container(overlay: str) -> Object:
    """The container of the server."""
    found: Object = service(overlay)["spec"]["predictor"]["containers"][0]
    return found


@pytest.mark.parametrize("overlay", SERVING)
def test_its_pod_is_restricted_and_starts_when_an_image_is_named(overlay: str) -> None:
    ((_, pod),) = pods(overlay)
    told = violations(pod)
    assert [text.partition(" image ")[0] for text in told] == ["storage-initializer:", "kserve-container:"], told
    assert pod["spec"]["securityContext"]["runAsUser"] == settings.USER
    repository = re.split("[:@]", container(overlay)["image"])[0]
    assert repository == cluster.load().repository.replace("steps", "serve")


@pytest.mark.parametrize("overlay", SERVING)
def test_kserve_may_split_its_requests(overlay: str) -> None:
    """What `validateCanarySpecs` of KServe asks for: the mode, and a predictor with a storage URI.

    Nothing is fetched from it where a container has this name (`CommonStorageInitialization`).
    """
    found = service(overlay)
    assert found["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Standard"
    assert container(overlay)["name"] == "kserve-container"
    assert "STORAGE_URI" in {entry["name"] for entry in container(overlay)["env"]}
    (first,) = service(overlay)["spec"]["predictor"]["initContainers"]
    assert (first["name"], first["command"]) == ("storage-initializer", ["true"])
    assert first["image"] == container(overlay)["image"]


@pytest.mark.parametrize("overlay", SERVING)
def test_only_kserve_scales_it(overlay: str) -> None:
    assert service(overlay)["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] == "hpa"
    predictor = service(overlay)["spec"]["predictor"]
    assert 1 <= predictor["minReplicas"] < predictor["maxReplicas"]
    assert predictor["scaleMetric"] == "cpu" and "cpu" in container(overlay)["resources"]["requests"]
    assert of_kind(overlay, "HorizontalPodAutoscaler") == []


@pytest.mark.parametrize("overlay", SERVING)
def test_the_server_knows_its_arguments(overlay: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = container(overlay)["args"]
    assert container(overlay)["command"] == ["tidegate", "serve"]
    arguments = parser().parse_args(["serve", *words])
    ports = {port["name"]: port["containerPort"] for port in container(overlay)["ports"]}
    assert (arguments.port, arguments.grpc_port) == (ports["http"], ports["grpc"])
    assert (arguments.name, arguments.host) == (service(overlay)["metadata"]["name"], "0.0.0.0")
    assert values(arguments.set)["serve"]["record"].startswith("s3://")


@pytest.mark.parametrize("overlay", SERVING)
def test_it_has_time_to_answer_what_it_has_accepted(overlay: str) -> None:
    predictor = service(overlay)["spec"]["predictor"]
    pause = int(container(overlay)["lifecycle"]["preStop"]["exec"]["command"][1])
    needed = pause + limits.SERVE_DRAIN_SECONDS + limits.RECORD_CLOSE_SECONDS
    assert predictor["terminationGracePeriodSeconds"] > needed


@pytest.mark.parametrize("overlay", SERVING)
def test_all_name_the_same_problem(overlay: str) -> None:
    (budget,) = of_kind(overlay, "PodDisruptionBudget")
    ((_, pod),) = pods(overlay)
    assert budget["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    for spread in pod["spec"]["topologySpreadConstraints"]:
        assert spread["labelSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    (name,) = one(overlay, "Role", "tidegate-deploy")["rules"][0]["resourceNames"]
    assert name == service(overlay)["metadata"]["name"]


def test_the_problem_is_named_in_one_place(copy: Path) -> None:  # noqa: F811
    path = copy / "base/serving/predictors/predictor.yaml"
    replace(path, "metadata:\n  name: flights", "metadata:\n  name: orders")
    text = json.dumps([item for item in render(copy / "overlays/local/serving") if item["kind"] != "ConfigMap"])
    assert "flights" not in text and "--name=orders" in text


@pytest.mark.parametrize("overlay", SERVING)
def test_the_namespace_of_the_tasks_is_named_in_one_place(overlay: str, copy: Path) -> None:  # noqa: F811
    replace(copy / "base/serving/tasks/kustomization.yaml", "namespace: kubeflow", "namespace: team-a")
    objects = render(copy / "overlays" / overlay)
    assert "kubeflow" not in json.dumps([item for item in objects if item["kind"] in ("NetworkPolicy", "RoleBinding")])


@pytest.mark.parametrize("overlay", SERVING)
def test_the_step_deploy_may_change_this_service_and_nothing_else(overlay: str) -> None:
    name, resource = service(overlay)["metadata"]["name"], "inferenceservices.serving.kserve.io"
    account = cluster.load().service_account
    assert rights(rendered(overlay)) == {
        f"ServiceAccount kubeflow/{account}": {
            Right("tidegate-serving", "get", resource, name),
            Right("tidegate-serving", "patch", resource, name),
            Right("tidegate-serving", "list", resource, "*"),
        }
    }
    assert [item["automountServiceAccountToken"] for item in of_kind(overlay, "ServiceAccount")] == [False]


@pytest.mark.parametrize("overlay", OPEN)
def test_exactly_these_connections_are_open(overlay: str) -> None:
    policies = of_kind(overlay, "NetworkPolicy") + of_kind(f"{overlay}/serving", "NetworkPolicy")
    ((_, pod),) = pods(f"{overlay}/serving")
    ports = tuple(Port(port["containerPort"]) for port in pod["spec"]["containers"][0]["ports"])
    around = other_ends(overlay) | ELSEWHERE
    around["predictor"] = (End("tidegate-serving", pod["metadata"]["labels"]), (*ports, Port(9090)))
    found = {
        f"{source} > {target} {port.number}{' UDP' * (port.protocol == 'UDP')}"
        for source, target in permutations(around, 2)
        for port in around[target][1]
        if {source, target} & {"predictor", "task", "mlflow", "postgres", "object-store"}
        and reaches(policies, around[source][0], around[target][0], port)
    }
    assert found == EXPECTED[overlay] | OPEN[overlay]
    assert AROUND.keys() < around.keys()


@pytest.mark.parametrize("overlay", SERVING)
def test_it_finds_every_key_that_it_refers_to(overlay: str) -> None:
    given = dict.fromkeys(re.findall(r"^(\w+)=", (ROOT / "k8s/secrets.example.env").read_text(), re.M), "given")
    made = passwords.objects(given, overlay.partition("/")[0])
    held = {name: data for place, name, data in made if place == passwords.PREDICTORS}
    keys = [entry["valueFrom"]["secretKeyRef"] for entry in container(overlay)["env"] if "valueFrom" in entry]
    assert keys and all(key["key"] in held[key["name"]] for key in keys)
    whole = {source["secretRef"]["name"] for source in container(overlay)["envFrom"] if "secretRef" in source}
    assert whole | {key["name"] for key in keys} == held.keys()
    uri = one(overlay, "ConfigMap", "predictor")["data"]["MLFLOW_TRACKING_URI"]
    assert uri == one(overlay.partition("/")[0], "ConfigMap", "tidegate")["data"]["MLFLOW_TRACKING_URI"]


@pytest.mark.parametrize("overlay", SERVING)
def test_prometheus_asks_a_port_that_the_service_has(overlay: str) -> None:
    (monitor,) = of_kind(overlay, "ServiceMonitor")
    ports = {port["name"] for port in container(overlay)["ports"]}
    assert [(entry["port"] in ports, entry["path"]) for entry in monitor["spec"]["endpoints"]] == [(True, "/metrics")]


def test_the_alerts_ask_for_metrics_that_the_server_has() -> None:
    (rule,) = of_kind("local/serving", "PrometheusRule")
    alerts = [alert for group in rule["spec"]["groups"] for alert in group["rules"]]
    assert len({alert["alert"] for alert in alerts}) == len(alerts) > 4
    queries = " ".join(alert["expr"] for alert in alerts)
    there = {sample.name for family in REGISTRY.collect() for sample in family.samples}
    there |= {f"{family.name}{end}" for family in REGISTRY.collect() for end in ("_total", "_bucket")}
    assert {*re.findall(r"\btidegate_\w+", queries)} <= there
    outcomes = {*re.findall(r'outcome="(\w+)"', queries)}
    assert outcomes <= {*re.findall(r'LOOKS\.labels\("(\w+)"\)', (ROOT / "tidegate/serving/follower.py").read_text())}
    labels = {label for group in re.findall(r"\bby \(([^)]*)\)", queries) for label in group.split(", ")}
    (monitor,) = of_kind("local/serving", "ServiceMonitor")
    brought = {re.sub(r"\W", "_", label) for label in monitor["spec"]["targetLabels"]}
    assert labels == brought | {"le"} and all(alert["labels"]["severity"] for alert in alerts)
    assert all({"summary", "description"} == alert["annotations"].keys() for alert in alerts)


def test_the_dashboard_shows_metrics_that_the_server_has() -> None:
    text = one("local/serving", "ConfigMap", "tidegate-dashboard")["data"]["predictor.json"]
    dashboard: dict[str, Any] = json.loads(text)
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    queries += [entry["query"] for entry in dashboard["templating"]["list"]]
    used = set(re.findall(r"\btidegate_\w+", " ".join(queries)))
    families = [family for family in REGISTRY.collect() if family.name.startswith("tidegate_")]
    there = {f"{family.name}{'_total' * (family.type == 'counter')}" for family in families}
    assert {name.removesuffix("_bucket") for name in used} == there, "each is shown, and no other"
    labels = {"protocol", "code", "kind", "version", "outcome", "le", "feature", "statistic", "name"}
    grouped = re.findall(r"\bby \(([^)]*)\)", " ".join(queries))
    assert {name.strip() for group in grouped for name in group.split(",")} <= labels


def test_the_volumes_and_probes_are_those_of_the_server() -> None:
    found = container("local/serving")
    paths = {found[name]["httpGet"]["path"] for name in ("startupProbe", "readinessProbe", "livenessProbe")}
    text = (ROOT / "tidegate/serving/app.py").read_text()
    assert all(f'"{path}"' in text for path in paths)


PAGE = (ROOT / "docs/serving.md").read_text().partition("## On a cluster\n")[2].partition("\n## ")[0]
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


def test_the_page_names_what_is_there() -> None:
    folders = {word for line in COMMANDS for word in line.split() if word.startswith("k8s/")}
    assert folders == {"k8s/overlays/local/serving", "k8s/secrets-serving.json"}
    assert "k8s/secrets-serving.json" in {f"k8s/{name}" for name in passwords.FILES}
    files = set(re.findall(r"`(k8s/[\w./-]*)`", PAGE))
    assert files and all((ROOT / name).exists() for name in files)
    named = re.findall(r"^\| (\w+) `([\w-]+)`(?:, (\w+) `([\w-]+)`)?", PAGE, re.MULTILINE)
    objects = {(item["kind"], item["metadata"]["name"]) for item in rendered("local/serving")}
    assert {pair for row in named for pair in (row[:2], row[2:]) if pair[0]} <= objects


def test_the_page_s_commands_are_known() -> None:
    name = service("local/serving")["metadata"]["name"]
    assert [line.split()[0] for line in COMMANDS] == ["make", "kind", "kubectl", "kubectl", "kubectl", "kubectl"]
    assert f"inferenceservice/{name}" in COMMANDS[4] and f"service/{name}-predictor 8080:80" in COMMANDS[5]
    image = container("local/serving")["image"]
    assert f"SERVER_IMAGE={image}" in COMMANDS[0] and COMMANDS[1].endswith(image)
    done = subprocess.run(["make", "--dry-run", *COMMANDS[0].split()[1:]], cwd=ROOT, capture_output=True, check=True)
    assert f"--tag {image}" in done.stdout.decode()
    (shown,) = re.findall(r"^`kubectl kustomize (\S+)`", PAGE, re.MULTILINE)
    assert render(ROOT / shown) == rendered("local/serving")

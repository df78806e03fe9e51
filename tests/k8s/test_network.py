"""Exactly the connections that are needed are open, between all pods that have to do with a run, and the world."""

from itertools import permutations

import pytest

from tests.k8s.manifests import of_kind, pods
from tests.k8s.network import End, Port, reaches

TASK = {"app.kubernetes.io/part-of": "tidegate", "pipelines.kubeflow.org/v2_component": "true"}
OURS = {"task", "mlflow", "postgres", "object-store"}
# What is there besides, and the ports that it listens on.
AROUND: dict[str, tuple[End, tuple[Port, ...]]] = {
    "task": (End("kubeflow", TASK), (Port(8080),)),
    "somebody else's task": (End("kubeflow", {"pipelines.kubeflow.org/v2_component": "true"}), (Port(8080),)),
    "a liar elsewhere": (
        End("default", {**TASK, "app": "ml-pipeline", "k8s-app": "kube-dns"}),
        (Port(5432), Port(53)),
    ),
    "kubeflow's api": (End("kubeflow", {"app": "ml-pipeline"}), (Port(8887), Port(8888))),
    "kubeflow's metadata": (End("kubeflow", {"component": "metadata-grpc-server"}), (Port(8080),)),
    "kubeflow's artifacts": (End("kubeflow", {"app": "seaweedfs"}), (Port(8333), Port(8888), Port(9333))),
    "kubeflow's database": (End("kubeflow", {"app": "mysql"}), (Port(3306),)),
    "kubeflow's page": (End("kubeflow", {"app": "ml-pipeline-ui"}), (Port(3000),)),
    "dns": (End("kube-system", {"k8s-app": "kube-dns"}), (Port(53), Port(53, "UDP"), Port(9153))),
    "kubernetes": (End(address="172.18.0.2"), tuple(map(Port, (443, 6443, 8443, 16443, 10250)))),
    "the world": (End(address="198.51.100.7"), (Port(443), Port(80), Port(5432), Port(22))),
}
EVERYWHERE = {
    "task > mlflow 5000",
    "task > kubeflow's api 8887",
    "task > kubeflow's api 8888",
    "task > kubeflow's metadata 8080",
    "task > kubeflow's artifacts 8333",
    "task > dns 53",
    "task > dns 53 UDP",
    "task > kubernetes 443",
    "task > kubernetes 6443",
    "task > kubernetes 8443",
    "task > kubernetes 16443",
    "task > the world 443",  # until the block of `tidegate-to-kubernetes` is narrowed
    "kubeflow's api > mlflow 5000",
    "somebody else's task > mlflow 5000",  # as Kubeflow's driver, which has no other label
    "mlflow > dns 53",
    "mlflow > dns 53 UDP",
}
EXPECTED = {
    "local": EVERYWHERE
    | {
        "task > object-store 8333",
        "mlflow > object-store 8333",
        "mlflow > postgres 5432",
        "postgres > dns 53",
        "postgres > dns 53 UDP",
        "object-store > dns 53",
        "object-store > dns 53 UDP",
    },
    "production": EVERYWHERE
    | {
        "mlflow > the world 443",
        "mlflow > the world 5432",
        "mlflow > kubernetes 443",  # until the blocks of `mlflow-to-its-stores` are narrowed
        "mlflow > a liar elsewhere 5432",
    },
}


def ends(overlay: str) -> dict[str, tuple[End, tuple[Port, ...]]]:
    """All that is around, and our servers as they were rendered; 9333 is a port that SeaweedFS opens unasked."""
    servers = {
        name: (End("tidegate", pod["metadata"]["labels"]), (*_ports(pod["spec"]["containers"]), Port(9333)))
        for name, pod in pods(overlay)
    }
    return AROUND | servers


def _ports(containers: list[dict[str, list[dict[str, int]]]]) -> list[Port]:
    return [Port(port["containerPort"]) for container in containers for port in container.get("ports", [])]


@pytest.mark.parametrize("overlay", EXPECTED)
def test_exactly_these_connections_are_open(overlay: str) -> None:
    policies, around = of_kind(overlay, "NetworkPolicy"), ends(overlay)
    found = {
        f"{source} > {target} {port.number}{' UDP' * (port.protocol == 'UDP')}"
        for source, target in permutations(around, 2)
        if {source, target} & OURS
        for port in around[target][1]
        if reaches(policies, around[source][0], around[target][0], port)
    }
    assert found == EXPECTED[overlay]


@pytest.mark.parametrize("overlay", EXPECTED)
def test_every_edge_has_a_name_that_says_what_it_is(overlay: str) -> None:
    policies = {item["metadata"]["name"]: item["spec"] for item in of_kind(overlay, "NetworkPolicy")}
    denying = [policies.pop("default-deny"), policies.pop("tidegate-default-deny")]
    assert [spec["podSelector"] for spec in denying] == [
        {},
        {"matchLabels": {"app.kubernetes.io/part-of": "tidegate"}},
    ]
    assert [spec["policyTypes"] for spec in denying] == [["Ingress", "Egress"]] * 2
    assert all("-from-" in name or "-to-" in name or name.endswith("dns") for name in policies)


@pytest.mark.parametrize("overlay", EXPECTED)
def test_other_people_s_pods_are_left_alone(overlay: str) -> None:
    policies = of_kind(overlay, "NetworkPolicy")
    source, target = AROUND["somebody else's task"][0], AROUND["the world"][0]
    assert reaches(policies, source, target, Port(22))
    assert reaches(policies, AROUND["kubeflow's page"][0], AROUND["kubeflow's database"][0], Port(3306))


def test_the_reckoning_knows_what_kubernetes_defines() -> None:
    here, there = End("a", {"app": "x"}), End("b", {"app": "y"})

    def policy(**spec: object) -> dict[str, object]:
        return {"metadata": {"namespace": "a"}, "spec": {"podSelector": {}, "policyTypes": ["Egress"], **spec}}

    assert reaches([], here, there, Port(1))
    assert not reaches([policy()], here, there, Port(1)), "selected, and no rule"
    assert reaches([policy(egress=[{}])], here, there, Port(1)), "a rule without peers and ports allows all"
    assert not reaches([policy(egress=[{"to": [{"podSelector": {}}]}])], here, there, Port(1)), (
        "its own namespace only"
    )
    assert reaches([policy(egress=[{"to": [{"namespaceSelector": {}}]}])], here, there, Port(1))
    ranged = [{"ports": [{"port": 10, "endPort": 20}]}]
    assert [reaches([policy(egress=ranged)], here, there, Port(number)) for number in (9, 10, 20, 21)] == [
        False, True, True, False,
    ]  # fmt: skip
    block = [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]}]
    assert [reaches([policy(egress=block)], here, End(address=ip), Port(1)) for ip in ("10.2.0.1", "10.1.0.1")] == [
        True, False,
    ]  # fmt: skip
    for operator, values, open_ in (
        ("In", ["y"], True), ("NotIn", ["y"], False), ("Exists", [], True), ("DoesNotExist", [], False),
    ):  # fmt: skip
        peer = {
            "namespaceSelector": {},
            "podSelector": {"matchExpressions": [{"key": "app", "operator": operator, "values": values}]},
        }
        assert reaches([policy(egress=[{"to": [peer]}])], here, there, Port(1)) is open_

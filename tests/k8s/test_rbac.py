"""Two accounts have rights, exactly these; all others have none and carry no token."""

from itertools import product

import pytest

from tests.k8s.manifests import OVERLAYS, of_kind, rendered
from tests.k8s.rbac import Right, rights
from tidegate.commands.cluster.rights import OWN, REVIEW

RUN, SUBMIT = "ServiceAccount kubeflow/tidegate-run", "ServiceAccount kubeflow/tidegate-submit"
# Resource and name: verbs. All of it in the namespace of the tasks.
EXPECTED = {
    RUN: {
        ("workflowtaskresults.argoproj.io", "*"): "create patch",
        ("workflowtasksets.argoproj.io", "*"): "list watch",
        ("workflowtasksets/status.argoproj.io", "*"): "patch",
        ("workflows.argoproj.io", "*"): "get",
        ("configmaps", "kfp-launcher"): "get",
        ("secrets", "mlpipeline-minio-artifact"): "get",
    },
    SUBMIT: {
        ("pipelines.pipelines.kubeflow.org", "*"): "get list create",
        ("pipelines/versions.pipelines.kubeflow.org", "*"): "get list create",
        ("experiments.pipelines.kubeflow.org", "*"): "get list create",
        ("runs.pipelines.kubeflow.org", "*"): "get list create terminate readArtifact",
        ("jobs.pipelines.kubeflow.org", "*"): "get list create enable disable delete",
        ("serviceaccounts", "tidegate-run"): "get use",
        ("configmaps", "tidegate"): "get",
        ("pods", "*"): "get list",
        ("pods/log", "*"): "get",
        ("workflows.argoproj.io", "*"): "get list",
        ("localsubjectaccessreviews.authorization.k8s.io", "*"): "create",
        ("services/proxy", "ml-pipeline:http"): "get create update delete",
    },
}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_everybody_may_do_exactly_this(overlay: str) -> None:
    expected = {
        who: {
            Right("kubeflow", verb, resource, name)
            for (resource, name), verbs in table.items()
            for verb in verbs.split()
        }
        for who, table in EXPECTED.items()
    }
    assert rights(rendered(overlay)) == expected


@pytest.mark.parametrize(("overlay", "who"), product(OVERLAYS, (RUN, SUBMIT)))
def test_nobody_may_more_than_a_run_needs(overlay: str, who: str) -> None:
    for right in rights(rendered(overlay))[who]:
        assert right.namespace == "kubeflow", "a right in one namespace only"
        assert "*" not in (right.verb, right.resource), "no wildcard"
        assert right.resource.split(".")[0] not in {"pods/exec", "roles", "rolebindings"}, "no way to more rights"
        if right.resource in ("pods", "pods/log", "workflows.argoproj.io"):
            assert right.verb in ("get", "list"), "who makes a pod may all that its account may"
        if right.resource == "secrets":
            assert (right.verb, right.name) == ("get", "mlpipeline-minio-artifact"), (
                "no secret but that of the artifacts"
            )
        assert right.verb not in {"impersonate", "bind", "escalate"}


def test_the_submitter_sees_no_secret() -> None:
    assert "secrets" not in {right.resource for right in rights(rendered("local"))[SUBMIT]}


def test_the_submitter_may_see_what_the_client_looks_at() -> None:
    held = {(right.verb, right.resource) for right in rights(rendered("local"))[SUBMIT]}
    needed = {tuple(str(right).split(" ")) for right in (*OWN, REVIEW)}
    assert needed <= held


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_only_tasks_carry_a_token(overlay: str) -> None:
    carrying = {
        item["metadata"]["name"]
        for item in of_kind(overlay, "ServiceAccount")
        if item.get("automountServiceAccountToken", True)
    }
    assert carrying == {"tidegate-run"}
    assert not [item for item in rendered(overlay) if item["kind"].startswith("ClusterRole")]


def test_a_wildcard_and_a_cluster_wide_right_would_be_seen() -> None:
    rules = [{"apiGroups": [""], "resources": ["*"], "verbs": ["*"]}]
    role = {"kind": "ClusterRole", "metadata": {"name": "r"}, "rules": rules}
    binding = {
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "b"},
        "roleRef": {"kind": "ClusterRole", "name": "r"},
        "subjects": [{"kind": "Group", "name": "everybody"}],
    }
    assert rights([role, binding]) == {"Group /everybody": {Right("*", "*", "*", "*")}}

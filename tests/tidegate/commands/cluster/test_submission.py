"""`tidegate submit` against a Kubeflow that remembers: what it uploads, what it starts, what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.programs import git
from tests.tidegate.commands.cluster.kfp_server import KfpServer
from tidegate.commands.cluster import pipeline_versions
from tidegate.documents.formats import parse_yaml
from tidegate.pipelines import cluster, kubeflow

Tidegate = Callable[..., tuple[int, str, str]]


def test_it_uploads_this_commit_and_starts_a_run(server: KfpServer, clone: Path, tidegate: Tidegate) -> None:
    code, out, err = tidegate("submit", "--unchecked", "--until", "2013-04-01")
    assert (code, err) == (0, "")
    (run,) = server.kubeflow.runs.values()
    (version,) = server.kubeflow.versions.values()
    (pipeline,) = server.kubeflow.pipelines.values()
    (experiment,) = server.kubeflow.experiments.values()
    assert out == f"{server.url}/#/runs/details/{run.run_id}\n"
    commit = pipeline_versions.named(git("rev-parse", "HEAD"), kubeflow.compile())
    assert (pipeline.display_name, version.display_name) == ("tidegate-training", commit)
    assert version.pipeline_spec["text"] == kubeflow.compile(kubeflow.image_of(cluster.load()))
    assert run.pipeline_version_reference.pipeline_version_id == version.pipeline_version_id
    assert (experiment.display_name, run.experiment_id) == ("flights", experiment.experiment_id)
    assert (run.display_name, run.service_account) == ("flights 2013-04-01", cluster.load().service_account)
    parameters = run.runtime_config.parameters
    assert parameters.keys() == set(kubeflow.ir()["root"]["inputDefinitions"]["parameters"])
    assert parameters["ingest_until"] == "2013-04-01" and parameters["train_window_days"] == 365
    assert parameters["pull_data_dvc"] == (clone / "data.dvc").read_text()
    assert parameters["pull_remote"] == str(clone.parent / "store")
    assert "2013-03-01" in (clone / "params.yaml").read_text()  # nothing is written here


def test_a_version_is_uploaded_once(server: KfpServer, tidegate: Tidegate) -> None:
    for _ in range(2):
        assert tidegate("submit", "--unchecked")[0] == 0
    found = server.kubeflow
    assert [len(things) for things in (found.pipelines, found.versions, found.experiments, found.runs)] == [1, 1, 1, 2]
    git("commit", "--allow-empty", "--quiet", "--message", "Another")
    assert tidegate("submit", "--unchecked")[0] == 0
    assert [len(things) for things in (found.pipelines, found.versions, found.experiments, found.runs)] == [1, 2, 1, 3]


def test_a_version_can_be_uploaded_without_a_run(server: KfpServer, tidegate: Tidegate) -> None:
    commit = pipeline_versions.named(git("rev-parse", "HEAD"), kubeflow.compile())
    assert [tidegate("upload") for _ in range(2)] == [(0, f"{commit}\n", "")] * 2
    found = server.kubeflow
    assert [version.display_name for version in found.versions.values()] == [commit]
    assert not found.runs and not found.experiments
    assert tidegate("submit", "--unchecked")[0] == 0
    assert len(found.versions) == 1


def test_somebody_else_may_upload_the_same_version_at_the_same_time(server: KfpServer, tidegate: Tidegate) -> None:
    assert tidegate("submit", "--unchecked")[0] == 0
    server.kubeflow.late = ["pipelines", "versions"]  # not there when asked for, there when created
    assert tidegate("submit", "--unchecked")[0] == 0
    found = server.kubeflow
    assert [len(things) for things in (found.pipelines, found.versions, found.runs)] == [1, 1, 2]
    assert found.late == []


def test_json_is_all_that_is_on_stdout(server: KfpServer, tidegate: Tidegate) -> None:
    code, out, err = tidegate("submit", "--unchecked", "--json")
    (run,) = server.kubeflow.runs
    link = f"{server.url}/#/runs/details/{run}"
    version = pipeline_versions.named(git("rev-parse", "HEAD"), kubeflow.compile())
    assert code == 0 and json.loads(out) == {"run": run, "link": link, "version": version}
    assert err == f"{link}\n"


def test_settings_change_the_run_and_nothing_here(server: KfpServer, clone: Path, tidegate: Tidegate) -> None:
    words = ["train.window_days=90", "gate.mode=always", "evaluate.margin=1", "model.learning_rate=0.05"]
    assert tidegate("submit", "--unchecked", *(word for item in words for word in ("--set", item)))[0] == 0
    (run,) = server.kubeflow.runs.values()
    parameters = run.runtime_config.parameters
    assert (parameters["train_window_days"], parameters["gate_mode"]) == (90, "always")
    before = (clone / "model.yaml").read_text()
    assert parameters["pull_model_yaml"] == before.replace("learning_rate: 0.06", "learning_rate: 0.05")
    assert git("status", "--porcelain") == ""


def test_a_namespace_of_ones_own(server: KfpServer, tidegate: Tidegate) -> None:
    server.kubeflow.multi_user, server.namespaces = True, {"ada"}
    assert tidegate("submit", "--unchecked", "--namespace", "ada")[0] == 0
    (pipeline,), (experiment,) = server.kubeflow.pipelines.values(), server.kubeflow.experiments.values()
    assert pipeline.namespace == experiment.namespace == "ada"


def test_uncommitted_code_is_another_version(server: KfpServer, clone: Path, tidegate: Tidegate) -> None:
    (clone / "new.py").write_text("")
    assert tidegate("submit", "--unchecked")[0] == 0
    (version,) = server.kubeflow.versions.values()
    name, _, digest = version.display_name.partition("-")
    assert name == git("rev-parse", "HEAD") and len(digest) == 8


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--set", "train.window=90"], "--set train.window: expected a parameter of the pipeline or of the model"),
        (["--set", "train.window=90"], "did you mean train.window_days?"),
        (["--set", "train.window_days=ninety"], "--set train.window_days: expected a whole number, found 'ninety'"),
        (["--set", "train.window_days"], "expected section.key=value"),
        (["--set", "gate.decay=true"], "--set gate.decay: expected a number, found True"),
        (["--set", "model.depth=3"], "a parameter of model.yaml (learning_rate, max_iter,"),
        (["--set", "model.max_iter=[1"], "--set model.max_iter:1: expected YAML"),
        (["--set", "pull.data_dvc=x"], "--set pull.data_dvc"),
        (["--until", ""], "--until: expected a UTC time such as 2013-03-01, without an offset, found ''"),
        (["--until", "tomorrow"], "--until: expected a UTC time such as 2013-03-01"),
        (["--remote", "nowhere"], "DVC remote: expected a remote of this name, or an address, found nowhere"),
        (["--remote", "https://ada:hush@dvc.example/data"], "an address without a password"),
    ],
)
def test_what_is_wrong_is_one_line_and_starts_nothing(
    server: KfpServer, tidegate: Tidegate, words: list[str], line: str
) -> None:
    code, out, err = tidegate("submit", "--unchecked", *words)
    assert (code, out) == (2, "") and line in err and err.count("\n") == 1 and "hush" not in err
    assert server.kubeflow.runs == server.kubeflow.versions == {}


def test_too_long_files_are_refused_with_the_longest(server: KfpServer, clone: Path, tidegate: Tidegate) -> None:
    with (clone / "features.sql").open("a") as file:
        file.write("-- " + "x" * 128 * 1024 + "\n")
    code, _, err = tidegate("submit", "--unchecked")
    assert code == 2 and "at most 122,880 bytes in all" in err and "in pull_features_sql; shorten that file" in err


@pytest.mark.parametrize("text", ["$$", "$(", "{{"])
def test_a_text_that_would_come_to_the_step_as_another_is_refused(
    server: KfpServer, clone: Path, tidegate: Tidegate, text: str
) -> None:
    path = clone / "features.sql"
    path.write_text(f"-- $ {{ 1 }} $1\n-- {text}HOME)\n{path.read_text()}")
    code, _, err = tidegate("submit", "--unchecked")
    assert code == 2 and err == (
        "error: features.sql:2: expected a text without $$, $( and {{, which Kubernetes and Argo replace, "
        f"found {text}; write it in another way\n"
    )
    assert server.kubeflow.runs == {}


@pytest.mark.parametrize("name", ["contract.yaml", "model.yaml", "data.dvc", "params.yaml"])
def test_a_file_that_cannot_be_read_is_refused_here(
    server: KfpServer, clone: Path, tidegate: Tidegate, name: str
) -> None:
    (clone / name).write_text("a: [1\n")
    code, _, err = tidegate("submit", "--unchecked")
    assert code == 2 and f"{name}:2: expected YAML" in err and server.kubeflow.runs == {}


def test_a_parameter_that_nobody_set_is_named(server: KfpServer, clone: Path, tidegate: Tidegate) -> None:
    text = (clone / "params.yaml").read_text()
    (clone / "params.yaml").write_text(text.replace("  margin:", "  # margin:"))
    code, _, err = tidegate("submit", "--unchecked")
    assert code == 2 and "pipeline parameter evaluate_margin: expected evaluate.margin in params.yaml" in err


def test_a_problem_without_the_section_of_the_server_has_its_defaults(
    server: KfpServer, clone: Path, tidegate: Tidegate
) -> None:
    text = (clone / "params.yaml").read_text()
    (clone / "params.yaml").write_text(text.partition("serve:")[0])
    assert tidegate("submit", "--unchecked")[0] == 0
    (run,) = server.kubeflow.runs.values()
    parameters = run.runtime_config.parameters
    assert (parameters["serve_record"], parameters["deploy_shadow"]) == ("", False)


def test_a_model_with_settings_is_still_the_file_that_it_was(
    server: KfpServer, clone: Path, tidegate: Tidegate
) -> None:
    (clone / "model.yaml").write_text(
        "# Why this one.\nestimator: 'a.B'  # quoted\nparameters:\n  depth: 3   # deep enough\n  loss: \"log\"\n"
    )
    assert tidegate("submit", "--unchecked", "--set", "model.depth=null", "--set", "model.loss=1e-3")[0] == 0
    (run,) = server.kubeflow.runs.values()
    text = run.runtime_config.parameters["pull_model_yaml"]
    assert "# Why this one." in text and "# deep enough" in text and "'a.B'  # quoted" in text
    assert parse_yaml(text, "model.yaml")["parameters"] == {"depth": None, "loss": 0.001}

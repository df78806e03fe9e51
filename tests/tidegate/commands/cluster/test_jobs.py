"""`tidegate submit --pipeline predicting`: from cluster.yaml and params.yaml, or one line that says why not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tidegate.commands.cluster.conftest import PARAMETERS
from tests.tidegate.commands.cluster.kfp_server import KfpServer
from tidegate.pipelines import kubeflow

Tidegate = Callable[..., tuple[int, str, str]]
submit = ("submit", "--unchecked", "--pipeline", "predicting")


def test_it_starts_a_run_of_the_other_pipeline(server: KfpServer, predicting: Path, tidegate: Tidegate) -> None:
    code, out, err = tidegate(*submit)
    assert (code, err) == (0, "")
    (run,) = server.kubeflow.runs.values()
    (version,) = server.kubeflow.versions.values()
    (pipeline,) = server.kubeflow.pipelines.values()
    (experiment,) = server.kubeflow.experiments.values()
    assert out == f"{server.url}/#/runs/details/{run.run_id}\n"
    assert pipeline.display_name == "tidegate-predicting"
    assert version.pipeline_spec["text"] == kubeflow.compile(name="predicting")
    assert (experiment.display_name, run.display_name) == ("flights-predicting", "flights predicting")
    assert run.runtime_config.parameters == PARAMETERS
    taken = set(kubeflow.parts(kubeflow.compile(name="predicting"))[0]["root"]["inputDefinitions"]["parameters"])
    assert PARAMETERS.keys() == taken


def test_both_pipelines_have_versions_of_their_own(server: KfpServer, predicting: Path, tidegate: Tidegate) -> None:
    assert tidegate("submit", "--unchecked")[0] == tidegate(*submit)[0] == 0
    names = {item.pipeline_id: item.display_name for item in server.kubeflow.pipelines.values()}
    assert sorted(names.values()) == ["tidegate-predicting", "tidegate-training"]
    assert sorted(names[version.pipeline_id] for version in server.kubeflow.versions.values()) == sorted(
        names.values()
    )


def test_settings_override_both_files(server: KfpServer, predicting: Path, tidegate: Tidegate) -> None:
    words = ["predict.source=/rows/today", "predict.version=3", "predict.skip_bad=false", "serve.unknown=refuse"]
    assert tidegate(*submit, *(word for item in words for word in ("--set", item)))[0] == 0
    (run,) = server.kubeflow.runs.values()
    changed = {"source": "/rows/today", "version": "3", "skip_bad": False, "unknown": "refuse"}
    assert run.runtime_config.parameters == {**PARAMETERS, **changed}


@pytest.mark.parametrize(("place", "tables"), [("s3://shared/clean/", "s3://shared/clean/"), ("clean", "")])
def test_without_tables_they_are_those_of_the_server_where_the_cluster_has_them(
    place: str, tables: str, server: KfpServer, predicting: Path, tidegate: Tidegate
) -> None:
    predicting.write_text(predicting.read_text().replace("  tables: s3://clean/flights/\n", ""))
    params = predicting.with_name("params.yaml")
    params.write_text(params.read_text().replace('tables: ""', f"tables: {place}"))
    assert tidegate(*submit)[0] == 0
    (run,) = server.kubeflow.runs.values()
    assert run.runtime_config.parameters["tables"] == tables


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--until", "2013-04-01"), "--until: expected the pipeline training, found predicting; leave it out"),
        (("--remote", "store"), "--remote: expected the pipeline training, found predicting; leave it out"),
        (("--set", "predict.sauce=s3://a/"), "--set predict.sauce: expected one of deploy.sign, predict.skip_bad, "),
        (("--set", "train.window_days=3"), "--set train.window_days: expected one of deploy.sign, predict.skip_bad, "),
        (("--set", "serve.unknown=perhaps"), "--set serve.unknown: expected one of accept, refuse, found 'perhaps'"),
        (("--set", "predict.skip_bad=perhaps"), "--set predict.skip_bad: expected true or false, found 'perhaps'"),
        (("--set", "predict.source=here"), "cluster.yaml: predict.source: expected an S3 prefix such as s3://"),
        (("--set", "predict.version=new"), "cluster.yaml: predict.version: expected the number of a version"),
    ],
)
def test_what_it_does_not_take_is_one_line(
    words: tuple[str, ...], line: str, server: KfpServer, predicting: Path, tidegate: Tidegate
) -> None:
    code, out, err = tidegate(*submit, *words)
    assert (code, out) == (2, "") and err.startswith(f"error: {line}"), err
    assert len(err.splitlines()) == 1 and not server.kubeflow.runs


@pytest.mark.parametrize(
    ("target", "seconds", "code"), [("kserve", 1800, 2), ("kserve", 1799, 0), ("registry", 1800, 0)]
)
def test_a_canary_is_not_watched_for_longer_than_the_step_may_take(
    target: str, seconds: int, code: int, server: KfpServer, clone: Path, tidegate: Tidegate
) -> None:
    words = (f"deploy.target={target}", f"deploy.watch_seconds={seconds}")
    flags = (word for item in words for word in ("--set", item))
    found, _, err = tidegate("submit", "--unchecked", *flags)
    assert found == code and len(server.kubeflow.runs) == (not code)
    line = "error: deploy.watch_seconds: expected less than the 1,800 s of steps.deploy.timeout in cluster.yaml, found"
    assert err.startswith(line) if code else not err


def test_without_its_sections_it_is_refused(server: KfpServer, clone: Path, tidegate: Tidegate) -> None:
    code, _, err = tidegate(*submit)
    assert code == 2 and "cluster.yaml: steps: expected a section for the step predict, found none" in err
    path = clone / "cluster.yaml"
    path.write_text(path.read_text().replace("\nsteps:\n", "\nsteps:\n  predict: {}\n"))
    code, _, err = tidegate(*submit)
    assert code == 2 and err.startswith("error: cluster.yaml: predict: expected "), err
    assert not server.kubeflow.runs


def test_a_place_that_only_this_machine_has_is_refused_in_the_file(predicting: Path, tidegate: Tidegate) -> None:
    predicting.write_text(predicting.read_text().replace("s3://asked/flights/", "asked"))
    code, _, err = tidegate(*submit)
    assert code == 2 and "predict.source: expected an S3 prefix such as s3://bucket/asked/" in err

"""`tidegate schedule`: one recurring run, as declared, however often it is applied."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.programs import git
from tests.tidegate.commands.cluster.conftest import PARAMETERS
from tests.tidegate.commands.cluster.kfp_server import KfpServer
from tidegate.commands.cluster import jobs, pipeline_versions, schedules
from tidegate.pipelines import cluster, kubeflow
from tidegate.process.errors import InputError

Tidegate = Callable[..., tuple[int, str, str]]
apply = ("schedule", "apply", "--unchecked")


def only(server: KfpServer) -> Any:
    (found,) = server.kubeflow.recurring.values()
    return found


def test_it_is_made_as_declared(server: KfpServer, clone: Path, tidegate: Tidegate) -> None:
    code, out, err = tidegate(*apply)
    assert (code, err, out.splitlines()[0]) == (0, "", "created")
    found, wanted = only(server), schedules.declared()
    assert (found.display_name, found.status) == ("flights", "ENABLED")
    assert found.trigger.cron_schedule.cron == wanted.cron
    assert (int(found.max_concurrency), found.no_catchup) == (wanted.concurrency, not wanted.catchup)
    assert found.service_account == cluster.load().service_account
    parameters = found.runtime_config.parameters
    assert parameters["ingest_until"] == ""  # the step `collect` knows the day
    assert parameters["pull_contract_yaml"] == (clone / "contract.yaml").read_text()
    (version,) = server.kubeflow.versions.values()
    assert found.pipeline_version_reference.pipeline_version_id == version.pipeline_version_id


def test_applied_again_it_stays_the_same_one(server: KfpServer, tidegate: Tidegate) -> None:
    tidegate(*apply)
    before = only(server).recurring_run_id
    assert tidegate(*apply)[1].splitlines()[0] == "unchanged"
    assert only(server).recurring_run_id == before


def test_a_changed_one_takes_the_place_of_the_old_one_and_never_leaves_it_empty(
    server: KfpServer, clone: Path, tidegate: Tidegate
) -> None:
    tidegate(*apply)
    before = only(server).recurring_run_id
    (clone / "features.sql").write_text((clone / "features.sql").read_text() + "-- another\n")
    server.received.clear()
    assert tidegate(*apply)[1].splitlines()[0] == "replaced"
    assert only(server).recurring_run_id != before
    changes = [item.method for item in server.received if "/recurringruns" in item.path and item.method != "GET"]
    assert changes == ["POST", "DELETE"]


def test_one_that_was_applied_with_a_moment_that_kubeflow_never_fills_in_is_replaced(
    server: KfpServer, tidegate: Tidegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setitem(jobs.BY_ITSELF, jobs.UNTIL, "[[ScheduledTime.2006-01-02]]")
        tidegate(*apply)
    assert tidegate(*apply)[1].splitlines()[0] == "replaced"
    assert only(server).runtime_config.parameters["ingest_until"] == ""


def test_one_that_was_paused_stays_paused_when_it_is_replaced(server: KfpServer, tidegate: Tidegate) -> None:
    tidegate(*apply)
    assert tidegate("schedule", "pause")[1] == "paused\n" and only(server).status == "DISABLED"
    git("commit", "--allow-empty", "--quiet", "--message", "Another")
    assert tidegate(*apply)[1].splitlines()[0] == "replaced" and only(server).status == "DISABLED"
    assert "paused" in tidegate("schedule", "show")[1]
    assert tidegate("schedule", "resume")[1] == "enabled\n" and only(server).status == "ENABLED"


def test_what_was_left_half_done_is_finished(server: KfpServer, tidegate: Tidegate) -> None:
    """A new one was made, and the old one was not deleted."""
    tidegate(*apply)
    old = only(server)
    git("commit", "--allow-empty", "--quiet", "--message", "Another")
    tidegate(*apply)
    new = only(server)
    server.kubeflow.recurring[old.recurring_run_id] = old
    assert tidegate(*apply)[1].splitlines()[0] == "replaced"
    assert only(server).recurring_run_id == new.recurring_run_id


def test_it_is_shown_and_deleted(server: KfpServer, tidegate: Tidegate) -> None:
    assert tidegate("schedule", "show") == (0, "no schedule: see `tidegate schedule apply`\n", "")
    for verb in ("pause", "resume", "delete"):
        code, _, err = tidegate("schedule", verb)
        assert code == 2 and "schedule: expected a recurring run, found none" in err
    tidegate(*apply)
    (told,) = json.loads(tidegate("schedule", "show", "--json")[1])
    name = only(server).recurring_run_id
    wanted = schedules.declared()
    assert told == {
        "id": name,
        "state": "enabled",
        "cron": wanted.cron,
        "catchup": wanted.catchup,
        "concurrency": wanted.concurrency,
        "version": pipeline_versions.named(git("rev-parse", "HEAD"), kubeflow.compile()),
        "link": f"{server.url}/#/recurringrun/details/{name}",
    }
    assert wanted.cron in tidegate("schedule", "show")[1]
    assert tidegate("schedule", "delete")[1] == "deleted\n" and server.kubeflow.recurring == {}


def test_another_problem_has_a_schedule_of_its_own(server: KfpServer, clone: Path, tidegate: Tidegate) -> None:
    tidegate(*apply)
    contract = clone / "contract.yaml"
    contract.write_text(contract.read_text().replace("\nname: flights\n", "\nname: trains\n"))
    assert tidegate(*apply)[1].splitlines()[0] == "created"
    found = server.kubeflow.recurring.values()
    assert sorted(run.display_name for run in found) == ["flights", "trains"]
    assert len({run.experiment_id for run in found}) == 2
    assert len(json.loads(tidegate("schedule", "show", "--json")[1])) == 1
    assert tidegate("schedule", "delete")[0] == 0
    assert only(server).display_name == "flights"


def test_the_pipeline_that_predicts_has_a_schedule_of_its_own(
    server: KfpServer, predicting: Path, tidegate: Tidegate
) -> None:
    which = ("--pipeline", "predicting")
    tidegate(*apply)
    assert tidegate(*apply, *which)[1].splitlines()[0] == "created"
    assert tidegate(*apply, *which)[1].splitlines()[0] == "unchanged"
    both = {run.display_name: run for run in server.kubeflow.recurring.values()}
    assert both.keys() == {"flights", "flights-predicting"}
    found = both["flights-predicting"]
    assert found.trigger.cron_schedule.cron == "0 30 6 * * *"
    assert found.experiment_id != both["flights"].experiment_id
    assert found.runtime_config.parameters == PARAMETERS
    assert [row["cron"] for row in json.loads(tidegate("schedule", "show", "--json", *which)[1])] == ["0 30 6 * * *"]
    assert tidegate("schedule", "pause", *which)[0] == 0
    assert {run.display_name: run.status for run in server.kubeflow.recurring.values()} == {
        "flights": "ENABLED",
        "flights-predicting": "DISABLED",
    }
    predicting.write_text(predicting.read_text().replace("0 30 6", "0 45 6"))
    assert tidegate(*apply, *which)[1].splitlines()[0] == "replaced"
    assert tidegate("schedule", "delete", *which)[1] == "deleted\n"
    assert only(server).display_name == "flights"


def test_predicting_on_a_schedule_needs_one(server: KfpServer, predicting: Path, tidegate: Tidegate) -> None:
    text = predicting.read_text()
    predicting.write_text(text.replace('  schedule: {cron: "0 30 6 * * *", catchup: false, concurrency: 1}\n', ""))
    code, _, err = tidegate(*apply, "--pipeline", "predicting")
    assert code == 2 and "cluster.yaml: predict.schedule.catchup: expected the keys cron, catchup, concurrency" in err
    assert not server.kubeflow.recurring


def test_what_a_person_made_by_hand_is_left_alone(server: KfpServer, tidegate: Tidegate) -> None:
    tidegate(*apply)
    only(server).description = "mine"
    assert tidegate(*apply)[1].splitlines()[0] == "created" and len(server.kubeflow.recurring) == 2
    assert tidegate("schedule", "delete")[0] == 0
    assert only(server).description == "mine"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('cron: "0 0 6 1 * *"', 'cron: "0 6 1 * *"', "schedule.cron: expected six fields"),
        ('cron: "0 0 6 1 * *"', 'cron: "0 0 6 1 * ;"', "schedule.cron: expected six fields"),
        ('cron: "0 0 6 1 * *"', "cron: 6", "schedule.cron: expected six fields"),
        ("catchup: false", "catchup: never", "schedule.catchup: expected true or false, found 'never'"),
        ("concurrency: 1", "concurrency: 11", "schedule.concurrency: expected a whole number from 1 to 10"),
        ("concurrency: 1", "concurrency: true", "schedule.concurrency: expected a whole number from 1 to 10"),
        ("concurrency: 1", "at_once: 1", "schedule."),
    ],
)
def test_a_declaration_that_kubeflow_would_misread_is_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = cluster.PATH.read_text()
    assert old in text
    (tmp_path / "cluster.yaml").write_text(text.replace(old, new))
    with pytest.raises(InputError) as error:
        schedules.declared(tmp_path / "cluster.yaml")
    assert told in str(error.value)


def test_everything_that_is_declared_tells_two_declarations_apart() -> None:
    schedule = schedules.Schedule("0 0 6 1 * *", False, 1)
    given: tuple[Any, ...] = (schedule, "version", {"a": 1}, "account")
    others: list[tuple[Any, ...]] = [
        (schedule._replace(cron="0 0 7 1 * *"), *given[1:]),
        (schedule._replace(catchup=True), *given[1:]),
        (schedule._replace(concurrency=2), *given[1:]),
        (schedule, "another", *given[2:]),
        (schedule, "version", {"a": 2}, "account"),
        (schedule, "version", {"a": 1}, "another"),
    ]
    digests = {schedules.digest(*item) for item in [given, *others]}
    assert len(digests) == 1 + len(others) and schedules.digest(*given) in digests

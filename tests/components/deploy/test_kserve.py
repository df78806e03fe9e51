"""`deploy.target: kserve`: a version is a canary first, and champion only if it has passed."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.components.deploy.conftest import ON_KSERVE, Serve, applied, predictor
from tests.durations import HANGING
from tests.servers.kserve.cluster import Backend, Behaviour, KServeCluster, Reply, Service
from tests.servers.kserve.rules import MODE
from tests.toy import flag_words
from tidegate.commands.cluster import prerequisites
from tidegate.commands.reviewing import approvals as reviewing
from tidegate.commands.reviewing import champions
from tidegate.process.errors import InputError, TrackingError, UnavailableError
from tidegate.rollout import trial, watch
from tidegate.rollout.target import Target
from tidegate.tracking.journal import history
from tidegate.tracking.store import connect

if TYPE_CHECKING:
    from tests.toy import World

ROOT = Path(__file__).parents[3]


def champion() -> str | None:
    return history(connect(), "toy").champion


def left(service: Service) -> Any:
    """The canary that is on the cluster."""
    return service.document["spec"].get("canary")


def ended(*_: Any) -> None:
    """What a signal does in a trial."""
    raise SystemExit(143)


def faulty(inner: Backend, reply: Callable[[int, Reply], Reply]) -> Backend:
    """A server whose answers to predictions are changed; they are counted from 1."""
    asked = [0]

    def answer(method: str, path: str, body: bytes) -> Reply:
        said = inner(method, path, body)
        if method == "GET":
            return said
        asked[0] += 1
        return reply(asked[0], said)

    return answer


def test_a_version_is_a_canary_then_champion(
    serve_judged: Serve, judged: "World", capsys: pytest.CaptureFixture[str]
) -> None:
    service = serve_judged()
    judged.run("deploy", **ON_KSERVE)
    release = judged.json("release")
    assert (release["promoted"], release["version"], release["champion"]) == (True, "2", "2")
    given = [patch["spec"]["canary"] for patch in service.patches]
    assert [canary and canary[0]["trafficPercent"] for canary in given] == [40, 100, None]
    canary = given[0][0]["predictor"]
    assert canary["name"] == "v2"
    assert canary["model"]["args"] == ["--name", "toy", "--version", "2"]
    assert canary["annotations"] == {"tidegate/version": "2", "tidegate/batch": release["batch"]}
    assert not canary.keys() & {"minReplicas", "maxReplicas"}
    assert "canary" not in service.document["spec"]
    assert service.asked["v2"] > 20 and service.asked[""] > 20
    assert re.fullmatch(
        "version 2 is a canary of InferenceService shop/toy with 40 % of the traffic\n"
        "version 2 is a canary of InferenceService shop/toy with 100 % of the traffic\n"
        r"InferenceService shop/toy serves version 2, \d+ s after its promotion\n"
        "version 2 is champion\n",
        capsys.readouterr().out,
    )


def test_the_first_version_has_nothing_to_be_compared_with(kserve: KServeCluster, trained: "World") -> None:
    service = applied(kserve, trained)
    assert "address" not in service.document["status"]  # the predictor waits for a champion
    trained.run("deploy", **ON_KSERVE)
    assert trained.json("release")["promoted"]
    assert service.patches == []
    assert service.asked == {"": 20}  # ten in a row of each of two pods


def test_a_cluster_that_splits_nothing(
    serve_judged: Serve, judged: "World", capsys: pytest.CaptureFixture[str]
) -> None:
    service = serve_judged(Behaviour(splits=False))
    judged.run("deploy", **{**ON_KSERVE, "canary_percent": 99, "watch_seconds": 5})
    assert champion() == "2" and left(service) is None
    assert "reached the canary: KServe splits from 0.21 on" in capsys.readouterr().out


def test_what_comes_between_is_read_again(serve_judged: Serve, judged: "World") -> None:
    service = serve_judged(Behaviour(conflicts=5, away=3))
    judged.run("deploy", **ON_KSERVE)
    assert champion() == "2" and left(service) is None


def wrong(number: int, said: Reply) -> Reply:
    document = json.loads(said[1])
    return said[0], json.dumps({**document, "predictions": [0.5] * len(document.get("predictions", ()))}).encode()


@pytest.mark.parametrize(
    ("behaviour", "reply", "reason"),
    [
        (Behaviour(never_ready=True), None, "InferenceService shop/toy: expected the canary to be ready within"),
        (Behaviour(), wrong, "expected the predictions of training, found others of 20 golden rows"),
        (Behaviour(), lambda number, said: (503, b"{}"), "expected predictions of its golden rows, found status 503"),
        (Behaviour(), lambda number, said: said if number < 13 else (500, b"{}"), "requests failed, last: status 500"),
        (
            Behaviour(),
            lambda number, said: said if number < 13 else wrong(number, said),
            "gave in training, found others",
        ),
        (Behaviour(), lambda number, said: (200, b"<html>"), "found an answer that is not of `tidegate serve`"),
    ],
)
def test_a_version_that_is_not_fit_is_undone(
    serve_judged: Serve, judged: "World", behaviour: Behaviour, reply: Any, reason: str
) -> None:
    service = serve_judged(behaviour)
    if reply:
        service.canary = lambda version: faulty(predictor(judged, version), reply)
    judged.run("deploy", **ON_KSERVE)
    release = judged.json("release")
    assert (release["promoted"], release["version"], release["champion"]) == (False, "2", "1")
    assert release["reason"].startswith("not fit on KServe: ") and reason in release["reason"]
    assert champion() == "1" and left(service) is None
    count = len(service.patches)
    judged.run("deploy", **ON_KSERVE)
    assert judged.json("release") == release and len(service.patches) == count  # a batch is released once


def test_a_canary_that_is_slow(serve_judged: Serve, judged: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    def late(number: int, said: Reply) -> Reply:
        time.sleep(0.15 if number > 15 else 0)
        return said

    monkeypatch.setattr(watch, "FAST_ENOUGH_SECONDS", 0.0)
    monkeypatch.setattr(watch, "SLOWER", 0.5)  # the time of a request varies here
    service = serve_judged()
    service.canary = lambda version: faulty(predictor(judged, version), late)
    judged.run("deploy", **ON_KSERVE)
    assert "expected a p99 of at most 0.5 times" in judged.json("release")["reason"]
    assert left(service) is None


@pytest.mark.parametrize(
    ("behaviour", "spec", "error"),
    [
        (
            Behaviour(rights=("get",)),
            {},
            "expected the right to patch inferenceservices.serving.kserve.io in namespace",
        ),
        (Behaviour(rights=()), {}, "expected the right to get inferenceservices.serving.kserve.io in namespace shop"),
        (Behaviour(denial="no canary on Fridays"), {}, "denied the request: no canary on Fridays"),
        (Behaviour(knows_canary=False), {}, "expected a KServe that knows spec.canary, found an older one"),
        (Behaviour(conflicts=99), {}, "expected a change that comes through, found 8 conflicts in a row"),
        (Behaviour(away=9999), {}, "expected the Kubernetes API to answer, found 503"),
        (Behaviour(), {"canaryTrafficPercent": 10}, "expected no canaryTrafficPercent, which this mode ignores"),
    ],
)
def test_what_the_cluster_refuses_is_one_line_and_a_later_run_goes_on(
    serve_judged: Serve, judged: "World", behaviour: Behaviour, spec: Any, error: str
) -> None:
    service = serve_judged(behaviour, **spec)
    done = judged.here("deploy", **ON_KSERVE)
    assert done.returncode in (2, 75)
    assert [error in line for line in done.stderr.splitlines()] == [True]
    assert champion() == "1" and left(service) is None
    service.behaviour = Behaviour()
    service.document["spec"]["predictor"].pop("canaryTrafficPercent", None)
    judged.run("deploy", **ON_KSERVE)
    assert judged.json("release")["promoted"]


def test_what_is_not_as_it_must_be_is_one_line(
    kserve: KServeCluster, judged: "World", fails: Callable[..., list[str]]
) -> None:
    assert "expected one on the cluster, found none" in fails(judged, "deploy", **ON_KSERVE)[0]
    service = applied(kserve, judged)
    metadata, spec = service.document["metadata"], service.document["spec"]
    metadata["annotations"][MODE] = "Knative"
    assert f"expected the annotation {MODE}: Standard, found Knative" in fails(judged, "deploy", **ON_KSERVE)[0]
    metadata["annotations"][MODE] = "Standard"
    model = spec["predictor"].pop("model")
    spec["predictor"]["containers"] = [{"name": "kserve-container"}]
    assert "expected spec.predictor.model with a ServingRuntime" in fails(judged, "deploy", **ON_KSERVE)[0]
    spec["predictor"] = {"model": model}
    spec["canary"] = [{"trafficPercent": 5, "predictor": {"name": "theirs", "model": model}}]
    assert "expected no canary of another's, found theirs" in fails(judged, "deploy", **ON_KSERVE)[0]
    assert left(service)[0]["predictor"]["name"] == "theirs"
    del spec["canary"]
    good, service.stable = service.stable, lambda *_: (503, b"")
    assert "expected one that is ready, found" in fails(judged, "deploy", **ON_KSERVE)[0]
    service.stable = lambda method, path, body: (200, b"") if method == "GET" else (502, b"")
    assert "expected the predictor to answer, found status 502" in fails(judged, "deploy", **ON_KSERVE)[0]
    service.stable = good
    assert service.patches == []


def test_another_run_that_takes_the_canary_away(
    serve_judged: Serve, judged: "World", fails: Callable[..., list[str]]
) -> None:
    service = serve_judged()

    def take(number: int, said: Reply) -> Reply:
        service.document["spec"].pop("canary", None)
        return said

    service.canary = lambda version: faulty(predictor(judged, version), take)
    assert "expected" in fails(judged, "deploy", **ON_KSERVE)[0]
    assert champion() == "1"


def test_a_predictor_that_does_not_follow_leaves_the_canary(
    serve_judged: Serve, judged: "World", capsys: pytest.CaptureFixture[str]
) -> None:
    service = serve_judged()
    following, service.stable = service.stable, predictor(judged, "1")
    with pytest.raises(UnavailableError, match="expected the predictor to follow to version 2, found version 1"):
        judged.run("deploy", **ON_KSERVE)
    assert champion() == "2" and left(service)[0]["trafficPercent"] == 100
    service.stable = following
    judged.run("deploy", **ON_KSERVE)
    assert judged.json("release")["promoted"] and left(service) is None


@pytest.fixture
def problem(judged: "World", monkeypatch: pytest.MonkeyPatch) -> "World":
    """The folder of the problem, whose params.yaml names KServe, is the working directory."""
    text = (ROOT / "params.yaml").read_text().replace("target: registry", "target: kserve")
    text = text.replace('service: ""', "service: shop/toy").replace("watch_seconds: 60", "watch_seconds: 1")
    (judged / "params.yaml").write_text(text)
    monkeypatch.chdir(judged.folder)
    return judged


def test_an_approval_goes_the_same_way(serve_judged: Serve, problem: "World") -> None:
    service = serve_judged()
    problem.run("deploy", **ON_KSERVE, approval="manual")
    assert service.patches == []
    good, service.canary = service.canary, lambda version: faulty(predictor(problem, version), wrong)
    with pytest.raises(InputError, match=r"approval of toy version 2: expected a version that passes its trial"):
        reviewing.approve("2", "looks well")
    assert champion() == "1" and left(service) is None
    service.canary, service.made = good, {}
    reviewing.approve("2", "looks well")
    assert champion() == "2" and left(service) is None
    with pytest.raises(TrackingError):
        reviewing.approve("1", "why not")


def test_a_rollback_removes_the_canary_and_waits(
    serve_judged: Serve, problem: "World", capsys: pytest.CaptureFixture[str]
) -> None:
    service = serve_judged()
    problem.run("deploy", **ON_KSERVE)
    spec = service.document["spec"]
    notes = {"tidegate/version": "3", "tidegate/batch": "b"}
    model = {**spec["predictor"]["model"], "name": "", "args": ["--version", "2"]}
    spec["canary"] = [{"trafficPercent": 10, "predictor": {"name": "v3", "model": model, "annotations": notes}}]
    assert champions.rollback(None, "complaints") == "1"
    assert champion() == "1" and left(service) is None
    said = capsys.readouterr().out
    assert "the canary of version 3, left over by another run, is removed" in said
    assert re.search(r"InferenceService shop/toy serves version 1, \d+ s after its promotion", said)


def test_a_shut_gate_removes_what_a_killed_run_left(
    serve_judged: Serve, judged: "World", capsys: pytest.CaptureFixture[str]
) -> None:
    service = serve_judged()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(trial, "_watch", ended)
        judged.run("deploy", **ON_KSERVE)
    assert left(service)[0]["trafficPercent"] == 40 and champion() == "1"
    given = {"target": "kserve", "service": "shop/toy"}
    judged.run("gate", **given, mode="always")
    assert left(service)[0]["trafficPercent"] == 40, "a deploy follows, which goes on or removes it"
    judged.run("gate", **given, mode="never")
    assert left(service) is None and champion() == "1"
    assert "the canary of version 2, left over by another run, is removed" in capsys.readouterr().out
    judged.run("gate", **given, mode="never")
    assert "left over" not in capsys.readouterr().out


def test_a_shut_gate_completes_what_a_killed_run_had_promoted(
    serve_judged: Serve, judged: "World", capsys: pytest.CaptureFixture[str]
) -> None:
    service = serve_judged()
    following, service.stable = service.stable, predictor(judged, "1")
    with pytest.raises(UnavailableError):
        judged.run("deploy", **ON_KSERVE)
    given = {"target": "kserve", "service": "shop/toy", "mode": "never"}
    judged.run("gate", **given)
    assert left(service)[0]["trafficPercent"] == 100, "it answers with the champion until the predictor does"
    assert "warning: whether a canary is left over was not seen" in capsys.readouterr().out
    service.stable = following
    judged.run("gate", **given)
    assert left(service) is None and champion() == "2"
    assert "the canary of version 2, which is champion, is removed" in capsys.readouterr().out


def test_a_shut_gate_needs_no_cluster(
    serve_judged: Serve, judged: "World", capsys: pytest.CaptureFixture[str]
) -> None:
    serve_judged(Behaviour(away=9999))
    judged.run("gate", target="kserve", service="shop/toy", mode="never")
    assert judged.json("decision")["decision"] == "keep"
    assert "warning: whether a canary is left over was not seen" in capsys.readouterr().out


def test_sigterm_in_a_trial_leaves_what_the_next_run_completes(serve_judged: Serve, judged: "World") -> None:
    service = serve_judged()
    flags = flag_words(judged.flags("deploy", **{**ON_KSERVE, "watch_seconds": 600}))
    words = [sys.executable, "-m", "tidegate", "step", "deploy", *flags]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while "is a canary of" not in (line := process.stdout.readline()):
            assert line, process.stderr and process.stderr.read()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=HANGING)
    assert process.returncode in (143, -signal.SIGTERM) and "Traceback" not in err
    assert "version 2 is still a canary of InferenceService shop/toy: the next run goes on, or removes it" in out + err
    assert left(service)[0]["trafficPercent"] == 40 and champion() == "1"
    assert not (judged / "release.json").exists() or judged.json("release")["champion"] != "2"
    judged.run("deploy", **ON_KSERVE)
    assert left(service) is None and champion() == "2" and judged.json("release")["promoted"]


def test_a_rollback_needs_no_cluster(
    serve_judged: Serve, problem: "World", capsys: pytest.CaptureFixture[str]
) -> None:
    service = serve_judged()
    problem.run("deploy", **ON_KSERVE)
    service.behaviour.away = 9999
    assert champions.rollback(None, "complaints") == "1"
    assert champion() == "1"
    assert "warning: it was not seen to serve: InferenceService shop/toy: expected" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("behaviour", "spec", "state", "line"),
    [
        (Behaviour(), {}, "ok", "InferenceService shop/toy takes a canary"),
        (
            Behaviour(knows_canary=False),
            {},
            "wrong",
            "InferenceService shop/toy: expected a KServe that knows spec.canary, found an older one; install 0.20",
        ),
        (
            Behaviour(),
            {"canaryTrafficPercent": 10},
            "wrong",
            "InferenceService shop/toy: expected no canaryTrafficPercent, which this mode ignores, found one",
        ),
        (Behaviour(rights=("get",)), {}, "not checked", "InferenceService shop/toy: expected the right to patch"),
        (Behaviour(denial="no"), {}, "wrong", "InferenceService shop/toy: expected a canary that KServe accepts"),
    ],
)
def test_the_doctor_asks_kserve_and_changes_nothing(
    behaviour: Behaviour, spec: dict[str, Any], state: str, line: str, serve_judged: Serve, problem: "World"
) -> None:
    service = serve_judged(behaviour, **spec)
    before = json.dumps(service.document["spec"])
    target = Target("kserve", "shop/toy")
    (check,) = prerequisites.run(prerequisites.of_the_target(None, "kubeflow", target))
    assert (check.name, check.state) == ("kserve", state), check
    assert check.message.startswith(line)
    assert json.dumps(service.document["spec"]) == before
    assert prerequisites.of_the_target(None, None, Target()) == {}

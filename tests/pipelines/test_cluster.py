"""`cluster.yaml`: what it says, and how its faults are told."""

from pathlib import Path

import pytest

from tidegate.pipelines import cluster
from tidegate.pipelines.cluster import Reference, Retries, Volume
from tidegate.process.errors import InputError

TEXT = cluster.PATH.read_text()


def fault(folder: Path, *changes: tuple[str, str]) -> list[str]:
    """How the file with these changes is refused: the lines, without the name of the file."""
    text = TEXT
    for old, new in changes:
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    path = folder / "cluster.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        cluster.load(path)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{path}:") for line in lines)
    return [line.removeprefix(f"{path}:") for line in lines]


def line_of(text: str) -> int:
    """The line of the file where a text stands."""
    return TEXT[: TEXT.index(text)].count("\n") + 1


def test_a_step_takes_the_defaults_and_what_it_says_itself() -> None:
    found = cluster.load()
    assert found.steps["ingest"].timeout == 30 * 60
    assert found.steps["train"].timeout == 2 * 60 * 60
    assert found.steps["pull"].retries == Retries(3, 30)
    assert found.steps["train"].retries == found.steps["ingest"].retries == Retries(2, 30)
    assert (found.repository, found.service_account) == ("tidegate/steps", "tidegate-run")


def test_an_environment_is_references() -> None:
    found = cluster.load().steps["pull"].environment
    keys = {name: name for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    assert found[0] == Reference("secret", "tidegate-data", keys, False)
    assert [(other.kind, other.name, other.optional) for other in found[1:]] == [("config_map", "tidegate", True)]


FAULTS = [
    ("  pull_policy: IfNotPresent", "  pull_policy: Sometimes", "IfNotPresent, Never, found 'Sometimes'"),
    ("  repository: tidegate/steps", "  repository: tidegate/steps:latest", "an image's name without a tag"),
    ("service_account: tidegate-run", "service_account: Tidegate_Run", "the name of an object of Kubernetes"),
    ("      tidegate-mlflow:", "      Tidegate Mlflow:", "the name of an object of Kubernetes"),
    ("{MLFLOW_TRACKING_URI: TIDEGATE_TRACKING_URI}", "{MLFLOW_TRACKING_URI: uri}", "the name of a variable"),
    ('  cpu: {request: 250m, limit: "1"}', "  cpu: {request: 250m, limit: 1}", "a text, found 1"),
    ('  cpu: {request: 250m, limit: "1"}', '  cpu: {request: 2000m, limit: "1"}', "a request within the limit"),
    ("  memory: {request: 512Mi, limit: 1Gi}", "  memory: {request: 512Mi, limit: 1gb}", "a number and Mi, Gi, Ti"),
    ("  memory: {request: 512Mi, limit: 1Gi}", "  memory: {request: 1.5G, limit: 2Gi}", "a number and Mi, Gi, Ti"),
    ("  timeout: 30m", "  timeout: 30", "a text, found 30"),
    ("  timeout: 30m", "  timeout: 30 minutes", "a number and s, m or h"),
    ("  retries: {times: 2, wait: 30s}", "  retries: {times: 2}", "all of times, wait, found no wait"),
    ("  retries: {times: 2, wait: 30s}", "  retries: {times: -1, wait: 30s}", "0 or more"),
    ("    timeout: 2h", "    timout: 2h", "(did you mean 'timeout'?)"),
    ("    timeout: 2h", "    env: {PASSWORD: secret}", "one of uses, mounts, cpu, memory"),
    (
        "    uses: [data, endpoint]",
        "    uses: [dato]",
        "one of mlflow, data, endpoint, found 'dato' (did you mean 'data'?)",
    ),
    ("  ingest: {}", "  ingest:", "names with values, found nothing"),
    ("fuse: []", "fuse: [[ingest, validate], gate]", "a list, found 'gate'"),
    ("fuse: []", "fuse: [[ingest]]", "two steps or more, found ingest"),
    ("fuse: []", "fuse: [[ingest, valdate]]", "found 'valdate' (did you mean 'validate'?)"),
    ("fuse: []", "fuse: [[ingest, validate], [featurize, ingest]]", "every step once, found ingest again"),
]


@pytest.mark.parametrize(("old", "new", "told"), FAULTS)
def test_a_fault_is_told_with_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    (found,) = fault(tmp_path, (old, new))
    assert found.startswith(f"{line_of(old)}: ")
    assert told in found


def test_a_step_is_run_by_its_own_task_unless_it_is_fused(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text(TEXT.replace("fuse: []", "fuse: [[ingest, validate], [train, evaluate]]"))
    found = cluster.load(path)
    assert [found.task_of(step) for step in ("ingest", "validate", "gate")] == ["ingest-validate"] * 2 + ["gate"]
    assert cluster.load().task_of("validate") == "validate"


def test_a_variable_that_comes_twice_is_refused(tmp_path: Path) -> None:
    again = "      other: {uri: AWS_ENDPOINT_URL}\n      tidegate-data:"
    collect, pull = fault(tmp_path, ("      tidegate-data:", again))
    assert collect.startswith(f"{line_of('    uses: [data, endpoint]') + 1}: steps.collect.uses.1: ")
    assert " steps.pull.uses.1: " in pull
    assert all("expected every variable once, found AWS_ENDPOINT_URL again" in found for found in (collect, pull))


KEYS = "volumes:\n  keys: {secret: tidegate-keys, at: /keys}\n  again: {config_map: hosts, at: /keys}"
MOUNTED = ("  ingest: {}", "  ingest: {mounts: [keys]}")


def test_a_volume_is_a_reference(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text(TEXT.replace("volumes: {}", KEYS).replace(*MOUNTED))
    found = cluster.load(path)
    assert found.steps["ingest"].volumes == (Volume("secret", "tidegate-keys", "/keys"),)
    assert found.steps["validate"].volumes == ()


@pytest.mark.parametrize(
    ("volumes", "mounts", "told"),
    [
        ("volumes:\n  keys: {at: /keys}", "[keys]", "one of secret, config_map and claim, found none"),
        ("volumes:\n  keys: {claim: a, secret: b, at: /keys}", "[]", "config_map and claim, found claim and secret"),
        ("volumes:\n  keys: {claim: a, at: keys}", "[keys]", "the path of a folder, from the root, found 'keys'"),
        ("volumes:\n  keys: {claim: a}", "[keys]", "all of at, found no at"),
        (KEYS, "[key]", "one of keys, again, found 'key' (did you mean 'keys'?)"),
        (KEYS, "[keys, again]", "every folder once, found /keys again"),
        ("volumes: {}", "[keys]", "one of the names of volumes, found 'keys'"),
    ],
)
def test_a_volume_that_is_none_is_told(tmp_path: Path, volumes: str, mounts: str, told: str) -> None:
    (found,) = fault(tmp_path, ("volumes: {}", volumes), ("  ingest: {}", f"  ingest: {{mounts: {mounts}}}"))
    assert told in found


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    assert len(fault(tmp_path, ("  timeout: 30m", "  timeout: 30"), ("    timeout: 2h", "    timout: 2h"))) == 2


def test_a_missing_section_and_no_yaml_are_one_line_each(tmp_path: Path) -> None:
    assert fault(tmp_path, ("defaults:", "default:"))
    (found,) = fault(tmp_path, ("  ingest: {}", "  ingest: {"))
    assert "expected YAML" in found

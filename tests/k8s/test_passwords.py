"""`make secrets`: what the pods refer to is there, in two files that nobody else reads and git ignores."""

import json
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from k8s import passwords
from tests.k8s.manifests import OVERLAYS, ROOT, containers, of_kind, pods
from tidegate.process.errors import InputError

TEMPLATE = (ROOT / "k8s/secrets.example.env").read_text()
NAMES = re.findall(r"^(\w+)=", TEMPLATE, re.MULTILINE)
GIVEN = {name: f"given-{name}" for name in NAMES}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A k8s folder as it comes from git."""
    shutil.copytree(ROOT / "k8s/base", tmp_path / "base")
    shutil.copy(ROOT / "k8s/secrets.example.env", tmp_path)
    return tmp_path


def made(folder: Path) -> dict[tuple[str, str], dict[str, str]]:
    """The data of every Secret, by namespace and name."""
    items = json.loads((folder / "secrets.json").read_text())["items"]
    return {(item["metadata"]["namespace"], item["metadata"]["name"]): item["stringData"] for item in items}


@pytest.mark.tools
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_pods_find_every_key_they_refer_to_and_there_is_no_other(overlay: str, folder: Path) -> None:
    (folder / "secrets.env").write_text("".join(f"{name}={value}\n" for name, value in GIVEN.items()))
    passwords.make(folder, overlay)
    found = made(folder)
    whole, keys = set(), set()
    for _, pod in pods(overlay):
        whole |= {volume["secret"]["secretName"] for volume in pod["spec"]["volumes"] if "secret" in volume}
        for container in containers(pod):
            whole |= {source["secretRef"]["name"] for source in container.get("envFrom", []) if "secretRef" in source}
            references = [entry.get("valueFrom", {}).get("secretKeyRef") for entry in container.get("env", [])]
            keys |= {(reference["name"], reference["key"]) for reference in references if reference}
    assert all(key in found["tidegate", name] for name, key in keys)
    assert {name for namespace, name in found if namespace == "tidegate"} == whole | {name for name, _ in keys}
    tasks = of_kind(overlay, "ServiceAccount")[0]["metadata"]["namespace"]
    assert {name for namespace, name in found if namespace == tasks} == {"tidegate-mlflow", "tidegate-data"}


def test_both_sides_are_told_the_same(folder: Path) -> None:
    passwords.make(folder, "local")
    found = made(folder)
    assert found["kubeflow", "tidegate-mlflow"]["username"] == "tidegate"
    assert found["kubeflow", "tidegate-mlflow"]["password"] == found["tidegate", "mlflow-users"]["MLFLOW_RUN_PASSWORD"]
    assert found["tidegate", "mlflow"]["PGPASSWORD"] == found["tidegate", "postgres"]["password"]
    identities = json.loads(found["tidegate", "object-store"]["s3.json"])["identities"]
    for owner, bucket in ((found["tidegate", "mlflow"], "mlflow"), (found["kubeflow", "tidegate-data"], "data")):
        (identity,) = [item for item in identities if item["name"] == bucket]
        key = {"accessKey": owner["AWS_ACCESS_KEY_ID"], "secretKey": owner["AWS_SECRET_ACCESS_KEY"]}
        assert identity["credentials"] == [key]
        assert {action.partition(":")[2] for action in identity["actions"]} == {bucket}, "no other bucket"


def test_every_password_is_its_own_and_long(folder: Path) -> None:
    values = passwords.completed(TEMPLATE, {}, "local")
    assert len(set(values.values())) == len(NAMES)
    assert all(re.fullmatch(r"[0-9a-f]{20,}", value) for value in values.values())


def test_what_is_there_stays(folder: Path) -> None:
    passwords.make(folder, "local")
    first = (folder / "secrets.env").read_text(), made(folder)
    passwords.make(folder, "local")
    assert ((folder / "secrets.env").read_text(), made(folder)) == first
    (folder / "secrets.env").write_text("POSTGRES_PASSWORD=mine=with an equals sign\n")
    passwords.make(folder, "local")
    assert made(folder)["tidegate", "postgres"] == {"password": "mine=with an equals sign"}


def test_nobody_else_reads_them_and_git_does_not_take_them(folder: Path) -> None:
    passwords.make(folder, "local")
    for name in ("secrets.env", "secrets.json"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
        ignored = subprocess.run(["git", "check-ignore", "--quiet", f"k8s/{name}"], cwd=ROOT, check=False)
        assert ignored.returncode == 0
    assert not list(folder.glob("*.tmp"))


def test_production_makes_nothing_up_that_others_have_to_know() -> None:
    with pytest.raises(InputError, match="no POSTGRES_PASSWORD, MLFLOW_BUCKET_KEY_ID"):
        passwords.completed(TEMPLATE, {}, "production")
    given = {name: value for name, value in GIVEN.items() if name not in passwords.ANYWHERE}
    assert passwords.completed(TEMPLATE, given, "production").items() >= given.items()


def test_a_name_that_nobody_reads_is_refused() -> None:
    with pytest.raises(InputError, match="found PASSWORT"):
        passwords.completed(TEMPLATE, {"PASSWORT": "x"}, "local")


@pytest.mark.parametrize("arguments", [[], ["staging"]])
def test_the_command_names_the_overlays(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "k8s.passwords", *arguments]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert "OVERLAY: expected local or production" in found.stderr

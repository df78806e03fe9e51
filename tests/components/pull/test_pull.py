"""Exactly the version that data.dvc names comes from the remote, or nothing does."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.worlds import once

if TYPE_CHECKING:
    from tests.toy import World

Fails = Callable[..., list[str]]
texts = {"contract_yaml": "name: ü\n", "features_sql": "SELECT 1\n-- two\n", "model_yaml": "estimator: x\n"}
outputs = ("pulled", "contract.out", "sql.out", "model.out")


def dvc(folder: Path, *words: str) -> None:
    subprocess.run([sys.executable, "-m", "dvc", *words, "--quiet"], cwd=folder, check=True)


@pytest.fixture(scope="session")
def _pushed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return once(tmp_path_factory, "pushed", _push)


def _push(folder: Path) -> None:
    (folder / "data/deep").mkdir(parents=True)
    (folder / "data/a.csv").write_bytes(b"a\r\n1\n\x00\xff")
    (folder / "data/deep/b.csv").write_text("b\n2\n")
    dvc(folder, "init", "--no-scm")
    dvc(folder, "remote", "add", "--default", "here", str(folder / "remote"))
    dvc(folder, "add", "data")
    dvc(folder, "push")


@pytest.fixture
def given(_pushed: Path, world: "World", monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The arguments of pull, with a copy of the remote and outputs that are not there yet."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(world / "site"))
    shutil.copytree(_pushed / "remote", world / "remote")
    paths = dict(zip(("data", "contract", "sql", "estimator"), (world / name for name in outputs), strict=True))
    return {"data_dvc": (_pushed / "data.dvc").read_text(), "remote": str(world / "remote"), **texts, **paths}


def written(world: "World") -> list[str]:
    return [path.name for path in world.folder.iterdir() if path.name in outputs or path.name.startswith(".")]


def objects(world: "World", suffix: str) -> list[Path]:
    found = [path for path in (world / "remote").rglob("*") if path.is_file()]
    return [path for path in found if path.name.endswith(".dir") == bool(suffix)]


def alter(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


def test_exactly_that_version_and_those_texts_arrive(world: "World", given: dict[str, Any], _pushed: Path) -> None:
    world.run("pull", **given)
    for name in ("a.csv", "deep/b.csv"):
        assert (world / "pulled" / name).read_bytes() == (_pushed / "data" / name).read_bytes()
    assert [path.name for path in sorted((world / "pulled").rglob("*"))] == ["a.csv", "deep", "b.csv"]
    assert [(world / name).read_text(encoding="utf-8") for name in outputs[1:]] == list(texts.values())
    world.run("ingest", data=world / "pulled", contract=_no_tables(world))
    assert f"md5: {world.json('manifest')['data']}\n" in given["data_dvc"]


def _no_tables(world: "World") -> Path:
    """A contract whose tables are what was pulled."""
    world.edit("contract.yaml", ("files: orders.csv", "files: deep/b.csv"), ("files: rates.csv", "files: deep/b.csv"))
    return world / "contract.yaml"


def test_a_single_file_is_a_version_too(world: "World", given: dict[str, Any], _pushed: Path, tmp_path: Path) -> None:
    inner = tmp_path / "single"
    inner.mkdir()
    (inner / "only.csv").write_text("c\n3\n")
    dvc(inner, "init", "--no-scm")
    dvc(inner, "remote", "add", "--default", "here", given["remote"])
    dvc(inner, "add", "only.csv")
    dvc(inner, "push")
    world.run("pull", **given | {"data_dvc": (inner / "only.csv.dvc").read_text()})
    assert (world / "pulled").read_text() == "c\n3\n"


@pytest.mark.parametrize("case", ["no such version", "no remote", "altered file", "lost file", "altered list"])
def test_what_is_not_there_is_one_line_and_no_output(
    case: str, world: "World", given: dict[str, Any], fails: Fails
) -> None:
    if case == "no such version":
        start = given["data_dvc"].index("md5: ") + 5
        given["data_dvc"] = given["data_dvc"][:start] + "0" * 32 + given["data_dvc"][start + 32 :]
    elif case == "no remote":
        given["remote"] = str(world / "nowhere")
    elif case == "altered file":
        alter(objects(world, "")[0], b"other")
    elif case == "lost file":
        objects(world, "")[0].unlink()
    else:
        alter(objects(world, ".dir")[0], b"[]")
    (line,) = fails(world, "pull", **given)
    assert line.startswith("data.dvc: expected its data on the DVC remote, found ")
    assert written(world) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "outs: []",
        "outs: [5]",
        "outs: data",
        "outs: {a: 1}",
        "outs:\n- path: data\n",
        "outs:\n- md5: x\n",
        "outs:\n- {md5: x, path: a}\n- {md5: x, path: b}\n",
        "outs:\n- {md5: x, path: ../a}\n",
        "outs:\n- {md5: x, path: /a}\n",
        "outs:\n- {md5: x, path: 7}\n",
        "outs: [",
        "outs:\n- {md5: x, path: a}\n",
    ],
)
def test_another_text_is_one_line_and_no_output(
    text: str, world: "World", given: dict[str, Any], fails: Fails
) -> None:
    (line,) = fails(world, "pull", **given | {"data_dvc": text})
    assert line.startswith("data.dvc")
    assert written(world) == []


def test_a_failure_leaves_the_earlier_data(world: "World", given: dict[str, Any], fails: Fails) -> None:
    world.run("pull", **given)
    before = world.snapshot()
    fails(world, "pull", **given | {"remote": str(world / "nowhere"), "contract_yaml": "other"})
    after = world.snapshot()
    assert {name: after[name] for name in before if not name.startswith("site/")} == {
        name: content for name, content in before.items() if not name.startswith("site/")
    }

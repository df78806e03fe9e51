"""Every kind of remote: the data comes, or one line says why not, within 30 seconds and without a secret."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.durations import HANGING
from tests.servers import PASSWORD
from tests.servers.programs import s3, silent
from tests.servers.sftp import ssh
from tidegate.components.pull.fetch import materialise
from tidegate.process.errors import UNAVAILABLE, InputError
from tidegate.versions.repository import fetch, opened, save
from tidegate.versions.section import VARIABLE

if TYPE_CHECKING:
    from tests.toy import World

root = Path(__file__).parents[3]
SECRET = "the/secret+of+the+tests"
AZURE = f"DefaultEndpointsProtocol=http;AccountName=tests;AccountKey={'c2VjcmV0b2Z0ZXN0cw=='};BlobEndpoint=http://HOST/tests;"
texts = {"contract_yaml": "x", "features_sql": "x", "model_yaml": "x"}


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials for S3 in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHETESTS")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


@pytest.fixture(scope="session")
def store() -> Iterator[str]:
    """The endpoint of an S3-compatible store."""
    with s3("bucket") as endpoint:
        yield endpoint


def pushed(folder: Path, remote: str) -> str:
    """The text of a version that a remote holds."""
    with opened(folder, remote) as repository:
        (folder / "data/deep").mkdir(parents=True)
        for number in range(30):
            (folder / f"data/deep/{number}.csv").write_bytes(b"a\r\n\x00\xff" + b"%d" % number)
        return save(repository, folder / "data")


def arrived(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*.csv")}


def test_s3_by_the_text_of_the_section(store: str, keys: None, tmp_path: Path) -> None:
    remote = f"url = s3://bucket/text\nendpointurl = {store}\nregion = us-east-1\n"
    materialise(pushed(tmp_path / "repository", remote), remote, tmp_path / "pulled")
    assert len(arrived(tmp_path / "pulled")) == 30
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pulled", "repository"]


def test_s3_by_a_url_and_the_environment(
    store: str, keys: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", store)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    materialise(pushed(tmp_path / "repository", "s3://bucket/url"), "s3://bucket/url", tmp_path / "pulled")
    assert len(arrived(tmp_path / "pulled")) == 30


def test_s3_with_keys_as_secrets_of_the_section(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"access_key_id = AKIAOFTHETESTS\nsecret_access_key = {SECRET}\n")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    remote = f"url = s3://bucket/section\nendpointurl = {store}\n"
    with opened(tmp_path / "repository", remote) as repository:
        assert repository.cloud.get_remote().fs.fs_args["secret"] == SECRET
    written = [path.read_bytes() for path in (tmp_path / "repository").rglob("*") if path.is_file()]
    assert not any(SECRET.encode() in content for content in written)


def test_an_object_that_was_altered_on_s3_is_not_taken(store: str, keys: None, tmp_path: Path) -> None:
    import boto3

    remote = f"url = s3://bucket/altered\nendpointurl = {store}\n"
    text = pushed(tmp_path / "repository", remote)
    client = boto3.client("s3", endpoint_url=store, region_name="us-east-1")
    found = client.list_objects_v2(Bucket="bucket", Prefix="altered/files")["Contents"]
    client.put_object(Bucket="bucket", Key=found[0]["Key"], Body=b"other")
    with pytest.raises(InputError, match=r"^data\.dvc: expected its data on the DVC remote, found "):
        materialise(text, remote, tmp_path / "pulled")
    assert [path.name for path in tmp_path.iterdir()] == ["repository"]


def test_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "served").mkdir()
    monkeypatch.setenv(VARIABLE, f"password = {PASSWORD}\n")
    with ssh(tmp_path / "served") as port:
        remote = f"url = ssh://tester@127.0.0.1/store\nport = {port}\n"
        text = pushed(tmp_path / "repository", remote)
        materialise(text, remote, tmp_path / "pulled")
        assert len(arrived(tmp_path / "pulled")) == 30
        for secrets in ("password = not-the-password\n", ""):
            process = _pull(tmp_path, "ssh", remote, secrets, port)
            line = process.communicate(timeout=HANGING)[1]
            assert line.startswith("error: the DVC remote ssh://tester@127.0.0.1/store: expected an answer, found ")
            assert (process.returncode, line.count("\n")) == (2, 1) and "not-the-password" not in line
        (tmp_path / ".ssh").mkdir()
        (tmp_path / ".ssh/known_hosts").write_text(f"[127.0.0.1]:{port} {_another_host()}\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv(VARIABLE, f"password = {PASSWORD}\n")
        with pytest.raises(InputError, match="Host key is not trusted"):
            materialise(text, remote, tmp_path / "again")


def _another_host() -> str:
    import asyncssh

    return asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()


def test_a_run_as_a_number_without_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = pushed(tmp_path / "repository", str(tmp_path / "remote"))
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 54321)
    materialise(text, str(tmp_path / "remote"), tmp_path / "pulled")


def test_nothing_is_written_but_beside_the_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = pushed(tmp_path / "repository", str(tmp_path / "remote"))
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "TMPDIR"):
        monkeypatch.setenv(name, "/proc/nowhere")
    materialise(text, str(tmp_path / "remote"), tmp_path / "target/pulled")
    assert [path.name for path in (tmp_path / "target").iterdir()] == ["pulled"]


def test_a_cache_of_ones_own_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = pushed(tmp_path / "repository", str(tmp_path / "remote"))
    monkeypatch.setenv("TIDEGATE_CACHE", str(tmp_path / "cache"))
    with opened(tmp_path / "scratch", str(tmp_path / "remote")) as repository:
        fetch(repository, text)
    assert len([path for path in (tmp_path / "cache/files").rglob("*") if path.is_file()]) == 31


DEAD: dict[str, tuple[str, str]] = {
    "s3": ("url = s3://bucket/x\nendpointurl = http://HOST\n", ""),
    "gs": ("url = gs://bucket/x\nendpointurl = http://HOST\nallow_anonymous_login = true\n", ""),
    "azure": ("url = azure://container/x\n", f"connection_string = {AZURE}\n"),
    "ssh": ("url = ssh://tester@127.0.0.1/x\nport = PORT\n", f"password = {PASSWORD}\n"),
}


@pytest.mark.parametrize("how", ["silent", "refused"])
def test_a_dead_endpoint_fails_within_30_seconds_and_tells_no_secret(how: str, keys: None, world: "World") -> None:
    with ExitStack() as stack:
        port = stack.enter_context(silent()) if how == "silent" else 1
        start = time.monotonic()
        running = {kind: _pull(world, kind, *DEAD[kind], port) for kind in DEAD}
        for kind, process in running.items():
            _, stderr = process.communicate(timeout=HANGING)
            took = time.monotonic() - start
            # Each has 20 s for its answer; four that start at once on a busy machine need some more to begin.
            assert took < 30 + 15, (kind, took)
            assert process.returncode == UNAVAILABLE and stderr.count("\n") == 1, (kind, stderr)
            assert stderr.startswith("error: the DVC remote ") and "expected an answer, found " in stderr, stderr
            assert not any(word in stderr for word in (SECRET, PASSWORD, "AKIAOFTHETESTS", "c2VjcmV0")), stderr
    assert not list(world.folder.glob("pulled-*")) and not list(world.folder.glob(".*"))


def _pull(folder: "World | Path", kind: str, remote: str, secrets: str, port: int) -> "subprocess.Popen[str]":
    place = {"HOST": f"127.0.0.1:{port}", "PORT": str(port)}
    for word, value in place.items():
        remote, secrets = remote.replace(word, value), secrets.replace(word, value)
    outputs = {name: folder / f"pulled-{kind}-{name}" for name in ("data", "contract", "sql", "estimator")}
    flags: dict[str, Any] = {"data_dvc": "outs:\n- md5: x\n  path: data\n", "remote": remote, **texts, **outputs}
    words = [f"--{name}={value}" for name, value in flags.items()]
    return subprocess.Popen(
        [sys.executable, "-m", "tidegate", "step", "pull", *words],
        cwd=root,
        env={**os.environ, VARIABLE: secrets},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


BORDER: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "gs": (
        "url = gs://bucket/x\nprojectname = p\ncredentialpath = /run/secrets/key.json\n",
        "",
        "GSFileSystem",
        {"project": "p", "token": "/run/secrets/key.json"},
    ),
    "azure": (
        "url = azure://container/x\naccount_name = tests\n",
        "account_key = c2VjcmV0b2Z0ZXN0cw==\n",
        "AzureFileSystem",
        {"account_name": "tests", "account_key": "c2VjcmV0b2Z0ZXN0cw=="},
    ),
}


@pytest.mark.parametrize("kind", BORDER)
def test_up_to_the_border_of_clouds_that_cannot_be_here(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, secrets, name, arguments = BORDER[kind]
    from dvc.repo import Repo

    from tidegate.versions.repository import configuration
    from tidegate.versions.section import settings

    (tmp_path / ".dvc").mkdir()
    with Repo(str(tmp_path), config=configuration(tmp_path, settings(text, secrets))) as repository:
        remote = repository.cloud.get_remote()
        assert type(remote.fs).__name__ == name
        assert {key: remote.fs.fs_args[key] for key in arguments} == arguments
        assert remote.odb.verify is True

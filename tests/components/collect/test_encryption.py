"""No token and no password of a source, a remote or a repository is sent where it can be read on the way."""

from pathlib import Path

import pytest

from tidegate.components.collect.branch import commit_file
from tidegate.components.collect.files import download
from tidegate.components.collect.postgres import encryption
from tidegate.contract.source import Source, source_faults
from tidegate.process.errors import InputError
from tidegate.versions.section import settings

FAR = "http://store.example:9000"
SOURCES = {
    "a url with a token": (Source(files="http://host.example/x.csv", token="WEATHER"), True),
    "a url without": (Source(files="http://host.example/x.csv"), False),
    "a token over https": (Source(files="https://host.example/x.csv", token="WEATHER"), False),
    "a store": (Source(s3="s3://b/x/", endpoint=FAR), True),
    "a store of the cluster": (Source(s3="s3://b/x/", endpoint="http://store.tidegate.svc:9000"), False),
    "an allowed store": (Source(s3="s3://b/x/", endpoint=FAR, insecure=True), False),
    "an allowed url": (Source(files="http://host.example/x.csv", token="WEATHER", insecure=True), False),
}


@pytest.mark.parametrize("case", SOURCES)
def test_a_source(case: str) -> None:
    source, refused = SOURCES[case]
    found = [fault.expected for fault in source_faults(source, "x/*.csv", "at", ["at"])]
    assert found == ["https, because credentials are sent (or `insecure: true`)"] * refused


def test_a_store_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", FAR)
    with pytest.raises(InputError, match="AWS_ENDPOINT_URL: expected https"):
        download(Source(s3="s3://b/x/"), tmp_path)
    with pytest.raises(InputError, match="AWS_ENDPOINT_URL: expected https"):
        settings("s3://b/x")
    settings("url = s3://b/x\nuse_ssl = false\n")


REMOTES = {
    "a store": ("url = s3://b\nendpointurl = http://h.example\n", "", True),
    "a store by https": ("url = s3://b\nendpointurl = https://h.example\n", "", False),
    "a store that DVC is told of": ("url = s3://b\nendpointurl = http://h.example\nuse_ssl = false\n", "", False),
    "of Google": ("url = gs://b\nendpointurl = http://h.example\n", "", True),
    "of Azure": ("azure://c/x", "connection_string = BlobEndpoint=http://h.example/a;AccountKey=k", True),
    "of Azure by protocol": ("azure://c/x", "connection_string = DefaultEndpointsProtocol=http;AccountName=a", True),
    "of Azure by https": ("azure://c/x", "connection_string = DefaultEndpointsProtocol=https;AccountName=a", False),
    "nobody signs in": ("url = gs://b\nendpointurl = http://h.example\nallow_anonymous_login = true\n", "", False),
}


@pytest.mark.parametrize("case", REMOTES)
def test_a_remote(case: str) -> None:
    text, secrets, refused = REMOTES[case]
    if not refused:
        settings(text, secrets)
        return
    with pytest.raises(InputError, match="expected https, because credentials are sent"):
        settings(text, secrets)


DATABASES = {
    "postgresql://u:p@db.example/x": {"sslmode": "require"},
    "host=db.example sslmode=verify-full": {"sslmode": "verify-full"},
    "host=localhost,db.example": {"sslmode": "require"},
    "host=localhost hostaddr=10.0.0.1": {"sslmode": "require"},
    "service=orders": {"sslmode": "require"},
    "postgresql://u:p@localhost/x": {},
    "host=/var/run/postgresql": {},
    "host=db.data.svc sslmode=disable": {},
    "dbname=x": {},
}


@pytest.mark.parametrize("dsn", DATABASES)
def test_a_database(dsn: str) -> None:
    assert encryption(dsn, insecure=False) == DATABASES[dsn]
    assert encryption(dsn, insecure=True) == {}


def test_a_database_that_refuses_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    for mode in ("disable", "allow", "prefer"):
        with pytest.raises(InputError, match=f"found {mode}; change it, or write `insecure: true`"):
            encryption(f"host=db.example sslmode={mode}", insecure=False)
    monkeypatch.setenv("PGHOST", "db.example")
    assert encryption("dbname=x", insecure=False) == {"sslmode": "require"}


def test_a_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_GIT_TOKEN", "hush-hush")
    with pytest.raises(InputError, match="expected https, because credentials are sent"):
        commit_file("http://git.example/x.git", "main", "")

"""Whether a registry has an image: asked with what `docker login` left, told in one line."""

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tidegate.commands.cluster.registry_server import DIGEST, RegistryServer, serving
from tidegate.commands.cluster import registry
from tidegate.process.errors import InputError

name = "tidegate/steps:0123abc"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[RegistryServer]:
    """A registry with one image, and no credentials for it."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    with serving() as found:
        found.images.add(name)
        yield found


def login(tmp_path: Path, config: dict[str, Any]) -> None:
    """What `docker login` leaves."""
    (tmp_path / "config.json").write_text(json.dumps(config))


def auth(name: str, password: str) -> dict[str, str]:
    return {"auth": b64encode(f"{name}:{password}".encode()).decode()}


def refused(image: str) -> str:
    with pytest.raises(InputError) as error:
        registry.check(image, 2)
    assert "\n" not in str(error.value) and "password-of" not in str(error.value)
    return str(error.value)


def test_it_is_there_or_not(server: RegistryServer) -> None:
    assert registry.check(f"{server.host}/{name}", 2) == DIGEST
    line = refused(f"{server.host}/tidegate/steps:another")
    assert "expected an image in its registry, found nothing under this tag; build and push it" in line
    assert all(item.startswith("HEAD ") for item in server.received)


@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_it_is_asked_with_the_password_of_docker_login(server: RegistryServer, tmp_path: Path, kind: str) -> None:
    server.auth = kind
    assert f"401 (not signed in); run `docker login {server.host}`" in refused(f"{server.host}/{name}")
    login(tmp_path, {"auths": {server.host: auth(*server.account)}})
    assert registry.check(f"{server.host}/{name}", 2) == DIGEST
    login(tmp_path, {"auths": {server.host: auth("ada", "password-of-bob")}})
    assert "401 (not signed in)" in refused(f"{server.host}/{name}")


def test_a_token_is_asked_for_this_image_only(server: RegistryServer, tmp_path: Path) -> None:
    server.auth = "bearer"
    login(tmp_path, {"auths": {server.host: auth(*server.account)}})
    registry.check(f"{server.host}/{name}", 2)
    assert "GET repository:tidegate/steps:pull" in server.received


@pytest.mark.parametrize("key", ["credsStore", "credHelpers"])
@pytest.mark.parametrize("secret", ["password", "refresh"])
def test_a_helper_is_asked(
    server: RegistryServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, secret: str
) -> None:
    server.auth = "bearer"
    found = {"Username": "ada", "Secret": server.account[1]}
    if secret == "refresh":
        found = {"Username": "<token>", "Secret": server.refresh_token}
    helper = tmp_path / "docker-credential-test"
    helper.write_text(f"#!/bin/sh\ntest \"$1\" = get && cat > {tmp_path}/asked && echo '{json.dumps(found)}'\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    login(tmp_path, {key: "test" if key == "credsStore" else {server.host: "test"}})
    assert registry.check(f"{server.host}/{name}", 2) == DIGEST
    assert (tmp_path / "asked").read_text() == server.host
    assert ("POST refresh_token" in server.received) == (secret == "refresh")


def test_a_helper_that_is_not_installed_is_named(server: RegistryServer, tmp_path: Path) -> None:
    server.auth = "basic"
    login(tmp_path, {"credsStore": "nowhere"})
    line = refused(f"{server.host}/{name}")
    assert "docker-credential-nowhere not installed" in line and "~/.docker/config.json" in line


def test_a_password_goes_over_no_open_line(server: RegistryServer, tmp_path: Path) -> None:
    server.auth, server.realm = "bearer", "http://tokens.example/token"
    login(tmp_path, {"auths": {server.host: auth(*server.account)}})
    assert "expected a token server over https, found http://tokens.example/token" in refused(f"{server.host}/{name}")


def test_a_netrc_is_not_taken_for_a_token(server: RegistryServer, tmp_path: Path) -> None:
    server.auth = "bearer"
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login bob password password-of-bob\n")
    login(tmp_path, {"auths": {server.host: auth(*server.account)}})
    assert registry.check(f"{server.host}/{name}", 2) == DIGEST


def test_only_this_machine_is_asked_without_encryption(server: RegistryServer) -> None:
    assert registry.origin("localhost:5000") == "http://localhost:5000"
    assert registry.origin("registry.example:5000") == "https://registry.example:5000"
    assert registry.origin("docker.io") == "https://registry-1.docker.io"


def test_nobody_there_is_one_line(server: RegistryServer) -> None:
    assert "expected a registry that answers, found no connection" in refused("127.0.0.1:9/tidegate/steps:1")

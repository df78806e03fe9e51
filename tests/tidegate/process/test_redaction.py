"""Nothing secret is left in a message, and what is not secret stays readable."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tidegate.pages.page import write_page
from tidegate.process.redaction import address, hidden, holds_secret, redacted, secret

CASES = {
    "a plain message\nof two lines": "a plain message of two lines",
    "postgresql://u:p@ss/word@host:5/x": "postgresql://***@host:5/x",
    "https://host/x?a=1&sig=abc%3D&b=2": "https://host/x?a=1&sig=***&b=2",
    "https://host/x?X-Amz-Signature=abc&X-Amz-Credential=k": "https://host/x?X-Amz-Signature=***&X-Amz-Credential=***",
    "host=x password=hunter2 port=5": "host=x password=*** port=5",
    "https://ghp_abc@github.com/x and http://tok@h:5/y": "https://***@github.com/x and http://***@h:5/y",
    "https://h/x?access_token=a&api_key=b&page=3&code=c&key=d": (
        "https://h/x?access_token=***&api_key=***&page=3&code=***&key=***"
    ),
    "https://h/x?client_secret=a#id_token=b": "https://h/x?client_secret=***#id_token=***",
    "error code=404 of (the primary key=id)": "error code=404 of (the primary key=id)",
    "AccountName=a;AccountKey=abc==;Suffix=b": "AccountName=a;AccountKey=***;Suffix=b",
    "the key was ENVSECRET, or known-one": "the key was ***, or ***",
    "ssh://user@host/path at 10:30, s3://bucket/key": "ssh://user@host/path at 10:30, s3://bucket/key",
    "lines of settings: of-the-lines, and x": "lines of settings: ***, and x",
}


@pytest.mark.parametrize("text", CASES)
def test_secrets_are_taken_out(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SECRET", "ENVSECRET")
    monkeypatch.setenv("TIDEGATE_REMOTE_SECRETS", "password = of-the-lines\npassphrase = x\n")
    monkeypatch.setenv("KEY_FILE", "/path/that/may/be/seen")
    assert redacted(text, ["known-one"]) == CASES[text]
    assert redacted("/path/that/may/be/seen") == "/path/that/may/be/seen"


OF_THE_ENVIRONMENT = {
    "asked for, whatever its name": ("WEATHER", "plain-words"),
    "a key that begins as a path does": ("AWS_SECRET_ACCESS_KEY", "/abcd+efgh/ij"),
    "cookies": ("KFP_COOKIES", "session-of-ada"),
    "the password of a proxy": ("https_proxy", "http://ada:s%2Fcret-1@proxy:80"),
    "a signature": ("EXPORTS", "https://host/x?sig=signed-by-ada&page=3"),
}
SHOWN = {
    "asked for, whatever its name": "plain-words",
    "a key that begins as a path does": "/abcd+efgh/ij and %2Fabcd%2Befgh%2Fij",
    "cookies": "session-of-ada",
    "the password of a proxy": "s%2Fcret-1 and s/cret-1",
    "a signature": "signed-by-ada",
}


@pytest.mark.parametrize("case", OF_THE_ENVIRONMENT)
def test_what_came_by_environment_is_hidden_whatever_its_name(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, value = OF_THE_ENVIRONMENT[case]
    monkeypatch.setenv(name, value)
    if case.startswith("asked"):
        assert hidden(SHOWN[case]) == SHOWN[case]
        assert secret(name) == value
    assert hidden(f"got\n{SHOWN[case]}!").replace("***", "").strip("got\n and!") == ""


def test_places_of_secrets_stay_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", "/var/run/token")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example.org")
    assert hidden("/var/run/token https://mlflow.example.org") == "/var/run/token https://mlflow.example.org"


PROGRAM = """
import logging, sys
from tidegate.process.redaction import redact_streams
redact_streams()
print("out: hunter22")
logging.getLogger("a.library").warning("log: %s", "hunter22")
print("written", "in", "parts", file=sys.stderr)
raise ValueError("a bug: hunter22")
"""


def test_nothing_that_a_program_prints_has_a_secret() -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), "FEED_PASSWORD": "hunter22"}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "hunter22" not in done.stdout + done.stderr
    assert done.stdout == "out: ***\n" and "log: ***\nwritten in parts\n" in done.stderr
    assert done.stderr.endswith("ValueError: a bug: ***\n")


def test_no_page_has_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEED_PASSWORD", "hunter<22>")
    template = tmp_path / "template.html"
    template.write_text("<p>{{ reason }}</p>{% for row in rows %}<p>{{ row }}</p>{% endfor %}")
    write_page(tmp_path / "page.html", template, "a title", reason="it said hunter<22>", rows=["<b>", 7])
    assert (tmp_path / "page.html").read_text() == "<p>it said ***</p><p>&lt;b&gt;</p><p>7</p>"


def test_a_secret_is_known_by_its_form() -> None:
    for text in ("u:p@host/x", "host/x?sig=abc", "TOKEN@host/x", "host/x?access_token=a", "host/x?page=3&apiKey=a",
                 "host?code=a", "host/#access_token=a", "host/x?client_secret=a"):  # fmt: skip
        assert holds_secret(f"https://{text}"), text
    assert not holds_secret("https://host/x-*.csv?page=3") and not holds_secret("SELECT 1 WHERE a::date > b")
    assert not holds_secret("ssh://user@host/x") and not holds_secret("s3://bucket/tokens/x.csv?versionId=3")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ada:p@ss/word@host:5000/ml?a=1", "https://host:5000/ml?a=1"),
        ("https://token@host", "https://host"),
        ("http://host/x", "http://host/x"),
        ("sqlite:////tmp/mlflow.db", "sqlite:////tmp/mlflow.db"),
        ("host/path", "host/path"),
    ],
)
def test_an_address_can_still_be_opened(url: str, shown: str) -> None:
    assert address(url) == shown

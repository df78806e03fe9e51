"""Nothing secret is left in a message, and what is not secret stays readable."""

import pytest

from tidegate.process.redaction import address, holds_secret, redacted

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

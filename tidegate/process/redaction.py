"""Removes secrets from messages, logs and pages, because error messages of libraries may contain them.

A secret of the environment is known by the name of its variable, by its form (a password or a token in a URL), or
because the program asked for it by `secret`, whatever the variable is called.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from typing import IO, Any, TextIO, TypeVar, cast
from urllib.parse import quote, unquote

SECRET_NAME = re.compile(
    r"(?i)(SECRET|PASSW|_PWD|TOKEN|KEY|COOKIE|CONNECTION_STRING|PASSPHRASE|_SAS|DSN)"
    r"(?!.*(FILE|PATH|DIR|SOCK|ENDPOINT|HOST|URI|URL)$)"  # the place of a secret is none
)
LEAST_LETTERS = 6  # replacing shorter words would make messages unreadable
# A password, or a token in the place of a user's name; of SSH the user's name is no secret.
IN_URL = re.compile(r"(?i)(?<=://)[^/@\s'\"]*:[^/\s'\"]*@|(?<=https://)[^/@\s'\"]+@|(?<=http://)[^/@\s'\"]+@")
IN_BAD_URL = re.compile(r"(?<=://)[^/@\s'\"]*:[^\s'\"]*@")  # the password contains a slash
IN_QUERY = re.compile(
    r"(?i)((?:"
    # These words are secrets in messages as well.
    r"(?:^|(?<=[?&;#\s]))(?:sig|x-amz-[\w-]+|[\w.-]*(?:signature|token|secret|passw(?:or)?d|passphrase|api[_-]?key"
    r"|access[_-]?key|accountkey|credentials?)[\w.-]*)"
    # These only in an address: `code=404` and `key=id` stand in messages.
    r"|(?<=[?&#])(?:code|key|auth|pwd|pass|jwt|session)"
    r")=)[^&;#\s'\"]+"
)
LOGIN = re.compile(r"(?<=://)\S*@")
PASSWORD = re.compile(r"(?i)://[^/@\s:'\"]*:([^@\s'\"]+)@|https?://([^/@\s:'\"]+)@")
HIDDEN = "***"
_secret_variables: set[str] = set()
Text = TypeVar("Text", bound=str)


def secret(name: str) -> str | None:
    """The value of an environment variable, which no later message, log or page contains; None if it is not set."""
    _secret_variables.add(name)
    return os.environ.get(name) or None


class RedactedStream:
    """A text stream that writes to another one, without the secrets of the environment."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text; returns the length that was given."""
        self._stream.write(hidden(text) if len(text) >= LEAST_LETTERS else text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write every text."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def redact_streams() -> None:
    """Write no secret of the environment to stdout and stderr from now on: errors, warnings, logs, tracebacks."""
    sys.stdout = cast(TextIO, RedactedStream(sys.stdout))
    sys.stderr = cast(TextIO, RedactedStream(sys.stderr))


def hidden(text: Text, secrets: Iterable[str] | None = None) -> Text:
    """`text` without secrets, by default those of the environment; otherwise as it is."""
    for value in known_secrets() if secrets is None else secrets:
        text = cast(Text, text.replace(value, HIDDEN))  # of a Markup it is a Markup
    return text


def known_secrets(more: Iterable[str] = ()) -> list[str]:
    """The secrets of the environment and `more`, the longest first."""
    return sorted({*more, *_of_environment()}, key=len, reverse=True)


def redacted(text: str, more: Iterable[str] = ()) -> str:
    """`hidden` on one line, also without passwords in URLs, signatures and tokens of any origin."""
    text = hidden(text, known_secrets(more))
    text = IN_URL.sub(f"{HIDDEN}@", IN_BAD_URL.sub(f"{HIDDEN}@", text))
    return " ".join(IN_QUERY.sub(rf"\1{HIDDEN}", text).split())


def address(url: str) -> str:
    """A URL without user name and password, which may be displayed."""
    return LOGIN.sub("", url)


def _of_environment() -> Iterator[str]:
    """The secrets of the environment, also as they are spelled in a URL."""
    for name in list(os.environ):
        for part in _parts(name, os.environ.get(name, "")):  # another thread may have removed it
            if len(part) >= LEAST_LETTERS:
                yield from {part, quote(part, safe=""), unquote(part)}


def _parts(name: str, value: str) -> Iterator[str]:
    """What is secret in a variable; for settings in lines (`key = value`) also each value."""
    if name in _secret_variables or SECRET_NAME.search(name):
        yield value
        yield from (line.partition("=")[2].strip() for line in value.splitlines())
    if "://" in value or "=" in value:
        yield from (password or token for password, token in PASSWORD.findall(value))
        yield from (match[0].partition("=")[2] for match in IN_QUERY.finditer(value))


def holds_secret(text: str) -> bool:
    """Whether a text contains a secret by its form: a password or a token in any part of a URL."""
    return bool(IN_URL.search(text) or IN_QUERY.search(text))

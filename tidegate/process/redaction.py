"""Removes secrets from messages and logs, because error messages of libraries may contain them."""

import os
import re
from collections.abc import Iterable, Iterator

SECRET_NAME = re.compile(r"(?i)(SECRET|PASSW|TOKEN|KEY|CONNECTION_STRING|PASSPHRASE|_SAS|DSN)")
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
HIDDEN = "***"


def redacted(text: str, known: Iterable[str] = ()) -> str:
    """`text` on one line, without passwords in URLs, signatures, `known` secrets, and secrets of the environment."""
    for secret in sorted({*known, *_of_environment()}, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = IN_URL.sub(f"{HIDDEN}@", IN_BAD_URL.sub(f"{HIDDEN}@", text))
    return " ".join(IN_QUERY.sub(rf"\1{HIDDEN}", text).split())


def address(url: str) -> str:
    """A URL without user name and password, which may be displayed."""
    return LOGIN.sub("", url)


def _of_environment() -> Iterator[str]:
    """The values of variables with secret names; for settings in lines (`key = value`) also each value."""
    for name, value in os.environ.items():
        if SECRET_NAME.search(name):
            parts = (line.partition("=")[2].strip() for line in value.splitlines())
            # Replacing shorter words would make messages unreadable.
            yield from (part for part in (value, *parts) if len(part) >= 6 and not part.startswith("/"))


def holds_secret(text: str) -> bool:
    """Whether a text contains a secret by its form: a password or a token in any part of a URL."""
    return bool(IN_URL.search(text) or IN_QUERY.search(text))

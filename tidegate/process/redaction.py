"""Takes secrets out of texts that a person or a log will see: libraries quote what they were given."""

import os
import re
from collections.abc import Iterable, Iterator

SECRET_NAME = re.compile(r"(?i)(SECRET|PASSW|TOKEN|KEY|CONNECTION_STRING|PASSPHRASE|_SAS|DSN)")
IN_URL = re.compile(r"(?<=://)[^/@\s'\"]*:[^/\s'\"]*@")
IN_BAD_URL = re.compile(r"(?<=://)[^/@\s'\"]*:[^\s'\"]*@")  # the password has a slash in it
IN_QUERY = re.compile(
    r"(?i)((?:^|(?<=[?&;\s]))(?:sig|signature|token|secret|password|passphrase|accountkey|x-amz-[\w-]+)=)[^&;\s'\"]+"
)
LOGIN = re.compile(r"(?<=://)\S*@")
HIDDEN = "***"


def redacted(text: str, known: Iterable[str] = ()) -> str:
    """`text` on one line, without passwords in URLs, signatures, `known` secrets and those of the environment."""
    for secret in sorted({*known, *_of_environment()}, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return " ".join(IN_QUERY.sub(rf"\1{HIDDEN}", IN_BAD_URL.sub(f"{HIDDEN}@", text)).split())


def address(url: str) -> str:
    """A URL without name and password, which may be shown and still be opened."""
    return LOGIN.sub("", url)


def _of_environment() -> Iterator[str]:
    """The values whose names say that they are secret; of settings in lines (`key = value`) each value."""
    for name, value in os.environ.items():
        if SECRET_NAME.search(name):
            parts = (line.partition("=")[2].strip() for line in value.splitlines())
            # A word shorter than that is no secret, and would tear holes into every message.
            yield from (part for part in (value, *parts) if len(part) >= 6 and not part.startswith("/"))


def holds_secret(text: str) -> bool:
    """Whether a text shows a secret by its form: a password in a URL, or a signature."""
    return bool(IN_URL.search(text) or IN_QUERY.search(text))

"""Takes secrets out of texts that a person or a log will see: libraries quote what they were given."""

import os
import re
from collections.abc import Iterable, Iterator

telling = re.compile(r"(?i)(SECRET|PASSW|TOKEN|KEY|CONNECTION_STRING|PASSPHRASE|_SAS|DSN)")
in_url = re.compile(r"(?<=://)[^/@\s'\"]*:[^/\s'\"]*@")
in_bad_url = re.compile(r"(?<=://)[^/@\s'\"]*:[^\s'\"]*@")  # the password has a slash in it
in_query = re.compile(
    r"(?i)((?:^|(?<=[?&;\s]))(?:sig|signature|token|secret|password|passphrase|accountkey|x-amz-[\w-]+)=)[^&;\s'\"]+"
)
login = re.compile(r"(?<=://)\S*@")
hidden = "***"


def redacted(text: str, known: Iterable[str] = ()) -> str:
    """`text` on one line, without passwords in URLs, signatures, `known` secrets and those of the environment."""
    for secret in sorted({*known, *_of_environment()}, key=len, reverse=True):
        text = text.replace(secret, hidden)
    return " ".join(in_query.sub(rf"\1{hidden}", in_bad_url.sub(f"{hidden}@", text)).split())


def address(url: str) -> str:
    """A URL without name and password, which may be shown and still be opened."""
    return login.sub("", url)


def _of_environment() -> Iterator[str]:
    """The values whose names say that they are secret; of settings in lines (`key = value`) each value."""
    for name, value in os.environ.items():
        if telling.search(name):
            parts = (line.partition("=")[2].strip() for line in value.splitlines())
            # A word shorter than that is no secret, and would tear holes into every message.
            yield from (part for part in (value, *parts) if len(part) >= 6 and not part.startswith("/"))


def holds_secret(text: str) -> bool:
    """Whether a text shows a secret by its form: a password in a URL, or a signature."""
    return bool(in_url.search(text) or in_query.search(text))

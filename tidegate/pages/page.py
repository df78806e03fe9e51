"""Renders a step's template to one self-contained HTML file, in which only the scripts that it is given may run."""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from tidegate.documents.formats import write_text
from tidegate.process.redaction import hidden, known_secrets

NOTE = Path(__file__).with_name("note.html")
# Whatever a page names, nothing is fetched and nothing is sent.
NONE = "'none'"
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; base-uri 'none'; "
    "form-action 'none'"
)


class _Compiled:
    """What this process has compiled of the templates, as a store for Jinja: that takes longer than to render them."""

    def __init__(self) -> None:
        self._bytecode: dict[str, bytes] = {}

    def get(self, key: str) -> bytes:
        """The bytecode of a template, none if it was not compiled yet."""
        return self._bytecode.get(key, b"")

    def set(self, key: str, value: bytes, timeout: int | None = None) -> None:
        """Keep the bytecode of a template."""
        self._bytecode[key] = value


_compiled = _Compiled()


def write_page(path: Path, template: Path, title: str, **values: Any) -> None:
    """Render the file `template` into `path`; every value is escaped but `scripts`, which alone may run.

    No other value holds a secret of the environment.
    """
    write_text(path, page(template, title, **values))


def page(template: Path, title: str, **values: Any) -> str:
    """The text of the page that `write_page` writes."""
    scripts = values.get("scripts", ())
    return rendered(template, **{**values, "title": title, "scripts": scripts, "policy": policy(scripts)})


def rendered(template: Path, **values: Any) -> str:
    """The text of a template, HTML or SVG; every value but `scripts` is escaped, none holds a secret."""
    from jinja2 import Environment, FileSystemLoader, MemcachedBytecodeCache, StrictUndefined

    scripts, secrets = values.get("scripts", ()), known_secrets()

    def without_secrets(value: Any) -> Any:
        return hidden(value, secrets) if isinstance(value, str) and value not in scripts else value

    environment = Environment(
        loader=FileSystemLoader([template.parent, Path(__file__).parent]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=without_secrets,
        trim_blocks=True,
        bytecode_cache=MemcachedBytecodeCache(_compiled),
    )
    return environment.get_template(template.name).render(values)


def write_note(path: Path, title: str, sentence: str) -> None:
    """Write a page that says why there is nothing else to show."""
    write_page(path, NOTE, title, sentence=sentence)


def policy(scripts: Sequence[str]) -> str:
    """The Content-Security-Policy of a page: a script runs only if it is one of these, to the byte."""
    hashes = [f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts]
    return f"{POLICY}; script-src {' '.join(hashes or [NONE])}"

"""Renders a step's template to one self-contained HTML file."""

from pathlib import Path
from typing import Any

from tidegate.documents.formats import write_text


def write_page(path: Path, template: Path, title: str, **values: Any) -> None:
    """Render the file `template` into `path`; every value is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([template.parent, Path(__file__).parent]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    write_text(path, environment.get_template(template.name).render(title=title, **values))

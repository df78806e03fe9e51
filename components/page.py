"""Pages for people: one self-contained HTML file, light and dark, from a step's template."""

from pathlib import Path
from typing import Any

from components.formats import write_text


def write_page(path: Path, step: str, title: str, template: str = "report.html", **values: Any) -> None:
    """Render `components/<step>/<template>` into `path`; every value is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = Path(__file__).parent
    environment = Environment(
        loader=FileSystemLoader([folder / step, folder]), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    write_text(path, environment.get_template(template).render(title=title, **values))

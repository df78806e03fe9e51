"""Values as YAML on one line."""

import io
from typing import Any


def flow(value: Any) -> str:
    """A value as YAML on one line."""
    from ruamel.yaml import YAML

    writer = YAML(typ="safe", pure=True)
    settings = {"default_flow_style": True, "width": 1_000_000, "sort_base_mapping_type_on_output": False}
    for name, setting in settings.items():
        setattr(writer, name, setting)
    stream = io.StringIO()
    writer.dump(value, stream)
    return stream.getvalue().removesuffix("...\n").strip()

"""Free texts among the features: a text that hardly ever repeats teaches no model that knows whole values only."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from components.errors import InputError

least_values = 50
share = 0.5
transformers = ("category",)  # whole values as codes or indicators, rare ones together


def usable(
    rows: pd.DataFrame, features: Mapping[str, str], specification: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, str]]:
    """The features that can be learned from, and why the others are dropped; InputError when none is left."""
    named = _named(specification, features)
    texts = [name for name, kind in features.items() if kind == "category" and name not in named]
    dropped = {name: reason for name in texts if (reason := _free(rows[name]))}
    kept = {name: kind for name, kind in features.items() if name not in dropped}
    if not kept:
        found = f"free text only: {', '.join(dropped)}"
        raise InputError("features.sql", "a feature that can be learned from", found, "select more columns")
    return kept, dropped


def _free(column: pd.Series) -> str | None:
    """Why a text is taken for free text, None when it is a category."""
    known = column.dropna()
    values = known.nunique()
    if values < least_values or values <= share * len(known):
        return None
    return f"free text: {values:,} different values in {len(known):,} rows"


def _named(specification: Mapping[str, Any], features: Mapping[str, str]) -> Mapping[str, Any]:
    named = specification.get("transformers") or {}
    if not isinstance(named, Mapping):
        raise InputError("model.yaml: transformers", "features with a transformer", repr(named), "mend it")
    for name, transformer in named.items():
        if features.get(name) != "category":
            texts = ", ".join(key for key, kind in features.items() if kind == "category") or "there is none"
            raise InputError("model.yaml: transformers", f"a text feature ({texts})", repr(name), "mend it")
        if transformer not in transformers:
            expected = f"one of {', '.join(transformers)}, which the checked loader can read"
            raise InputError(f"model.yaml: transformers: {name}", expected, repr(transformer), "name one of them")
    return named

"""Which features can be learned from, and as what; free text only where model.yaml says how."""

from collections.abc import Iterator, Mapping

import pandas as pd

from tidegate.components.train.encoding import FOR_NUMBERS, FOR_TEXTS
from tidegate.components.train.specification import Specification
from tidegate.documents.schema import Fault, hint
from tidegate.process.errors import InputError

LEAST_VALUES = 50
SHARE = 0.5


def usable(
    rows: pd.DataFrame, features: Mapping[str, str], specification: Specification
) -> tuple[dict[str, str], dict[str, str]]:
    """The features with their kinds (`number`, `category`, `words`), and why the others are dropped.

    InputError for transformers that there are none of, and when no feature is left.
    """
    named = specification.transformers
    specification.refuse(_faults(named, features))
    texts = [name for name, kind in features.items() if kind == "category" and name not in named]
    dropped = {name: reason for name in texts if (reason := _free(rows[name]))}
    if len(dropped) == len(features):
        found = f"free text only: {', '.join(dropped)}"
        raise InputError("features.sql", "a feature that can be learned from", found, "select more columns")
    kinds = {name: "words" if named.get(name) == "words" else kind for name, kind in features.items()}
    return {name: kind for name, kind in kinds.items() if name not in dropped}, dropped


def _free(column: pd.Series) -> str | None:
    """Why a text is taken for free text, None when it is a category."""
    texts = column.dropna()
    values = texts.nunique()
    if values < LEAST_VALUES or values <= SHARE * len(texts):
        return None
    return f"free text: {values:,} different values in {len(texts):,} rows"


def _faults(transformers: Mapping[str, str], features: Mapping[str, str]) -> Iterator[Fault]:
    for name, transformer in transformers.items():
        path, allowed = ("transformers", name), FOR_TEXTS if features.get(name) == "category" else tuple(FOR_NUMBERS)
        if name not in features:
            yield Fault(path, f"a feature ({', '.join(features)})", hint(name, list(features)), at_key=True)
        elif transformer not in allowed:
            kind = "text" if allowed is FOR_TEXTS else "number"
            expected = f"one of {', '.join(allowed)}, which the checked loader can read, for a {kind}"
            yield Fault(path, expected, hint(transformer, allowed))

"""How features become what an estimator takes: codes or indicators for categories, numbers as they are or scaled."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, QuantileTransformer, RobustScaler, StandardScaler

MAX_CATEGORIES = 200  # histogram gradient boosting holds at most 255 bins; rarer values share one
MAX_WORDS = 512  # columns of a text, into which its words are hashed; few, for estimators that take no sparse ones

Part = tuple[str, Any, Any]


def _quantile() -> QuantileTransformer:
    return QuantileTransformer(n_quantiles=100, random_state=0)


# What model.yaml may name for a feature that is a number; each learns from numbers without gaps.
FOR_NUMBERS: Mapping[str, Callable[[], Any]] = {
    "standard": StandardScaler,
    "robust": RobustScaler,
    "quantile": _quantile,
}
# And for one that is a text: its whole values, as all texts that are no free text, or its words.
FOR_TEXTS = ("category", "words")


def of_kind(features: Mapping[str, str], kind: str) -> list[str]:
    """The names of the features of one kind."""
    return [name for name, own in features.items() if own == kind]


def ordinal(features: Mapping[str, str], transformers: Mapping[str, str]) -> ColumnTransformer:
    """Codes for categories (missing and unknown ones are missing), numbers as they are."""
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        max_categories=MAX_CATEGORIES,
    )
    return _columns(codes, "passthrough", features, transformers)


def dense(features: Mapping[str, str], transformers: Mapping[str, str]) -> ColumnTransformer:
    """Indicators for categories, imputed and scaled numbers."""
    indicators = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20, max_categories=MAX_CATEGORIES)
    return _columns(indicators, _without_gaps(StandardScaler()), features, transformers)


def _columns(
    categories: Any, numbers: Any, features: Mapping[str, str], transformers: Mapping[str, str]
) -> ColumnTransformer:
    scaled = {kind: [name for name, chosen in transformers.items() if chosen == kind] for kind in FOR_NUMBERS}
    plain_numbers = [name for name in of_kind(features, "number") if transformers.get(name) not in FOR_NUMBERS]
    parts: list[Part] = [("category", categories, of_kind(features, "category")), ("number", numbers, plain_numbers)]
    parts += [(kind, _without_gaps(FOR_NUMBERS[kind]()), names) for kind, names in scaled.items() if names]
    parts += _words(of_kind(features, "words"))
    return ColumnTransformer(parts, verbose_feature_names_out=False)


def _without_gaps(scaler: Any) -> Any:
    return make_pipeline(SimpleImputer(strategy="median", add_indicator=True), scaler)


def _words(names: Sequence[str]) -> list[Part]:
    """The words of each text, hashed: the vectoriser learns nothing, so its file holds no word of anybody."""
    return [(f"words{place}", HashingVectorizer(n_features=MAX_WORDS), name) for place, name in enumerate(names)]

"""How features become what an estimator takes: codes or indicators for categories, numbers as they are or scaled."""

from collections.abc import Mapping

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

max_categories = 200  # histogram gradient boosting holds at most 255 bins; rarer values share one


def by_kind(features: Mapping[str, str]) -> dict[str, list[str]]:
    """The names of the features of each kind."""
    return {kind: [name for name, found in features.items() if found == kind] for kind in ("category", "number")}


def ordinal(names: Mapping[str, list[str]]) -> ColumnTransformer:
    """Codes for categories (missing and unknown ones are missing), numbers as they are."""
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        max_categories=max_categories,
    )
    return ColumnTransformer(
        [("category", codes, names["category"]), ("number", "passthrough", names["number"])],
        verbose_feature_names_out=False,
    )


def dense(names: Mapping[str, list[str]]) -> ColumnTransformer:
    """Indicators for categories, imputed and scaled numbers."""
    indicators = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20, max_categories=max_categories)
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    return ColumnTransformer(
        [("category", indicators, names["category"]), ("number", numbers, names["number"])],
        verbose_feature_names_out=False,
    )

"""What is kept of Evidently's findings on the same rows is the same text, and what the data says stays as it is."""

import json
import uuid

import numpy as np
import pandas as pd
import pytest

from tests import decisions
from tidegate.components.gate.evidently_workspace import dumped
from tidegate.components.gate.page_ids import NAMED
from tidegate.components.gate.snapshot import snapshot

customer = str(uuid.UUID(int=7, version=4))


def sides() -> tuple[pd.DataFrame, pd.DataFrame]:
    random = np.random.default_rng(0)
    found = [
        pd.DataFrame(
            {
                "price": random.normal(moved, 1, rows),
                "customer": random.choice([customer, "ann", "bob"], rows),
                "label": random.random(rows) < 0.5,
            }
        )
        for rows, moved in ((500, 0), (300, 1))
    ]
    return found[0], found[1]


@pytest.fixture(scope="module")
def twice() -> list[tuple[str, str]]:
    """What is kept of two runs, and the same as Evidently itself names its parts."""
    from evidently.legacy.utils import NumpyEncoder

    kinds = {"price": "number", "customer": "category"}
    found = [snapshot(*sides(), kinds) for _ in range(2)]
    decision = decisions.decision("keep")
    return [(dumped(run, decision), json.dumps(run.dump_dict()["widgets"], cls=NumpyEncoder)) for run in found]


def test_what_is_kept_of_two_runs_is_equal(twice: list[tuple[str, str]]) -> None:
    (kept, before), (again, other_before) = twice
    assert before != other_before
    assert kept == again


def test_a_category_that_looks_like_a_name_keeps_its_own(twice: list[tuple[str, str]]) -> None:
    kept, before = twice[0]
    assert kept.count(customer) == before.count(customer) > 0


def test_every_part_is_still_found_by_its_name(twice: list[tuple[str, str]]) -> None:
    kept, before = twice[0]
    assert len(set(NAMED.findall(kept))) == len(set(NAMED.findall(before))) > 5

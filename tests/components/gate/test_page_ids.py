"""What Evidently writes of the same rows is the same text, and what the data says stays as it is."""

import uuid

import numpy as np
import pandas as pd
import pytest

from tidegate.components.gate.evidently_workspace import dumped
from tidegate.components.gate.page_ids import NAMED, settled
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
def twice() -> list[tuple[str, str, str]]:
    """Page, snapshot for a workspace, and the page before it was settled, of two runs."""
    kinds = {"price": "number", "customer": "category"}
    found = [snapshot(*sides(), kinds) for _ in range(2)]
    pages = [run.get_html_str(as_iframe=False) for run in found]
    return [(settled(page), dumped(run), page) for page, run in zip(pages, found, strict=True)]


def test_pages_and_snapshots_of_two_runs_are_equal(twice: list[tuple[str, str, str]]) -> None:
    (page, kept, before), (other, again, other_before) = twice
    assert before != other_before
    assert page == other and kept == again


def test_a_category_that_looks_like_a_name_keeps_its_own(twice: list[tuple[str, str, str]]) -> None:
    page, _, before = twice[0]
    assert page.count(customer) == before.count(customer) > 0


def test_every_part_is_still_found_by_its_name(twice: list[tuple[str, str, str]]) -> None:
    page, _, before = twice[0]
    assert len(page) == len(before)
    names = set(settled_names(page))
    assert len(names) == len(set(settled_names(before)))


def settled_names(page: str) -> list[str]:
    return [found[1] or found[2] for found in NAMED.finditer(page)]

"""Comments and layout are no part of a recipe; whatever a program would read otherwise is."""

import json
from itertools import combinations
from typing import Any

import duckdb
import pytest

from tidegate.tables.recipe import document, statement


def parsed(sql: str) -> Any:
    """The query as DuckDB understands it, without the places of its parts."""
    text = duckdb.connect().execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchall()[0][0]
    return _without_places(json.loads(text))


def _without_places(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_places(item) for name, item in value.items() if not name.startswith("query_location")}
    return [_without_places(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 -- one\n , 2",
        "SELECT 1 --\r, 2\r\n, 3",
        "SELECT 'a  b' /* x\n y */ , 'c--d', \"q  /* */ r\" FROM t",
        "SELECT /* a /* within */ b */ 1",
        "SELECT $$ a -- b  $$, E'a\\'  -- b', 'c\\' -- d\n, x'ab'",
        "SELECT $tag$ a  $$ -- b $tag$  , $é$ ü  $é$",
        "SELECT 'it''s  -- x' ,1 /**/+/**/2",
        "SELECT 'ü  ' -- é\n, 2",
        'SELECT "a""b  -- " FROM t',
        "SELECT a--b\n-c FROM t",
        "SELECT a - -b FROM t",
        'SELECT a::   int, t . b, t."c" FROM t',
        "SELECT a[1:2], {'k  ': 1}, lambda x : x+1 FROM t",
        "SELECT 1\u00a0, 2",
    ],
)
def test_a_statement_without_comments_means_the_same(sql: str) -> None:
    assert parsed(statement(sql)) == parsed(sql)
    assert parsed(sql)["error"] is False
    assert statement(f"-- before\n  {statement(sql)}\n\t/* after */") == statement(sql)


def test_statements_that_mean_something_else_are_not_the_same() -> None:
    others = [
        "SELECT 0x1F",
        "SELECT 0 x1F",
        "SELECT 'x y'",
        "SELECT 'x  y'",
        "SELECT 'x\ny'",
        "SELECT 'x -- y'",
        'SELECT "x y"',
        'SELECT "x  y"',
        "SELECT xy",
        "SELECT x y",
        "SELECT x, y",
        "SELECT x-y",
        "SELECT x",
    ]
    assert [pair for pair in combinations(others, 2) if statement(pair[0]) == statement(pair[1])] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a: 1\nb: [x, y]\n", "# why\na:   1 # so\n\nb:\n  - x\n  - 'y'\n"),
        ("a: 0.001", "a: 1e-3"),
        ("a: &x {b: 1}\nc: *x", "a: {b: 1}\nc: {b: 1}"),
    ],
)
def test_a_document_is_what_it_says(one: str, other: str) -> None:
    assert document(one, "x.yaml") == document(other, "x.yaml")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{0: 1}", "{'0': 1}"),
        ("{1: 2}", "{true: 2}"),
        ("a: 1", "a: 1.0"),
        ("a: 1", "a: true"),
        ("a: null", "a: 'null'"),
        ("{a: 1}", "[[a, 1]]"),
        ("a: 2024-01-31", "a: '2024-01-31'"),
        ("{a: 1, b: 2}", "{b: 2, a: 1}"),  # SELECT * follows the order of columns
    ],
)
def test_documents_that_are_read_otherwise_are_not_the_same(one: str, other: str) -> None:
    assert document(one, "x.yaml") != document(other, "x.yaml")

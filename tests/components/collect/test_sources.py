"""The places that rows come from: files by path, URL and S3 prefix, and Postgres; and how each says that it cannot."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pandas as pd
import psycopg
import pytest

from tests.durations import HANGING
from tests.servers import PASSWORD
from tests.servers.http import files
from tests.servers.programs import silent
from tidegate.process.errors import REFUSED, UNAVAILABLE

if TYPE_CHECKING:
    from tests.components.collect.conftest import Problem

Keys = Callable[[], dict[str, str]]


def upload(store: str, folder: Path, prefix: str) -> None:
    client = boto3.client("s3", endpoint_url=store)
    for path in folder.iterdir():
        client.upload_file(str(path), "bucket", f"{prefix}/{path.name}")


def test_a_path_with_and_without_a_star(problem: "Problem", monkeypatch: pytest.MonkeyPatch) -> None:
    problem.lay("exports/b.csv", "2024-01-03,3,3,c,2024-01-03")
    (problem / "exports/README").write_text("no table")
    problem.collect()
    assert problem.rows().keys() == {"1", "2", "3"}
    monkeypatch.chdir(problem.folder)
    problem.source = "{files: exports/b.csv}"
    problem.collect(current_data_dvc="", remote=str(problem / "another"))
    problem.remote = str(problem / "another")
    assert problem.rows().keys() == {"3"}


def test_files_of_several_kinds_and_the_last_by_name_counts(problem: "Problem") -> None:
    problem.lay("exports/b.csv", "2024-01-03,3,3,c,2024-01-03")
    frame = pd.read_csv(problem / "exports/b.csv").assign(id=4, at=pd.Timestamp("2024-01-04"))
    frame.to_parquet(problem / "exports/c.parquet")
    pd.concat([frame.assign(note="z"), frame.assign(id=3, note="z")]).to_csv(problem / "exports/d.csv.gz", index=False)
    problem.source = f"{{files: '{problem.folder}/exports/*'}}"
    problem.collect()
    assert {key: row[2] for key, row in problem.rows().items()} == {"1": "a", "2": "b", "3": "z", "4": "z"}


def test_urls_with_and_without_a_star_and_with_a_token(problem: "Problem", monkeypatch: pytest.MonkeyPatch) -> None:
    problem.lay("exports/b.csv", "2024-01-03,3,3,c,2024-01-03")
    with files(problem / "exports") as url:
        problem.source = f"{{files: '{url}/b.csv'}}"
        problem.collect()
        assert problem.rows().keys() == {"3"}
        problem.source = f"{{files: '{url}/*.csv'}}"
        problem.collect()
        assert problem.rows().keys() == {"1", "2", "3"}
    (problem / "handed.dvc").unlink()
    with files(problem / "exports", token="the-token") as url:
        problem.source = f"{{files: '{url}/b.csv', token: EXPORT_TOKEN}}"
        assert (
            problem.fails()
            == f"environment variable EXPORT_TOKEN: expected the token of {url}/b.csv, found nothing; set it"
        )
        monkeypatch.setenv("EXPORT_TOKEN", "not-the-token")
        line = problem.fails()
        assert "403" in line and "not-the-token" not in line
        monkeypatch.setenv("EXPORT_TOKEN", "the-token")
        problem.lay("exports/b.csv", "2024-01-03,5,3,c,2024-01-03")
        problem.collect()
        assert "5" in problem.rows()


def test_an_s3_prefix(problem: "Problem", store: str, keys: Keys) -> None:
    problem.lay("exports/b.csv", "2024-01-03,3,3,c,2024-01-03")
    (problem / "exports/_SUCCESS").write_text("")
    upload(store, problem / "exports", "prefix/day=1")
    problem.source = f"{{s3: 's3://bucket/prefix/', endpoint: '{store}', region: us-east-1}}"
    problem.collect()
    assert problem.rows().keys() == {"1", "2", "3"}


UPDATES = "SELECT at, id, price, note, updated FROM orders WHERE updated > %(watermark)s ORDER BY updated"


@pytest.fixture
def orders(problem: "Problem", database: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """The table `orders` in Postgres, the source of the problem; runs SQL in it."""
    monkeypatch.setenv("SHOP_DSN", database)
    problem.source = f"{{postgres: SHOP_DSN, query: '{UPDATES}', watermark: updated}}"

    def run(sql: str) -> Any:
        with psycopg.connect(database, autocommit=True) as connection:
            return connection.execute(sql)

    run("DROP TABLE IF EXISTS orders")
    run("CREATE TABLE orders (id bigint, at timestamptz, price numeric, note text, updated timestamptz)")
    return run


def test_postgres_rows_by_watermark(problem: "Problem", orders: Callable[[str], Any]) -> None:
    orders(
        "INSERT INTO orders VALUES (1, '2024-01-01 01:00+01', 1.50, 'a, \"b\"', '2024-01-01'),"
        " (2, '2024-01-02', NULL, NULL, '2024-01-02'), (3, '2024-01-02', 3, '', '2024-01-02 00:00:00.123456')"
    )
    problem.collect()
    assert problem.rows() == {
        "1": ("2024-01-01 00:00:00", "1.5", 'a, "b"', "2024-01-01 00:00:00"),
        "2": ("2024-01-02 00:00:00", None, None, "2024-01-02 00:00:00"),
        "3": ("2024-01-02 00:00:00", "3.0", "", "2024-01-02 00:00:00.123456"),
    }
    text = problem.given
    assert problem.collect() == text
    # Long before the watermark: not asked for. Changed: replaced. Committed late, within the overlap: found.
    orders("INSERT INTO orders VALUES (4, '2024-01-03', 4, 'x', '2023-01-01')")
    orders("UPDATE orders SET note = 'mended', updated = '2024-01-05' WHERE id = 1")
    orders("INSERT INTO orders VALUES (5, '2024-01-03', 5, 'x', '2024-01-01 23:30')")
    problem.collect()
    assert {key: row[2] for key, row in problem.rows().items()} == {"1": "mended", "2": None, "3": "", "5": "x"}


def test_postgres_moments_are_measured_by_the_watermark(problem: "Problem", orders: Callable[[str], Any]) -> None:
    """A row of the future that was left out is not lost because a later one was taken; validate tells of no moment."""
    orders(
        "INSERT INTO orders VALUES (1, '2024-07-01', 1, 'a', '2024-01-01'), (2, '2024-01-01', 1, 'b', '2024-06-15'),"
        " (3, '2024-01-01', 1, 'c', '2024-05-01'), (4, '2024-01-01', 1, 'd', 'infinity')"
    )
    problem.collect(requested_until="2024-06-01")
    assert problem.rows().keys() == {"1", "3", "4"}
    problem.collect(requested_until="2024-07-01")
    assert problem.rows().keys() == {"1", "2", "3", "4"}


def test_postgres_a_row_that_is_filled_in_later_needs_the_overlap(
    problem: "Problem", orders: Callable[[str], Any]
) -> None:
    problem.source = problem.source.replace("watermark: updated", "watermark: at, overlap: 3d").replace(
        "updated >", "at >"
    )
    orders("INSERT INTO orders VALUES (1, '2024-01-01', NULL, 'open', 'now'), (2, '2024-01-02', NULL, 'open', 'now')")
    problem.collect()
    orders("UPDATE orders SET price = 5, note = 'done' WHERE id = 1")
    problem.collect()
    assert {key: row[2] for key, row in problem.rows().items()} == {"1": "done", "2": "open"}


def test_postgres_without_a_watermark_all_rows_are_asked_for(problem: "Problem", orders: Callable[[str], Any]) -> None:
    problem.source = "{postgres: SHOP_DSN, query: \"SELECT * FROM orders WHERE note LIKE '%a%' -- and all of them;\"}"
    orders(
        "INSERT INTO orders VALUES (1, '2024-01-01', 1, 'a', '2024-01-01'), (2, '2024-08-01', 1, 'a', '2024-01-01')"
    )
    problem.collect()
    orders("UPDATE orders SET note = 'ab' WHERE id = 1")
    problem.collect()
    assert {key: row[2] for key, row in problem.rows().items()} == {"1": "ab"}


def test_many_rows_of_postgres(problem: "Problem", orders: Callable[[str], Any]) -> None:
    orders(
        "INSERT INTO orders SELECT n, timestamptz '2024-01-01' + n * interval '1 s', n / 7.0, 'n' || n, '2024-01-01'"
        " FROM generate_series(1, 200000) AS n"
    )
    problem.collect()
    assert len(problem.rows()) == 200_000


def test_the_database_is_only_read(problem: "Problem", orders: Callable[[str], Any]) -> None:
    problem.source = "{postgres: SHOP_DSN, query: DELETE FROM orders RETURNING *}"
    orders("INSERT INTO orders VALUES (1, '2024-01-01', 1, 'a', '2024-01-01')")
    assert "read-only transaction" in problem.fails()
    assert orders("SELECT count(*) FROM orders").fetchone() == (1,)


QUERIES = {
    "no such table": ("SELECT * FROM nowhere", 'relation "nowhere" does not exist'),
    "no SQL": ("SELEKT 1", 'syntax error at or near "SELEKT"'),
    "two statements": ("SELECT 1; SELECT 2", "syntax error"),
    "a percent sign": ("SELECT 1 % 2 WHERE now() > %(until)s", "double it up"),
    "another moment": ("SELECT 1 WHERE now() > %(nonsense)s", "nonsense"),
    "a value that is none": ("SELECT note::int AS id FROM orders", "InvalidTextRepresentation in a row"),
    "other columns": ("SELECT 1 AS id, 2 AS x", "no at, no price, no note, no updated, also x"),
    "columns of one name": ("SELECT 1 AS id, 2 AS id", "no at"),
}


@pytest.mark.parametrize("case", QUERIES)
def test_a_wrong_query_is_one_line(problem: "Problem", orders: Callable[[str], Any], case: str) -> None:
    query, told = QUERIES[case]
    orders("INSERT INTO orders VALUES (1, '2024-01-01', 1, 'secret-value', '2024-01-01')")
    problem.source = f'{{postgres: SHOP_DSN, query: "{query}"}}'
    line = problem.fails()
    assert told in line and "secret-value" not in line, line
    assert line.startswith(("the database of SHOP_DSN: expected an answer to `query`, found ", "query of orders: "))


DSNS = {
    "no server": "postgresql://tester:PASSWORD@127.0.0.1:1/x",
    "a wrong password": "postgresql://tester:PASSWORDx@SERVER",
    "no database": "postgresql://tester:PASSWORD@SERVERx",
    "a key of no kind": "host=127.0.0.1 password=PASSWORD hots=x",
    "no connection string": "postgres//tester:PASSWORD@127.0.0.1/x",
    "no host": "postgresql://tester:PASSWORD@nowhere.invalid/x",
}


@pytest.mark.parametrize("case", DSNS)
def test_an_unreachable_database_is_one_line_without_the_password(
    problem: "Problem", database: str, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    dsn = DSNS[case].replace("SERVER", database.partition("@")[2]).replace("PASSWORD", PASSWORD)
    monkeypatch.setenv("SHOP_DSN", dsn)
    problem.source = "{postgres: SHOP_DSN, query: SELECT 1}"
    start = time.monotonic()
    line = problem.fails(UNAVAILABLE if case in ("no server", "no host") else REFUSED)
    assert PASSWORD not in line and line.startswith("the database of SHOP_DSN: expected an answer to `query`, found ")
    assert time.monotonic() - start < HANGING


def test_without_the_variable_it_says_which(problem: "Problem") -> None:
    problem.source = "{postgres: SHOP_DSN, query: SELECT 1}"
    expected = "environment variable SHOP_DSN: expected the connection string of the database, found nothing; set it"
    assert problem.fails() == expected


NOWHERE = {
    "no path": ("{files: /nowhere/*.csv}", "/nowhere/*.csv: expected files that end in .csv, .csv.gz"),
    "no file": ("{files: /nowhere/a.csv}", "/nowhere/a.csv: expected a file, found "),
    "no table": ("{files: /etc/passwd}", "/etc/passwd: expected files that end in .csv, .csv.gz"),
    "no server": ("{files: 'http://127.0.0.1:1/a.csv'}", "http://127.0.0.1:1/a.csv: expected a file, found "),
    "no list": ("{files: 'http://127.0.0.1:1/*.csv'}", "http://127.0.0.1:1/*.csv: expected files"),
    "no page": ("{files: 'FILES/b.csv'}", "FILES/b.csv: expected a file, found "),
    "no bucket": ("{s3: 's3://nowhere/x/', endpoint: 'STORE'}", "s3://nowhere/x/: expected files"),
    "no prefix": ("{s3: 's3://bucket/nowhere/', endpoint: 'STORE'}", "s3://bucket/nowhere/: expected files"),
    "no store": ("{s3: 's3://bucket/x/', endpoint: 'http://127.0.0.1:1'}", "s3://bucket/x/: expected files, found "),
}


@pytest.mark.parametrize("case", NOWHERE)
def test_a_source_that_is_not_there_is_one_line(problem: "Problem", store: str, keys: Keys, case: str) -> None:
    source, told = NOWHERE[case]
    with files(problem / "exports") as url:
        problem.source = source.replace("STORE", store).replace("FILES", url)
        line = problem.fails(UNAVAILABLE if case in ("no server", "no list", "no store") else REFUSED)
        assert line.startswith(told.replace("FILES", url)), line
    assert not any(secret in line for secret in keys().values())


def test_sources_that_never_answer_are_given_up(
    problem: "Problem", keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    with silent() as port:
        monkeypatch.setenv("SHOP_DSN", f"postgresql://tester:{PASSWORD}@127.0.0.1:{port}/x")
        sources = [
            f"{{files: 'http://127.0.0.1:{port}/a.csv'}}",
            f"{{files: 'http://127.0.0.1:{port}/*.csv'}}",
            f"{{s3: 's3://bucket/x/', endpoint: 'http://127.0.0.1:{port}'}}",
            "{postgres: SHOP_DSN, query: SELECT 1}",
        ]
        running = []
        for source in sources:
            problem.source = source
            running.append(problem.started(data_dvc=problem / "none"))
        assert [process.wait(timeout=HANGING) for process in running] == [UNAVAILABLE] * 4

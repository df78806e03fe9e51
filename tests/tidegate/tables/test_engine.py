"""The connection of every step says nothing by itself."""

import subprocess
import sys
from pathlib import Path

root = Path(__file__).parents[3]
# Where Python has no file of a program, DuckDB takes it for one that a person types, and draws on stdout.
PROGRAM = """
from pathlib import Path
from tidegate.tables.engine import engine

with engine(Path()) as connection:
    print(connection.execute("SELECT current_setting('enable_progress_bar')").fetchone()[0])
"""


def test_a_query_that_takes_long_draws_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=root, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("False\n", "")

"""Every benchmark still fits the code that it measures."""

import subprocess
import sys
from pathlib import Path

import pytest

root = Path(__file__).parents[1]
programs = sorted(
    path.name for path in (root / "benchmarks").glob("*.py") if 'if __name__ == "__main__"' in path.read_text()
)


@pytest.mark.parametrize("name", programs)
def test_it_says_what_it_measures(name: str) -> None:
    done = subprocess.run(
        [sys.executable, f"benchmarks/{name}", "--help"], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "--json" in done.stdout, done.stderr

"""docs/adapt.md: followed to the letter, with a file of orders that this test makes."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.workspaces import Workspace

root = Path(__file__).parents[1]
page = (root / "docs/adapt.md").read_text()
commands = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]


def orders(begin: str, end: str, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    at = pd.date_range(begin, end, freq="h", inclusive="left")
    price = random.normal(50, 10, len(at)).round(2)
    return pd.DataFrame(
        {
            "order_id": [f"{seed}-{number}" for number in range(len(at))],
            "ordered_at": at,
            "shop": random.choice(["north", "south"], len(at)),
            "price": price,
            "returned": (random.random(len(at)) < 1 / (1 + np.exp(-(price - 60) / 5))).astype(int),
        }
    )


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:docs|components)/[\w./-]*)`", page))))
def test_what_it_names_is_there(path: str) -> None:
    assert (root / path).exists()


def test_it_leads_to_a_champion(tmp_path: Path) -> None:
    clone = tmp_path / "tidegate"
    clone.mkdir()
    orders("2024-02-01", "2024-06-01", 1).to_csv(clone / "orders.csv", index=False)
    workspace, told = Workspace(clone), {}
    workspace.fork_programs()
    for command in commands:
        if command.startswith("cd "):
            workspace = Workspace((workspace / command.removeprefix("cd ")).resolve())
            workspace.fork_programs()
        else:
            if command == "dvc add data":
                orders("2024-06-01", "2024-07-01", 2).to_csv(workspace / "data/orders-june.csv", index=False)
            done = workspace.run("bash", "-euc", command, check=False)
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
            told[command] = done.stdout
    assert "promoted by this batch" in told["tidegate run"]
    assert "2024-06-03 to 2024-07-01: 672 rows" in told["tidegate run --until 2024-07-01"]
    assert re.findall(r"^ *(2024-0\d-01) ", told["tidegate batches"], re.MULTILINE) == ["2024-06-01", "2024-07-01"]

"""No step takes an input that is not as the step before left it, or that is of another batch."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, get_type_hints

import pytest

from tests.toy import GIVEN
from tidegate.tracking.journal import champion
from tidegate.tracking.store import connect

if TYPE_CHECKING:
    from tests.toy import World

Fails = Callable[..., list[str]]
INPUTS = {
    "validate": ("tables", "manifest", "contract"),
    "featurize": ("clean", "manifest", "findings", "contract"),
    "gate": ("clean", "features", "batch", "contract"),
    "train": ("features", "batch", "contract", "sql", "estimator"),
    "evaluate": ("clean", "features", "batch", "contract", "model", "baselines", "record"),
    "deploy": ("contract", "sql", "estimator", "batch", "decision", "model", "reference", "record", "verdict"),
}
EDITS = {
    "contract": ("horizon: 6h", "horizon: 5h"),
    "sql": ("kept_days < 14", "kept_days < 15"),
    "estimator": ("max_iter: 30", "max_iter: 31"),
}
cases = [(step, port) for step, ports in INPUTS.items() for port in ports]


def alter(world: "World", step: str, port: str) -> None:
    """Change an input as little as can be: one letter of a text, one bit of any other file."""
    path = world.path(step, port)
    if port in GIVEN:
        world.edit(GIVEN[port], EDITS[port])
    elif path.suffix == ".json":
        text = path.read_text()
        digit = re.search(r'": \d*(\d)', text)
        assert digit
        path.write_text(f"{text[: digit.start(1)]}{(int(digit[1]) + 1) % 10}{text[digit.end(1) :]}")
    else:
        flip(next(path.glob("*.parquet")) if path.is_dir() else path)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(("step", "port"), cases, ids=[f"{step}-{port}" for step, port in cases])
def test_an_altered_input_is_told_and_nothing_is_made_of_it(
    step: str, port: str, trained: "World", fails: Fails
) -> None:
    alter(trained, step, port)
    before = trained.snapshot()
    lines = fails(trained, step)
    assert len(lines) == 1
    assert trained.snapshot() == before
    assert champion(connect(), "toy") is None


def test_every_input_of_a_step_is_among_the_cases(world: "World") -> None:
    for step, ports in INPUTS.items():
        kinds = get_type_hints(world.function(step), include_extras=True)
        inputs = {name for name, kind in kinds.items() if kind is Path}
        sources = {"sql", "estimator"} if step == "featurize" else set()  # of which it makes the recipe
        assert inputs == {*ports} | sources, step


def another_margin(world: "World") -> None:
    verdict = world.json("verdict")
    world.rewrite("verdict", policy=verdict["policy"] | {"margin": 0.5})


def accepted_after_all(world: "World") -> None:
    world.file_verdict(accepted=False, reasons=["it is worse"])
    world.rewrite("verdict", accepted=True, reasons=["it is better"])


def verdict_on_another_model(world: "World") -> None:
    world.file_verdict(challenger=f"sha256:{'0' * 64}")


def verdict_of_another_batch(world: "World") -> None:
    world.rewrite("verdict", batch="0" * 16)


def decision_of_another_batch(world: "World") -> None:
    world.rewrite("decision", batch="0" * 16)


def shut_gate(world: "World") -> None:
    world.rewrite("decision", decision="keep", retrain=False)


def model_of_another_batch(world: "World") -> None:
    world.rewrite("record", batch="0" * 16)


def model_of_another_recipe(world: "World") -> None:
    made_from = world.json("record")["made_from"]
    world.rewrite("record", made_from=made_from | {"recipe": made_from["recipe"] | {"sql": "0" * 64}})


@pytest.mark.parametrize(
    ("forge", "thing"),
    [
        (another_margin, "verdict.json"),
        (accepted_after_all, "verdict.json"),
        (verdict_on_another_model, "verdict.json"),
        (verdict_of_another_batch, "verdict.json"),
        (decision_of_another_batch, "decision.json"),
        (shut_gate, "decision.json"),
        (model_of_another_batch, "record.json"),
        (model_of_another_recipe, "record.json"),
    ],
)
def test_a_document_that_is_none_of_this_batch_promotes_nothing(
    forge: Callable[["World"], None], thing: str, trained: "World", fails: Fails
) -> None:
    """Their checksums are right: somebody put them in the place of others."""
    forge(trained)
    (line,) = fails(trained, "deploy")
    assert line.startswith(f"{thing}: expected ")
    assert champion(connect(), "toy") is None
    assert not (trained / "release.json").exists()


def test_a_batch_has_the_id_of_its_data_and_recipe(trained: "World", fails: Fails) -> None:
    batch = trained.json("batch")
    trained.rewrite("batch", recipe=batch["recipe"] | {"window_days": 30})
    for step in ("gate", "train", "evaluate", "deploy"):
        (line,) = fails(trained, step)
        assert f"found the id {batch['id']}" in line

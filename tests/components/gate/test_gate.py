"""The gate with a real store: it decides once per batch and policy, by what the champion itself sees."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from components.champion import Champion, load_champion
from components.gate.asking import measured
from components.tracking.store import connect

if TYPE_CHECKING:
    from tests.components.conftest import World

Builders = dict[str, Callable[..., pd.DataFrame]]
outputs = ("decision.json", "drift.json", "evidently.html", "gate.html", "retrain")


def asked(world: "World", **given: Any) -> dict[str, Any]:
    """The decision about the next batch, as `decision`, `reasons` and so on."""
    world.run("ingest", "validate", "featurize", "gate", **{"until": "2024-04-29", **given})
    found: dict[str, Any] = world.json("decision")
    assert (world / "retrain").read_text() == str(found["retrain"]).lower()
    return found


def opened(decision: dict[str, Any]) -> list[str]:
    return [signal["name"] for signal in decision["signals"] if signal["opens"]]


@pytest.mark.parametrize(
    ("mode", "decision", "reasons"),
    [
        ("auto", "retrain", ["there is no champion yet"]),
        ("always", "retrain", ["gate.mode is always", "there is no champion yet"]),
        ("never", "keep", ["gate.mode is never", "there is no champion yet"]),
    ],
)
def test_without_a_champion(mode: str, decision: str, reasons: list[str], stored: "World") -> None:
    found = asked(stored, mode=mode)
    assert (found["decision"], found["reasons"], found["champion"]) == (decision, reasons, None)
    assert stored.json("drift") == {"skipped": "there is no champion to compare with"}


def test_asked_again_it_returns_what_it_decided(released: "World") -> None:
    asked(released)
    before = {name: (released / name).read_bytes() for name in outputs}
    for name in outputs:
        (released / name).unlink()
    released.run("gate")
    assert {name: (released / name).read_bytes() for name in outputs} == before


def test_another_policy_is_another_question_and_the_first_stays(released: "World") -> None:
    first = asked(released)
    changed = asked(released, minimum_effect=0.0)
    assert (first["decision"], changed["decision"]) == ("keep", "retrain")
    assert changed["policy"]["minimum_effect"] == 0.0
    assert asked(released) == first
    client = connect()
    experiment = client.get_experiment_by_name("toy")
    assert experiment
    runs = client.search_runs([experiment.experiment_id], f"tags.`tidegate.batch` = '{first['batch']}'")
    assert [len([key for key in run.data.params if key.startswith("tidegate.decision.")]) for run in runs] == [2]


def test_nothing_new_keeps_the_champion(released: "World") -> None:
    found = asked(released)
    assert (found["decision"], found["champion"], opened(found)) == ("keep", "1", [])
    assert found["reasons"][0].startswith("nothing is beyond its threshold; nearest: ")
    assert {signal["name"] for signal in found["signals"]} == {
        "drift of predictions",
        "decay",
        "drift of price",
        "drift of shop",
        "drift of rate",
    }
    page = (released / "gate.html").read_text()
    assert all(name in page for name in ("price", "shop", "rate", "2024-04-29"))
    assert "<script" in (released / "evidently.html").read_text()


def test_a_shift_of_what_matters_opens_the_gate(released: "World", builders: Builders) -> None:
    orders = builders["orders"]()
    orders.loc[orders["at"] >= "2024-04-01", "price"] += 100
    released.lay(orders=orders)
    found = asked(released)
    assert found["decision"] == "retrain"
    assert "drift of price" in opened(found)
    assert any(reason.startswith("price drifted by") for reason in found["reasons"])


def test_a_shift_of_what_does_not_matter_does_not(released: "World", builders: Builders) -> None:
    rates = builders["rates"]()
    rates.loc[rates["at"] >= "2024-04-01", "rate"] += 100
    released.lay(rates=rates)
    found = asked(released)
    detail = {signal["name"]: signal["detail"] for signal in found["signals"]}["drift of rate"]
    assert detail["score"] > 1
    assert detail["importance"] < 0.1


def test_a_column_that_falls_silent_is_drift(released: "World", builders: Builders) -> None:
    orders = builders["orders"]()
    orders.loc[orders["at"] >= "2024-04-01", "price"] = np.nan
    released.lay(orders=orders)
    found = asked(released)
    detail = {signal["name"]: signal["detail"] for signal in found["signals"]}["drift of price"]
    assert (detail["score"], detail["null_shift"]) == (1.0, 1.0)
    assert "drift of price" in opened(found)


def test_another_relation_between_the_same_columns_is_decay(judged: "World") -> None:
    found = judged.json("decision")
    assert (found["decision"], opened(found)) == ("retrain", ["decay"])


@pytest.mark.parametrize(("mode", "decision"), [("auto", "cannot tell"), ("always", "retrain"), ("never", "keep")])
def test_too_few_rows_cannot_tell(mode: str, decision: str, released: "World") -> None:
    found = asked(released, mode=mode, minimum_rows=337)
    assert found["decision"] == decision
    assert found["reasons"][-1] == "336 rows are too few to tell drift from chance (gate.minimum_rows 337)"


@pytest.mark.parametrize(("mode", "decision"), [("auto", "keep"), ("always", "retrain")])
def test_a_champion_that_learned_later_rows_is_not_judged_by_earlier_ones(
    mode: str, decision: str, released: "World"
) -> None:
    found = asked(released, until="2024-03-04", mode=mode)
    assert found["decision"] == decision
    assert found["reasons"][-1] == (
        "the champion has learned from rows up to 2024-03-03T22:00:00, later than this batch begins"
    )


def test_the_champion_is_fed_by_its_own_query(released: "World") -> None:
    first = asked(released)
    released.edit("features.sql", ("orders.price, rates.rate", "orders.price * 3 AS cost, orders.id % 7 AS luck"))
    second = asked(released)
    assert second["batch"] != first["batch"]
    assert [signal["name"] for signal in second["signals"]] == [signal["name"] for signal in first["signals"]]
    assert second["decision"] == "keep"


def test_columns_without_values_drift_only_if_they_had_some(released: "World") -> None:
    champion = load_champion(connect(), "toy")
    assert isinstance(champion, Champion)
    full = champion.reference
    for reference, batch, score in (
        (full, full.assign(rate=np.nan), 1.0),
        (full.assign(rate=np.nan), full, 1.0),
        (full.assign(rate=np.nan), full.assign(rate=np.nan), 0.0),
    ):
        _, scores, nulls = measured(replace(champion, reference=reference), batch, 500, 0)
        assert (scores["rate"], nulls["rate"]) == (score, score)


def test_a_mode_that_there_is_none_of_is_one_line(prepared: "World", fails: Callable[..., list[str]]) -> None:
    (line,) = fails(prepared, "gate", mode="sometimes")
    assert line == "gate.mode: expected one of auto, always, never, found 'sometimes'; mend params.yaml"


def test_kubeflow_is_told_the_signals_as_numbers(judged: "World") -> None:
    found: Any = judged.function("gate")(**judged.flags("gate"))
    assert found == {"signals": judged.json("signals")}
    decision = judged.json("decision")
    assert found["signals"] == {
        "retrain": 1,
        "rows": decision["window"]["rows"],
        "labelled_rows": decision["window"]["labelled_rows"],
        **{signal["name"]: signal["value"] for signal in decision["signals"]},
    }
    assert "drift of price" in found["signals"]


def test_a_batch_that_is_kept_ends_there(released: "World") -> None:
    assert asked(released)["decision"] == "keep"
    client = connect()
    experiment = client.get_experiment_by_name("toy")
    assert experiment
    assert [run.info.status for run in client.search_runs([experiment.experiment_id])] == ["FINISHED"] * 2

"""The gate with a real store: it decides once per batch and policy, by what the champion itself sees."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from tests.toy import SCALARS
from tidegate.components.gate import __main__ as command
from tidegate.documents.decision import Feedback
from tidegate.documents.parameters import read_parameters
from tidegate.process.errors import InputError
from tidegate.tracking import records, run_data
from tidegate.tracking.batch_runs import batch_run
from tidegate.tracking.feedback import add
from tidegate.tracking.store import connect

if TYPE_CHECKING:
    from tests.toy import World

Builders = dict[str, Callable[..., pd.DataFrame]]
outputs = ("decision.json", "drift.json", "evidently.html", "gate.html", "retrain")


def asked(world: "World", **given: Any) -> dict[str, Any]:
    """The decision about the next batch, as `decision`, `reasons` and so on."""
    world.run("ingest", "validate", "featurize", "gate", **{"until": "2024-04-29", **given})
    found: dict[str, Any] = world.json("decision")
    assert (world / "retrain").read_text() == str(found["retrain"]).lower()
    return found


def opened(decision: dict[str, Any]) -> list[str]:
    return [signal["name"] for signal in decision["signals"] if signal["state"] == "opens"]


def named(decision: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [signal for signal in decision["signals"] if signal["name"] == name]
    return dict(found)


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
    assert stored.json("drift") == {"skipped": "there is no champion yet"}


def test_asked_again_it_returns_what_it_decided(released: "World") -> None:
    asked(released)
    before = {name: (released / name).read_bytes() for name in outputs}
    for name in outputs:
        (released / name).unlink()
    released.run("gate")
    assert {name: (released / name).read_bytes() for name in outputs} == before


def test_another_policy_is_another_question_and_the_first_stays(released: "World") -> None:
    first = asked(released)
    changed = asked(released, max_age_days=55)
    assert (first["decision"], changed["decision"]) == ("keep", "retrain")
    assert changed["policy"]["max_age_days"] == 55
    assert asked(released) == first
    client = connect()
    experiment = client.get_experiment_by_name("toy")
    assert experiment
    runs = client.search_runs([experiment.experiment_id], f"tags.`tidegate.batch` = '{first['batch']}'")
    assert [len([key for key in run.data.params if key.startswith("tidegate.decision.")]) for run in runs] == [2]


@pytest.mark.parametrize("table", ["clean", "features"])
@pytest.mark.parametrize("moment", ["comparison", "write_decision", "dumped"])
def test_a_table_that_is_edited_while_the_gate_runs_is_never_decided_on(
    table: str, moment: str, released: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is recorded stays so for ever: a later run would return a decision about rows that are in no batch."""
    step = getattr(command, moment)

    def edited(*words: Any, **more: Any) -> Any:
        result = step(*words, **more)
        file.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
        return result

    released.run("ingest", "validate", "featurize", until="2024-04-29")
    path = released / table
    file = next(path.glob("*.parquet")) if path.is_dir() else path.with_suffix(".parquet")
    content = file.read_bytes()
    with monkeypatch.context() as meanwhile, pytest.raises(InputError, match="as an earlier step wrote it"):
        meanwhile.setattr(command, moment, edited)
        released.run("gate", until="2024-04-29")
    file.write_bytes(content)
    batch, client = released.json("batch")["id"], connect()
    params = client.get_run(batch_run(client, "toy", batch, {})).data.params
    assert [key for key in params if key.startswith("tidegate.decision.")] == []
    released.run("gate", until="2024-04-29")
    assert released.json("decision")["decision"] == "keep"


def test_nothing_new_keeps_the_champion(released: "World") -> None:
    found = asked(released)
    assert (found["decision"], found["champion"], opened(found)) == ("keep", "1", [])
    assert found["reasons"][0].startswith("nothing is beyond its limit; nearest: ")
    assert {signal["name"] for signal in found["signals"]} == {
        "recipe",
        "drift of predictions",
        "drift of the label",
        "decay",
        "drift of columns together",
        "estimated loss",
        "age",
        "cooldown",
        "budget",
        "drift of price",
        "drift of shop",
        "drift of rate",
    }
    page = (released / "gate.html").read_text()
    assert all(name in page for name in ("price", "shop", "rate", "2024-04-29"))
    evidently = (released / "evidently.html").read_text()
    assert "The gate is shut: keep the champion" in evidently and "Dataset Drift" not in evidently


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
    shifted = named(found, "drift of rate")
    assert shifted["detail"]["score"] > 1 and shifted["detail"]["score"] > shifted["detail"]["chance"]
    assert shifted["detail"]["importance"] < 0.1 and shifted["state"] == "shut"
    assert found["decision"] == "keep"


def test_a_column_that_falls_silent_is_drift(released: "World", builders: Builders) -> None:
    orders = builders["orders"]()
    orders.loc[orders["at"] >= "2024-04-01", "price"] = np.nan
    released.lay(orders=orders)
    found = asked(released)
    detail = named(found, "drift of price")["detail"]
    assert (detail["score"], detail["null_shift"]) == (1.0, 1.0)
    assert "drift of price" in opened(found)


def test_new_categories_are_named(released: "World", builders: Builders) -> None:
    orders = builders["orders"]()
    orders.loc[(orders["at"] >= "2024-04-01") & (orders["id"] % 2 == 0), "shop"] = "west"
    released.lay(orders=orders)
    released.edit("contract.yaml", ("[north, south]", "[north, south, west]"))
    found = asked(released, minimum_effect=0.0)
    assert named(found, "drift of shop")["detail"]["new"] == ["west"]
    assert any("new: west" in reason for reason in found["reasons"])
    assert named(found, "recipe")["detail"]["differs"] == ["contract.yaml"]


def in_pairs(orders: pd.DataFrame) -> pd.DataFrame:
    """The same prices and shops of each day of the batch, but the dear orders are those of the south."""
    for _, day in orders[orders["at"] >= "2024-04-01"].groupby(orders["at"].str[:10]):
        orders.loc[day.index, "price"] = np.sort(day["price"])[day["shop"].rank(method="first").astype(int) - 1]
    return orders


def test_what_no_column_shows_alone_opens_the_gate_and_is_named(released: "World", builders: Builders) -> None:
    released.lay(orders=in_pairs(builders["orders"]()))
    off = "predictions label decay"
    found = asked(released, off=off, together=0.1)
    assert (found["decision"], opened(found)) == ("retrain", ["drift of columns together"])
    signal = named(found, "drift of columns together")
    assert {column["column"] for column in signal["detail"]["columns"][:2]} == {"price", "shop"}
    assert "price (" in found["reasons"][0] and "shop (" in found["reasons"][0]
    assert "(gate.together 0.1)" in found["reasons"][0]
    assert "gate.together at" in found["would_change"][0]
    assert "What moved together" in (released / "gate.html").read_text()
    without = asked(released, off=f"{off} together", together=0.1)
    assert without["decision"] == "keep" and named(without, "drift of columns together")["state"] == "off"
    assert "What moved together" not in (released / "gate.html").read_text()
    assert asked(released, off=off, together=1.0)["decision"] == "keep"
    ignore = Feedback("ignore", "shop", "", "2024-05-10", "ann", "2024-04-02T08:00:00+00:00", "a shop moved")
    add(connect(), "toy", ignore)
    ignored = asked(released, off=off, together=0.1, sample_rows=501)
    assert ignored["decision"] == "keep", "of price alone nothing has changed"
    columns = named(ignored, "drift of columns together")["detail"]["columns"]
    assert "shop" not in {column["column"] for column in columns}


def test_a_batch_that_was_decided_before_there_was_this_signal_is_not_decided_again(released: "World") -> None:
    before = ["mode", "off", "sample_rows", "minimum_rows", "false_alarm_rate", "minimum_effect", "prediction_drift"]
    before += ["label_drift", "decay", "max_age_days", "cooldown_days", "max_refused", "refused_days"]
    usual = read_parameters(Path(__file__).parents[3] / "params.yaml")["gate"]
    found = asked(released, **{name: value for name, value in usual.items() if name not in before})
    key = records.question("decision", {name: SCALARS[name] for name in before})
    params = connect().get_run(batch_run(connect(), "toy", found["batch"], {})).data.params
    assert f"tidegate.{key}" in params
    assert set(found["policy"]) == set(before)


def test_another_relation_between_the_same_columns_is_decay(judged: "World") -> None:
    found = judged.json("decision")
    assert (found["decision"], opened(found)) == ("retrain", ["decay"])


@pytest.mark.parametrize(("mode", "decision"), [("auto", "cannot tell"), ("always", "retrain"), ("never", "keep")])
def test_too_few_rows_cannot_tell(mode: str, decision: str, released: "World") -> None:
    found = asked(released, mode=mode, minimum_rows=337)
    assert found["decision"] == decision
    assert found["reasons"][-1] == "336 rows are too few to tell drift from chance (gate.minimum_rows 337)"


@pytest.mark.parametrize(("mode", "decision"), [("auto", "cannot tell"), ("always", "retrain")])
def test_a_champion_that_learned_later_rows_is_not_judged_by_earlier_ones(
    mode: str, decision: str, released: "World"
) -> None:
    found = asked(released, until="2024-03-04", mode=mode)
    assert found["decision"] == decision
    assert found["reasons"][-1] == (
        "the champion has learned from rows up to 2024-03-03T22:00:00, later than this batch begins"
    )


def test_late_labels_cannot_tell_and_may_be_switched_off(released: "World") -> None:
    released.edit("contract.yaml", ("label_delay: 1d", "label_delay: 25d"))
    found = asked(released)
    assert (found["decision"], found["retrain"]) == ("cannot tell", False)
    assert "37 rows with a label are too few to tell a change from chance (gate.minimum_rows 100)" in found["reasons"]
    without = asked(released, off="decay label")
    assert without["decision"] == "keep" and named(without, "decay")["state"] == "off"


def test_few_blocks_cannot_tell(released: "World") -> None:
    released.edit("contract.yaml", ("block: 1d", "block: 4w"))
    found = asked(released)
    assert found["decision"] == "cannot tell" and "too few blocks of time" in found["reasons"][0]
    assert found["compared"]["relabellings"] == 0
    together = named(found, "drift of columns together")
    assert together["state"] == "cannot tell" and "too few blocks of time" in together["reason"]


def test_a_drifted_column_may_be_ignored_until_a_day(released: "World", builders: Builders) -> None:
    orders = builders["orders"]()
    orders.loc[orders["at"] >= "2024-04-01", "price"] += 30
    released.lay(orders=orders)
    ignore = Feedback("ignore", "price", "", "2024-05-10", "ann", "2024-04-02T08:00:00+00:00", "new price list")
    add(connect(), "toy", ignore)
    off = "predictions label decay"
    found = asked(released, off=off)
    assert (found["decision"], named(found, "drift of price")["state"]) == ("keep", "ignored")
    assert "ann said to ignore it until 2024-05-10: new price list" in found["reasons"][-1]
    assert found["feedback"][0]["about"] == "price"
    assert "new price list" in (released / "gate.html").read_text()
    later = asked(released, off=off, until="2024-05-10", sample_rows=501)
    assert named(later, "drift of price")["state"] == "ignored"
    after = released.copy(released.folder / "after")
    add(connect(), "toy", replace(ignore, until="2024-04-28"))
    assert asked(after, off=off, sample_rows=502)["decision"] == "retrain"


def test_what_was_said_of_the_last_decision_is_told(released: "World") -> None:
    first = asked(released)
    add(connect(), "toy", Feedback("batch", first["batch"], "wrong", "", "ann", "2024", "sales had begun"))
    second = asked(released, until="2024-05-08")
    assert second["reasons"][-1] == "ann called the decision before this one wrong: sales had begun"


def test_refused_challengers_spend_a_budget_and_a_cooldown_holds(released: "World") -> None:
    client = connect()
    told = {"tidegate.decision": "retrain", "tidegate.verdict": "refused", "tidegate.champion": "1"}
    for day in ("2024-04-20", "2024-04-24"):
        run_id = batch_run(client, "toy", day, {"tidegate.until": day, "tidegate.rows": "9"})
        run_data.values(client, run_id, tags=told)
    changed = {"max_age_days": 55}
    assert asked(released, **changed)["decision"] == "retrain"
    spent = asked(released, max_refused=2, **changed)
    assert spent["decision"] == "keep" and opened(spent)
    assert spent["reasons"][0].startswith("2 challengers of this champion refused within 90 days")
    assert asked(released, max_refused=2, refused_days=7, **changed)["decision"] == "retrain"
    held = asked(released, cooldown_days=6, **changed)
    assert held["decision"] == "keep" and held["reasons"][0].startswith("the gate was last open 5 days ago")
    assert asked(released, cooldown_days=6, off="cooldown", **changed)["decision"] == "retrain"


def test_an_old_champion_is_trained_anew(released: "World") -> None:
    assert opened(asked(released, max_age_days=55)) == ["age"]
    assert opened(asked(released, max_age_days=57)) == []


def test_the_same_inputs_give_the_same_bytes(released: "World", tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        world = released.copy(tmp_path / name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{world.folder}/mlflow.db")
            asked(world)
        found.append([(world / file).read_bytes() for file in ("decision.json", "drift.json", "gate.html")])
    assert found[0] == found[1]


def test_the_champion_is_fed_by_its_own_query(released: "World") -> None:
    first = asked(released)
    released.edit("features.sql", ("orders.price, rates.rate", "orders.price * 3 AS cost, orders.id % 7 AS luck"))
    second = asked(released)
    assert second["batch"] != first["batch"]
    assert {signal["name"] for signal in second["signals"]} == {signal["name"] for signal in first["signals"]}
    assert second["decision"] == "keep" and named(second, "recipe")["detail"]["differs"] == ["features.sql"]
    # What it reads from the feature table is what its own SQL says.
    for name in ("drift of price", "drift of predictions"):
        assert named(first, name)["detail"]["method"] == named(second, name)["detail"]["method"]


def test_kubeflow_is_told_the_signals_as_numbers(judged: "World") -> None:
    found: Any = judged.function("gate")(**judged.flags("gate"))
    written = judged.json("signals")
    assert {point["signal"] for point in written.pop("against_limits")} < set(written)
    assert found == {"signals": written}
    decision = judged.json("decision")
    assert found["signals"] == {
        "retrain": 1,
        "rows": decision["window"]["rows"],
        "labelled_rows": decision["window"]["labelled_rows"],
        **{it["name"]: it["value"] for it in decision["signals"] if it["value"] is not None},
    }
    assert "drift of price" in found["signals"]


def test_a_batch_that_is_kept_ends_there(released: "World") -> None:
    assert asked(released)["decision"] == "keep"
    client = connect()
    experiment = client.get_experiment_by_name("toy")
    assert experiment
    assert [run.info.status for run in client.search_runs([experiment.experiment_id])] == ["FINISHED"] * 2

"""What the gate's statistics are worth: how often they cry wolf without drift, and how often they see a planted one.

`python benchmarks/gate.py --json`: a year of flights, the days of which are dealt out at random, so that no side
drifted: some to a champion that learns from them, and for each batch some to the batch, some to the verdict it was
promoted by and the rest to its reference. Small batches hold a few rows of each of several days. Then labels are lost
on all sides alike, and drifts are planted into the batch. Everything goes through the gate's own functions; beside it
stand the tests of Evidently's default `DataDriftPreset` on the same reference (unthinned) and batch. Last comes what
the whole step costs.
"""

import argparse
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.legacy.calculations.stattests import get_stattest
from evidently.legacy.core import ColumnType
from evidently.presets import DataDriftPreset
from flights import Days, World, important, repository, world_file

from tidegate.components.evaluate.paired_difference import difference
from tidegate.components.gate import column_drift
from tidegate.components.gate.comparison import rate_beside
from tidegate.components.gate.decay import growth
from tidegate.components.gate.joint_drift import joint_drift, together
from tidegate.components.gate.permutation_test import compare
from tidegate.components.gate.slice_decay import Losses, decay_of_slices, slice_decays
from tidegate.components.gate.slice_drift import drift_of_slices, large_slices, slice_drift
from tidegate.components.gate.thinning import Thinned, thinned
from tidegate.contract.contract import read_contract
from tidegate.documents.formats import read_yaml
from tidegate.documents.signal import Signal, SliceDecay, SliceDecayDetail, SliceDrift, SliceDriftDetail
from tidegate.documents.verdict import SliceResult, VerdictSummary
from tidegate.scoring.slices import slices
from tidegate.scoring.tasks import TASKS

spread = {50: (10, 5), 200: (10, 20), 1_000: (20, 50), 20_000: (22, 10_000)}  # rows of a batch: days, rows of each
verdict_days, reference_rows = 28, 10_000
signals = ("features", "predictions", "label", "decay", "together", "slices", "slice_decay")
parts = ("false_alarm_rate", "of_its_own_rows", "labels_lost", "power", "seconds")
parameters = read_yaml(repository / "params.yaml")
policy, slice_rows = parameters["gate"], parameters["evaluate"]["slice_rows"]
sliced, airport = read_contract(repository / "contract.yaml").slices, "LGA"
Plant = Callable[[World, pd.DataFrame, np.random.Generator], pd.DataFrame]
Loss = Callable[[World, np.random.Generator], World]


@dataclass(frozen=True)
class Outcome:
    """What gate and Evidently say of one batch, a feature's largest effect, and the gate's seconds."""

    gate: set[str]
    evidently: set[str]
    effect: float
    seconds: float


def strongest(world: World, kind: str, place: int = 0) -> str:
    """The feature of a kind that the champion depends on most, or the next ones."""
    return sorted((name for name, value in world.kinds.items() if value == kind), key=lambda n: -world.shares[n])[
        place
    ]


def shift(world: World, batch: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """The most important number moves by one standard deviation of the year."""
    name = strongest(world, "number")
    return batch.assign(**{name: batch[name] + world.rows[name].std()})


def scale(world: World, batch: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """The most important number spreads three times as far around its mean."""
    name = strongest(world, "number")
    centre = world.rows[name].mean()
    return batch.assign(**{name: centre + 3 * (batch[name] - centre)})


def new_category(world: World, batch: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Every row has a value of the most important category that nobody knows (a renamed code)."""
    name = strongest(world, "category")
    return batch.assign(**{name: "new " + batch[name]})


def swapped(world: World, batch: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """The two most important numbers come in each other's place."""
    first, second = (strongest(world, "number", place) for place in (0, 1))
    return batch.assign(**{first: batch[second], second: batch[first]})


def nulls(world: World, batch: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Half of the rows lose the most important number."""
    name = strongest(world, "number")
    return batch.assign(**{name: batch[name].mask(random.random(len(batch)) < 0.5)})


def unit(world: World, batch: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """The most important number, in minutes, comes in hours."""
    name = strongest(world, "number")
    return batch.assign(**{name: batch[name] / 60})


def lesser_unit(world: World, batch: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """The pressure (the second number) comes in inches of mercury, not millibar."""
    name = strongest(world, "number", 1)
    return batch.assign(**{name: batch[name] / 33.8639})


def uncorrelated(world: World, batch: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """The number that is most correlated with the most important one is dealt out anew among the rows of its day."""
    first = strongest(world, "number")
    names = [name for name, kind in world.kinds.items() if kind == "number" and name != first]
    other = max(names, key=lambda name: abs(world.rows[name].corr(world.rows[first], method="spearman")))
    dealt = batch.groupby("block")[other].sample(frac=1, random_state=int(random.integers(1 << 31)))
    return batch.assign(**{other: dealt.to_numpy()})


def one_airport(world: World, batch: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """The most important number moves by a standard deviation at one of the three airports."""
    name = strongest(world, "number")
    moved = batch["origin"] == airport
    return batch.assign(**{name: batch[name] + moved * world.rows[name].std()})


def one_airports_labels(world: World, batch: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """As many rows, of which those with a late flight from one of the three airports come twice as often there."""
    here = batch["origin"] == airport
    return pd.concat([batch[~here], label_shift(world, batch[here], random)])


def label_shift(world: World, batch: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """As many rows, of which those with a late flight come twice as often."""
    weight = 1.0 + (batch["label"] == 1)
    return batch.groupby("block").sample(
        frac=1, replace=True, weights=weight, random_state=int(random.integers(1 << 31))
    )


def unimportant(world: World, batch: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """The number the champion depends on least moves by three standard deviations: the gate is to stay shut."""
    name = min((name for name, kind in world.kinds.items() if kind == "number"), key=lambda n: (world.shares[n], n))
    return batch.assign(**{name: batch[name] + 3 * world.rows[name].std()})


plants: Mapping[str, Plant] = {
    "shift": shift,
    "scale": scale,
    "new category": new_category,
    "swapped columns": swapped,
    "nulls": nulls,
    "unit, most important": unit,
    "unit, second": lesser_unit,
    "broken correlation": uncorrelated,
    "label shift": label_shift,
    "one airport": one_airport,
    "label shift at one airport": one_airports_labels,
    "only unimportant": unimportant,
}


def at_random(world: World, random: np.random.Generator) -> World:
    """Three of ten rows have no label."""
    return _unlabelled(world, random.random(len(world.rows)) < 0.3)


def with_a_feature(world: World, random: np.random.Generator) -> World:
    """Three of ten rows have no label, and neither the most important category nor the most important number."""
    lost = random.random(len(world.rows)) < 0.3
    names = [strongest(world, kind) for kind in ("category", "number")]
    rows = world.rows.assign(**{name: world.rows[name].mask(lost) for name in names})
    return _unlabelled(replace(world, rows=world.predicted(rows)), lost)


def by_slice(world: World, random: np.random.Generator) -> World:
    """Nine of ten rows with the most frequent value of the most important category have no label."""
    column = world.rows[strongest(world, "category")]
    return _unlabelled(world, (column == column.mode()[0]).to_numpy() & (random.random(len(column)) < 0.9))


def by_time(world: World, random: np.random.Generator) -> World:
    """Saturdays and Sundays have no label."""
    return _unlabelled(world, (world.rows["block"].dt.dayofweek >= 5).to_numpy())


def _unlabelled(world: World, lost: npt.NDArray[np.bool_]) -> World:
    rows = world.rows.copy()
    rows.loc[lost, "label"] = np.nan
    return replace(world, rows=rows.assign(loss=_losses(rows)))


lost_labels: Mapping[str, Loss] = {
    "at random": at_random,
    "together with two features": with_a_feature,
    "by slice": by_slice,
    "by time": by_time,
}


@dataclass(frozen=True)
class Case:
    """How batches are drawn: with which plant, on the champion's own rows or others, and how labels are lost.

    `unlike` is a reference of labelled rows alone, which is held against all rows of the batch.
    """

    planted: str = "none"
    learned: bool = False
    lost: str = ""
    unlike: bool = False

    @property
    def name(self) -> str:
        """What a line of results calls it."""
        return f"{self.lost}{', reference of labelled rows' * self.unlike}" if self.lost else self.planted


def drawn(world: World, size: int, seed: int, case: Case) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Reference, batch and the verdict's rows, of other days each; the last day of the batch has no label yet."""
    random = np.random.default_rng([size, seed])
    count, rows_of_day = spread[size]
    order = random.permutation(len(world.pool))
    days: Days = [world.pool[place] for place in order]
    batch = [random.permutation(rows)[:rows_of_day] for rows in days[:count]]
    verdict, others = days[count : count + verdict_days], days[count + verdict_days :]
    pool = np.concatenate(world.learned if case.learned else others)
    pool = pool[world.rows["label"].notna().to_numpy()[pool]] if case.unlike else pool
    reference = world.rows.iloc[np.sort(random.choice(pool, reference_rows, replace=False))]
    rows = world.rows.iloc[np.concatenate(batch)].copy()
    rows.loc[rows["block"] == rows["block"].max(), ["label", "loss"]] = np.nan
    return reference, rows, world.rows.iloc[np.concatenate(verdict)].dropna(subset="loss")


def judged(
    world: World, reference: pd.DataFrame, batch: pd.DataFrame, verdict: pd.DataFrame, seed: int
) -> tuple[set[str], float]:
    """What the gate says: what is `beyond chance`, `opens`, by which signals; and the largest effect of a feature."""
    rate = policy["false_alarm_rate"]
    sides = thinned(reference, batch, reference["block"], batch["block"], policy["sample_rows"], seed)
    columns = compare(
        sides.reference, sides.batch, sides.reference_blocks, sides.batch_blocks, world.compared, {}, rate, seed
    ).columns
    measured = [
        *column_drift.features(
            {name: columns[name] for name in world.shares}, world.shares, policy["minimum_effect"], {}
        ),
        column_drift.predictions(columns["prediction"], policy["prediction_drift"]),
        column_drift.label(columns["label"], policy["label_drift"], "label"),
    ]
    joint = joint_drift(sides, world.kinds, world.shares, rate_beside(rate), seed)
    if joint is not None:
        measured.append(together(joint, world.shares, policy["together"]))
    opening = {signal.signal for signal in measured if signal.state == "opens"}
    measured += _of_slices(world, sides, reference, batch, verdict, seed)
    opening |= {signal.signal for signal in measured if signal.state == "opens"}
    if _decayed(batch.dropna(subset="loss"), verdict, rate, seed):
        opening.add("decay")
    beyond = {"beyond chance"} if any(column.significant for column in columns.values()) else set()
    beyond |= {f"{kind} beyond chance" for kind in _certain(measured)}
    beyond |= {"together beyond chance"} if joint is not None and joint.significant else set()
    effects = [signal.value or 0.0 for signal in measured if signal.signal == "features"]
    return beyond | opening | ({"opens"} if opening else set()), max(effects)


def _of_slices(
    world: World, sides: Thinned, reference: pd.DataFrame, batch: pd.DataFrame, verdict: pd.DataFrame, seed: int
) -> list[Signal]:
    """Drift and decay of the slices of the contract."""
    rate, least = rate_beside(policy["false_alarm_rate"]), policy["minimum_rows"]
    large = large_slices(reference, batch, sliced, least)
    found = []
    if large:
        drifts = slice_drift(sides, sliced, large, "number", {}, rate, seed)
        found.append(drift_of_slices(drifts, policy["slice_drift"]))
    labelled = batch.dropna(subset="loss").reset_index(drop=True)
    lost = Losses(labelled["loss"].to_numpy(), None, labelled["block"])
    decays = slice_decays(labelled, sliced, lost, *_promised(verdict, seed), least, rate, seed)
    return [*found, decay_of_slices(decays, policy["decay"], TASKS["binary"])] if decays else found


def _promised(verdict: pd.DataFrame, seed: int) -> tuple[VerdictSummary, dict[str, SliceResult]]:
    """The verdict's loss with its error, and its loss on each slice."""
    rows = verdict.reset_index(drop=True)
    loss = rows["loss"].to_numpy()
    error = difference(loss, np.zeros(len(loss)), rows["block"], seed).error
    summary = VerdictSummary(float(loss.mean()), error, len(loss), verdict_days, (), ())
    parts = slices(rows, sliced, slice_rows)
    results = {
        name: SliceResult(
            slice=name,
            rows=int(part.sum()),
            challenger=float(loss[part].mean()),
            linear=0.0,
            dummy=0.0,
            difference=0.0,
            interval=None,
            passed=True,
        )
        for name, part in parts.items()
    }
    return summary, results


def _certain(measured: Iterable[Signal]) -> set[str]:
    """The signals of slices of which any slice is beyond chance, whatever its size."""
    return {
        signal.signal
        for signal in measured
        if (isinstance(signal.detail, SliceDriftDetail) and any(map(_drifted_slice, signal.detail.slices)))
        or (isinstance(signal.detail, SliceDecayDetail) and any(map(_decayed_slice, signal.detail.slices)))
    }


def _drifted_slice(part: SliceDrift) -> bool:
    return part.score is not None and part.chance is not None and part.score > part.chance


def _decayed_slice(part: SliceDecay) -> bool:
    return part.interval is not None and part.interval[0] > 0


def _decayed(batch: pd.DataFrame, verdict: pd.DataFrame, rate: float, seed: int) -> bool:
    before = verdict["loss"].to_numpy()
    error = difference(before, np.zeros(len(before)), verdict["block"], seed).error
    increase = growth(
        batch["loss"].to_numpy(), batch["block"], None, float(before.mean()), error, rate_beside(rate), seed
    )
    return increase.lower is not None and increase.lower > 0 and increase.mean > policy["decay"]


def evidently(world: World, reference: pd.DataFrame, batch: pd.DataFrame) -> set[str]:
    """What Evidently's preset says by default: `any` column drifted, or `half` of them (its verdict).

    These are the tests that it picks; its report, which takes 2 to 3 seconds a batch, is not drawn.
    """
    drifted = [_drifted(reference[name], batch[name], kind) for name, kind in world.compared.items()]
    verdicts = {"any": any(drifted), "half": np.mean(drifted) >= 0.5}
    return {word for word, holds in verdicts.items() if holds}


def _drifted(reference: pd.Series, batch: pd.Series, kind: str) -> bool:
    before, now = (side.replace([np.inf, -np.inf], np.nan).dropna() for side in (reference, batch))
    if before.empty or now.empty:
        return False
    own = {"number": ColumnType.Numerical, "category": ColumnType.Categorical}[kind]
    return bool(get_stattest(before, now, own, None)(before, now, own, None).drifted)


@cache
def _world(path: Path, lost: str = "") -> World:
    if lost:
        return lost_labels[lost](_world(path), np.random.default_rng(0))
    world: World = pickle.loads(path.read_bytes())
    return world


def outcome_of(path: Path, case: Case, size: int, seed: int) -> Outcome:
    """One batch: what the gate and Evidently say of it."""
    world = _world(path, case.lost)
    reference, batch, verdict = drawn(world, size, seed, case)
    if case.planted in plants:
        batch = plants[case.planted](world, batch, np.random.default_rng([size, seed, 1]))
        batch = world.predicted(batch)
        batch["loss"] = _losses(batch)
    start = time.perf_counter()
    ours, effect = judged(world, reference, batch, verdict, seed)
    seconds = time.perf_counter() - start
    return Outcome(ours, evidently(world, reference, batch), effect, seconds)


def _losses(batch: pd.DataFrame) -> pd.Series:
    probability = batch["prediction"].clip(1e-15, 1 - 1e-15)
    return -np.log(probability.where(batch["label"] == 1, 1 - probability)).where(batch["label"].notna())


def line(planted: str, size: int, outcomes: list[Outcome]) -> dict[str, Any]:
    """The shares of one kind of batch; `opens` with the largest effect of a feature, and with the gate's seconds."""

    def share(answers: list[set[str]], word: str) -> float:
        return round(sum(word in words for words in answers) / len(answers), 3)

    gate, theirs = [outcome.gate for outcome in outcomes], [outcome.evidently for outcome in outcomes]
    return {
        "planted": planted,
        "rows": size,
        "batches": len(outcomes),
        "beyond_chance": share(gate, "beyond chance"),
        "beyond_chance_of": {name: share(gate, f"{name} beyond chance") for name in signals[4:]},
        "opens": share(gate, "opens"),
        "by": {name: share(gate, name) for name in signals},
        "evidently": {word: share(theirs, word) for word in ("any", "half")},
        "largest_effect": round(float(np.median([outcome.effect for outcome in outcomes])), 3),
        "seconds": round(float(np.median([outcome.seconds for outcome in outcomes])), 3),
    }


def check_presets_verdict(world: World) -> None:
    """SystemExit if the tests of `evidently` are not those of its preset, on one batch of each size."""
    names = {word: [name for name, kind in world.compared.items() if kind == word] for word in ("number", "category")}
    definition = DataDefinition(numerical_columns=names["number"], categorical_columns=names["category"])
    for size in spread:
        reference, batch, _ = drawn(world, size, 0, Case())
        sides = [Dataset.from_pandas(frame[list(world.compared)], definition) for frame in (batch, reference)]
        metrics = json.loads(Report([DataDriftPreset()]).run(*sides).json())["metrics"]
        ours = sum(_drifted(reference[name], batch[name], kind) for name, kind in world.compared.items())
        if ours != metrics[0]["value"]["count"]:
            raise SystemExit(f"{size} rows: {ours} columns drifted, of the preset {metrics[0]['value']['count']}")


head = (
    "planted",
    "rows",
    "batches",
    "beyond chance",
    *(f"{name} beyond chance" for name in signals[4:]),
    "opens",
    *(f"by {name}" for name in signals),
    "preset",
    "any column",
)


def row(cells: Iterable[object]) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(map(str, cells))} |"


def table_row(line: Mapping[str, Any]) -> str:
    """A line of results as a row."""
    cells = (
        line["beyond_chance"],
        *line["beyond_chance_of"].values(),
        line["opens"],
        *line["by"].values(),
        line["evidently"]["half"],
    )
    shares = [f"{value:.1%}" for value in (*cells, line["evidently"]["any"])]
    return row([line["planted"], f"{line['rows']:,}", line["batches"], *shares])


def measured(
    path: Path, pool: Executor, parts: Collection[str], without: int, planted: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every line of the results of these parts, and the part."""
    cases = [("false_alarm_rate", Case()), ("of_its_own_rows", Case(learned=True))]
    cases += [("labels_lost", Case(lost=name)) for name in lost_labels]
    cases += [("labels_lost", Case(lost="together with two features", unlike=True))]
    cases += [("power", Case(planted=name)) for name in plants]
    for (name, case), size in product([entry for entry in cases if entry[0] in parts], spread):
        outcome_by_seed = partial(outcome_of, path, case, size)
        count = planted if case.planted in plants else without
        yield name, line(case.name, size, list(pool.map(outcome_by_seed, range(count), chunksize=5)))


def costs(quick: bool) -> list[dict[str, Any]]:
    """What the whole step costs by rows; a program of its own, because a peak counts what the parent held."""
    words = [sys.executable, str(Path(__file__).with_name("gate_cost.py")), "--json"]
    words += ["--rows", "300000", "--repetitions", "1"] if quick else []
    measurements: list[dict[str, Any]] = json.loads(subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout)
    return measurements


def main() -> None:
    """Measure, and print a Markdown table, or one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=repository / "data", help="the folder of the sample's raw files")
    parser.add_argument("--batches", type=int, default=300, help="batches without drift, of each size")
    parser.add_argument("--planted", type=int, default=20, help="batches with each planted drift, of each size")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts, help="only these parts of the results")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="30 batches and 5: whether it runs at all")
    parser.add_argument("--json", action="store_true", help="print JSON, for a program")
    arguments = parser.parse_args()
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # of the processes, which share the machine
    without, planted = (30, 5) if arguments.quick else (arguments.batches, arguments.planted)
    with (
        tempfile.TemporaryDirectory() as scratch,
        ProcessPoolExecutor(arguments.processes, get_context("spawn")) as pool,
    ):
        path = world_file(arguments.data, Path(scratch))
        check_presets_verdict(_world(path))
        document: dict[str, Any] = {"policy": policy, "importance": important(_world(path))}
        if not arguments.json:
            print(json.dumps(document), row(head), row(["---"] * len(head)), sep="\n", flush=True)
        for name, result in measured(path, pool, arguments.parts, without, planted):
            document.setdefault(name, []).append(result)
            if not arguments.json:
                print(table_row(result), flush=True)
    if "seconds" in arguments.parts:
        document["seconds"] = costs(arguments.quick)
        if not arguments.json:
            print(json.dumps(document["seconds"]))
    if arguments.json:
        print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()

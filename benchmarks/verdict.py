"""What a verdict is worth: how often it accepts a challenger that is better or worse by a planted amount.

`python benchmarks/verdict.py --repetitions 300 --json`: 28 days of 60 rows, whose days share their luck, and models
that see the true probability through noise. The truth of a difference is measured on 2,000 other days; it is planted
in shares of the smallest difference that the rows show of such models (`smallest_difference`, which promises four
times out of five). Of a challenger that is exactly as good as the champion nominally 5 % are accepted; with a margin
of the planted amount the same holds for one that is worse by that amount.
"""

import argparse
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from tidegate.components.evaluate.evaluation import Evaluation
from tidegate.components.evaluate.evaluation import verdict as verdict_on
from tidegate.contract.contract import Contract, parse_contract
from tidegate.documents.batch import Batch, Recipe
from tidegate.documents.verdict import ModelName, Policy, Question, Verdict
from tidegate.scoring.scores import Vector, losses

days, per_day, shops = 28, 60, ("north", "south", "east")
champion_noise, slice_noise = 0.6, 1.0
shares = (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0)
policy = Policy(margin=0.0, slice_rows=200, calibration=0.1, leak=0.99)
contract: Contract = parse_contract("""\
{name: benchmark, purpose: p, task: binary, event: t, label: y, label_delay: 1d, horizon: 1d, block: 1d,
 slices: [shop],
 tables: {t: {files: t.csv, time: at, columns: {at: {type: timestamp}, x: {type: number, role: outcome}}}}}
""")


def world(seed: int, count: int = days) -> pd.DataFrame:
    """Rows with their true probability `p`; a day's luck moves all of its rows."""
    random = np.random.default_rng(seed)
    rows = count * per_day
    p = 1 / (1 + np.exp(-(random.normal(0, 1.2, rows) + random.normal(0, 0.3, count).repeat(per_day))))
    at = pd.date_range("2025-03-01", periods=count, freq="D").repeat(per_day)
    label = (random.random(rows) < p).astype(np.float64)
    return pd.DataFrame({"at": at, "shop": random.choice(shops, rows), "p": p, "y": label})


def blurred(p: Vector, noise: float | Vector, seed: int) -> Vector:
    """The probability through noise on the scale of log odds; the same seed gives the same noise, but for its size."""
    log_odds = np.log(p / (1 - p)) + noise * np.random.default_rng(seed).normal(0, 1, len(p))
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def truth(p: Vector, noise: float) -> float:
    """The expected loss of a model with so much noise."""
    q = blurred(p, noise, 1)
    return float(np.mean(p * losses(np.ones(len(p)), q, "binary") + (1 - p) * losses(np.zeros(len(p)), q, "binary")))


def noise_for(p: Vector, difference: float) -> float:
    """How much noise makes a model worse than the champion by so much (better: below 0), by bisection."""
    low, high, target = 0.0, 4.0, truth(p, champion_noise) + difference
    if truth(p, low) > target:
        raise SystemExit("no model is better than the champion by so much: give the champion more noise")
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if truth(p, middle) < target else (low, middle)
    return (low + high) / 2


def planted(p: Vector, share: float) -> tuple[float, float]:
    """A difference that is such a share of what the rows can show of it, and the noise that makes it."""
    noise, difference = champion_noise, 0.0
    for _ in range(5):  # a model's noise decides what can be shown of it: a few rounds agree
        difference = share * float(np.median([verdict(seed, noise).smallest_difference for seed in range(20)]))
        noise = noise_for(p, difference)
    return difference, noise


def verdict(seed: int, noise: float, margin: float = 0.0, in_slice: float | None = None) -> Verdict:
    """One verdict in one world; `in_slice` is the noise in one of the slices."""
    rows = world(seed)
    p = rows["p"].to_numpy()
    size = np.full(len(p), noise) if in_slice is None else np.where(rows["shop"] == "east", in_slice, noise)
    predicted: dict[ModelName, Vector] = {
        "challenger": blurred(p, size, 10_000 + seed),
        "champion": blurred(p, champion_noise, 20_000 + seed),
        "linear": blurred(p, 1.0, 30_000 + seed),
        "dummy": np.full(len(p), rows["y"].mean()),
    }
    batch = Batch(
        id=f"{seed:08x}" * 2,
        name=contract.name,
        data="",
        start="2025-03-01T00:00:00",
        end="2025-03-29T00:00:00",
        rows=len(rows),
        labelled_rows=len(rows),
        history_rows=0,
        history_labelled_rows=0,
        features={},
        recipe=Recipe("", "", "", window_days=0),
        files={},
    )
    question = Question(f"sha256:{'0' * 64}", replace(policy, margin=margin))
    return verdict_on(Evaluation(contract, batch, question, "1", rows, predicted, training_rows=10_000))


def counted(name: str, difference: float, verdicts: list[Verdict]) -> dict[str, Any]:
    """The shares of the verdicts that say this and that."""
    counts = Counter("accepted" for item in verdicts if item.accepted)
    for item in verdicts:
        checks = {check.name: check for check in item.checks}
        counts[checks["champion"].reason.split(":")[0]] += 1
        counts.update(name for name in ("slices", "calibration", "linear") if not checks[name].passed)
    share = {key: round(count / len(verdicts), 3) for key, count in sorted(counts.items())}
    smallest = float(np.median([item.smallest_difference for item in verdicts]))
    return {"planted": name, "difference": round(difference, 5), "rows_can_show": round(smallest, 5), **share}


def main() -> None:
    """Judge each planted challenger in as many worlds and print a line, or one JSON list."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=300)
    parser.add_argument("--json", action="store_true", help="print JSON, for a program")
    arguments = parser.parse_args()
    worlds, p = range(arguments.repetitions), world(10**6, 2_000)["p"].to_numpy()
    measurements: list[dict[str, Any]] = []

    def add(name: str, share: float, **options: float) -> None:
        difference, noise = planted(p, share)
        margin = difference if options.pop("margin", 0.0) else 0.0
        verdicts = [verdict(seed, noise, margin, **options) for seed in worlds]
        measurements.append(counted(name, difference, verdicts))
        if not arguments.json:
            print(measurements[-1], flush=True)

    for share in shares:
        add(f"{share:+g} of what the rows can show", share)
    add("worse by exactly the margin", 0.5, margin=1)
    add("better elsewhere, worse in one slice", -1.2, in_slice=slice_noise)
    if arguments.json:
        print(json.dumps(measurements, indent=2))


if __name__ == "__main__":
    main()

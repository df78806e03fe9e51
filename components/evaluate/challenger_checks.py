"""The checks of the challenger alone: leaks, hostile rows, behavioural tests, and the server check."""

from pathlib import Path

import pandas as pd

from tidegate import models
from tidegate.components.evaluate.behaviour_tests import behaves
from tidegate.components.evaluate.hostile_rows import hostile_check, hostile_rows
from tidegate.components.evaluate.leaks import leak
from tidegate.components.evaluate.server_check import golden_rows, server_check
from tidegate.contract.contract import Contract
from tidegate.documents.batch import Batch
from tidegate.documents.record import Record
from tidegate.documents.verdict import CheckResult, Policy
from tidegate.scoring.blocks import block_of
from tidegate.scoring.scores import labels, weights
from tidegate.scoring.seed import seed_of


def challenger_checks(
    path: Path,
    record: Record,
    rows: pd.DataFrame,
    contract: Contract,
    batch: Batch,
    policy: Policy,
) -> tuple[list[CheckResult], dict[str, float]]:
    """The checks, and how large and how fast the model is, which differs from machine to machine."""
    kinds, task, weight = record.features, contract.task, weights(rows, contract.weight)
    model, hostile = models.load(path, record.digest), hostile_rows(rows, kinds)
    endurance = hostile_check(model, hostile, kinds, task)
    golden = golden_rows(rows, hostile if endurance.passed else hostile.iloc[:0], kinds)
    served, costs = server_check(model, path, record.digest, golden, kinds, task)
    leaks = leak(rows, kinds, labels(rows, contract.label, task), policy.leak, weight)
    blocks = block_of(rows[contract.time], contract.block)
    tests = behaves(model, rows, contract.behaviour, kinds, task, blocks, seed_of(batch), weight)
    return [leaks, endurance, *tests, served], costs

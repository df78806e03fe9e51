"""Pictures of a training, as SVG: its learning curve and the importance of each feature."""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from tidegate.documents.record import LearningPoint
from tidegate.pages.axes import Axis
from tidegate.pages.page import rendered
from tidegate.scoring.tasks import Task

LEARNING_CURVE, IMPORTANCES = (Path(__file__).with_name(name) for name in ("learning_curve.svg", "importances.svg"))
MOST = 40  # bars
LONGEST = 32  # letters of a name beside its bar


class Line(NamedTuple):
    """One line of the learning curve: its name, its class in the style, its points as shares of both axes."""

    name: str
    style: str
    points: list[tuple[float, float]]


class Bar(NamedTuple):
    """One feature: its name, where its bar ends, and its importance as text."""

    name: str
    end: float
    text: str


def learning_picture(points: Sequence[LearningPoint], task: Task) -> str:
    """The loss by number of training rows, on those rows and on the rows after them."""
    unseen = [(point.rows, point.held_out_loss) for point in points]
    trained_on = [(point.rows, point.train_loss) for point in points]
    rows = Axis(0, max(count for count, _ in unseen))
    losses = Axis.over([loss for _, loss in unseen + trained_on])
    return rendered(
        LEARNING_CURVE,
        lines=[
            Line("rows after them", "unseen", rows.within(unseen, losses)),
            Line("rows trained on", "known", rows.within(trained_on, losses)),
        ],
        x_ticks=rows.ticks("{:,.0f}".format),
        y_ticks=losses.ticks(),
        loss=f"{task.words} ({task.unit})",
    )


def importance_picture(importances: Mapping[str, float], task: Task) -> str:
    """Growth of the loss when one feature is permuted, the largest on top."""
    drawn = dict(islice(importances.items(), MOST))
    growth = Axis.over([0.0, *drawn.values()])
    return rendered(
        IMPORTANCES,
        bars=[Bar(_cut(name), growth.at(value), task.text(value)) for name, value in drawn.items()],
        zero=growth.at(0),
        ticks=growth.ticks(),
        cut=f", {len(drawn)} of {len(importances)} features" if len(drawn) < len(importances) else "",
        loss=f"growth of the {task.words} on held-out rows ({task.unit})",
    )


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"

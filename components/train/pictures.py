"""Pictures of a training: its learning curve and the importance of each feature."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tidegate.documents.record import LearningPoint
from tidegate.scoring.tasks import Task

MOST = 40
KNOWN, UNSEEN = "#c2571a", "#0b6e8f"


def learning_picture(points: Sequence[LearningPoint], task: Task) -> Figure:
    """The loss by number of training rows, on those rows and on the rows after them."""
    figure = Figure(figsize=(7.2, 4.5), layout="constrained")
    axes = figure.subplots()
    rows = [point.rows for point in points]
    axes.plot(rows, [point.held_out_loss for point in points], marker="o", label="rows after them", color=UNSEEN)
    axes.plot(
        rows,
        [point.train_loss for point in points],
        marker="s",
        linestyle="--",
        label="rows trained on",
        color=KNOWN,
    )
    axes.set(title="Learning curve", xlabel="training rows", ylabel=f"{task.words} ({task.unit})")
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.legend(frameon=False, loc="best")
    _quieten(axes, "both")
    return figure


def importance_picture(found: Mapping[str, float], task: Task) -> Figure:
    """Growth of the loss when one feature is permuted, the largest on top."""
    shown = dict(islice(found.items(), MOST))
    figure = Figure(figsize=(7.2, 1.2 + 0.28 * len(shown)), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(range(len(shown)), list(shown.values()), color=UNSEEN)
    axes.bar_label(bars, fmt=task.text, padding=4, fontsize=9)
    axes.set_yticks(range(len(shown)), list(shown), parse_math=False)
    axes.invert_yaxis()
    axes.margins(x=0.2, y=0.01)
    axes.axvline(0, color="black", linewidth=0.8)
    cut = f", {len(shown)} of {len(found)} features" if len(shown) < len(found) else ""
    axes.set(title=f"Permutation importance{cut}", xlabel=f"growth of the {task.words} on held-out rows ({task.unit})")
    _quieten(axes, "x")
    return figure


def _quieten(axes: Axes, grid: Literal["x", "both"]) -> None:
    axes.grid(alpha=0.3, axis=grid)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)

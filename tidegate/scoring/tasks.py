"""Tasks: the loss by which models are compared, its name and unit, and the metrics."""

from collections.abc import Mapping
from dataclasses import dataclass

ERROR_METRICS = ("squared_error", "absolute_error")  # in units of the label; all other metrics are of the order of 1
LOWER_IS_BETTER = ("log_loss", "brier", *ERROR_METRICS)


@dataclass(frozen=True)
class Task:
    """The loss as a metric's name, in words, and its unit; the names of all metrics, the loss first."""

    loss: str
    words: str
    unit: str
    metrics: tuple[str, ...]

    def text(self, value: float, digits: int = 4, sign: str = "") -> str:
        """An amount of the loss, formatted for reports."""
        return f"{value:{sign}.4g}" if self.loss in ERROR_METRICS else f"{value:{sign}.{digits}f}"


TASKS: Mapping[str, Task] = {
    "binary": Task("log_loss", "log loss", "nats", ("log_loss", "roc_auc", "average_precision", "brier")),
    "multiclass": Task("log_loss", "log loss", "nats", ("log_loss", "roc_auc", "accuracy", "f1_macro")),
    "regression": Task(
        "squared_error", "squared error", "squared units of the label", ("squared_error", "absolute_error", "r2")
    ),
}


def display(metric: str, value: float) -> str:
    """A metric, formatted for reports."""
    return f"{value:.4g}" if metric in ERROR_METRICS else f"{value:.4f}"

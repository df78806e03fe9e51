"""What a problem's task decides: the loss that its models are compared by, in words, and its metrics."""

from collections.abc import Mapping
from dataclasses import dataclass

ERROR_METRICS = ("squared_error", "absolute_error")  # of the label's own size; all other metrics lie around 1
LOWER_IS_BETTER = ("log_loss", "brier", *ERROR_METRICS)


@dataclass(frozen=True)
class Task:
    """The loss as a metric's name, in words and in its unit, and the names of all metrics, the loss first."""

    loss: str
    words: str
    unit: str
    metrics: tuple[str, ...]

    def text(self, value: float, digits: int = 4, sign: str = "") -> str:
        """An amount of the loss as people read it."""
        return f"{value:{sign}.4g}" if self.loss in ERROR_METRICS else f"{value:{sign}.{digits}f}"


TASKS: Mapping[str, Task] = {
    "binary": Task("log_loss", "log loss", "nats", ("log_loss", "roc_auc", "average_precision", "brier")),
    "multiclass": Task("log_loss", "log loss", "nats", ("log_loss", "roc_auc", "accuracy", "f1_macro")),
    "regression": Task(
        "squared_error", "squared error", "squared units of the label", ("squared_error", "absolute_error", "r2")
    ),
}


def display(metric: str, value: float) -> str:
    """A metric as people read it."""
    return f"{value:.4g}" if metric in ERROR_METRICS else f"{value:.4f}"

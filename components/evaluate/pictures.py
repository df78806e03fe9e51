"""Pictures of a verdict, as SVG that follows the page's colours."""

import io
from collections.abc import Mapping

from matplotlib import rc_context
from matplotlib.figure import Figure

from components.scoring import Vector

colours = {"challenger": "#0b6e8f", "champion": "#c2571a", "linear": "#7a8b99", "dummy": "#b9c2ca"}


def curves(label: Vector, predicted: Mapping[str, Vector]) -> str:
    """ROC and calibration of every model on the same rows, as the text of an SVG."""
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import roc_curve

    figure = Figure(figsize=(9, 4), layout="constrained")
    roc, calibration = figure.subplots(1, 2)
    for name, values in predicted.items():
        false, true, _ = roc_curve(label, values)
        step = max(1, len(false) // 300)
        roc.plot([*false[::step], 1.0], [*true[::step], 1.0], label=name, color=colours[name])
        observed, expected = calibration_curve(label, values, n_bins=10, strategy="quantile")
        calibration.plot(expected, observed, marker="o", markersize=3, label=name, color=colours[name])
    for axes in (roc, calibration):
        axes.plot([0, 1], [0, 1], linestyle=":", color="#7a8b99")
        axes.grid(alpha=0.25)
    roc.set(title="ROC", xlabel="false positive rate", ylabel="true positive rate")
    calibration.set(title="Calibration", xlabel="predicted", ylabel="observed")
    roc.legend(frameon=False)
    return _svg(figure)


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "tidegate"}):
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    drawing = text.getvalue()
    return drawing[drawing.index("<svg"):].replace("#000000", "var(--ink)")

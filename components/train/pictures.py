"""Pictures of a training: its learning curve and the importance of each feature."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure


def learning_picture(points: Sequence[Mapping[str, float]]) -> Figure:
    """Log loss by number of training rows, on those rows and on the rows after them."""
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.subplots()
    rows = [point["rows"] for point in points]
    axes.plot(rows, [point["train_loss"] for point in points], marker="o", label="rows trained on", color="#7a8b99")
    axes.plot(rows, [point["held_out_loss"] for point in points], marker="o", label="rows after them", color="#0b6e8f")
    axes.set(title="Learning curve", xlabel="training rows", ylabel="log loss")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return figure


def importance_picture(found: Mapping[str, float]) -> Figure:
    """Growth of the log loss when one feature is permuted, the largest on top."""
    names = list(found)[::-1]
    figure = Figure(figsize=(6.4, 1 + 0.26 * len(names)), layout="constrained")
    axes = figure.subplots()
    axes.barh(names, [found[name] for name in names], color="#0b6e8f")
    axes.set(title="Permutation importance", xlabel="growth of the log loss")
    axes.grid(alpha=0.3, axis="x")
    return figure

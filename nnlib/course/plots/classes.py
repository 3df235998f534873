"""What a classifier says: which classes it confuses, how far its probabilities can be trusted, where it decides."""

from collections.abc import Callable, Sequence

import numpy as np

from ...checks import positive_integer
from .common import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    LONG_DASH,
    MARKERS,
    PALE_BLUE,
    PALE_RED,
    VERMILLION,
    floats,
    function,
    mix,
    names_for,
    new_axes,
    same_length,
    styled,
    vector,
)
from .tables import heatmap


@styled
def confusion(matrix, labels: Sequence[str], *, ax=None):
    """Confusion matrix: counts with row shares; rows are what was true, columns what was predicted.

    Parameters
    ----------
    matrix : array_like of int, shape (k, k)
        ``matrix[i, j]`` samples of class i were taken for class j.
    labels : sequence of k str
        Names of the classes.
    """
    matrix = floats("matrix", matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"matrix must have shape (classes, classes); got {matrix.shape}")
    labels = names_for("labels", labels, "classes", len(matrix))
    if not (np.isfinite(matrix) & (matrix >= 0) & (matrix == np.round(matrix))).all():
        raise ValueError(f"matrix must hold counts, whole numbers ≥ 0; got {matrix.tolist()}")
    matrix = matrix.astype(int)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    roomy = len(labels) <= 5
    cell = 0.95 if roomy else 0.5
    ax = new_axes(ax, (1.4 + cell * len(labels), 1.2 + cell * 0.85 * len(labels)))
    heatmap(share, labels, labels, limits=(0, 1), cmap="Blues", xlabel="predicted", ylabel="actual", ax=ax)
    for text, count, part in zip(ax.texts, matrix.ravel(), share.ravel(), strict=True):
        text.set_text(f"{count:,}\n{part:.0%}" if roomy else f"{count}")
    return ax


@styled
def roc(y_true, score, *, ax=None):
    """ROC curve: true positive rate against false positive rate over all thresholds, with the area under it.

    Parameters
    ----------
    y_true : array_like of {0, 1}, shape (N,) or (N, 1)
        The classes; both must occur.
    score : array_like, shape (N,) or (N, 1)
        Larger means more like class 1.
    """
    y_true, score = same_length("y_true", y_true, "score", score)
    if set(np.unique(y_true)) != {0.0, 1.0}:
        raise ValueError(f"y_true must hold both classes 0 and 1; got {np.unique(y_true)[:5]}")
    if not np.isfinite(score).all():
        raise ValueError(f"score must be finite; got {score[~np.isfinite(score)][0]}")
    order = np.argsort(-score, kind="stable")
    y_sorted, s_sorted = y_true[order], score[order]
    last_of_tie = np.append(np.diff(s_sorted) != 0, True)  # equal scores fall on one point
    true_rate = np.append(0, np.cumsum(y_sorted)[last_of_tie] / y_sorted.sum())
    false_rate = np.append(0, np.cumsum(1 - y_sorted)[last_of_tie] / (1 - y_sorted).sum())
    area = np.trapezoid(true_rate, false_rate)
    ax = new_axes(ax, (4.4, 4.2))
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=1.5, linestyle=LONG_DASH, label="chance (area 0.5)")
    ax.plot(false_rate, true_rate, color=BLUE, linestyle="-", label=f"model (area {area:.3f})")
    ax.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    ax.set_aspect("equal")
    ax.legend(loc="lower right")
    return ax


@styled
def calibration(y_true, probability, *, bins: int = 10, ax=None):
    """Calibration: how often class 1 came true against the probability given to it; honest is the diagonal.

    The whiskers are one standard error √(p(1 − p)/n) of the share in each bin of n samples.

    Parameters
    ----------
    y_true : array_like of {0, 1}, shape (N,) or (N, 1)
        The classes.
    probability : array_like in [0, 1], shape (N,) or (N, 1)
        Predicted probability of class 1.
    bins : int
        Number of bins of equal width; empty ones are left out.
    """
    bins = positive_integer("bins", bins)
    y_true, probability = same_length("y_true", y_true, "probability", probability)
    if not np.isin(y_true, (0, 1)).all():
        raise ValueError(f"y_true must hold the classes 0 and 1; got {np.unique(y_true)[:5]}")
    if not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError(f"probability must be in [0, 1]; got {probability.min():g} to {probability.max():g}")
    which = np.minimum((probability * bins).astype(int), bins - 1)
    count = np.bincount(which, minlength=bins)
    full = count > 0
    n = count[full]
    came_true = np.bincount(which, y_true, bins)[full] / n
    given = np.bincount(which, probability, bins)[full] / n
    ax = new_axes(ax, (4.4, 4.2))
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=1.5, linestyle=LONG_DASH, label="perfectly calibrated")
    error = np.sqrt(came_true * (1 - came_true) / n)
    ax.errorbar(given, came_true, error, color=BLUE, linestyle="-", marker="o", capsize=3, label="model")
    ax.set(xlabel="predicted probability", ylabel="share that came true", xlim=(0, 1), ylim=(-0.02, 1.02))
    ax.set_aspect("equal")
    ax.legend(loc="upper left")
    return ax


@styled
def decision_regions(predict: Callable, X, y, *, resolution: int = 200, names: Sequence[str] | None = None, ax=None):
    """What a classifier says over the plane, with the samples it is judged by.

    Parameters
    ----------
    predict : callable
        (M, 2) -> (M,) or (M, 1) probabilities of class 1, or (M, k) scores, of which the largest wins.
    X : array_like, shape (N, 2)
        Samples.
    y : array_like, shape (N,), (N, 1) or one-hot (N, k)
        Their classes, 0 to k − 1.
    resolution : int
        Points per side at which `predict` is asked, all in one call.
    names : sequence of str, optional
        Names of the classes, for the legend.
    """
    from matplotlib.colors import LinearSegmentedColormap, ListedColormap, to_rgb

    resolution = positive_integer("resolution", resolution)
    X = floats("X", X)
    if X.ndim != 2 or X.shape[1] != 2:
        raise ValueError(f"X must have shape (N, 2); got {X.shape}")
    if not np.isfinite(X).all():
        raise ValueError("X must be finite; got nan or inf")
    function("predict", predict)
    y = floats("y", y)
    y = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else vector("y", y)
    if len(y) != len(X):
        raise ValueError(f"X and y must have the same length; got {len(X)} and {len(y)}")
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.15 * np.where(high > low, high - low, 1.0)
    grid_x = np.linspace(low[0] - margin[0], high[0] + margin[0], resolution)
    grid_y = np.linspace(low[1] - margin[1], high[1] + margin[1], resolution)
    points = np.stack([part.ravel() for part in np.meshgrid(grid_x, grid_y)], axis=1)
    answer = floats("what predict returns", predict(points))
    if answer.ndim not in (1, 2) or len(answer) != len(points):
        raise ValueError(f"predict must return ({len(points)},) or ({len(points)}, k); got {answer.shape}")
    k = max(2, answer.shape[-1]) if answer.ndim == 2 else 2
    if not np.isin(y, range(k)).all():
        raise ValueError(f"y must hold classes from 0 to {k - 1}, as predict has them; got {np.unique(y)[:9].tolist()}")
    names = [f"class {c}" for c in range(k)] if names is None else names_for("names", names, "classes", k)
    ax = new_axes(ax, (5.0, 4.2))
    if k > 2 or answer.shape[1:] == (2,):
        region = answer.argmax(axis=1).reshape(resolution, resolution)
        pale = ListedColormap([mix(to_rgb(COLOURS[c % len(COLOURS)]), 0.28) for c in range(k)])
        ax.pcolormesh(grid_x, grid_y, region, cmap=pale, vmin=-0.5, vmax=k - 0.5, rasterized=True)
        for c in range(k):
            if 0 < np.mean(region == c) < 1:
                ax.contour(grid_x, grid_y, region == c, levels=[0.5], colors="white", linewidths=1.5)
    else:
        probability = answer.reshape(resolution, resolution)
        pale = LinearSegmentedColormap.from_list(
            "pale", [mix(to_rgb(BLUE), 0.45), (1, 1, 1), mix(to_rgb(VERMILLION), 0.45)]
        )
        ax.pcolormesh(grid_x, grid_y, probability, cmap=pale, vmin=0, vmax=1, rasterized=True)
        if probability.min() < 0.5 < probability.max():
            ax.contour(grid_x, grid_y, probability, levels=[0.5], colors=INK, linewidths=1.5)
    for c in range(k):
        member = y == c
        if member.any():
            ax.scatter(
                *X[member].T,
                s=34,
                color=COLOURS[c % len(COLOURS)],
                marker=MARKERS[c % len(MARKERS)],
                edgecolors="white",
                linewidths=0.7,
                label=names[c],
                zorder=3,
            )
    ax.set(xlabel="$x_1$", ylabel="$x_2$", xlim=grid_x[[0, -1]], ylim=grid_y[[0, -1]])
    ax.grid(False)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.13), ncols=min(k, 4), handletextpad=0.1)
    return ax


def half_planes(ax, X, y, xlim, ylim, names: Sequence[str] = ("0", "1")):
    """Two classes of points, and a function that shows what one neuron with a step says at every place.

    Parameters
    ----------
    ax : matplotlib Axes
        Gets one line, the decision boundary, and one patch, the side on which the neuron says 1.
    X : array_like, shape (N, 2)
        The points.
    y : array_like of {0, 1}, shape (N,)
        Their classes.
    xlim, ylim : (float, float)
        The part of the plane that is shown.
    names : two str
        What the classes are called in the legend.

    Returns
    -------
    show(w, b)
        Moves the line to w₁x₁ + w₂x₂ + b = 0 and colours the side where that is positive.
    """
    from matplotlib.patches import Polygon

    X, y = np.asarray(X, dtype=float), np.asarray(y)
    if X.ndim != 2 or X.shape[1] != 2 or y.shape != X.shape[:1]:
        raise ValueError(f"X and y must have the shapes (N, 2) and (N,); got {X.shape} and {y.shape}")
    names = names_for("names", names, "classes", 2)
    for value, colour, marker in ((0, BLUE, "o"), (1, VERMILLION, "s")):
        look = {"s": 70, "color": colour, "marker": marker, "edgecolors": "white", "zorder": 4}
        ax.scatter(*X[y == value].T, label=names[value], **look)
    ax.set(xlim=xlim, ylim=ylim, aspect="equal", facecolor=PALE_BLUE)
    ax.grid(False)
    side = ax.add_patch(Polygon(np.zeros((4, 2)), closed=True, facecolor=PALE_RED, edgecolor="none", zorder=0))
    (line,) = ax.plot([], [], color=INK, linestyle="-", linewidth=2, zorder=2)
    far = 100 * max(xlim[1] - xlim[0], ylim[1] - ylim[0])

    def show(w, b):
        length = np.hypot(*w)
        if length == 0:  # no line: the neuron says the same everywhere
            up, middle = np.array([1, 0]), np.array([far if b <= 0 else -far, 0])
        else:
            up, middle = np.asarray(w) / length, -b / length**2 * np.asarray(w)
        along = far * np.array([-up[1], up[0]])
        ends = np.array([middle - along, middle + along])
        line.set_data(*ends.T)
        side.set_xy([*ends, *(ends + 4 * far * up)[::-1]])

    return show

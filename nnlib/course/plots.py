"""Figures of the book: each function takes arrays or histories, draws in one style, and returns the axes.

Colours are those of Okabe and Ito, which people with any common colour blindness can tell apart; a second
feature (dashes, markers, numbers) always says the same, so that a figure survives a black-and-white printer.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

# Okabe & Ito, "Color Universal Design" (2008), in an order whose neighbours differ most in lightness, too.
BLUE, VERMILLION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
PURPLE, SKY, INK, GREY = "#CC79A7", "#56B4E9", "#222222", "#6B6B6B"
COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, INK)
LONG_DASH, DASH_DOT, DOTS = (0, (5, 1.6)), (0, (5, 1.5, 1.2, 1.5)), (0, (1.3, 1.3))
DASHES = ("-", LONG_DASH, DASH_DOT, DOTS, (0, (8, 2)), (0, (3, 1, 1, 1, 1, 1)), "-")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def _settings() -> dict[str, Any]:
    """Matplotlib settings of the book."""
    from cycler import cycler

    return {
        # 6 inches are 600 pixels of the page: on a phone of 360 the letters are still 10 pixels high
        "figure.figsize": (6.0, 3.8),
        "figure.dpi": 100,
        "figure.constrained_layout.use": True,
        "figure.constrained_layout.h_pad": 0.1,
        "figure.constrained_layout.w_pad": 0.1,
        # a solid light card, on a dark page too: the colours are chosen against white
        "figure.facecolor": "white",
        "axes.facecolor": "white",
        "savefig.facecolor": "white",
        "font.family": "DejaVu Sans",  # ships with matplotlib, so figures are the same on every machine
        "font.size": 12,
        "axes.titlesize": 13,
        "axes.titlelocation": "left",
        "axes.labelcolor": INK,
        "axes.edgecolor": GREY,
        "text.color": INK,
        "xtick.color": GREY,
        "ytick.color": GREY,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.labelsize": 11,
        "ytick.labelsize": 11,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#E3E3E3",
        "grid.linewidth": 0.8,
        "axes.prop_cycle": cycler(color=COLOURS) + cycler(linestyle=DASHES),
        "lines.linewidth": 2.0,
        "lines.markersize": 6,
        "legend.frameon": False,
        "legend.fontsize": 11,
        "legend.handlelength": 2.4,
        "image.cmap": "viridis",
        "axes.formatter.useoffset": False,
    }


def style() -> None:
    """Use the book's style for everything drawn from here on; the functions below have it in any case."""
    import matplotlib

    matplotlib.rcParams.update(_settings())


def _styled(function):
    """Draw inside the book's style, and leave the settings of the reader's session alone."""

    @functools.wraps(function)
    def draw(*args, **kwargs):
        import matplotlib

        with matplotlib.rc_context(_settings()):
            return function(*args, **kwargs)

    return draw


def _new_axes(ax=None, size: tuple[float, float] | None = None):
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt

    return plt.subplots(figsize=size)[1]


def _vector(name: str, values) -> np.ndarray:
    """Return values of shape (N,) or (N, 1) as (N,) floats."""
    array = np.asarray(values, dtype=float)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} must have shape (N,) or (N, 1) with N ≥ 1; got {np.shape(values)}")
    return array


def _pair(name_a: str, a, name_b: str, b) -> tuple[np.ndarray, np.ndarray]:
    a, b = _vector(name_a, a), _vector(name_b, b)
    if a.shape != b.shape:
        raise ValueError(f"{name_a} and {name_b} must have the same length; got {len(a)} and {len(b)}")
    return a, b


def _with_unit(text: str, unit: str) -> str:
    return f"{text} ({unit})" if unit else text


# --- training -----------------------------------------------------------------------------------------------


@_styled
def history(history: Mapping[str, Any], metric: str = "loss", *, log: bool = False, best: str | None = None, ax=None):
    """Training and validation curve of one run, or of several in one picture.

    Parameters
    ----------
    history : mapping
        What `Sequential.fit` returns, name -> one number per epoch; or name of the run -> such a mapping.
    metric : str
        "loss", "rmse", "learning_rate", ...: drawn as a solid line, and dashed from ``"val_" + metric``.
    log : bool
        Logarithmic vertical axis.
    best : {"min", "max"}, optional
        Mark the best epoch of each validation curve (of the training curve where there is none).
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
    """
    if best not in (None, "min", "max"):
        raise ValueError(f"best must be 'min', 'max' or None; got {best!r}")
    several = all(isinstance(run, Mapping) for run in history.values())
    runs = history if several and history else {"": history}
    ax = _new_axes(ax)
    has_validation = False
    for i, (name, run) in enumerate(runs.items()):
        if metric not in run:
            raise ValueError(f"metric must be one of {', '.join(map(str, run)) or 'nothing'}; got {metric!r}")
        colours = (COLOURS[i % len(COLOURS)],) * 2 if several else (BLUE, VERMILLION)
        curves = [(run[metric], "-", "training", colours[0])]
        if f"val_{metric}" in run:
            curves.append((run[f"val_{metric}"], LONG_DASH, "validation", colours[1]))
            has_validation = True
        for values, dashes, kind, colour in curves:
            values = _vector(f"history of {metric}", values)
            label = (name if kind == "training" else None) if several else kind
            epochs = np.arange(1, len(values) + 1)
            # runs have markers beside colours, for grey printers; and one epoch alone is no line
            marker = MARKERS[i % len(MARKERS)] if several or len(values) == 1 else None
            every = max(1, len(values) // 8)
            ax.plot(epochs, values, colour, ls=dashes, label=label, marker=marker, markevery=every)
        if best and np.isfinite(values).any():
            at = int(np.nanargmin(values) if best == "min" else np.nanargmax(values))
            label = f"{name} best: {values[at]:.4g} in epoch {at + 1}".strip()
            dot = {"markersize": 9, "markeredgecolor": "white", "linestyle": "none"}
            ax.plot(at + 1, values[at], "o", color=colour, zorder=5, label=label, **dot)
    ax.set(xlabel="epoch", ylabel=metric.replace("_", " "))
    ax.xaxis.get_major_locator().set_params(integer=True)
    if log:
        ax.set_yscale("log")
    if several and has_validation:
        ax.plot([], [], color=GREY, linestyle="-", label="training")
        ax.plot([], [], color=GREY, linestyle=LONG_DASH, label="validation")
    if several or has_validation or best:
        ax.legend()
    return ax


@_styled
def signal_by_layer(
    series: Mapping[str, Sequence[float]],
    *,
    ylabel: str = "standard deviation",
    log: bool = True,
    reference: float | None = None,
    first_layer: int = 1,
    ax=None,
):
    """One quantity per layer, for several settings.

    Parameters
    ----------
    series : mapping
        Name of the setting -> one number per layer. On a logarithmic axis zeros fall through the floor.
    ylabel : str
        What is measured.
    log : bool
        Logarithmic vertical axis, on which growth by a constant factor per layer is a straight line.
    reference : float, optional
        A thin horizontal line at the value that would be ideal.
    first_layer : int
        The number of the first layer; 0 where the series begins with the input.
    """
    if not series:
        raise ValueError("series must name at least one setting; got an empty mapping")
    ax = _new_axes(ax)
    if reference is not None:
        ax.axhline(reference, color=GREY, linewidth=1, linestyle="-", zorder=1)
    for i, (name, values) in enumerate(series.items()):
        values = _vector(f"series {name!r}", values)
        layers = np.arange(first_layer, first_layer + len(values))
        ax.plot(
            layers,
            values,
            color=COLOURS[i % len(COLOURS)],
            linestyle=DASHES[i % len(DASHES)],
            marker=MARKERS[i % len(MARKERS)],
            markevery=max(1, len(values) // 10),
            label=name,
        )
    if log:
        ax.set_yscale("log")
    ax.set(xlabel="layer", ylabel=ylabel)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend()
    return ax


@_styled
def layer_histograms(
    layers: Mapping[str, Any] | Sequence, *, bins: int = 41, limits: tuple[float, float] | None = None
):
    """Distribution of the values in each layer, side by side on one scale, with mean and standard deviation.

    Parameters
    ----------
    layers : mapping or sequence of arrays
        Name -> values of any shape; without names they are called layer 1, layer 2, ...
    bins : int
        Number of bins between the limits.
    limits : (float, float), optional
        Range of the values; that of all layers together by default.

    Returns
    -------
    ndarray of matplotlib Axes
    """
    from matplotlib import pyplot as plt

    if not isinstance(layers, Mapping):
        layers = {f"layer {i}": values for i, values in enumerate(layers, 1)}
    if not layers:
        raise ValueError("layers must hold at least one array; got none")
    arrays = {name: np.asarray(values, dtype=float).ravel() for name, values in layers.items()}
    for name, values in arrays.items():
        if not np.isfinite(values).any():
            raise ValueError(f"{name} must have at least one finite value; got {values[:5]}")
        arrays[name] = values[np.isfinite(values)]
    if limits is None:
        low, high = min(map(np.min, arrays.values())), max(map(np.max, arrays.values()))
        limits = (low - 0.5, high + 0.5) if low == high else (low, high)
    rows = -(-len(arrays) // 4)
    columns = -(-len(arrays) // rows)  # as even as possible: six are two rows of three, not four and two
    size = (max(3.0, 1.75 * columns), 2.3 * rows)
    _, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    axes = axes.ravel()
    for ax, (name, values) in zip(axes, arrays.items(), strict=False):
        # Each layer on its own height: a layer that has collapsed to one value would flatten all the others.
        ax.hist(values, bins=bins, range=limits, color=BLUE, weights=np.full(values.size, 1 / values.size))
        ax.set_title(name, fontsize=12)
        ax.set(xlim=limits, yticks=[])
        ax.set_xlabel(f"mean {values.mean():.2g}\nstd {values.std():.2g}", fontsize=10)
        ax.spines["left"].set_visible(False)
        ax.grid(False)
    for ax in axes[len(arrays) :]:
        ax.set_visible(False)
    return axes[: len(arrays)]


@_styled
def bars_with_errors(
    names: Sequence[str],
    means,
    errors,
    *,
    ylabel: str = "",
    reference: float | None = None,
    fmt="{:.3g}",
    ax=None,
):
    """Means with their uncertainty: a dot and a whisker each, with the number beside it.

    Dots and not bars, because a bar must begin at zero, where differences worth an error bar cannot be seen.

    Parameters
    ----------
    names : sequence of str
        One per mean, from top to bottom.
    means, errors : array_like, shape (N,)
        Centre, and half length of the whisker (say which: standard error, standard deviation, ...).
    ylabel : str
        What is measured, with its unit and the meaning of the whisker.
    reference : float, optional
        A vertical line to compare with, such as the baseline.
    fmt : str
        Format of the numbers.
    """
    means, errors = _pair("means", means, "errors", errors)
    if len(names) != len(means):
        raise ValueError(f"names must be as many as means; got {len(names)} and {len(means)}")
    if (errors < 0).any():
        raise ValueError(f"errors must not be negative; got {errors.min():g}")
    ax = _new_axes(ax, (6.0, 0.9 + 0.42 * len(means)))
    y = np.arange(len(means))[::-1]
    if reference is not None:
        ax.axvline(reference, color=GREY, linewidth=1.2, linestyle=LONG_DASH)
    ax.errorbar(means, y, xerr=errors, fmt="o", color=BLUE, capsize=4, markersize=8, linewidth=2)
    number = {
        "textcoords": "offset points",
        "ha": "center",
        "fontsize": 10,
        "bbox": {"fc": "white", "ec": "none", "pad": 1},
    }
    for mean, height in zip(means, y, strict=True):
        ax.annotate(fmt.format(mean), (mean, height), (0, 8), **number)
    ax.locator_params(axis="x", nbins=6)
    ax.set_yticks(y, names)
    ax.set(xlabel=ylabel, ylim=(-0.6, len(means) - 0.2))
    ax.grid(axis="y", visible=False)
    return ax


# --- predictions of numbers ---------------------------------------------------------------------------------


@_styled
def predicted_vs_actual(y_true, y_pred, *, unit: str = "", ax=None):
    """Predictions against the truth; a perfect model lies on the diagonal. RMSE, MAE and R² in the corner.

    RMSE = √mean((ŷ − y)²),  MAE = mean|ŷ − y|,  R² = 1 − Σ(ŷ − y)² / Σ(y − ȳ)²

    Parameters
    ----------
    y_true, y_pred : array_like, shape (N,) or (N, 1)
        Truth and prediction, in the same unit.
    unit : str
        Shown on the axes.
    """
    y_true, y_pred = _pair("y_true", y_true, "y_pred", y_pred)
    error = y_pred - y_true
    rmse, mae = np.sqrt(np.mean(error**2)), np.mean(np.abs(error))
    spread = np.sum((y_true - y_true.mean()) ** 2)
    ax = _new_axes(ax, (4.6, 4.4))
    low, high = min(y_true.min(), y_pred.min()), max(y_true.max(), y_pred.max())
    margin = 0.04 * (high - low) or 0.5
    limits = (low - margin, high + margin)
    ax.plot(limits, limits, color=GREY, linewidth=1.5, linestyle=LONG_DASH, label="perfect prediction")
    ax.scatter(y_true, y_pred, s=18, color=BLUE, alpha=_crowd_alpha(len(y_true)), linewidths=0)
    note = f"RMSE {rmse:,.4g}\nMAE {mae:,.4g}\nR² " + (f"{1 - np.sum(error**2) / spread:.3f}" if spread else "–")
    ax.text(0.04, 0.96, note, transform=ax.transAxes, va="top", linespacing=1.4, bbox=_card())
    ax.set(xlim=limits, ylim=limits, xlabel=_with_unit("actual", unit), ylabel=_with_unit("predicted", unit))
    ax.set_aspect("equal")
    _thousands(ax, high)
    return ax


@_styled
def residuals(y_true, y_pred, *, unit: str = "", ax=None):
    """Residual y − ŷ against the prediction: a pattern here is something that the model has not learned."""
    y_true, y_pred = _pair("y_true", y_true, "y_pred", y_pred)
    ax = _new_axes(ax)
    ax.axhline(0, color=GREY, linewidth=1.5, linestyle=LONG_DASH)
    ax.scatter(y_pred, y_true - y_pred, s=18, color=BLUE, alpha=_crowd_alpha(len(y_true)), linewidths=0)
    ax.set(xlabel=_with_unit("predicted", unit), ylabel=_with_unit("residual: actual − predicted", unit))
    _thousands(ax, np.abs(y_pred).max())
    return ax


def _crowd_alpha(n: int) -> float:
    """Opacity at which points that lie on each other still show how many they are."""
    return float(np.clip(12 / np.sqrt(n), 0.15, 0.85))


def _card() -> dict[str, Any]:
    return {"facecolor": "white", "edgecolor": "#D0D0D0", "boxstyle": "round,pad=0.4", "alpha": 0.9}


def _thousands(ax, largest: float) -> None:
    if largest >= 10_000:
        from matplotlib.ticker import FuncFormatter

        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1000:g}k".replace("-", "−")))


# --- tables and classes -------------------------------------------------------------------------------------


@_styled
def heatmap(
    table,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    log: bool = False,
    limits: tuple[float, float] | None = None,
    fmt: str | Callable[[float], str] = "{:.3g}",
    xlabel: str = "",
    ylabel: str = "",
    label: str = "",
    cmap: str = "viridis",
    ax=None,
):
    """A table as colours, with its numbers in the cells.

    Parameters
    ----------
    table : array_like, shape (len(rows), len(columns))
        Cells that are not finite are hatched and keep their text (nan, ∞).
    rows, columns : sequence of str
        Names, from the top and from the left.
    log : bool
        Colours by order of magnitude; values ≤ 0 take the lowest colour.
    limits : (float, float), optional
        Values of the two ends of the colours, so that several heatmaps can be compared.
    fmt : str or callable
        Format of the numbers in the cells.
    xlabel, ylabel, label : str
        Names of columns, rows and colours.
    cmap : str
        Colour map.
    """
    from matplotlib.colors import LogNorm, Normalize
    from matplotlib.patches import Rectangle

    table = np.asarray(table, dtype=float)
    if table.shape != (len(rows), len(columns)) or table.size == 0:
        raise ValueError(f"table must have shape ({len(rows)}, {len(columns)}); got {table.shape}")
    usable = table[np.isfinite(table) & ((table > 0) | (not log))]
    if limits is None:
        limits = (usable.min(), usable.max()) if usable.size else (1.0, 10.0)
        if limits[0] == limits[1]:  # a colour scale needs two ends
            limits = (limits[0] * 0.9, limits[1] * 1.1) if limits[0] > 0 else (limits[0] - 1, limits[1] + 1)
    norm = (LogNorm if log else Normalize)(*limits, clip=True)
    shown = np.where(np.isfinite(table), np.clip(table, *limits), np.nan)

    ax = _new_axes(ax, (1.8 + 0.85 * len(columns), 1.3 + 0.48 * len(rows)))
    image = ax.imshow(shown, norm=norm, cmap=cmap, aspect="auto")
    for (i, j), value in np.ndenumerate(table):
        if np.isfinite(value):
            colour = _readable_on(image.cmap(norm(shown[i, j])))
            text = fmt(value) if callable(fmt) else fmt.format(value)
        else:
            ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, fc="#EEEEEE", ec="#BBBBBB", hatch="///", lw=0))
            colour, text = INK, "nan" if np.isnan(value) else ("∞" if value > 0 else "−∞")
        ax.text(j, i, text, ha="center", va="center", color=colour, fontsize=11)
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    if max(len(str(name)) for name in columns) > 8:
        ax.tick_params("x", rotation=30)
        for text in ax.get_xticklabels():
            text.set(ha="right", rotation_mode="anchor")
    ax.tick_params(length=0)
    ax.set_xticks(np.arange(0.5, len(columns) - 1), minor=True)
    ax.set_yticks(np.arange(0.5, len(rows) - 1), minor=True)
    ax.grid(False)
    ax.grid(which="minor", color="white", linewidth=1.5)
    ax.tick_params(which="minor", length=0)
    ax.spines[:].set_visible(False)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if label:
        ax.figure.colorbar(image, ax=ax, label=label, fraction=0.05, pad=0.03).outline.set_visible(False)
    return ax


def _readable_on(rgba: Sequence[float]) -> str:
    """Black or white: contrast (WCAG) is the same for both at luminance √(1.05 · 0.05) − 0.05 = 0.179."""
    rgb = np.array(rgba[:3])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return "black" if linear @ (0.2126, 0.7152, 0.0722) > 0.179 else "white"


@_styled
def confusion(matrix, labels: Sequence[str], *, ax=None):
    """Confusion matrix: counts with row shares; rows are what was true, columns what was predicted.

    Parameters
    ----------
    matrix : array_like of int, shape (k, k)
        ``matrix[i, j]`` samples of class i were taken for class j.
    labels : sequence of k str
        Names of the classes.
    """
    matrix = np.asarray(matrix)
    if matrix.shape != (len(labels), len(labels)):
        raise ValueError(f"matrix must have shape ({len(labels)}, {len(labels)}); got {matrix.shape}")
    if (matrix < 0).any() or (matrix != np.round(matrix)).any():
        raise ValueError("matrix must hold counts, whole numbers ≥ 0")
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    roomy = len(labels) <= 5
    cell = 0.95 if roomy else 0.5
    ax = _new_axes(ax, (1.4 + cell * len(labels), 1.2 + cell * 0.85 * len(labels)))
    heatmap.__wrapped__(share, labels, labels, limits=(0, 1), cmap="Blues", xlabel="predicted", ylabel="actual", ax=ax)
    for text, count, part in zip(ax.texts, matrix.ravel(), share.ravel(), strict=True):
        text.set_text(f"{count:,}\n{part:.0%}" if roomy else f"{count}")
    return ax


@_styled
def roc(y_true, score, *, ax=None):
    """ROC curve: true positive rate against false positive rate over all thresholds, with the area under it.

    Parameters
    ----------
    y_true : array_like of {0, 1}, shape (N,) or (N, 1)
        The classes; both must occur.
    score : array_like, shape (N,) or (N, 1)
        Larger means more like class 1.
    """
    y_true, score = _pair("y_true", y_true, "score", score)
    if set(np.unique(y_true)) != {0.0, 1.0}:
        raise ValueError(f"y_true must hold both classes 0 and 1; got {np.unique(y_true)[:5]}")
    order = np.argsort(-score, kind="stable")
    y_sorted, s_sorted = y_true[order], score[order]
    last_of_tie = np.append(np.diff(s_sorted) != 0, True)  # equal scores fall on one point
    true_rate = np.append(0, np.cumsum(y_sorted)[last_of_tie] / y_sorted.sum())
    false_rate = np.append(0, np.cumsum(1 - y_sorted)[last_of_tie] / (1 - y_sorted).sum())
    area = np.trapezoid(true_rate, false_rate)
    ax = _new_axes(ax, (4.4, 4.2))
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=1.5, linestyle=LONG_DASH, label="chance (area 0.5)")
    ax.plot(false_rate, true_rate, color=BLUE, linestyle="-", label=f"model (area {area:.3f})")
    ax.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    ax.set_aspect("equal")
    ax.legend(loc="lower right")
    return ax


@_styled
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
    y_true, probability = _pair("y_true", y_true, "probability", probability)
    if (probability < 0).any() or (probability > 1).any():
        raise ValueError(f"probability must be in [0, 1]; got {probability.min():g} to {probability.max():g}")
    which = np.minimum((probability * bins).astype(int), bins - 1)
    count = np.bincount(which, minlength=bins)
    full = count > 0
    n = count[full]
    came_true = np.bincount(which, y_true, bins)[full] / n
    given = np.bincount(which, probability, bins)[full] / n
    ax = _new_axes(ax, (4.4, 4.2))
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=1.5, linestyle=LONG_DASH, label="perfectly calibrated")
    error = np.sqrt(came_true * (1 - came_true) / n)
    ax.errorbar(given, came_true, error, color=BLUE, linestyle="-", marker="o", capsize=3, label="model")
    ax.set(xlabel="predicted probability", ylabel="share that came true", xlim=(0, 1), ylim=(-0.02, 1.02))
    ax.set_aspect("equal")
    ax.legend(loc="upper left")
    return ax


@_styled
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

    X = np.asarray(X, dtype=float)
    if X.ndim != 2 or X.shape[1] != 2:
        raise ValueError(f"X must have shape (N, 2); got {X.shape}")
    y = np.asarray(y)
    y = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else _vector("y", y).astype(int)
    if len(y) != len(X):
        raise ValueError(f"X and y must have the same length; got {len(X)} and {len(y)}")
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.15 * np.where(high > low, high - low, 1.0)
    grid_x = np.linspace(low[0] - margin[0], high[0] + margin[0], resolution)
    grid_y = np.linspace(low[1] - margin[1], high[1] + margin[1], resolution)
    points = np.stack([part.ravel() for part in np.meshgrid(grid_x, grid_y)], axis=1)
    answer = np.asarray(predict(points), dtype=float)
    if answer.shape[0] != len(points) or answer.ndim > 2:
        raise ValueError(f"predict must return ({len(points)},) or ({len(points)}, k); got {answer.shape}")
    ax = _new_axes(ax, (5.0, 4.2))
    if answer.ndim == 2 and answer.shape[1] > 1:
        k = max(answer.shape[1], y.max() + 1)
        region = answer.argmax(axis=1).reshape(resolution, resolution)
        pale = ListedColormap([_mix(to_rgb(COLOURS[c % len(COLOURS)]), 0.28) for c in range(k)])
        ax.pcolormesh(grid_x, grid_y, region, cmap=pale, vmin=-0.5, vmax=k - 0.5, rasterized=True)
        for c in range(k):
            if 0 < np.mean(region == c) < 1:
                ax.contour(grid_x, grid_y, region == c, levels=[0.5], colors="white", linewidths=1.5)
    else:
        k = 2
        probability = answer.reshape(resolution, resolution)
        pale = LinearSegmentedColormap.from_list(
            "pale", [_mix(to_rgb(BLUE), 0.45), (1, 1, 1), _mix(to_rgb(VERMILLION), 0.45)]
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
                label=names[c] if names else f"class {c}",
                zorder=3,
            )
    ax.set(xlabel="$x_1$", ylabel="$x_2$", xlim=grid_x[[0, -1]], ylim=grid_y[[0, -1]])
    ax.grid(False)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.13), ncols=min(k, 4), handletextpad=0.1)
    return ax


def _mix(rgb: Sequence[float], share: float) -> tuple[float, ...]:
    """Blend a colour with white."""
    return tuple(1 - share * (1 - part) for part in rgb)


@_styled
def images(X, titles: Sequence[str] | None = None, *, columns: int | None = None, limits=None, cmap: str = "gray_r"):
    """A grid of small images on one grey scale.

    Parameters
    ----------
    X : array_like, shape (N, height, width), (N, height, width, 1) or (N, height, width, 3)
        Images; with three channels they are colours in [0, 1].
    titles : sequence of N str, optional
        One above each.
    columns : int, optional
        Images per row; up to eight by default.
    limits : (float, float), optional
        Values of white and black; least and largest of all images by default.

    Returns
    -------
    ndarray of matplotlib Axes
    """
    from matplotlib import pyplot as plt

    X = np.asarray(X, dtype=float)
    if X.ndim == 4 and X.shape[-1] == 1:
        X = X[..., 0]
    if X.ndim not in (3, 4) or len(X) == 0 or (X.ndim == 4 and X.shape[-1] != 3):
        raise ValueError(f"X must have shape (N, height, width) or (N, height, width, 1 or 3); got {X.shape}")
    if titles is not None and len(titles) != len(X):
        raise ValueError(f"titles must be as many as images; got {len(titles)} and {len(X)}")
    columns = columns or min(len(X), 8)
    rows = -(-len(X) // columns)
    low, high = limits or (X.min(), X.max())
    height = 0.8 * X.shape[1] / X.shape[2] + (0.25 if titles is not None else 0.0)
    _, axes = plt.subplots(rows, columns, figsize=(0.8 * columns, height * rows), squeeze=False)
    axes = axes.ravel()
    for ax in axes:
        ax.axis("off")
    for i, (ax, image) in enumerate(zip(axes, X, strict=False)):
        ax.imshow(image, cmap=cmap, vmin=low, vmax=high)
        if titles is not None:
            ax.set_title(str(titles[i]), fontsize=10, loc="center", pad=2)
    return axes[: len(X)]


# --- functions and paths over them --------------------------------------------------------------------------


@_styled
def curve_with_tangent(
    f: Callable,
    x: float,
    slope: float,
    *,
    step: float | None = None,
    xlim: tuple[float, float] | None = None,
    ax=None,
):
    """A curve, its tangent at one point, and the step that gradient descent takes from there.

    Parameters
    ----------
    f : callable
        Elementwise function of an array.
    x, slope : float
        The point, and the derivative there.
    step : float, optional
        Δx, such as −η·slope: an arrow goes from (x, f(x)) to (x + Δx, f(x + Δx)).
    xlim : (float, float), optional
        Part of the curve to draw; by default the point and its step with as much again on both sides.
    """
    reach = max(abs(step or 0.0), 1.0)
    low, high = xlim or (min(x, x + (step or 0)) - reach, max(x, x + (step or 0)) + reach)
    ax = _new_axes(ax)
    grid = np.linspace(low, high, 300)
    values = np.asarray(f(grid), dtype=float)
    if values.shape != grid.shape:
        raise ValueError(f"f must work element by element: shape {grid.shape} in; got {values.shape} out")
    y = float(f(np.asarray(x, dtype=float)))
    ax.plot(grid, values, color=BLUE, linestyle="-", label="$f(x)$")
    bottom, top = np.nanmin(values), np.nanmax(values)
    pad = 0.12 * (top - bottom) or 1.0
    ax.set(xlim=(low, high), ylim=(bottom - pad, top + pad), xlabel="$x$", ylabel="$f(x)$")
    tangent = np.array([low, high])
    ax.plot(
        tangent,
        y + slope * (tangent - x),
        color=VERMILLION,
        linestyle=LONG_DASH,
        label=f"slope {slope:.3g}".replace("-", "−"),
    )
    if step is not None:
        end = float(f(np.asarray(x + step, dtype=float)))
        ax.annotate(
            "",
            (x + step, end),
            (x, y),
            arrowprops={
                "arrowstyle": "-|>",
                "color": INK,
                "lw": 1.8,
                "mutation_scale": 16,
                "shrinkA": 4,
                "shrinkB": 4,
            },
            zorder=5,
        )
        ax.plot(x + step, end, "o", color="white", markeredgecolor=INK, markeredgewidth=1.8, zorder=4)
        ax.plot([], [], color=INK, linestyle="-", label=f"step Δx = {step:.3g}".replace("-", "−"))
    ax.plot(x, y, "o", color=INK, zorder=4)
    ax.legend()
    return ax


@_styled
def surface(
    f: Callable,
    xlim: tuple[float, float],
    ylim: tuple[float, float],
    *,
    minimum: Sequence | None = None,
    log: bool = True,
    levels: int = 14,
    labels: tuple[str, str] = ("$w_1$", "$w_2$"),
    ax=None,
):
    """Contours of a function of two variables; darker is higher.

    Parameters
    ----------
    f : callable
        f(x, y) for arrays x and y of the same shape.
    xlim, ylim : (float, float)
        The part to draw.
    minimum : (float, float) or list of such pairs, optional
        Minima to mark with a cross.
    log : bool
        Levels of f − min f at equal ratios: a long flat valley stays visible beside steep walls.
    levels : int
        Number of contours.
    labels : (str, str)
        Names of the axes.
    """
    x, y = np.meshgrid(np.linspace(*xlim, 161), np.linspace(*ylim, 161))
    z = np.asarray(f(x, y), dtype=float)
    if z.shape != x.shape:
        raise ValueError(f"f must return an array of shape {x.shape}; got {z.shape}")
    if not np.isfinite(z).all():
        raise ValueError("f must be finite over xlim × ylim; got nan or inf")
    ax = _new_axes(ax, (5.6, 4.2))
    low, high = z.min(), z.max()
    if high == low:
        raise ValueError(f"f must not be constant over xlim × ylim; got {low:g} everywhere")
    # 1/3000 of the height is where the innermost contour of a quadratic is still a few pixels wide
    at = low + (high - low) * (np.geomspace(1 / 3000, 1, levels) if log else np.linspace(1 / levels, 1, levels))
    filled = np.concatenate([[low], at])
    tones = [_mix((0.00, 0.30, 0.52), share) for share in np.linspace(0.04, 0.6, levels)]
    ax.contourf(x, y, z, levels=filled, colors=tones)
    ax.contour(x, y, z, levels=at[:-1], colors="white", linewidths=0.7, linestyles="-")
    if minimum is not None:
        crosses = np.atleast_2d(np.asarray(minimum, dtype=float))
        ax.plot(crosses[:, 0], crosses[:, 1], "+", color=INK, markersize=13, markeredgewidth=2, zorder=4)
    ax.set(xlim=xlim, ylim=ylim, xlabel=labels[0], ylabel=labels[1])
    ax.grid(False)
    return ax


@_styled
def path(ax, points, *, label: str | None = None, colour: str = VERMILLION, linestyle: Any = "-", marker: str = "o"):
    """Draw the steps of an optimizer over a `surface`: open where it starts, large where it is now.

    Parameters
    ----------
    ax : matplotlib Axes
        Its limits stay as they are; a path may leave them.
    points : array_like, shape (T, 2)
        The position before the first step and after each; the path ends where one is not finite.
    label : str, optional
        Name for the legend.
    """
    points = np.asarray(points, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
        raise ValueError(f"points must have shape (T, 2) with T ≥ 1; got {points.shape}")
    lost = ~np.isfinite(points).all(axis=1)
    kept = points[: int(lost.argmax())] if lost.any() else points
    if len(kept) == 0:
        raise ValueError(f"points must begin with a finite position; got {points[0]}")
    xlim, ylim = ax.get_xlim(), ax.get_ylim()
    small = 4 if len(kept) <= 60 else 0
    edge = {"markeredgecolor": "white", "markeredgewidth": 0.6}
    ax.plot(*kept.T, color="white", linestyle="-", linewidth=3.4, alpha=0.7, zorder=4.9)
    ax.plot(
        *kept.T, color=colour, linestyle=linestyle, linewidth=1.8, marker=marker, markersize=small,
        label=label, zorder=5, **edge,
    )  # fmt: skip
    ax.plot(*kept[0], marker, color="white", markeredgecolor=colour, markersize=8, markeredgewidth=2, zorder=6)
    ax.plot(*kept[-1], marker, color=colour, markersize=10, markeredgecolor="white", zorder=7)
    ax.set(xlim=xlim, ylim=ylim)
    if label:
        ax.legend(frameon=True, framealpha=0.85, edgecolor="none")
    return ax


# --- networks -----------------------------------------------------------------------------------------------


def _places(size: int, most: int) -> tuple[list[int], np.ndarray]:
    """Return which units of a layer are drawn, and at which heights: of many the middle gives way to dots."""
    if size <= most:
        return list(range(size)), (size - 1) / 2 - np.arange(size)
    above = most // 2
    below = most - 1 - above
    shown = [*range(above), *range(size - below, size)]
    slots = [*range(above), *range(above + 1, most)]
    return shown, (most - 1) / 2 - np.array(slots)


@_styled
def network(
    layer_sizes: Sequence[int],
    weights: Sequence | None = None,
    activations: Sequence[str | None] | None = None,
    values: Sequence | None = None,
    highlight: Iterable[tuple[int, ...]] = (),
    *,
    show_weights: bool = False,
    max_units: int = 8,
    ax=None,
):
    """Draw a network of dense layers from left to right.

    Parameters
    ----------
    layer_sizes : sequence of int
        Units per layer, beginning with the inputs. Layers of more than `max_units` are shortened by dots.
    weights : sequence of array_like, optional
        One of shape (layer_sizes[l], layer_sizes[l + 1]) between neighbours. Width of a line is the size of
        the weight; positive is blue and solid, negative vermillion and dashed.
    activations : sequence of str or None, optional
        One per layer after the inputs, written below it.
    values : sequence of array_like, optional
        Per layer one number for each unit, written into it; None for a layer without.
    highlight : iterable of tuples
        Units ``(layer, unit)`` and weights ``(layer, from, to)``, counted from 0, to draw strongly; other
        weights step back.
    show_weights : bool
        Write the weights on the lines (for small networks).
    max_units : int
        Largest number of places in a column, at least 3.

    Returns
    -------
    matplotlib Axes
        With one LineCollection per pair of layers.
    """
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Circle

    sizes = _check_network(layer_sizes, weights, activations, values, max_units)
    highlight = {tuple(item) for item in highlight}
    _check_highlight(highlight, sizes)
    depth = len(sizes)
    tallest = min(max(sizes), max_units)
    space = 1.5 if tallest <= 4 else 1.0  # small networks have room for numbers
    gap = max(2.6, 0.42 * tallest)  # wide enough that the lines of tall layers do not become a wall
    radius = 0.38 if values is None else 0.44
    places = [(shown, space * heights) for shown, heights in (_places(size, max_units) for size in sizes)]
    floor = -space * (tallest - 1) / 2 - radius
    xlim, ylim = (-1.0, (depth - 1) * gap + 1.0), (floor - 1.45, -floor + 0.1)
    inches = min(0.55, 7.0 / (xlim[1] - xlim[0]))
    ax = _new_axes(ax, (inches * (xlim[1] - xlim[0]), inches * (ylim[1] - ylim[0])))

    for layer in range(depth - 1):
        (left, left_y), (right, right_y) = places[layer], places[layer + 1]
        W = None if weights is None else np.asarray(weights[layer], dtype=float)
        largest = 1.0 if W is None else np.abs(W[np.isfinite(W)]).max(initial=0.0) or 1.0
        lines, widths, colours, dashes = [], [], [], []
        for i, from_y in zip(left, left_y, strict=True):
            for j, to_y in zip(right, right_y, strict=True):
                weight = None if W is None else W[i, j]
                strong = (layer, i, j) in highlight
                negative = weight is not None and weight < 0
                lines.append([(layer * gap, from_y), ((layer + 1) * gap, to_y)])
                widths.append(1.0 if weight is None else 0.3 + 3.2 * abs(weight) / largest)
                dashes.append((0, (3, 1)) if negative else "-")
                colour = GREY if weight is None else VERMILLION if negative else BLUE
                faint = 0.18 if highlight and not strong else (0.5 if weight is None else 0.75)
                colours.append(_with_alpha(INK if strong and weight is None else colour, 1.0 if strong else faint))
                if strong:
                    widths[-1] = max(widths[-1], 2.2)
                if show_weights and weight is not None and (strong or not highlight):
                    # a third of the way: in the middle the numbers of crossing lines would meet
                    x, y = layer * gap + 0.36 * gap, from_y + 0.36 * (to_y - from_y)
                    ax.text(
                        x, y, _short(weight), ha="center", va="center", fontsize=10, color=colour, zorder=4,
                        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85},
                    )  # fmt: skip
        ax.add_collection(LineCollection(lines, linewidths=widths, colors=colours, linestyles=dashes, zorder=1))

    for layer, (shown, heights) in enumerate(places):
        x = layer * gap
        numbers = None if values is None or values[layer] is None else _vector("values", values[layer])
        for unit, y in zip(shown, heights, strict=True):
            strong = (layer, unit) in highlight
            edge, face = (VERMILLION, "#FFF1E6") if strong else (INK, "white" if layer else "#EAF3F9")
            ax.add_patch(Circle((x, y), radius, facecolor=face, edgecolor=edge, lw=2.6 if strong else 1.4, zorder=2))
            if numbers is not None:
                ax.text(x, y, _short(numbers[unit]), ha="center", va="center", fontsize=10, zorder=3)
        if sizes[layer] > len(shown):
            ax.text(x, heights[max_units // 2 - 1] - space, "⋮", ha="center", va="center", fontsize=18)
        role = "input" if layer == 0 else "output" if layer == depth - 1 else f"hidden {layer}"
        role = "hidden" if depth == 3 and layer == 1 else role
        kind = activations[layer - 1] if activations is not None and layer else None
        note = f"{sizes[layer]} × {kind}" if kind else f"{sizes[layer]}"
        ax.text(x, floor - 0.65, role, ha="center", fontsize=11)
        ax.text(x, floor - 1.2, note, ha="center", fontsize=11, color=GREY)
    ax.set(xlim=xlim, ylim=ylim)
    ax.set_aspect("equal")
    ax.axis("off")
    return ax


def _check_network(layer_sizes, weights, activations, values, max_units) -> list[int]:
    sizes = [int(size) for size in layer_sizes]
    if len(sizes) < 2 or min(sizes) < 1 or sizes != list(layer_sizes):
        raise ValueError(f"layer_sizes must be two or more positive integers; got {list(layer_sizes)}")
    if max_units < 3:
        raise ValueError(f"max_units must be at least 3; got {max_units}")
    if weights is not None:
        shapes = [np.shape(W) for W in weights]
        wanted = list(itertools.pairwise(sizes))
        if shapes != wanted:
            raise ValueError(f"weights must have the shapes {wanted}; got {shapes}")
    if activations is not None and len(activations) != len(sizes) - 1:
        raise ValueError(f"activations must be {len(sizes) - 1}, one per layer after the input; got {len(activations)}")
    if values is not None:
        lengths = [None if v is None else np.size(v) for v in values]
        if len(lengths) != len(sizes) or any(n not in (None, m) for n, m in zip(lengths, sizes, strict=True)):
            raise ValueError(f"values must have {sizes} numbers per layer (or None); got {lengths}")
    return sizes


def _check_highlight(highlight: set[tuple[int, ...]], sizes: list[int]) -> None:
    for item in highlight:
        layer, *units = item
        limits = sizes[layer : layer + len(units)] if 0 <= layer < len(sizes) else []
        inside = len(limits) == len(units) and all(0 <= u < n for u, n in zip(units, limits, strict=True))
        if len(item) not in (2, 3) or not inside:
            raise ValueError(
                f"highlight must hold (layer, unit) or (layer, from, to) inside layers {sizes}; got {item}"
            )


def _with_alpha(colour: str, alpha: float):
    from matplotlib.colors import to_rgba

    return to_rgba(colour, alpha)


def _short(value: float) -> str:
    """Three significant digits, from 100 on a whole number, so that it fits into a circle."""
    if not np.isfinite(value):
        return str(value)
    if 100 <= abs(value) < 9999.5:
        return f"{value:.0f}".replace("-", "−")
    text = f"{value:.2f}" if 0.005 <= abs(value) < 100 or value == 0 else f"{value:.1g}"
    return text.rstrip("0").rstrip(".").replace("-", "−") if "." in text and "e" not in text else text


def magnitude(value: float) -> str:
    """Two digits where they mean something, else the power of ten: 0, 0.62, 35, 10⁻³²."""
    if value == 0 or not np.isfinite(value):
        return f"{value:g}"
    if 0.01 <= abs(value) < 100:
        return f"{value:.2g}".replace("-", "−")
    power = f"{np.floor(np.log10(abs(value)) + 0.5):.0f}"
    return ("−" if value < 0 else "") + "10" + power.translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))

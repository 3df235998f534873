"""How a training went: curves over epochs, and quantities by layer."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...checks import number
from .common import BLUE, COLOURS, DASHES, GREY, LONG_DASH, MARKERS, VERMILLION, new_axes, styled, vector


@styled
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
    if not isinstance(history, Mapping):
        raise ValueError(f"history must be what fit returns, or a dict of such by name; got {type(history).__name__}")
    if best not in (None, "min", "max"):
        raise ValueError(f"best must be 'min', 'max' or None; got {best!r}")
    several = all(isinstance(run, Mapping) for run in history.values())
    runs = history if several and history else {"": history}
    ax = new_axes(ax)
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
            values = vector(f"history of {metric}", values)
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


@styled
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
    if not isinstance(series, Mapping) or not series:
        raise ValueError(f"series must be a dict of one setting or more; got {series!r}")
    first_layer = int(number("first_layer", first_layer, 0))
    ax = new_axes(ax)
    if reference is not None:
        ax.axhline(number("reference", reference), color=GREY, linewidth=1, linestyle="-", zorder=1)
    for i, (name, values) in enumerate(series.items()):
        values = vector(f"series {name!r}", values)
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

"""What all figures share: colours and dashes, the style of the book, and the checks of what is to be drawn.

Colours are those of Okabe and Ito, which people with any common colour blindness can tell apart; a second
feature (dashes, markers, numbers) always says the same, so that a figure survives a black-and-white printer.
"""

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

# Okabe & Ito, "Color Universal Design" (2008), in an order whose neighbours differ most in lightness, too.
BLUE, VERMILLION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
PURPLE, SKY, INK, GREY = "#CC79A7", "#56B4E9", "#222222", "#6B6B6B"
PALE_BLUE, PALE_RED = "#CFE4F1", "#F9E1CF"  # grounds behind blue and vermillion points
COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, INK)
LONG_DASH, DASH_DOT, DOTS = (0, (5, 1.6)), (0, (5, 1.5, 1.2, 1.5)), (0, (1.3, 1.3))
DASHES = ("-", LONG_DASH, DASH_DOT, DOTS, (0, (8, 2)), (0, (3, 1, 1, 1, 1, 1)), "-")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

# one colour and one marker for each optimizer, on every page
OPTIMIZERS = {
    "gradient descent": (INK, "X"),
    "momentum": (ORANGE, "s"),
    "Nesterov": (GREEN, "^"),
    "Adagrad": (PURPLE, "D"),
    "RMSprop": (BLUE, "v"),
    "Adam": (VERMILLION, "o"),
}


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
    """Use the book's style for everything drawn from here on; the functions of this package have it in any case."""
    import matplotlib

    matplotlib.rcParams.update(_settings())


def styled(function):
    """Draw inside the book's style, and leave the settings of the reader's session alone."""

    @functools.wraps(function)
    def draw(*args, **kwargs):
        import matplotlib

        with matplotlib.rc_context(_settings()):
            return function(*args, **kwargs)

    return draw


def new_axes(ax=None, size: tuple[float, float] | None = None):
    """Return the axes given, or those of a new figure of that size in inches."""
    if ax is not None:
        if not hasattr(ax, "plot"):  # such as the array of axes that plt.subplots(1, 2) returns
            raise ValueError(f"ax must be one matplotlib Axes; got {type(ax).__name__}")
        return ax
    from matplotlib import pyplot as plt

    return plt.subplots(figsize=size)[1]


def floats(name: str, values) -> np.ndarray:
    """Return values as an array of floats; NaN and infinity may be drawn."""
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers, in rows of equal length; got {values!r}") from error


def vector(name: str, values) -> np.ndarray:
    """Return values of shape (N,) or (N, 1) as (N,) floats."""
    array = floats(name, values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} must have shape (N,) or (N, 1) with N ≥ 1; got {array.shape}")
    return array


def same_length(name_a: str, a, name_b: str, b) -> tuple[np.ndarray, np.ndarray]:
    """Return two such vectors, one number of each per sample."""
    a, b = vector(name_a, a), vector(name_b, b)
    if a.shape != b.shape:
        raise ValueError(f"{name_a} and {name_b} must have the same length; got {len(a)} and {len(b)}")
    return a, b


def interval(name: str, limits) -> tuple[float, float]:
    """Return two finite numbers, the smaller first."""
    ends = vector(name, limits)
    if len(ends) != 2 or not -np.inf < ends[0] < ends[1] < np.inf:
        raise ValueError(f"{name} must be two finite numbers, the smaller first; got {limits!r}")
    return float(ends[0]), float(ends[1])


def names_for(name: str, values, what: str, count: int) -> list:
    """Return the names of `count` things as a list."""
    names = list(values) if isinstance(values, Iterable) else []
    if len(names) != count:
        raise ValueError(f"{name} must be as many names as {what}, {count}; got {values!r}")
    return names


def function(name: str, f) -> None:
    """Raise a ValueError where f cannot be called."""
    if not callable(f):
        raise ValueError(f"{name} must be a function; got {f!r}")


def mix(rgb: Sequence[float], share: float) -> tuple[float, ...]:
    """Blend a colour with white."""
    return tuple(1 - share * (1 - part) for part in rgb)

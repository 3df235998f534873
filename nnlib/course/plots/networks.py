"""Networks of dense layers, drawn with their weights and values."""

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from ...checks import positive_integer
from .common import BLUE, GREY, INK, VERMILLION, floats, new_axes, styled, vector


@styled
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
        weights step back, and their numbers are grey.
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
    if not isinstance(highlight, Iterable) or not all(isinstance(item, Iterable) for item in highlight):
        raise ValueError(f"highlight must hold (layer, unit) or (layer, from, to); got {highlight!r}")
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
    ax = new_axes(ax, (inches * (xlim[1] - xlim[0]), inches * (ylim[1] - ylim[0])))

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
                if show_weights and weight is not None:
                    ink = colour if strong or not highlight else GREY
                    # a third of the way: in the middle the numbers of crossing lines would meet
                    x, y = layer * gap + 0.36 * gap, from_y + 0.36 * (to_y - from_y)
                    ax.text(
                        x, y, _short(weight), ha="center", va="center", fontsize=10, color=ink, zorder=4,
                        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85},
                    )  # fmt: skip
        ax.add_collection(LineCollection(lines, linewidths=widths, colors=colours, linestyles=dashes, zorder=1))

    for layer, (shown, heights) in enumerate(places):
        x = layer * gap
        numbers = None if values is None or values[layer] is None else vector("values", values[layer])
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


def _places(size: int, most: int) -> tuple[list[int], np.ndarray]:
    """Return which units of a layer are drawn, and at which heights: of many the middle gives way to dots."""
    if size <= most:
        return list(range(size)), (size - 1) / 2 - np.arange(size)
    above = most // 2
    below = most - 1 - above
    shown = [*range(above), *range(size - below, size)]
    slots = [*range(above), *range(above + 1, most)]
    return shown, (most - 1) / 2 - np.array(slots)


def _check_network(layer_sizes, weights, activations, values, max_units) -> list[int]:
    if not isinstance(layer_sizes, Sequence) or len(layer_sizes) < 2:
        raise ValueError(f"layer_sizes must be two or more positive integers; got {layer_sizes!r}")
    sizes = [positive_integer("layer_sizes", size) for size in layer_sizes]
    if positive_integer("max_units", max_units) < 3:
        raise ValueError(f"max_units must be at least 3; got {max_units}")
    for name, given in (("weights", weights), ("activations", activations), ("values", values)):
        if given is not None and (not isinstance(given, Iterable) or isinstance(given, str)):
            raise ValueError(f"{name} must be a list with an entry for each layer; got {given!r}")
    if weights is not None:
        shapes = [floats("weights", W).shape for W in weights]
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
        whole = len(item) in (2, 3) and all(isinstance(part, int | np.integer) for part in item)
        limits = sizes[item[0] : item[0] + len(item) - 1] if whole and 0 <= item[0] < len(sizes) else ()
        if (
            not limits
            or len(limits) != len(item) - 1
            or not all(0 <= u < n for u, n in zip(item[1:], limits, strict=True))
        ):
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
    (value,) = vector("value", [value])
    if value == 0 or not np.isfinite(value):
        return f"{value:g}"
    if 0.01 <= abs(value) < 100:
        return f"{value:.2g}".replace("-", "−")
    power = f"{np.floor(np.log10(abs(value)) + 0.5):.0f}"
    return ("−" if value < 0 else "") + "10" + power.translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))

"""Tables of numbers: as colours, and as means with their uncertainty."""

from collections.abc import Callable, Sequence

import numpy as np

from .common import BLUE, GREY, INK, LONG_DASH, ORANGE, floats, interval, mix, names_for, new_axes, same_length, styled


@styled
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

    table = floats("table", table)
    if table.ndim != 2 or table.size == 0:
        raise ValueError(f"table must have shape (rows, columns), with at least one of each; got {table.shape}")
    rows = names_for("rows", rows, "the table has rows", table.shape[0])
    columns = names_for("columns", columns, "the table has columns", table.shape[1])
    if limits is not None and interval("limits", limits)[0] <= 0 and log:
        raise ValueError(f"limits must be positive on a logarithmic scale; got {limits!r}")
    usable = table[np.isfinite(table) & ((table > 0) | (not log))]
    if limits is None:
        limits = (usable.min(), usable.max()) if usable.size else (1.0, 10.0)
        if limits[0] == limits[1]:  # a colour scale needs two ends
            limits = (limits[0] * 0.9, limits[1] * 1.1) if limits[0] > 0 else (limits[0] - 1, limits[1] + 1)
    norm = (LogNorm if log else Normalize)(*limits, clip=True)
    shown = np.where(np.isfinite(table), np.clip(table, *limits), np.nan)

    ax = new_axes(ax, (1.8 + 0.85 * len(columns), 1.3 + 0.48 * len(rows)))
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


@styled
def squares(
    numbers,
    *,
    largest: float | None = None,
    shown=None,
    frame: tuple[int, int, int, int] | None = None,
    title: str = "",
    fmt="{:.3g}",
    ax=None,
):
    """A small table of numbers as tinted squares: orange where they are positive, blue where they are negative.

    Parameters
    ----------
    numbers : array_like, shape (rows, columns)
        The stronger the tint, the larger the number; 0 has none.
    largest : float, optional
        The number with the strongest tint, so that several tables can be compared (default: the largest here).
    shown : array_like of bool, shape (rows, columns), optional
        False leaves a square empty.
    frame : (row, column, height, width), optional
        A frame around some of the squares, such as the window of a filter; it may reach over the edge.
    title : str
        What stands above it.
    fmt : str
        Format of the numbers.
    """
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Rectangle

    numbers = floats("numbers", numbers)
    if numbers.ndim != 2 or numbers.size == 0 or not np.isfinite(numbers).all():
        raise ValueError(f"numbers must be a table of finite numbers, with one row at least; got {numbers!r}")
    shown = np.ones(numbers.shape, bool) if shown is None else np.asarray(shown, bool)
    if shown.shape != numbers.shape:
        raise ValueError(f"shown must have the shape of numbers, {numbers.shape}; got {shown.shape}")
    if largest is None:
        largest = float(np.abs(numbers).max()) or 1.0
    if not largest > 0:
        raise ValueError(f"largest must be a positive number; got {largest!r}")
    rows, columns = numbers.shape
    ax = new_axes(ax, (0.4 + 0.45 * columns, 0.7 + 0.45 * rows))
    for (i, j), number in np.ndenumerate(numbers):
        strength = 0.75 * min(abs(number) / largest, 1) if shown[i, j] else 0.0
        colour = mix(to_rgb(ORANGE if number > 0 else BLUE), strength)
        ax.add_patch(Rectangle((j, i), 1, 1, facecolor=colour, edgecolor="#BBBBBB", linewidth=0.8))
        if shown[i, j]:
            text = fmt.format(number).replace("-", "−")
            ax.text(j + 0.5, i + 0.5, text, ha="center", va="center", fontsize=12)
    if frame is not None:
        top, left, height, width = frame
        ax.add_patch(Rectangle((left, top), width, height, fill=False, edgecolor=BLUE, linewidth=3.5, zorder=3))
    ax.set(xlim=(-0.1, columns + 0.1), ylim=(rows + 0.1, -0.1), aspect="equal")
    ax.set_title(title, fontsize=12, loc="center")
    ax.axis("off")
    return ax


def _readable_on(rgba: Sequence[float]) -> str:
    """Black or white: contrast (WCAG) is the same for both at luminance √(1.05 · 0.05) − 0.05 = 0.179."""
    rgb = np.array(rgba[:3])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return "black" if linear @ (0.2126, 0.7152, 0.0722) > 0.179 else "white"


@styled
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
    means, errors = same_length("means", means, "errors", errors)
    names = names_for("names", names, "means", len(means))
    if not (np.isfinite(means) & np.isfinite(errors) & (errors >= 0)).all():
        raise ValueError(f"means and errors must be finite, and errors not negative; got {means} and {errors}")
    ax = new_axes(ax, (6.0, 0.9 + 0.42 * len(means)))
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

"""The map of a country: one point for each region, coloured by what is known of it."""

from collections.abc import Mapping, Sequence

import numpy as np

from .common import COLOURS, GREY, MARKERS, floats, interval, new_axes, styled

LEGEND_AT_MOST = 8  # names that a legend beside the map has room for


@styled
def region_map(
    table,
    values,
    *,
    sizes=None,
    label: str = "",
    limits: tuple[float, float] | None = None,
    cmap: str = "viridis",
    categories: Sequence | Mapping | None = None,
    others=None,
    ax=None,
):
    """Regions as points on the map, coloured by a number (with a colour bar) or by a category (with a legend).

    Categories differ in colour and in marker. A missing number is drawn as a grey cross.

    Parameters
    ----------
    table : pandas.DataFrame, or mapping of columns
        With the columns ``x`` and ``y``, in km; one row for each of N regions.
    values : str, or array_like, shape (N,)
        A column of the table, or one value for each region. Numbers are coloured by their size, unless `categories`
        are given; texts and booleans are categories.
    sizes : str, or array_like, shape (N,), optional
        A column or numbers above 0, such as ``"population"``: the areas of the points are in proportion to them.
    label : str
        What the numbers are, beside the colour bar; or the title of the legend.
    limits : (float, float), optional
        Values of the two ends of the colours, so that several maps can be compared.
    cmap : str
        Colour map of numbers.
    categories : sequence, or mapping of value to name, optional
        The categories in their order, so that colours stay the same from map to map; a value that is none of them is
        an error. By default those that occur, sorted.
    others : optional
        A value that belongs to no category, such as −1 for the noise of DBSCAN: small grey points, not in the legend.

    Returns
    -------
    matplotlib Axes
        Of numbers, ``ax.collections[0]`` are the points; of categories one collection each, in their order.

    Raises
    ------
    ValueError
        A column is not in the table, or does not fit it; it is named.
    """
    x, y = (floats(name, _column(table, name, name)) for name in ("x", "y"))
    given = np.asarray(_column(table, "values", values))
    if given.shape != x.shape:
        raise ValueError(f"values must be one for each of {len(x)} regions; got the shape {given.shape}")
    area = np.full(len(x), 34.0)
    if sizes is not None:
        weights = floats("sizes", _column(table, "sizes", sizes))
        if weights.shape != x.shape or not (np.isfinite(weights) & (weights > 0)).all():
            raise ValueError(f"sizes must be a number above 0 for each of {len(x)} regions; got {sizes!r}")
        area = 44 * weights / weights.mean()
    by_number = categories is None and given.dtype.kind in "iuf"
    if limits is not None:
        interval("limits", limits)
        if not by_number:
            raise ValueError(f"limits must be left out where values are categories; got {limits!r}")

    ax = new_axes(ax, (6.0, 4.4))
    look = {"edgecolors": "white", "linewidths": 0.5, "zorder": 3}
    if by_number:
        numbers = given.astype(float)
        seen = np.isfinite(numbers)
        low, high = (None, None) if limits is None else limits
        points = ax.scatter(x[seen], y[seen], s=area[seen], c=numbers[seen], cmap=cmap, vmin=low, vmax=high, **look)
        if not seen.all():
            ax.scatter(x[~seen], y[~seen], s=24, marker="x", color=GREY, linewidths=1.2, label="missing", zorder=2)
            ax.legend(loc="upper right", bbox_to_anchor=(1, 1.1), handletextpad=0.1)
        bar = ax.figure.colorbar(points, ax=ax, label=label, fraction=0.05, pad=0.03, shrink=0.85)
        bar.outline.set_visible(False)
    else:
        names = _names(given, categories, others)
        for number, (value, name) in enumerate(names.items()):
            member = given == value
            marker = MARKERS[(number + number // len(COLOURS)) % len(MARKERS)]
            colour = COLOURS[number % len(COLOURS)]
            ax.scatter(x[member], y[member], s=area[member], marker=marker, color=colour, label=name, **look)
        rest = np.full(len(x), False) if others is None else given == others
        if rest.any():
            ax.scatter(x[rest], y[rest], s=10, color=GREY, linewidths=0, zorder=2)
        if 1 <= len(names) <= LEGEND_AT_MOST:
            place = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5), "handletextpad": 0.1}
            ax.legend(title=label or None, alignment="left", **place)
    ax.set(xlabel="km from west to east", ylabel="km from south to north", xlim=(-12, 512), ylim=(-12, 412))
    ax.set_xticks(range(0, 501, 100))
    ax.set_yticks(range(0, 401, 100))
    ax.set_aspect("equal")
    return ax


def _column(table, name, values):
    """Return a column of the table where its name is given, else the values as they are."""
    if not isinstance(values, str):
        return values
    if values not in table:
        raise ValueError(f"{name} must be a column of the table, or one value for each region; got {values!r}")
    return table[values]


def _names(given, categories, others):
    """Return {value: name} of the categories, in their order."""
    occur = [value for value in dict.fromkeys(given.tolist()) if others is None or value != others]
    if categories is None:
        categories = sorted(occur)
    names = dict(categories) if isinstance(categories, Mapping) else {value: str(value) for value in categories}
    for value in occur:
        if value not in names:
            raise ValueError(f"categories must hold all values; {value!r} is not in {list(names)}")
    return names

"""Small pictures side by side, and where in them something lies."""

from collections.abc import Sequence

import numpy as np

from ...checks import positive_integer
from .common import GREEN, floats, interval, names_for, styled


@styled
def pictures(
    X,
    titles: Sequence | None = None,
    *,
    masks=None,
    columns: int | None = None,
    limits: tuple[float, float] | None = None,
    colour: str = GREEN,
):
    """A grid of small pictures, in colour or on one scale of grey, with outlines around the pixels of their masks.

    Parameters
    ----------
    X : array_like, shape (N, height, width), (N, height, width, 1) or (N, height, width, 3)
        Pictures; with three channels they are red, green and blue from 0 to 1, and else the largest value is black.
    titles : sequence of N, optional
        One above each; "" for none.
    masks : array_like of bool, shape (N, height, width), optional
        Along the edges of the pixels that are True a line is drawn; a picture without any has none.
    columns : int, optional
        Pictures in a row; by default up to eight.
    limits : (float, float), optional
        Values of white and of black, of pictures in grey; by default the least and the largest of all of them.
    colour : str
        Of the outlines.

    Returns
    -------
    ndarray of matplotlib Axes, shape (N,)
        In the order of the pictures, row by row.

    Raises
    ------
    ValueError
        X has another shape, or colours outside 0 to 1, or something else does not fit it; it is named.
    """
    from matplotlib import pyplot as plt
    from matplotlib.collections import LineCollection

    X = floats("X", X)
    if X.ndim not in (3, 4) or 0 in X.shape or X.shape[3:] not in ((), (1,), (3,)):
        raise ValueError(f"X must have shape (N, height, width) or (N, height, width, 1 or 3); got {X.shape}")
    in_colour = X.shape[3:] == (3,)
    if in_colour and not ((X >= 0) & (X <= 1)).all():
        raise ValueError(f"X must hold colours from 0 to 1; got values from {X.min():g} to {X.max():g}")
    if in_colour and limits is not None:
        raise ValueError(f"limits must be left out where X is in colour; got {limits!r}")
    if X.ndim == 4 and not in_colour:
        X = X[..., 0]
    low, high = interval("limits", limits) if limits is not None else (np.nanmin(X), np.nanmax(X))
    n, height, width = X.shape[:3]
    if titles is not None:
        titles = names_for("titles", titles, "pictures", n)
    if masks is not None:
        masks = np.asarray(masks)
        if masks.shape != (n, height, width) or masks.dtype != bool:
            raise ValueError(
                f"masks must be True or False for each pixel, shape {(n, height, width)}; "
                f"got {masks.dtype} of shape {masks.shape}"
            )
    columns = min(n, 8) if columns is None else positive_integer("columns", columns)
    rows = -(-n // columns)

    side = min(6.0 / columns, 1.6)  # inches: the page is six wide
    above = 0.2 if titles is not None else 0.0
    figure = plt.figure(figsize=(side * columns, (side * height / width + above) * rows))
    figure.get_layout_engine().set(h_pad=0.05, w_pad=0.05)  # its edge stays the ground of the page
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes:
        ax.set_axis_off()
    for k, ax in enumerate(axes[:n]):
        ax.imshow(X[k], cmap="gray_r", vmin=low, vmax=high, interpolation="nearest")
        if titles is not None:
            ax.set_title(str(titles[k]), fontsize=10, loc="center", pad=2)
        if masks is not None and masks[k].any():
            ax.add_collection(LineCollection(_edges(masks[k]), colors=colour, linewidths=1.4, capstyle="projecting"))
    return axes[:n]


def _edges(mask):
    """Return the sides (x, y), (x, y) between pixels that are in the mask and those that are not."""
    framed = np.pad(mask, 1)
    down, across = framed[1:] != framed[:-1], framed[:, 1:] != framed[:, :-1]
    sides = [[(c - 1.5, r - 0.5), (c - 0.5, r - 0.5)] for r, c in np.argwhere(down)]
    return sides + [[(c - 0.5, r - 1.5), (c - 0.5, r - 0.5)] for r, c in np.argwhere(across)]

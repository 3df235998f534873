"""Functions and the paths that gradient descent takes over them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...checks import number, positive_integer
from .common import BLUE, INK, LONG_DASH, VERMILLION, floats, function, interval, mix, names_for, new_axes, styled


@styled
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
    function("f", f)
    x, slope, step = number("x", x), number("slope", slope), None if step is None else number("step", step)
    reach = max(abs(step or 0.0), 1.0)
    around = (min(x, x + (step or 0)) - reach, max(x, x + (step or 0)) + reach)
    low, high = around if xlim is None else interval("xlim", xlim)
    ax = new_axes(ax)
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


@styled
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
    levels = positive_integer("levels", levels)
    function("f", f)
    labels = names_for("labels", labels, "axes", 2)
    xlim, ylim = interval("xlim", xlim), interval("ylim", ylim)
    x, y = np.meshgrid(np.linspace(*xlim, 161), np.linspace(*ylim, 161))
    z = np.asarray(f(x, y), dtype=float)
    if z.shape != x.shape:
        raise ValueError(f"f must return an array of shape {x.shape}; got {z.shape}")
    if not np.isfinite(z).all():
        raise ValueError("f must be finite over xlim × ylim; got nan or inf")
    ax = new_axes(ax, (5.6, 4.2))
    low, high = z.min(), z.max()
    if high == low:
        raise ValueError(f"f must not be constant over xlim × ylim; got {low:g} everywhere")
    # 1/3000 of the height is where the innermost contour of a quadratic is still a few pixels wide
    at = low + (high - low) * (np.geomspace(1 / 3000, 1, levels) if log else np.linspace(1 / levels, 1, levels))
    filled = np.concatenate([[low], at])
    tones = [mix((0.00, 0.30, 0.52), share) for share in np.linspace(0.04, 0.6, levels)]
    ax.contourf(x, y, z, levels=filled, colors=tones)
    ax.contour(x, y, z, levels=at[:-1], colors="white", linewidths=0.7, linestyles="-")
    if minimum is not None:
        crosses = np.atleast_2d(floats("minimum", minimum))
        if crosses.ndim != 2 or crosses.shape[1] != 2:
            raise ValueError(f"minimum must be one point (x, y) or a list of such; got {minimum!r}")
        ax.plot(crosses[:, 0], crosses[:, 1], "+", color=INK, markersize=13, markeredgewidth=2, zorder=4)
    ax.set(xlim=xlim, ylim=ylim, xlabel=labels[0], ylabel=labels[1])
    ax.grid(False)
    return ax


@styled
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
    ax = new_axes(ax)
    points = floats("points", points)
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


@styled
def trail(ax, *, colour: str = VERMILLION, marker: str = "o", size: float = 4) -> Callable:
    """Return a function that draws a path over a `surface`, and moves it when it is called again: for sliders.

    Parameters
    ----------
    ax : matplotlib Axes
    colour, marker : str
        Of the line; its last point is large.
    size : float
        Of the other points.

    Returns
    -------
    function of points, shape (T, 2)
        The path ends where a point is not finite.
    """
    from matplotlib import patheffects

    ax = new_axes(ax)
    halo = [patheffects.withStroke(linewidth=3, foreground="white")]
    (line,) = ax.plot([], [], color=colour, linewidth=1.4, marker=marker, markersize=size, linestyle="-", zorder=5)
    line.set_path_effects(halo)
    (head,) = ax.plot([], [], color=colour, marker=marker, markersize=9, markeredgecolor="white", ls="", zorder=6)

    def put(points) -> None:
        points = floats("points", points)
        if points.ndim != 2 or points.shape[1] != 2:
            raise ValueError(f"points must have shape (T, 2); got {points.shape}")
        lost = ~np.isfinite(points).all(axis=1)
        kept = points[: int(lost.argmax())] if lost.any() else points
        line.set_data(*kept.T)
        head.set_data(*kept[-1:].T)

    return put

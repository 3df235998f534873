"""Predicted numbers beside the true ones."""

import numpy as np

from ... import metrics
from .common import BLUE, GREY, LONG_DASH, new_axes, same_length, styled


@styled
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
    y_true, y_pred = same_length("y_true", y_true, "y_pred", y_pred)
    rmse, mae, r2 = (metric(y_pred, y_true) for metric in (metrics.rmse, metrics.mae, metrics.r2))
    unit = f" ({unit})" if unit else ""
    ax = new_axes(ax, (4.6, 4.4))
    low, high = min(y_true.min(), y_pred.min()), max(y_true.max(), y_pred.max())
    margin = 0.04 * (high - low) or 0.5
    limits = (low - margin, high + margin)
    ax.plot(limits, limits, color=GREY, linewidth=1.5, linestyle=LONG_DASH, label="perfect prediction")
    alpha = np.clip(12 / np.sqrt(len(y_true)), 0.15, 0.85)  # points that lie on each other still show how many they are
    ax.scatter(y_true, y_pred, s=18, color=BLUE, alpha=alpha, linewidths=0)
    note = f"RMSE {rmse:,.4g}\nMAE {mae:,.4g}\nR² " + ("–" if np.isnan(r2) else f"{r2:.3f}")
    card = {"facecolor": "white", "edgecolor": "#D0D0D0", "boxstyle": "round,pad=0.4", "alpha": 0.9}
    ax.text(0.04, 0.96, note, transform=ax.transAxes, va="top", linespacing=1.4, bbox=card)
    ax.set(xlim=limits, ylim=limits, xlabel=f"actual{unit}", ylabel=f"predicted{unit}")
    ax.set_aspect("equal")
    if high >= 10_000:
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(lambda value, _: f"{value / 1000:g}k".replace("-", "−"))
    return ax

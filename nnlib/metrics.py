"""Numbers to judge a model by, computed over all rows at once; none of them is trained on.

Argument order is that of the losses: predictions first, both of the same shape. For classes, `y_pred` holds
probabilities: one column for yes/no (1 where p ≥ ½), or one column per class (the largest wins). `y_true` holds 0 and 1
in one column, or one-hot rows.
"""

from collections.abc import Callable, Sequence
from math import nan, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Array
from .checks import check_distributions, one_of, same_shape

Counts = NDArray[np.intp]
Metric = Callable[[Array, Array], float]


def rmse(y_pred: ArrayLike, y_true: ArrayLike) -> float:
    """√ mean (p - y)², in the unit of the target."""
    p, y = same_shape(y_pred, y_true)
    return sqrt(np.mean((p - y) ** 2))


def mae(y_pred: ArrayLike, y_true: ArrayLike) -> float:
    """Mean |p - y|, in the unit of the target."""
    p, y = same_shape(y_pred, y_true)
    return float(np.mean(np.abs(p - y)))


def r2(y_pred: ArrayLike, y_true: ArrayLike) -> float:
    """1 - Σ(p - y)² / Σ(y - ȳ)²: 0 for always predicting the mean, 1 for perfect; NaN where y is constant.

    Over several outputs the sums run over all of them, so that an output counts by its variance.
    """
    p, y = same_shape(y_pred, y_true)
    if (y == y[:1]).all():
        return nan
    return float(1 - np.sum((p - y) ** 2) / np.sum((y - y.mean(axis=0)) ** 2))


def confusion(y_pred: ArrayLike, y_true: ArrayLike) -> Counts:
    """Return C with C[i, j] = number of rows of class i that were taken for class j.

    Numbers of classes (3, 7, ...) or several classes a row are refused.
    """
    p, y = same_shape(y_pred, y_true)
    columns = y.shape[-1]
    if y.ndim < 2 or (columns == 1 and not ((y == 0) | (y == 1)).all()):
        raise ValueError(f"y_true must be one-hot, (rows, classes), or 0 and 1, (rows, 1); got shape {y.shape}")
    if columns > 1:
        check_distributions("y_true", y)
    taken, true = ((a >= 0.5).astype(int) if columns == 1 else a.argmax(axis=-1) for a in (p, y))
    k = max(2, columns)
    return np.bincount(k * true.ravel() + taken.ravel(), minlength=k * k).reshape(k, k)


def accuracy(y_pred: ArrayLike, y_true: ArrayLike) -> float:
    """Share of rows whose class is right."""
    c = confusion(y_pred, y_true)
    return float(c.trace() / c.sum())


def _per_class(hits: Counts, of: Counts) -> float:
    """hits/of for class 1 where there are two classes, else its mean over classes ("macro"); 0 where `of` is 0."""
    share = np.divide(hits, of, out=np.zeros(len(hits)), where=of > 0)
    return float(share[1] if len(share) == 2 else share.mean())


def precision(y_pred: ArrayLike, y_true: ArrayLike) -> float:
    """Of the rows taken for the class, the share that are: TP/(TP + FP); class 1 of two, or the mean over classes."""
    c = confusion(y_pred, y_true)
    return _per_class(c.diagonal(), c.sum(axis=0))


def recall(y_pred: ArrayLike, y_true: ArrayLike) -> float:
    """Of the rows that are of the class, the share found: TP/(TP + FN); class 1 of two, or the mean over classes."""
    c = confusion(y_pred, y_true)
    return _per_class(c.diagonal(), c.sum(axis=1))


def f1(y_pred: ArrayLike, y_true: ArrayLike) -> float:
    """2TP/(2TP + FP + FN), the harmonic mean of precision and recall; class 1 of two, or the mean over classes."""
    c = confusion(y_pred, y_true)
    return _per_class(2 * c.diagonal(), c.sum(axis=0) + c.sum(axis=1))


METRICS: dict[str, Metric] = {metric.__name__: metric for metric in (rmse, mae, r2, accuracy, precision, recall, f1)}


def get(metric: str | Metric) -> Metric:
    """Return the metric of that name, or the given function (y_pred, y_true) → float."""
    if callable(metric) and not isinstance(metric, type) and hasattr(metric, "__name__"):
        return metric
    return one_of("metric", metric, METRICS)


def get_metrics(wanted: Sequence[str | Metric] | None) -> list[Metric]:
    """Return the metrics of a list of names and functions; scores go by name, so that no name may come twice."""
    if not isinstance(wanted, list | tuple | None):
        raise ValueError(f"metrics must be a list, such as ['rmse']; got {wanted!r}")
    chosen = [get(metric) for metric in wanted or ()]
    names = [metric.__name__ for metric in chosen]
    taken = [name for name in names if name in ("epoch", "loss", "learning_rate") or name.startswith("val_")]
    if taken or len(set(names)) < len(names):
        raise ValueError(f"metrics must have names of their own, not epoch, loss, learning_rate, val_...; got {names}")
    return chosen

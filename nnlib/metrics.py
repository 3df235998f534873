"""Numbers to judge a model by, computed over all rows at once; none of them is trained on.

Argument order is that of the losses: predictions first, both of the same shape. For classes, `y_pred` holds
probabilities: one column for yes/no (1 where p ≥ ½), or one column per class (the largest wins); `y_true` likewise.
"""

from collections.abc import Callable

import numpy as np

from .arrays import Array, one_of, same_shape


def rmse(y_pred: Array, y_true: Array) -> float:
    """√ mean (p - y)², in the unit of the target."""
    y_pred, y_true = same_shape(y_pred, y_true)
    return float(np.sqrt(np.mean((y_pred - y_true) ** 2)))


def mae(y_pred: Array, y_true: Array) -> float:
    """Mean |p - y|, in the unit of the target."""
    y_pred, y_true = same_shape(y_pred, y_true)
    return float(np.mean(np.abs(y_pred - y_true)))


def r2(y_pred: Array, y_true: Array) -> float:
    """1 - Σ(p - y)² / Σ(y - ȳ)²: 0 for always predicting the mean, 1 for perfect; NaN where y is constant.

    Over several outputs the sums run over all of them, so that an output counts by its variance.
    """
    y_pred, y_true = same_shape(y_pred, y_true)
    spread = np.sum((y_true - y_true.mean(axis=0)) ** 2)
    return float(1 - np.sum((y_pred - y_true) ** 2) / spread) if spread > 0 else float("nan")


def classes(y: Array) -> Array:
    """Return the class of each row: 0 or 1 from one column (threshold ½), the place of the largest from several."""
    if y.ndim < 2:
        raise ValueError(f"y must have shape (rows, classes), or (rows, 1) for yes/no; got {y.shape}")
    return (y[..., 0] >= 0.5).astype(int) if y.shape[-1] == 1 else y.argmax(axis=-1)


def accuracy(y_pred: Array, y_true: Array) -> float:
    """Share of rows whose class is right."""
    y_pred, y_true = same_shape(y_pred, y_true)
    return float(np.mean(classes(y_pred) == classes(y_true)))


def confusion(y_pred: Array, y_true: Array) -> Array:
    """Return C with C[i, j] = number of rows of class i that were taken for class j."""
    y_pred, y_true = same_shape(y_pred, y_true)
    k = max(2, y_true.shape[-1])
    return np.bincount(k * classes(y_true).ravel() + classes(y_pred).ravel(), minlength=k * k).reshape(k, k)


def _per_class(hits: Array, of: Array) -> float:
    """hits/of for class 1 where there are two classes, else its mean over classes ("macro"); 0 where `of` is 0."""
    share = np.divide(hits, of, out=np.zeros(len(hits)), where=of > 0)
    return float(share[1] if len(share) == 2 else share.mean())


def precision(y_pred: Array, y_true: Array) -> float:
    """Of the rows taken for the class, the share that are: TP/(TP + FP); class 1 of two, or the mean over classes."""
    c = confusion(y_pred, y_true)
    return _per_class(c.diagonal(), c.sum(axis=0))


def recall(y_pred: Array, y_true: Array) -> float:
    """Of the rows that are of the class, the share found: TP/(TP + FN); class 1 of two, or the mean over classes."""
    c = confusion(y_pred, y_true)
    return _per_class(c.diagonal(), c.sum(axis=1))


def f1(y_pred: Array, y_true: Array) -> float:
    """2TP/(2TP + FP + FN), the harmonic mean of precision and recall; class 1 of two, or the mean over classes."""
    c = confusion(y_pred, y_true)
    return _per_class(2 * c.diagonal(), c.sum(axis=0) + c.sum(axis=1))


METRICS: dict[str, Callable[[Array, Array], float]] = {
    metric.__name__: metric for metric in (rmse, mae, r2, accuracy, precision, recall, f1)
}


def get(metric: "str | Callable") -> Callable[[Array, Array], float]:
    """Return the metric of that name, or the given function (y_pred, y_true) → float."""
    return metric if callable(metric) else one_of("metric", metric, METRICS)

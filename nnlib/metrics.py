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
from .checks import check_distributions, one_of, positive_integer, same_shape

Classes = NDArray[np.intp]
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


def classes(y: Array) -> Classes:
    """Return the class of each row: 0 or 1 from one column (threshold ½), the place of the largest from several."""
    if y.ndim < 2:
        raise ValueError(f"y must have shape (rows, classes), or (rows, 1) for yes/no; got {y.shape}")
    return (y[..., 0] >= 0.5).astype(np.intp) if y.shape[-1] == 1 else y.argmax(axis=-1)


def _of_classes(y_pred: ArrayLike, y_true: ArrayLike) -> tuple[Array, Array]:
    """Return predictions and true classes; numbers of classes (3, 7, ...) or several classes a row are refused."""
    p, y = same_shape(y_pred, y_true)
    if y.ndim < 2 or (y.shape[-1] == 1 and not ((y == 0) | (y == 1)).all()):
        raise ValueError(
            f"y_true must have shape (rows, classes) and be one-hot, or (rows, 1) and be 0 or 1; got shape {y.shape}"
        )
    if y.shape[-1] > 1:
        check_distributions("y_true", y)
    return p, y


def accuracy(y_pred: ArrayLike, y_true: ArrayLike) -> float:
    """Share of rows whose class is right."""
    p, y = _of_classes(y_pred, y_true)
    return float(np.mean(classes(p) == classes(y)))


def confusion(y_pred: ArrayLike, y_true: ArrayLike) -> Classes:
    """Return C with C[i, j] = number of rows of class i that were taken for class j."""
    p, y = _of_classes(y_pred, y_true)
    k = max(2, y.shape[-1])
    return np.bincount(k * classes(y).ravel() + classes(p).ravel(), minlength=k * k).reshape(k, k)


def _per_class(hits: Classes, of: Classes) -> float:
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


def roc_auc(y_pred: ArrayLike, y_true: ArrayLike) -> float:
    """P(score of a positive row > score of a negative row) + ½ P(equal): the area under the ROC curve.

    ½ for guessing, 1 for a perfect order; no threshold is involved, and any scores will do. Over more than two classes
    the mean of each class against the rest. NaN where a class has no rows, or all of them (Fawcett 2006).
    """
    p, y = (a.reshape(-1, a.shape[-1]).T for a in _of_classes(y_pred, y_true))
    areas = []
    for score, positive in zip(p, y, strict=True) if len(p) > 2 else [(p[-1], y[-1])]:
        _, place = np.unique(score, return_inverse=True)
        wins, losses = np.bincount(place, positive), np.bincount(place, 1 - positive)
        pairs = wins.sum() * losses.sum()
        areas.append(wins @ (losses.cumsum() - losses / 2) / pairs if pairs > 0 else nan)
    return float(np.mean(areas))


def calibration_error(y_pred: ArrayLike, y_true: ArrayLike, bins: int = 10) -> float:
    """Σ over bins of (n_b/n) |mean confidence - share right|: how far probabilities are from frequencies, 0 to 1.

    The expected calibration error of Guo et al. 2017, with `bins` of equal width on [0, 1]. From several columns the
    confidence is the largest probability, right where that class is the true one; from one column it is p itself,
    right where y is 1 (Naeini et al. 2015).
    """
    p, y = _of_classes(y_pred, y_true)
    if p.min() < 0 or p.max() > 1:
        raise ValueError(f"y_pred must hold probabilities in [0, 1]; got values from {p.min():g} to {p.max():g}")
    confidence, right = (p, y) if p.shape[-1] == 1 else (p.max(axis=-1), classes(p) == classes(y))
    # the bins are (0, 0.1], (0.1, 0.2], ...; 0 itself is in the first
    place = np.ceil(confidence.ravel() * positive_integer("bins", bins)).astype(np.intp).clip(1)
    gaps = np.bincount(place, confidence.ravel() - right.ravel())
    return float(np.abs(gaps).sum() / place.size)


METRICS: dict[str, Metric] = {
    metric.__name__: metric for metric in (rmse, mae, r2, accuracy, precision, recall, f1, roc_auc, calibration_error)
}


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

"""How wrong a prediction is, as one number, and which way it should move.

Every loss is a mean over the N rows of a batch of a row's loss ℓᵢ; where an output has several entries, ℓᵢ is the
mean over them (cross-entropy over classes: the sum, because the classes of one row are one answer). With sample
weights wᵢ it is L = (1/N) Σ wᵢ ℓᵢ, which keeps a row's weight the same whatever else is in the batch.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .activations import Activation, sigmoid, softmax
from .arrays import Array
from .checks import check_distributions, look_up, number, row_weights, same_shape
from .named import Named


@dataclass(frozen=True)
class Loss(Named):
    """A pure pair: `rows(y_pred, y_true)` → (N,) row losses, `slope(y_pred, y_true)` → their derivatives.

    `needs` says what predictions and targets must be: "numbers", "probabilities" (each entry in [0, 1]) or
    "distributions" (probabilities that sum to 1 along the last axis).
    """

    rows: Callable[..., Array] = field(repr=False)
    slope: Callable[..., Array] = field(repr=False)
    needs: str = "numbers"

    def value(self, y_pred: ArrayLike, y_true: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return L, a float; what is no prediction or target for this loss is refused."""
        return self.mean(*self._checked(y_pred, y_true, sample_weight))

    def grad(self, y_pred: ArrayLike, y_true: ArrayLike, sample_weight: ArrayLike | None = None) -> Array:
        """Return ∂L/∂y_pred, of the shape of `y_pred`; what is no prediction or target for this loss is refused."""
        return self.mean_slope(*self._checked(y_pred, y_true, sample_weight))

    def mean(self, p: Array, y: Array, w: Array | None = None) -> float:
        """Return L = (1/N) Σ wᵢ ℓᵢ. Nothing is checked: this is what a training calls at each step."""
        rows = self.rows(p, y)
        if rows.shape != p.shape[:1]:
            raise ValueError(f"loss {self.name!r} must return one number per row, {p.shape[:1]}; got {rows.shape}")
        return float(rows.mean() if w is None else (w * rows).mean())

    def mean_slope(self, p: Array, y: Array, w: Array | None = None) -> Array:
        """Return ∂L/∂p. Nothing is checked: this is what a training calls at each step."""
        slope = self.slope(p, y)
        n = len(slope)
        return slope * (1 / n) if w is None else slope * (w / n).reshape(-1, *[1] * (slope.ndim - 1))

    def _checked(
        self, y_pred: ArrayLike, y_true: ArrayLike, weight: ArrayLike | None
    ) -> tuple[Array, Array, Array | None]:
        p, y = same_shape(y_pred, y_true)
        if not isinstance(self, FusedLoss):
            check_targets(self, p, "y_pred")
        check_targets(self, y, "y_true")
        return p, y, None if weight is None else row_weights("sample_weight", weight, len(y), y.dtype)


class RootLoss(Loss):
    """√L of another loss. Not additive over batches: √ of a mean is not the mean of √."""

    def mean(self, p: Array, y: Array, w: Array | None = None) -> float:
        return sqrt(super().mean(p, y, w))

    def mean_slope(self, p: Array, y: Array, w: Array | None = None) -> Array:
        # d√L = dL / (2√L); at L = 0 there is no slope, and nothing to improve: 0
        root = self.mean(p, y, w)
        return super().mean_slope(p, y, w) * (0.5 / root if root > 0 else 0.0)


def _row_mean(losses: Array) -> Array:
    mean: Array = losses.reshape(len(losses), -1).mean(axis=1)
    return mean


def _outputs(y: Array) -> int:
    return prod(y.shape[1:])


def _squared(p: Array, y: Array) -> Array:
    """ℓ = (p - y)², the mean over a row's outputs (Gauss 1809). Slope 2(p - y)."""
    return _row_mean((p - y) ** 2)


def _squared_slope(p: Array, y: Array) -> Array:
    return (p - y) * (2 / _outputs(y))


def _absolute(p: Array, y: Array) -> Array:
    """ℓ = |p - y|, the mean over a row's outputs (Boscovich 1757). Slope ±1; at p = y it is taken as 0."""
    return _row_mean(np.abs(p - y))


def _absolute_slope(p: Array, y: Array) -> Array:
    return np.sign(p - y) / _outputs(y)


def _huber(p: Array, y: Array, delta: float) -> Array:
    e = np.abs(p - y)
    inner = np.minimum(e, delta)
    return _row_mean(inner * (e - 0.5 * inner))


def _huber_slope(p: Array, y: Array, delta: float) -> Array:
    return np.clip(p - y, -delta, delta) / _outputs(y)


def make_huber(delta: float = 1.0) -> Loss:
    """ℓ = ½e² where |e| ≤ δ, else δ(|e| - ½δ), with e = p - y (Huber 1964): a bowl that turns into a cone."""
    options = {"delta": number("delta", delta, 0, open_low=True)}
    return Loss("huber", _huber, _huber_slope, options=options, doc=make_huber.__doc__)


def _probability(p: Array) -> Array:
    # log(0) and 1/0 are where the formulas leave the real numbers; the smallest normal number stands for 0.
    return np.maximum(p, np.finfo(p.dtype).tiny)


def _binary(p: Array, y: Array) -> Array:
    """ℓ = -[y log p + (1 - y) log(1 - p)], the mean over a row's outputs, with p a probability (Good 1952).

    Slope (1 - y)/(1 - p) - y/p.
    """
    return -_row_mean(y * np.log(_probability(p)) + (1 - y) * np.log(_probability(1 - p)))


def _binary_slope(p: Array, y: Array) -> Array:
    return ((1 - y) / _probability(1 - p) - y / _probability(p)) / _outputs(y)


def _categorical(p: Array, y: Array) -> Array:
    """ℓ = -Σ y log p over the classes, with p a row of probabilities and y one-hot, or probabilities (Good 1952).

    Slope -y/p. Of a sequence (rows, time, classes), the mean over the times.
    """
    return -_row_mean((y * np.log(_probability(p))).sum(axis=-1))


def _categorical_slope(p: Array, y: Array) -> Array:
    return -y / (_probability(p) * _outputs(y[..., 0]))


mse = Loss("mse", _squared, _squared_slope)
rmse = RootLoss("rmse", _squared, _squared_slope, doc="L = √(mean (p - y)²): mse in the unit of the target; no mean.")
mae = Loss("mae", _absolute, _absolute_slope)
huber = make_huber()
binary_crossentropy = Loss("binary_crossentropy", _binary, _binary_slope, needs="probabilities")
categorical_crossentropy = Loss("categorical_crossentropy", _categorical, _categorical_slope, needs="distributions")

LOSSES: dict[str, Loss] = {
    loss.name: loss for loss in (mse, rmse, mae, huber, binary_crossentropy, categorical_crossentropy)
}
MAKERS = {"huber": make_huber}


Choice = str | dict[str, Any] | Loss | None  # what a model takes for its loss


def get(loss: Choice) -> Loss:
    """Return the loss of that name, {"name": "huber", "delta": 2.0}, or the given one unchanged."""
    return look_up("loss", loss, Loss, LOSSES, MAKERS)


def check_targets(loss: Loss, y: Array, name: str = "y") -> None:
    """Raise a ValueError where `y` is not what the loss needs: outside [0, 1], or rows that do not sum to 1."""
    if loss.needs != "numbers" and (y.min() < 0 or y.max() > 1):
        raise ValueError(f"{loss.name} needs {name} in [0, 1]; got values from {y.min():g} to {y.max():g}")
    if loss.needs == "distributions":
        check_distributions(f"{name} of {loss.name}", y)


class FusedLoss(Loss):
    """A loss joined to the activation before it: `rows(z, y_true)` on pre-activations, `slope(a, y_true)` = ∂ℓ/∂z.

    The exponential of the activation and the logarithm of the loss cancel on paper; done apart they overflow and
    lose digits.
    """


def _softplus(z: Array, y: Array) -> Array:
    """ℓ = log(1 + eᶻ) - y·z, written so that it cannot overflow. Slope σ(z) - y."""
    return _row_mean(np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z))))


def _softplus_slope(a: Array, y: Array) -> Array:
    return (a - y) / _outputs(y)


def _log_softmax(z: Array, y: Array) -> Array:
    """ℓ = log Σⱼ e^(zⱼ) - Σ y·z, for y that sums to 1. Slope softmax(z) - y."""
    # classes first for speed, as in `activations.softmax`
    rows, classes = len(z), z.shape[-1]
    z, y = z.reshape(-1, classes).T.copy(), y.reshape(-1, classes).T
    z -= z.max(axis=0)
    losses = (y * (np.log(np.exp(z).sum(axis=0)) - z)).sum(axis=0)
    return _row_mean(losses.reshape(rows, -1))


def _log_softmax_slope(a: Array, y: Array) -> Array:
    return (a - y) / _outputs(y[..., 0])


# The last layer's activation and the loss that are computed as one. A test holds each pair equal to its two parts.
FUSED: dict[tuple[str, str], FusedLoss] = {
    ("sigmoid", "binary_crossentropy"): FusedLoss(
        "sigmoid+binary_crossentropy", _softplus, _softplus_slope, needs="probabilities"
    ),
    ("softmax", "categorical_crossentropy"): FusedLoss(
        "softmax+categorical_crossentropy", _log_softmax, _log_softmax_slope, needs="distributions"
    ),
}


def fuse(activation: Activation | None, loss: Loss) -> Loss:
    """Return the pair of `FUSED` made of these two, else the loss: a function of your own keeps its own formula."""
    known = (activation, loss) in ((sigmoid, binary_crossentropy), (softmax, categorical_crossentropy))
    return FUSED[activation.name, loss.name] if activation and known else loss

"""How wrong a prediction is, as one number, and which way it should move.

Every loss is a mean over the N rows of a batch of a row's loss ℓᵢ; where an output has several entries, ℓᵢ is the
mean over them (cross-entropy over classes: the sum, because the classes of one row are one answer). With sample
weights wᵢ it is L = (1/N) Σ wᵢ ℓᵢ, which keeps a row's weight the same whatever else is in the batch.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod, sqrt
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .activations import Activation, sigmoid, softmax
from .arrays import Array
from .checks import check_distributions, look_up, number, row_weights, same_shape


@dataclass(frozen=True, eq=False)
class Loss:
    """A pure pair: `rows(y_pred, y_true)` → (N,) row losses, `slope(y_pred, y_true)` → their derivatives.

    `needs` says what predictions and targets must be: "numbers", "probabilities" (each entry in [0, 1]) or
    "distributions" (probabilities that sum to 1 along the last axis).
    """

    name: str
    rows: Callable[[Array, Array], Array]
    slope: Callable[[Array, Array], Array]
    options: dict[str, float] = field(default_factory=dict)
    needs: str = "numbers"
    on_z: ClassVar[bool] = False  # a fused pair (below) takes the pre-activations z for its value

    def value(self, y_pred: ArrayLike, y_true: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return L, a float; what is no prediction or target for this loss is refused."""
        return self.mean(*self._checked(y_pred, y_true, sample_weight, self.on_z))

    def grad(self, y_pred: ArrayLike, y_true: ArrayLike, sample_weight: ArrayLike | None = None) -> Array:
        """Return ∂L/∂y_pred, of the shape of `y_pred`; what is no prediction or target for this loss is refused."""
        return self.mean_slope(*self._checked(y_pred, y_true, sample_weight, False))

    def mean(self, p: Array, y: Array, w: Array | None = None) -> float:
        """Return L = (1/N) Σ wᵢ ℓᵢ. Nothing is checked: this is what a training calls at each step."""
        rows = self.rows(p, y)
        return float(rows.mean() if w is None else (w * rows).mean())

    def mean_slope(self, p: Array, y: Array, w: Array | None = None) -> Array:
        """Return ∂L/∂p. Nothing is checked: this is what a training calls at each step."""
        slope = self.slope(p, y)
        n = len(slope)
        return slope * (1 / n) if w is None else slope * (w / n).reshape(-1, *[1] * (slope.ndim - 1))

    def _checked(
        self, y_pred: ArrayLike, y_true: ArrayLike, sample_weight: ArrayLike | None, on_z: bool
    ) -> tuple[Array, Array, Array | None]:
        p, y = same_shape(y_pred, y_true)
        if not on_z:
            check_targets(self, p, "y_pred")
        check_targets(self, y, "y_true")
        return p, y, None if sample_weight is None else row_weights("sample_weight", sample_weight, len(y), y.dtype)


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
    return y.size // len(y)


# ℓ = (p - y)²
mse = Loss("mse", rows=lambda p, y: _row_mean((p - y) ** 2), slope=lambda p, y: (p - y) * (2 / _outputs(y)))

# √ of the above: in the unit of the target
rmse = RootLoss("rmse", mse.rows, mse.slope)

# ℓ = |p - y|; the slope at p = y is taken as 0
mae = Loss("mae", rows=lambda p, y: _row_mean(np.abs(p - y)), slope=lambda p, y: np.sign(p - y) / _outputs(y))


def make_huber(delta: float = 1.0) -> Loss:
    """ℓ = ½e² where |e| ≤ δ, else δ(|e| - ½δ), with e = p - y (Huber 1964): a bowl that turns into a cone."""
    delta = number("delta", delta, 0, open_low=True)

    def rows(p: Array, y: Array) -> Array:
        e = np.abs(p - y)
        inner = np.minimum(e, delta)
        return _row_mean(inner * (e - 0.5 * inner))

    return Loss("huber", rows, lambda p, y: np.clip(p - y, -delta, delta) / _outputs(y), {"delta": delta})


huber = make_huber()


def _probability(p: Array) -> Array:
    # log(0) and 1/0 are where the formulas leave the real numbers; the smallest normal number stands for 0.
    floor: Array = np.maximum(p, np.finfo(p.dtype).tiny)
    return floor


# ℓ = -[y log p + (1 - y) log(1 - p)], with p a probability
binary_crossentropy = Loss(
    "binary_crossentropy",
    rows=lambda p, y: -_row_mean(y * np.log(_probability(p)) + (1 - y) * np.log(_probability(1 - p))),
    slope=lambda p, y: ((1 - y) / _probability(1 - p) - y / _probability(p)) / _outputs(y),
    needs="probabilities",
)


def _steps(y: Array) -> int:
    """Return how many answers a row holds: 1 for (N, classes), the time steps for (N, time, classes)."""
    return prod(y.shape[1:-1])


# ℓ = -Σ y log p over the classes, with p a row of probabilities and y one-hot (or itself probabilities)
categorical_crossentropy = Loss(
    "categorical_crossentropy",
    rows=lambda p, y: -_row_mean((y * np.log(_probability(p))).sum(axis=-1)),
    slope=lambda p, y: -y / (_probability(p) * _steps(y)),
    needs="distributions",
)

LOSSES: dict[str, Loss] = {
    loss.name: loss for loss in (mse, rmse, mae, huber, binary_crossentropy, categorical_crossentropy)
}
MAKERS = {"huber": make_huber}


def get(loss: str | dict[str, Any] | Loss | None) -> Loss:
    """Return the loss of that name, {"name": "huber", "delta": 2.0}, or the given one unchanged."""
    return look_up("loss", loss, Loss, LOSSES, MAKERS)


def check_output(loss: Loss, activation: Activation | None) -> None:
    """Raise a ValueError where a model's last activation (None: it has none) does not yield what the loss needs."""
    yields = "numbers" if activation is None else activation.yields
    if loss.needs not in ("numbers", yields):
        needed = "sigmoid" if loss.needs == "probabilities" else "softmax"
        got = "a last layer without activation" if activation is None else repr(activation.name)
        raise ValueError(
            f"loss {loss.name!r} needs a model whose last layer yields {loss.needs}, activation={needed!r} (or one of "
            f"your own that says so in `yields`); got {got}"
        )


def check_targets(loss: Loss, y: Array, name: str = "y") -> None:
    """Raise a ValueError where `y` is not what the loss needs: outside [0, 1], or rows that do not sum to 1."""
    if loss.needs == "numbers":
        return
    if y.min() < 0 or y.max() > 1:
        raise ValueError(f"{loss.name} needs {name} in [0, 1]; got values from {y.min():g} to {y.max():g}")
    if loss.needs == "distributions":
        check_distributions(f"{name} of {loss.name}", y)


@dataclass(frozen=True, eq=False, kw_only=True)
class FusedLoss(Loss):
    """A loss joined to the activation before it: `rows(z, y_true)` on pre-activations, `slope(a, y_true)` = ∂ℓ/∂z.

    The exponential of the activation and the logarithm of the loss cancel on paper; done apart they overflow and
    lose digits.
    """

    activation: Activation
    loss: Loss
    on_z: ClassVar[bool] = True


def _softplus_rows(z: Array, y: Array) -> Array:
    # log(1 + eᶻ) - y·z without overflow
    return _row_mean(np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z))))


def _log_softmax_rows(z: Array, y: Array) -> Array:
    # Σ y · (log Σ eᶻ - z); classes first for speed, as in `activations.softmax`
    rows, classes = len(z), z.shape[-1]
    z, y = z.reshape(-1, classes).T.copy(), y.reshape(-1, classes).T
    z -= z.max(axis=0)
    losses = (y * (np.log(np.exp(z).sum(axis=0)) - z)).sum(axis=0)
    return _row_mean(losses.reshape(rows, -1))


# The last layer's activation and the loss that are computed as one. A test holds each pair equal to its two parts.
# softmax: ∂ℓ/∂z = a Σy - y, and Σy = 1, which `fit` checks.
FUSED: dict[tuple[str, str], FusedLoss] = {
    (pair.activation.name, pair.loss.name): pair
    for pair in (
        FusedLoss(
            name="sigmoid+binary_crossentropy",
            activation=sigmoid,
            loss=binary_crossentropy,
            rows=_softplus_rows,
            slope=lambda a, y: (a - y) / _outputs(y),
            needs="probabilities",
        ),
        FusedLoss(
            name="softmax+categorical_crossentropy",
            activation=softmax,
            loss=categorical_crossentropy,
            rows=_log_softmax_rows,
            slope=lambda a, y: (a - y) / _steps(y),
            needs="distributions",
        ),
    )
}


def fuse(activation: Activation | None, loss: Loss) -> Loss:
    """Return the pair of `FUSED` made of these two, else the loss itself: a function of your own keeps its formula."""
    for pair in FUSED.values():
        if activation is pair.activation and loss is pair.loss:
            return pair
    return loss

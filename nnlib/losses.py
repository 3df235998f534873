"""How wrong a prediction is, as one number, and which way it should move.

Every loss is a mean over the N rows of a batch of a row's loss ℓᵢ; where an output has several entries, ℓᵢ is the
mean over them (cross-entropy over classes: the sum, because the classes of one row are one answer). With sample
weights wᵢ it is L = (1/N) Σ wᵢ ℓᵢ, which keeps a row's weight the same whatever else is in the batch.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .activations import Activation
from .arrays import Array, look_up, number, same_shape


@dataclass(frozen=True)
class Loss:
    """A pure pair: `rows(y_pred, y_true)` → (N,) row losses, `slope(y_pred, y_true)` → their derivatives."""

    name: str
    rows: Callable[[Array, Array], Array]
    slope: Callable[[Array, Array], Array]
    options: dict = field(default_factory=dict)
    on_z = False  # a fused pair (below) takes the pre-activations z for its value

    def value(self, y_pred: Array, y_true: Array, sample_weight: Array | None = None) -> float:
        """Return L, a float."""
        rows = self.rows(*same_shape(y_pred, y_true))
        return float(rows.mean() if sample_weight is None else (sample_weight * rows).mean())

    def grad(self, y_pred: Array, y_true: Array, sample_weight: Array | None = None) -> Array:
        """Return ∂L/∂y_pred, of the shape of `y_pred`."""
        slope = self.slope(*same_shape(y_pred, y_true))
        n = len(slope)
        if sample_weight is None:
            slope *= 1 / n
        else:
            slope *= (sample_weight / n).reshape(-1, *[1] * (slope.ndim - 1))
        return slope


class RootLoss(Loss):
    """√L of another loss. Not additive over batches: √ of a mean is not the mean of √."""

    def value(self, y_pred, y_true, sample_weight=None):
        return float(np.sqrt(super().value(y_pred, y_true, sample_weight)))

    def grad(self, y_pred, y_true, sample_weight=None):
        # d√L = dL / (2√L); at L = 0 there is no slope, and nothing to improve: 0
        root = self.value(y_pred, y_true, sample_weight)
        return super().grad(y_pred, y_true, sample_weight) * (0.5 / root if root > 0 else 0.0)


def _row_mean(losses: Array) -> Array:
    return losses.reshape(len(losses), -1).mean(axis=1)


def _outputs(y: Array) -> int:
    return y.size // len(y)


def _squared_rows(p, y):
    return _row_mean((p - y) ** 2)


def _squared_slope(p, y):
    d = p - y
    d *= 2 / _outputs(y)
    return d


# ℓ = (p - y)²
mse = Loss("mse", _squared_rows, _squared_slope)

# √ of the above: in the unit of the target
rmse = RootLoss("rmse", _squared_rows, _squared_slope)

# ℓ = |p - y|; the slope at p = y is taken as 0
mae = Loss(
    "mae",
    rows=lambda p, y: _row_mean(np.abs(p - y)),
    slope=lambda p, y: np.sign(p - y) / _outputs(y),
)


def make_huber(delta: float = 1.0) -> Loss:
    """ℓ = ½e² where |e| ≤ δ, else δ(|e| - ½δ), with e = p - y (Huber 1964): a bowl that turns into a cone."""
    delta = number("delta", delta, 0, open_low=True)

    def rows(p, y):
        e = np.abs(p - y)
        inner = np.minimum(e, delta)
        return _row_mean(inner * (e - 0.5 * inner))

    return Loss("huber", rows, lambda p, y: np.clip(p - y, -delta, delta) / _outputs(y), {"delta": delta})


huber = make_huber()


def _probability(p: Array) -> Array:
    # log(0) and 1/0 are where the formulas leave the real numbers; the smallest normal number stands for 0.
    return np.maximum(p, np.finfo(p.dtype).tiny)


# ℓ = -[y log p + (1 - y) log(1 - p)], with p a probability
binary_crossentropy = Loss(
    "binary_crossentropy",
    rows=lambda p, y: -_row_mean(y * np.log(_probability(p)) + (1 - y) * np.log(_probability(1 - p))),
    slope=lambda p, y: ((1 - y) / _probability(1 - p) - y / _probability(p)) / _outputs(y),
)


def _steps(y: Array) -> int:
    """Return how many answers a row holds: 1 for (N, classes), the time steps for (N, time, classes)."""
    return _outputs(y) // y.shape[-1]


# ℓ = -Σ y log p over the classes, with p a row of probabilities and y one-hot (or itself probabilities)
categorical_crossentropy = Loss(
    "categorical_crossentropy",
    rows=lambda p, y: -_row_mean((y * np.log(_probability(p))).sum(axis=-1)),
    slope=lambda p, y: -y / (_probability(p) * _steps(y)),
)

LOSSES: dict[str, Loss] = {
    loss.name: loss for loss in (mse, rmse, mae, huber, binary_crossentropy, categorical_crossentropy)
}
MAKERS = {"huber": make_huber}


def get(loss: "str | dict | Loss") -> Loss:
    """Return the loss of that name, {"name": "huber", "delta": 2.0}, or the given one unchanged."""
    return look_up("loss", loss, Loss, LOSSES, MAKERS)


def check_output(loss: Loss, activation: Activation | None) -> None:
    """Raise a ValueError where the last activation cannot yield the probabilities that a cross-entropy needs."""
    unbounded = ("linear", "relu", "leaky_relu", "elu", "tanh")
    if loss.name.endswith("crossentropy") and activation is not None and activation.name in unbounded:
        needed = "softmax" if loss.name.startswith("categorical") else "sigmoid"
        raise ValueError(
            f"{loss.name} needs a model that ends in probabilities, activation={needed!r}; got {activation.name!r}"
        )


def check_targets(loss: Loss, y_true: Array, name: str = "y") -> None:
    """Raise a ValueError where `y_true` is no target for a cross-entropy: outside [0, 1], or rows not summing to 1."""
    if loss.name.endswith("crossentropy") and (y_true.min() < 0 or y_true.max() > 1):
        raise ValueError(f"{loss.name} needs {name} in [0, 1]; got values from {y_true.min():g} to {y_true.max():g}")
    if loss.name == "categorical_crossentropy":
        total = y_true.sum(axis=-1)
        wrong = np.argwhere(np.abs(total - 1) > 1e-3)
        if len(wrong):
            row = int(wrong[0, 0])
            raise ValueError(
                f"categorical_crossentropy needs {name} one-hot (or probabilities that sum to 1) along the last axis; "
                f"row {row} is {y_true[row].tolist()}"
            )


class FusedLoss(Loss):
    """A loss joined to the activation before it: `rows(z, y_true)` on pre-activations, `slope(a, y_true)` = ∂ℓ/∂z.

    The exponential of the activation and the logarithm of the loss cancel on paper; done apart they overflow and
    lose digits.
    """

    on_z = True


def _softplus_rows(z, y):
    # log(1 + eᶻ) - y·z without overflow
    return _row_mean(np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z))))


def _log_softmax_rows(z, y):
    # Σ y · (log Σ eᶻ - z); classes first for speed, as in `activations.softmax`
    rows, classes = len(z), z.shape[-1]
    z, y = z.reshape(-1, classes).T.copy(), y.reshape(-1, classes).T
    z -= z.max(axis=0)
    losses = (y * (np.log(np.exp(z).sum(axis=0)) - z)).sum(axis=0)
    return _row_mean(losses.reshape(rows, -1))


# The last layer's activation and the loss that are computed as one. A test holds each pair equal to its two parts.
# softmax: ∂ℓ/∂z = a Σy - y, and Σy = 1, which `fit` checks.
FUSED: dict[tuple[str, str], FusedLoss] = {
    ("sigmoid", "binary_crossentropy"): FusedLoss(
        "sigmoid+binary_crossentropy", _softplus_rows, lambda a, y: (a - y) / _outputs(y)
    ),
    ("softmax", "categorical_crossentropy"): FusedLoss(
        "softmax+categorical_crossentropy", _log_softmax_rows, lambda a, y: (a - y) / _steps(y)
    ),
}

"""One table of examples per registry: what is verified. A block that is not listed here fails the suite.

Every case says on which input shape it is tried and whether its function is smooth; at kinks (ReLU, max) a finite
difference that straddles one is off, and the tolerance is wider.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import nnlib as nn

SMOOTH, KINKS = 1e-7, 1e-4  # largest relative error allowed between backward and central differences


@dataclass(frozen=True)
class LayerCase:
    label: str
    make: Callable[[], nn.Layer]
    input_shape: tuple[int, ...]
    tolerance: float = SMOOTH

    @property
    def name(self) -> str:
        return type(self.make()).__name__

    def __str__(self) -> str:
        return self.label


LAYER_CASES = [
    LayerCase("Dense, linear", lambda: nn.Dense(4), (3,)),
    LayerCase("Dense, tanh", lambda: nn.Dense(4, "tanh"), (3,)),
    LayerCase("Dense, relu", lambda: nn.Dense(4, "relu"), (3,), KINKS),
    LayerCase("Dense, softmax", lambda: nn.Dense(4, "softmax"), (3,)),
    LayerCase("Dense, sigmoid, one unit", lambda: nn.Dense(1, "sigmoid"), (3,)),
    LayerCase("Dense, elu, on a sequence", lambda: nn.Dense(4, "elu"), (5, 3)),
    *(
        LayerCase(
            f"Activation, {name}", lambda name=name: nn.Activation(name), (4,), KINKS if "relu" in name else SMOOTH
        )
        for name in nn.activations.ACTIVATIONS
    ),
    LayerCase("BatchNorm", nn.BatchNorm, (3,)),
    LayerCase("BatchNorm, on images", lambda: nn.BatchNorm(momentum=0.8, epsilon=1e-3), (2, 3, 4)),
    LayerCase("BatchNorm, biased variance", lambda: nn.BatchNorm(unbiased=False), (3,)),
    LayerCase("LayerNorm", nn.LayerNorm, (6,)),
    LayerCase("LayerNorm, on a sequence", lambda: nn.LayerNorm(epsilon=1e-3), (3, 4)),
    LayerCase("Maxout, 2 pieces", lambda: nn.Maxout(3), (4,), KINKS),
    LayerCase("Maxout, 3 pieces, on a sequence", lambda: nn.Maxout(2, pieces=3), (3, 4), KINKS),
    LayerCase("Flatten", nn.Flatten, (2, 3, 2)),
    LayerCase("Residual", lambda: nn.Residual(nn.Dense(4, "tanh"), nn.BatchNorm(), nn.Dense(3)), (3,)),
    LayerCase("Residual, of Residual", lambda: nn.Residual(nn.Residual(nn.Dense(3, "elu")), nn.LayerNorm()), (3,)),
    LayerCase(
        "Residual, of convolutions",
        lambda: nn.Residual(nn.Conv2D(3, 3, "same", activation="tanh"), nn.Conv2D(2, 3, "same")),
        (4, 4, 2),
    ),
    LayerCase("Conv2D, valid", lambda: nn.Conv2D(3, 3), (5, 6, 2)),
    LayerCase("Conv2D, same", lambda: nn.Conv2D(3, 3, "same", activation="tanh"), (4, 5, 2)),
    LayerCase("Conv2D, same, even kernel", lambda: nn.Conv2D(2, (2, 4), "same"), (5, 6, 2)),
    LayerCase("Conv2D, valid, stride 2", lambda: nn.Conv2D(2, (3, 2), "valid", stride=(2, 3)), (6, 7, 2)),
    LayerCase("Conv2D, same, stride 2", lambda: nn.Conv2D(2, 3, "same", stride=2, activation="elu"), (6, 5, 2)),
    LayerCase("Conv2D, same, stride beyond the kernel", lambda: nn.Conv2D(2, 1, "same", stride=3), (7, 5, 2)),
    LayerCase("Conv2D, relu", lambda: nn.Conv2D(2, 2, activation="relu"), (3, 3, 1), KINKS),
    LayerCase("MaxPool2D", lambda: nn.MaxPool2D(2), (4, 6, 3), KINKS),
    LayerCase("MaxPool2D, with a rest", lambda: nn.MaxPool2D((2, 3)), (5, 7, 2), KINKS),
    LayerCase("RNN", lambda: nn.RNN(4), (5, 3)),
    LayerCase("RNN, sequences", lambda: nn.RNN(4, return_sequences=True), (5, 3)),
    LayerCase("LSTM", lambda: nn.LSTM(4), (5, 3)),
    LayerCase("LSTM, sequences", lambda: nn.LSTM(3, return_sequences=True), (6, 2)),
    LayerCase("LSTM, one step", lambda: nn.LSTM(3), (1, 2)),
    LayerCase("SelfAttention", nn.SelfAttention, (5, 4)),
    LayerCase("SelfAttention, 3 heads", lambda: nn.SelfAttention(3), (4, 6)),
    LayerCase("SelfAttention, causal", lambda: nn.SelfAttention(2, causal=True), (5, 4)),
    LayerCase("Dropout", lambda: nn.Dropout(0.4), (6,)),
    LayerCase("Dropout, rate 0", lambda: nn.Dropout(0.0), (6,)),
]


@dataclass(frozen=True)
class LossCase:
    label: str
    loss: nn.losses.Loss
    shape: tuple[int, ...]
    tolerance: float = SMOOTH

    def predictions(self, rng) -> np.ndarray:
        """Return predictions that the loss is defined for: probabilities for cross-entropies, else any numbers."""
        z = rng.normal(size=self.shape)
        if self.loss.name == "binary_crossentropy":
            return nn.activations.sigmoid(z)
        return nn.activations.softmax(z) if self.loss.name == "categorical_crossentropy" else z

    def targets(self, rng) -> np.ndarray:
        if self.loss.name == "binary_crossentropy":
            return rng.integers(0, 2, self.shape).astype(float)
        if self.loss.name == "categorical_crossentropy":
            return np.eye(self.shape[-1])[rng.integers(0, self.shape[-1], self.shape[:-1])]
        return 2 * rng.normal(size=self.shape)


def _loss_cases():
    for name, loss in nn.losses.LOSSES.items():
        tolerance = KINKS if name in ("mae", "huber") else SMOOTH
        for shape in ((6, 1), (5, 3), (4, 2, 3)):
            if shape != (6, 1) or name != "categorical_crossentropy":
                yield LossCase(f"{name}, {shape}", loss, shape, tolerance)
    yield LossCase("huber, δ = 0.3, (5, 3)", nn.losses.make_huber(0.3), (5, 3), KINKS)


LOSS_CASES = list(_loss_cases())

# Every optimizer, with each option that changes its formula.
OPTIMIZER_CASES: dict[str, list[Callable[..., nn.optimizers.Optimizer]]] = {
    "SGD": [
        lambda **kw: nn.SGD(0.1, **kw),
        lambda **kw: nn.SGD(0.05, momentum=0.9, **kw),
        lambda **kw: nn.SGD(0.05, momentum=0.8, nesterov=True, **kw),
    ],
    "Adagrad": [lambda **kw: nn.Adagrad(0.1, **kw)],
    "RMSprop": [
        lambda **kw: nn.RMSprop(0.01, rho=0.9, **kw),
        lambda **kw: nn.RMSprop(0.01, rho=0.8, epsilon=0.1, **kw),
    ],
    "Adam": [
        lambda **kw: nn.Adam(0.01, **kw),
        lambda **kw: nn.Adam(0.01, beta1=0.8, beta2=0.99, epsilon=0.1, **kw),
    ],
}

SCHEDULE_CASES = {
    "ExponentialDecay": nn.schedules.ExponentialDecay(0.1, 0.5, every=4),
    "StepDecay": nn.schedules.StepDecay(0.1, 0.5, every=4),
    "CosineDecay": nn.schedules.CosineDecay(0.1, steps=10, final=0.01),
    "Warmup": nn.schedules.Warmup(nn.schedules.CosineDecay(0.1, steps=10), steps=4),
    "OneCycle": nn.schedules.OneCycle(peak=0.1, steps=20, up=0.3, start=25, end=2.5e5),
}


def samples(*shape, seed=0) -> np.ndarray:
    """Return standard normal numbers; the same ones for the same arguments."""
    return np.random.default_rng(seed).normal(size=shape)


def optimizer_label(optimizer) -> str:
    """Return the optimizer's name with the options that differ from its defaults."""
    usual = type(optimizer)(0.1)
    names = ("momentum", "nesterov", "rho", "beta1", "beta2", "epsilon", "weight_decay", "clip_norm")
    changed = [f"{n}={getattr(optimizer, n)}" for n in names if getattr(optimizer, n, 0) != getattr(usual, n, 0)]
    return ", ".join([type(optimizer).__name__, *changed])

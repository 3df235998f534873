"""How weights start: random numbers whose variance is chosen so that signals keep their size.

A unit that sums n inputs of variance v, each times an independent weight of variance s, has an output of variance
n·s·v. To keep it at v (or at what the next activation needs) is to choose s; every preset below is one such choice,

    s = scale / fan,

drawn either uniformly from (-r, r), which has variance r²/3 and so needs r = √(3s), or from a normal
distribution with standard deviation √s.
"""

from __future__ import annotations  # names np.random in signatures without importing it: 10 of 100 ms

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod, sqrt

import numpy as np

from .arrays import Array, Shape
from .checks import look_up, number, one_of


def fans(shape: Shape) -> tuple[int, int]:
    """Return (fan_in, fan_out): how many inputs one unit sums, and how many units one input reaches.

    A dense weight matrix has shape (fan_in, fan_out). A convolution kernel of shape (height, width, channels in,
    channels out) has fan_in = height · width · channels in and fan_out = height · width · channels out.
    """
    if len(shape) < 2:
        raise ValueError(f"fans need a shape with two or more axes; got {tuple(shape)}")
    window = prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


@dataclass(frozen=True)
class Initializer:
    """f(shape, rng, dtype) → array, with the name and options under which it is stored."""

    name: str
    draw: Callable[[Shape, np.random.Generator], Array]
    options: dict = field(default_factory=dict)

    def __call__(self, shape: Shape, rng: np.random.Generator, dtype="float64") -> Array:
        """Return a new array of `shape` and `dtype`; the draw itself is in float64, whatever the dtype."""
        return np.asarray(self.draw(tuple(shape), rng)).astype(dtype)


def constant(value: float) -> Initializer:
    """W = value everywhere: right for biases and for the scales of normalization, wrong for weights."""
    value = number("value", value)
    return Initializer("constant", lambda shape, rng: np.full(shape, value), {"value": value})


def normal(std: float = 1.0) -> Initializer:
    """W ~ N(0, std²), whatever the fans."""
    std = number("std", std, 0)
    return Initializer("normal", lambda shape, rng: std * rng.standard_normal(shape), {"std": std})


def variance_scaling(scale: float, fan: str, distribution: str) -> Initializer:
    """Var W = scale / fan, the rule behind the six presets.

    Parameters
    ----------
    scale : float
        1 keeps the variance of a linear (or tanh-like) layer, 2 makes up for the half that ReLU cuts off, and
        2/(1+α²) does the same for a leaky ReLU of slope α.
    fan : {"in", "avg", "out"}
        fan_in keeps signals on the way forward, fan_out keeps gradients on the way back, their mean is Glorot's
        compromise.
    distribution : {"uniform", "normal"}
        Uniform on (-r, r) with r = √(3 · scale / fan), or a normal distribution that is *not* truncated (Keras
        truncates its own at two standard deviations; the variance is the same).

    References
    ----------
    LeCun et al. 1998, "Efficient BackProp"; Glorot & Bengio 2010; He et al. 2015.
    """
    scale = number("scale", scale, 0, open_low=True)
    pick = one_of("fan", fan, {"in": lambda i, o: i, "avg": lambda i, o: (i + o) / 2, "out": lambda i, o: o})
    draws = {
        "uniform": lambda shape, rng, s: rng.uniform(-sqrt(3 * s), sqrt(3 * s), shape),
        "normal": lambda shape, rng, s: sqrt(s) * rng.standard_normal(shape),
    }
    draw = one_of("distribution", distribution, draws)
    return Initializer(
        "variance_scaling",
        lambda shape, rng: draw(shape, rng, scale / pick(*fans(shape))),
        {"scale": scale, "fan": fan, "distribution": distribution},
    )


def _orthogonal(shape: Shape, rng: np.random.Generator) -> Array:
    """QᵀQ = I (or QQᵀ = I where it is wider than tall): keeps the length of every vector (Saxe et al. 2014)."""
    if len(shape) < 2:
        raise ValueError(f"an orthogonal matrix needs two or more axes; got shape {shape}")
    rows, columns = prod(shape[:-1]), shape[-1]
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diag(r))  # makes the decomposition unique, hence the draw uniform over rotations
    return (q if rows >= columns else q.T).reshape(shape)


def _preset(name: str, initializer: Initializer) -> Initializer:
    return Initializer(name, initializer.draw)


INITIALIZERS: dict[str, Initializer] = {
    preset.name: preset
    for preset in (
        _preset("zeros", constant(0.0)),
        _preset("ones", constant(1.0)),
        _preset("normal", normal(1.0)),
        _preset("lecun_uniform", variance_scaling(1, "in", "uniform")),
        _preset("lecun_normal", variance_scaling(1, "in", "normal")),
        _preset("glorot_uniform", variance_scaling(1, "avg", "uniform")),
        _preset("glorot_normal", variance_scaling(1, "avg", "normal")),
        _preset("he_uniform", variance_scaling(2, "in", "uniform")),
        _preset("he_normal", variance_scaling(2, "in", "normal")),
        Initializer("orthogonal", _orthogonal),
    )
}
MAKERS = {"constant": constant, "normal": normal, "variance_scaling": variance_scaling}


def get(initializer: str | dict | Initializer) -> Initializer:
    """Return the initializer of that name, e.g. "he_normal"; {"name": "constant", "value": 0.1}; or the given one."""
    return look_up("initializer", initializer, Initializer, INITIALIZERS, MAKERS)

"""How weights start: random numbers whose variance is chosen so that signals keep their size.

A unit that sums n inputs of variance v, each times an independent weight of variance s, has an output of variance
n·s·v. To keep it at v (or at what the next activation needs) is to choose s; every preset below is one such choice,

    s = scale / fan,

drawn either uniformly from (-r, r), which has variance r²/3 and so needs r = √(3s), or from a normal
distribution with standard deviation √s.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod, sqrt
from typing import Any

import numpy as np

from .arrays import Array, DType, Random, Shape
from .checks import as_dtype, as_shape, look_up, number, one_of
from .named import Named


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
class Initializer(Named):
    """f(shape, rng, dtype) → array, where `draw(shape, rng)` makes the numbers."""

    draw: Callable[..., Array] = field(repr=False)

    def __call__(self, shape: Shape, rng: Random, dtype: "str | DType" = "float64") -> Array:
        """Return a new array of `shape` and `dtype`; the draw itself is in float64, whatever the dtype."""
        if not isinstance(rng, np.random.Generator):
            raise ValueError(f"rng must be a numpy.random.Generator; got {rng!r}")
        shape, dtype = as_shape("shape", shape), as_dtype(dtype)
        drawn = np.asarray(self.draw(shape, rng))
        if drawn.shape != shape:
            raise ValueError(f"initializer {self.name!r} must draw an array of shape {shape}; got {drawn.shape}")
        return drawn.astype(dtype)


def _constant(shape: Shape, rng: Random, value: float) -> Array:
    return np.full(shape, value)


def constant(value: float) -> Initializer:
    """W = value everywhere: right for biases and for the scales of normalization, wrong for weights."""
    return Initializer("constant", _constant, options={"value": number("value", value)}, doc=constant.__doc__)


def _normal(shape: Shape, rng: Random, std: float) -> Array:
    return std * rng.standard_normal(shape)


def normal(std: float = 1.0) -> Initializer:
    """W ~ N(0, std²), whatever the fans."""
    return Initializer("normal", _normal, options={"std": number("std", std, 0)}, doc=normal.__doc__)


def _variance_scaling(shape: Shape, rng: Random, scale: float, fan: str, distribution: str) -> Array:
    fan_in, fan_out = fans(shape)
    s = scale / {"in": fan_in, "avg": (fan_in + fan_out) / 2, "out": fan_out}[fan]
    if distribution == "uniform":
        return rng.uniform(-sqrt(3 * s), sqrt(3 * s), shape)
    return sqrt(s) * rng.standard_normal(shape)


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
    options = {
        "scale": number("scale", scale, 0, open_low=True),
        "fan": one_of("fan", fan, {"in": "in", "avg": "avg", "out": "out"}),
        "distribution": one_of("distribution", distribution, {"uniform": "uniform", "normal": "normal"}),
    }
    return Initializer("variance_scaling", _variance_scaling, options=options, doc=variance_scaling.__doc__)


def _orthogonal(shape: Shape, rng: Random) -> Array:
    """QᵀQ = I (or QQᵀ = I where it is wider than tall): keeps the length of every vector (Saxe et al. 2014)."""
    if len(shape) < 2:
        raise ValueError(f"an orthogonal matrix needs two or more axes; got shape {shape}")
    inputs, units = prod(shape[:-1]), shape[-1]
    q, r = np.linalg.qr(rng.standard_normal((max(inputs, units), min(inputs, units))))
    q *= np.sign(np.diag(r))  # makes the decomposition unique, hence the draw uniform over rotations
    return (q if inputs >= units else q.T).reshape(shape)


def _preset(name: str, scale: float, fan: str, distribution: str, source: str) -> Initializer:
    doc = f"""Var W = {scale}/fan_{fan}, {distribution} around 0, for W (..., inputs, units) ({source}).

    fan_in counts the inputs that one unit sums, fan_out the units that one input reaches, fan_avg is their mean.
    """
    return Initializer(name, variance_scaling(scale, fan, distribution).draw, doc=doc)


INITIALIZERS: dict[str, Initializer] = {
    preset.name: preset
    for preset in (
        Initializer("zeros", constant(0.0).draw, doc="W = 0 everywhere: for biases."),
        Initializer("ones", constant(1.0).draw, doc="W = 1 everywhere: for the scales of normalization."),
        Initializer("normal", normal(1.0).draw, doc="W ~ N(0, 1), whatever the fans."),
        _preset("lecun_uniform", 1, "in", "uniform", "LeCun et al. 1998"),
        _preset("lecun_normal", 1, "in", "normal", "LeCun et al. 1998"),
        _preset("glorot_uniform", 1, "avg", "uniform", "Glorot & Bengio 2010"),
        _preset("glorot_normal", 1, "avg", "normal", "Glorot & Bengio 2010"),
        _preset("he_uniform", 2, "in", "uniform", "He et al. 2015"),
        _preset("he_normal", 2, "in", "normal", "He et al. 2015"),
        Initializer("orthogonal", _orthogonal),
    )
}
MAKERS: dict[str, Callable[..., Initializer]] = {
    "constant": constant,
    "normal": normal,
    "variance_scaling": variance_scaling,
}


Choice = str | dict[str, Any] | Initializer  # what a layer takes for its initializers


def get(initializer: Choice) -> Initializer:
    """Return the initializer of that name, e.g. "he_normal"; {"name": "constant", "value": 0.1}; or the given one."""
    return look_up("initializer", initializer, Initializer, INITIALIZERS, MAKERS)

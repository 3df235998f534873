"""The functions that bend the line: each with its vector-Jacobian product, written by hand.

An activation maps pre-activations z to activations a = f(z). Backpropagation hands back da = ∂L/∂a and asks for
dz = ∂L/∂z; that map is the vector-Jacobian product `vjp(da, z, a)`. For element-wise functions it is da · f′(z);
softmax mixes the entries of a row. It may use z or a, whichever is cheaper.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .arrays import Array
from .checks import look_up, number


@dataclass(frozen=True, eq=False)
class Activation:
    """A pure pair: `f(z) -> a` and `vjp(da, z, a) -> dz`, all of one shape.

    `yields` says what a holds: "numbers", "probabilities" (each in [0, 1]) or "distributions" (probabilities that sum
    to 1 along the last axis). A cross-entropy asks for it.
    """

    name: str
    f: Callable[[Array], Array]
    vjp: Callable[[Array, Array, Array], Array]
    options: dict = field(default_factory=dict)
    yields: str = "numbers"

    def __call__(self, z: Array) -> Array:
        """Return f(z)."""
        return self.f(np.asarray(z))


def _sigmoid(z):
    # σ(z) = 1/(1 + e⁻ᶻ) = eᶻ/(1 + eᶻ): of the two forms, each z takes the one whose exponential cannot overflow
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


linear = Activation("linear", f=lambda z: z, vjp=lambda da, z, a: da)

sigmoid = Activation("sigmoid", f=_sigmoid, vjp=lambda da, z, a: da * (a * (1 - a)), yields="probabilities")

tanh = Activation("tanh", f=np.tanh, vjp=lambda da, z, a: da * (1 - a * a))


def _relu(z):
    # against an array NumPy compares 16 numbers at a time, against the number 0 one: 5 µs and 10 (256×100, float32)
    a = np.empty_like(z)
    a.fill(0)
    return np.maximum(z, a, out=a)


# max(z, 0); the slope at the kink z = 0 is taken as 0
relu = Activation("relu", _relu, vjp=lambda da, z, a: da * (a > 0))


def make_leaky_relu(slope: float = 0.01) -> Activation:
    """f(z) = z for z > 0, else slope · z (Maas et al. 2013); the slope at the kink z = 0 is `slope`."""
    slope = number("slope", slope, 0)
    return Activation(
        "leaky_relu",
        f=lambda z: np.where(z > 0, z, slope * z),
        vjp=lambda da, z, a: np.where(z > 0, da, slope * da),
        options={"slope": slope},
    )


def make_elu(alpha: float = 1.0) -> Activation:
    """f(z) = z for z > 0, else α(eᶻ - 1) (Clevert et al. 2016); f′(z) = f(z) + α on the left, also at z = 0."""
    alpha = number("alpha", alpha, 0)
    return Activation(
        "elu",
        f=lambda z: np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0))),
        vjp=lambda da, z, a: np.where(z > 0, da, da * (a + alpha)),
        options={"alpha": alpha},
    )


def _softmax(z):
    # aᵢ = e^(zᵢ) / Σⱼ e^(zⱼ) along the last axis; subtracting the row's maximum changes nothing but the overflow.
    # Turned around, so that the long axis is the last: NumPy is slow at many short rows (1792×10: 37 µs against 280).
    a = z.reshape(-1, z.shape[-1]).T.copy()
    a -= a.max(axis=0)
    np.exp(a, out=a)
    a /= a.sum(axis=0)
    return np.ascontiguousarray(a.T).reshape(z.shape)


# ∂aᵢ/∂zⱼ = aᵢ(δᵢⱼ - aⱼ), so dz = a · (da - Σ da·a)
softmax = Activation(
    "softmax", f=_softmax, vjp=lambda da, z, a: a * (da - (da * a).sum(axis=-1, keepdims=True)), yields="distributions"
)

leaky_relu, elu = make_leaky_relu(), make_elu()

ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation for activation in (linear, sigmoid, tanh, relu, leaky_relu, elu, softmax)
}
MAKERS = {"leaky_relu": make_leaky_relu, "elu": make_elu}


def get(activation: "str | dict | Activation | None") -> Activation:
    """Return the activation of that name, {"name": "elu", "alpha": 0.5}, or the given one; None means linear."""
    return look_up("activation", "linear" if activation is None else activation, Activation, ACTIVATIONS, MAKERS)

"""From gradients to steps, in the order in which the ideas were added: each class keeps what the one before lacked.

All parameters θ of a model are one flat array and so are their gradients g, which lets a rule be a handful of
whole-array operations, written into scratch arrays (new ones take Adam 3.2 ms a step instead of 0.45 with 300,000
parameters, 41 µs instead of 36 with 22,000). η is the learning rate and t = 1, 2, ... counts the
steps. Conventions, stated once: ε stands outside the square root; momentum is Polyak's, without a factor (1 - β);
weight decay is decoupled, θ ← θ - ηλθ before the step (Loshchilov & Hutter 2019), and touches weights, not biases and
normalization.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from . import schedules
from .arrays import Array
from .checks import number, one_of, yes_or_no

Rate = float | Callable[[int], float]


@dataclass(eq=False)
class Optimizer:
    """What all optimizers share: the learning rate, weight decay, clipping, the step counter and the state arrays.

    Parameters
    ----------
    learning_rate : float or callable
        η, or a schedule: a function of the number of steps done (see `schedules`).
    weight_decay : float
        λ of the decoupled decay, per step and per unit of learning rate.
    clip_norm : float, optional
        If ‖g‖ over all parameters is larger, g is scaled down to this norm (Pascanu et al. 2013).
    """

    learning_rate: Rate = 0.01
    weight_decay: float = field(default=0.0, kw_only=True)
    clip_norm: float | None = field(default=None, kw_only=True)
    state_names: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        self.learning_rate = schedules.get(self.learning_rate)
        self.weight_decay = number("weight_decay", self.weight_decay, 0)
        if self.clip_norm is not None:
            self.clip_norm = number("clip_norm", self.clip_norm, 0, open_low=True)
        self.t = 0
        self.state: dict[str, Array] = {}
        self.scratch: Array = np.empty((2, 0))

    def init(self, n: int, dtype: str | np.dtype = "float64", decayed: int | None = None) -> None:
        """Forget everything and make room for n parameters, of which the first `decayed` are subject to decay."""
        self.t = 0
        self.decayed = n if decayed is None else decayed
        self.state = {name: np.zeros(n, dtype) for name in self.state_names}
        self.scratch = np.empty((2, n), dtype)

    def rate(self) -> float:
        """Return η for the next step."""
        return self.learning_rate(self.t) if callable(self.learning_rate) else self.learning_rate

    def step(self, params: Array, grads: Array, learning_rate: float | None = None) -> None:
        """Update `params` in place. Clipping scales `grads` in place."""
        n, dtype = self.scratch.shape[1], self.scratch.dtype
        for name, array in (("params", params), ("grads", grads)):
            if getattr(array, "shape", 0) != (n,) or array.dtype != dtype or not array.flags.writeable or n == 0:
                raise ValueError(
                    f"{name} must be a writeable array of shape ({n},) and dtype {dtype}, as `init` was told; "
                    f"got {array!r:.80}"
                )
        rate = number("learning_rate", self.rate() if learning_rate is None else learning_rate, 0)
        self.t += 1
        if self.clip_norm is not None:
            norm = float(np.linalg.norm(grads.astype(np.float64)))  # in float32 squares overflow beyond 1.8e19
            if norm > self.clip_norm:
                grads *= self.clip_norm / norm
        if self.weight_decay:
            params[: self.decayed] *= 1 - rate * self.weight_decay
        self.update(params, grads, rate)

    def update(self, params: Array, grads: Array, rate: float) -> None:
        """Apply the rule itself."""
        raise NotImplementedError


@dataclass(eq=False)
class SGD(Optimizer):
    """θ ← θ - ηg; with momentum β: v ← βv + g, θ ← θ - ηv; with Nesterov's look ahead: θ ← θ - η(g + βv).

    "Stochastic" is in the data: g comes from a batch. Momentum is the heavy ball of Polyak 1964 as in PyTorch. The form
    v ← βv + (1 - β)g takes the same path at the rate η/(1 - β); v ← βv - ηg, θ ← θ + v of Sutskever et al. 2013 and
    Keras does as long as the rate stays the same.
    """

    state_names = ("v",)
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.momentum = number("momentum", self.momentum, 0, 1, open_high=True)
        self.nesterov = yes_or_no("nesterov", self.nesterov)
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov needs a momentum above 0; got momentum=0.0")

    def update(self, params: Array, grads: Array, rate: float) -> None:
        s, v, step = self.scratch[0], self.state["v"], grads
        if self.momentum:
            v *= self.momentum
            v += grads
            step = v
        if self.nesterov:
            step = np.multiply(v, self.momentum, out=s)
            step += grads
        params -= np.multiply(step, rate, out=s)


class _Scaled(Optimizer):
    """What the rules with a rate per parameter share: they divide by the root of an average of g²."""

    epsilon: float

    def __post_init__(self) -> None:
        super().__post_init__()
        self.epsilon = number("epsilon", self.epsilon, 0)

    def descend(self, params: Array, direction: Array, v: Array, rate: float) -> None:
        """θ ← θ - η · direction/(√v + ε)."""
        s = np.sqrt(v, out=self.scratch[1])
        s += self.epsilon
        np.divide(direction, s, out=s)
        s *= rate
        params -= s


@dataclass(eq=False)
class Adagrad(_Scaled):
    """G ← G + g², θ ← θ - ηg/(√G + ε): a rate per parameter, which only shrinks (Duchi et al. 2011)."""

    state_names = ("G",)
    epsilon: float = 1e-10

    def update(self, params: Array, grads: Array, rate: float) -> None:
        G = self.state["G"]
        G += np.multiply(grads, grads, out=self.scratch[0])
        self.descend(params, grads, G, rate)


@dataclass(eq=False)
class RMSprop(_Scaled):
    """v ← ρv + (1 - ρ)g², θ ← θ - ηg/(√v + ε): Adagrad that forgets (Hinton, lecture 6e, 2012)."""

    state_names = ("v",)
    learning_rate: Rate = 0.001
    rho: float = 0.9
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        self.rho = number("rho", self.rho, 0, 1, open_high=True)

    def update(self, params: Array, grads: Array, rate: float) -> None:
        s, v = self.scratch[0], self.state["v"]
        np.multiply(grads, grads, out=s)
        s *= 1 - self.rho
        v *= self.rho
        v += s
        self.descend(params, grads, v, rate)


@dataclass(eq=False)
class Adam(_Scaled):
    """m ← β₁m + (1 - β₁)g, v ← β₂v + (1 - β₂)g², θ ← θ - η m̂/(√v̂ + ε), with m̂ = m/(1 - β₁ᵗ), v̂ = v/(1 - β₂ᵗ).

    Algorithm 1 of Kingma & Ba 2015: momentum, RMSprop's scale, and a correction for both having started at zero.
    With `weight_decay` it is AdamW.
    """

    state_names = ("m", "v")
    learning_rate: Rate = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        self.beta1 = number("beta1", self.beta1, 0, 1, open_high=True)
        self.beta2 = number("beta2", self.beta2, 0, 1, open_high=True)

    def update(self, params: Array, grads: Array, rate: float) -> None:
        (s, r), m, v = self.scratch, self.state["m"], self.state["v"]
        m *= self.beta1
        m += np.multiply(grads, 1 - self.beta1, out=s)
        np.multiply(grads, grads, out=s)
        s *= 1 - self.beta2
        v *= self.beta2
        v += s
        m_hat = np.divide(m, 1 - self.beta1**self.t, out=s)
        v_hat = np.divide(v, 1 - self.beta2**self.t, out=r)
        self.descend(params, m_hat, v_hat, rate)


OPTIMIZERS: dict[str, type[Optimizer]] = {cls.__name__: cls for cls in (SGD, Adagrad, RMSprop, Adam)}


def get(optimizer: str | Optimizer | None) -> Optimizer:
    """Return the given optimizer, or a new one of that name with its default settings ("Adam")."""
    if isinstance(optimizer, Optimizer):
        return optimizer
    return one_of("optimizer", optimizer, OPTIMIZERS)()

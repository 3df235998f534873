"""The learning rate as a function of the step: each schedule is called with 0, 1, 2, ... and returns η.

A step is one update of the weights (not an epoch). Pass a schedule wherever an optimizer takes a learning rate.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi

from .checks import look_up, number, positive_integer


@dataclass(frozen=True)
class ExponentialDecay:
    """η(t) = initial · rate^(t / every)."""

    initial: float
    rate: float
    every: int = 1

    def __post_init__(self):
        number("initial", self.initial, 0)
        number("rate", self.rate, 0, 1, open_low=True)
        positive_integer("every", self.every)

    def __call__(self, step: int) -> float:
        """Return η at `step`."""
        return self.initial * self.rate ** (step / self.every)


@dataclass(frozen=True)
class StepDecay:
    """η(t) = initial · rate^⌊t / every⌋: a staircase."""

    initial: float
    rate: float
    every: int

    __post_init__ = ExponentialDecay.__post_init__

    def __call__(self, step: int) -> float:
        """Return η at `step`."""
        return self.initial * self.rate ** (step // self.every)


@dataclass(frozen=True)
class CosineDecay:
    """η(t) = final + (initial - final)(1 + cos(πt/steps))/2, and `final` after `steps` (Loshchilov & Hutter 2017)."""

    initial: float
    steps: int
    final: float = 0.0

    def __post_init__(self):
        number("initial", self.initial, 0)
        positive_integer("steps", self.steps)
        number("final", self.final, 0)

    def __call__(self, step: int) -> float:
        """Return η at `step`."""
        share = min(step / self.steps, 1.0)
        return self.final + (self.initial - self.final) * (1 + cos(pi * share)) / 2


@dataclass(frozen=True)
class Warmup:
    """η(t) = then(0) · (t + 1)/steps for t < steps, and then(t - steps) afterwards."""

    then: "Callable[[int], float] | float"
    steps: int

    def __post_init__(self):
        object.__setattr__(self, "then", get(self.then))
        positive_integer("steps", self.steps)

    def __call__(self, step: int) -> float:
        """Return η at `step`."""
        then = self.then if callable(self.then) else lambda _: self.then
        return then(0) * (step + 1) / self.steps if step < self.steps else then(step - self.steps)


@dataclass(frozen=True)
class OneCycle:
    """Up from peak/start to peak in `up` · steps, down to peak/end at `steps`, both by a half cosine (Smith 2018).

    The two-phase variant of fastai, without its momentum cycle. PyTorch's `final_div_factor` is end/start here.
    """

    peak: float
    steps: int
    up: float = 0.3
    start: float = 25.0
    end: float = 1e4

    def __post_init__(self):
        number("peak", self.peak, 0)
        positive_integer("steps", self.steps)
        number("up", self.up, 0, 1, open_low=True, open_high=True)
        number("start", self.start, 1)
        number("end", self.end, 1)

    def __call__(self, step: int) -> float:
        """Return η at `step`."""
        top = self.up * self.steps
        low, share = (self.start, step / top) if step < top else (self.end, (self.steps - step) / (self.steps - top))
        low = self.peak / low
        return low + (self.peak - low) * (1 - cos(pi * max(share, 0.0))) / 2


SCHEDULES = {cls.__name__: cls for cls in (ExponentialDecay, StepDecay, CosineDecay, Warmup, OneCycle)}


def get(learning_rate):
    """Return a learning rate: a positive number or zero, a callable of the step, or {"name": "StepDecay", ...}."""
    if callable(learning_rate):
        return learning_rate
    if isinstance(learning_rate, dict):
        return look_up("learning_rate", learning_rate, (), {}, SCHEDULES)
    return number("learning_rate", learning_rate, 0)

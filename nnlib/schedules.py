"""The learning rate as a function of the step: each schedule is called with 0, 1, 2, ... and returns η.

A step is one update of the weights (not an epoch). Pass a schedule wherever an optimizer takes a learning rate.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi, pow
from typing import Any

from .checks import counter, look_up, number, positive_integer


class Schedule:
    """η(t), a function of the number of steps done."""

    def __call__(self, step: int) -> float:
        """Return η at `step`, a number of steps done: 0, 1, 2, ..."""
        return self.at(counter("step", step))

    def at(self, step: int) -> float:
        """Return η at `step`, which has been checked."""
        raise NotImplementedError

    def _take(self, **checked: float) -> None:
        for name, value in checked.items():
            object.__setattr__(self, name, value)  # the dataclass is frozen


@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    """η(t) = initial · rate^(t / every)."""

    initial: float
    rate: float
    every: int = 1

    def __post_init__(self) -> None:
        self._take(initial=number("initial", self.initial, 0))
        self._take(rate=number("rate", self.rate, 0, 1, open_low=True))
        self._take(every=positive_integer("every", self.every))

    def at(self, step: int) -> float:
        return self.initial * pow(self.rate, step / self.every)


@dataclass(frozen=True)
class StepDecay(ExponentialDecay):
    """η(t) = initial · rate^⌊t / every⌋: a staircase."""

    def at(self, step: int) -> float:
        return self.initial * self.rate ** (step // self.every)


@dataclass(frozen=True)
class CosineDecay(Schedule):
    """η(t) = final + (initial - final)(1 + cos(πt/steps))/2, and `final` after `steps` (Loshchilov & Hutter 2017)."""

    initial: float
    steps: int
    final: float = 0.0

    def __post_init__(self) -> None:
        self._take(initial=number("initial", self.initial, 0))
        self._take(steps=positive_integer("steps", self.steps))
        self._take(final=number("final", self.final, 0))

    def at(self, step: int) -> float:
        share = min(step / self.steps, 1.0)
        return self.final + (self.initial - self.final) * (1 + cos(pi * share)) / 2


@dataclass(frozen=True)
class Warmup(Schedule):
    """η(t) = then(0) · (t + 1)/steps for t < steps, and then(t - steps) afterwards."""

    then: "Callable[[int], float] | float"
    steps: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "then", get(self.then))
        self._take(steps=positive_integer("steps", self.steps))

    def at(self, step: int) -> float:
        then = self.then if callable(self.then) else lambda _: self.then
        return then(0) * (step + 1) / self.steps if step < self.steps else then(step - self.steps)


@dataclass(frozen=True)
class OneCycle(Schedule):
    """η(t) = low + (peak - low)(1 - cos πs)/2: from peak/start up to peak, then down to peak/end (Smith 2018).

    On the way up, which takes `up` · steps, low is peak/start and s goes from 0 to 1; then low is peak/end and s falls.
    The two-phase variant of fastai, without its momentum cycle. PyTorch's `final_div_factor` is end/start here.
    """

    peak: float
    steps: int
    up: float = 0.3
    start: float = 25.0
    end: float = 1e4

    def __post_init__(self) -> None:
        self._take(peak=number("peak", self.peak, 0))
        self._take(steps=positive_integer("steps", self.steps))
        self._take(up=number("up", self.up, 0, 1, open_low=True, open_high=True))
        self._take(start=number("start", self.start, 1))
        self._take(end=number("end", self.end, 1))

    def at(self, step: int) -> float:
        top = self.up * self.steps
        low, share = (self.start, step / top) if step < top else (self.end, (self.steps - step) / (self.steps - top))
        low = self.peak / low
        return low + (self.peak - low) * (1 - cos(pi * max(share, 0.0))) / 2


SCHEDULES: dict[str, type[Schedule]] = {
    cls.__name__: cls for cls in (ExponentialDecay, StepDecay, CosineDecay, Warmup, OneCycle)
}


def get(learning_rate: "float | dict[str, Any] | Callable[[int], float]") -> "float | Callable[[int], float]":
    """Return a learning rate: a positive number or zero, a callable of the step, or {"name": "StepDecay", ...}."""
    if callable(learning_rate) and not isinstance(learning_rate, type):
        return learning_rate
    if isinstance(learning_rate, dict):
        return look_up("learning_rate", learning_rate, Schedule, {}, SCHEDULES)
    return number("learning_rate", learning_rate, 0)

"""The learning rate as a function of the step: each schedule is called with 0, 1, 2, ... and returns η.

A step is one update of the weights (not an epoch). Pass a schedule wherever an optimizer takes a learning rate.
"""

from collections.abc import Callable
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

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


class ExponentialDecay(Schedule):
    """η(t) = initial · rate^(t / every)."""

    def __init__(self, initial: float, rate: float, every: int = 1):
        self.initial = number("initial", initial, 0)
        self.rate = number("rate", rate, 0, 1, open_low=True)
        self.every = positive_integer("every", every)

    def at(self, step: int) -> float:
        return self.initial * pow(self.rate, step / self.every)


class StepDecay(ExponentialDecay):
    """η(t) = initial · rate^⌊t / every⌋: a staircase."""

    def at(self, step: int) -> float:
        return self.initial * self.rate ** (step // self.every)


class CosineDecay(Schedule):
    """η(t) = final + (initial - final)(1 + cos(πt/steps))/2, and `final` after `steps` (Loshchilov & Hutter 2017)."""

    def __init__(self, initial: float, steps: int, final: float = 0.0):
        self.initial = number("initial", initial, 0)
        self.steps = positive_integer("steps", steps)
        self.final = number("final", final, 0)

    def at(self, step: int) -> float:
        share = min(step / self.steps, 1.0)
        return self.final + (self.initial - self.final) * (1 + cos(pi * share)) / 2


class Warmup(Schedule):
    """η(t) = then(0) · (t + 1)/steps for t < steps, and then(t - steps) afterwards."""

    def __init__(self, then: "float | dict[str, Any] | Callable[[int], float]", steps: int):
        self.then = get(then)
        self.steps = positive_integer("steps", steps)

    def at(self, step: int) -> float:
        then = self.then if callable(self.then) else lambda _: self.then
        return then(0) * ((step + 1) / self.steps) if step < self.steps else then(step - self.steps)


class OneCycle(Schedule):
    """η(t) = low + (peak - low)(1 - cos πs)/2: from peak/start up to peak, then down to peak/end (Smith 2018).

    On the way up, which takes `up` · steps, low is peak/start and s goes from 0 to 1; then low is peak/end and s falls.
    The two-phase variant of fastai, without its momentum cycle. PyTorch's `final_div_factor` is end/start here.
    """

    def __init__(self, peak: float, steps: int, up: float = 0.3, start: float = 25.0, end: float = 1e4):
        self.peak = number("peak", peak, 0)
        self.steps = positive_integer("steps", steps)
        self.up = number("up", up, 0, 1, open_low=True, open_high=True)
        self.start = number("start", start, 1)
        self.end = number("end", end, 1)

    def at(self, step: int) -> float:
        done = min(step / self.steps, 1.0)
        low, s = (self.start, done / self.up) if done < self.up else (self.end, (1 - done) / (1 - self.up))
        low = self.peak / low
        return low + (self.peak - low) * (1 - cos(pi * s)) / 2


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

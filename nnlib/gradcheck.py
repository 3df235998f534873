"""Is the derivative right? Compare it with what actually happens when a parameter is moved a little.

The central difference (L(θ + h) - L(θ - h)) / 2h is off by O(h²) for smooth L plus rounding, O(ε/h); h near the cube
root of the machine's ε balances the two and leaves about ten right digits in float64.
"""

import warnings
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Array
from .checks import number
from .losses import Choice, Loss
from .model import Network


def slopes(f: Callable[[], float], x: Array, h: float) -> Array:
    """Return (f(x + h) - f(x))/h, one entry at a time, where f() reads the array x itself; x is restored."""
    here, found = f(), np.empty_like(x)
    for place in np.ndindex(x.shape):
        kept = x[place]
        x[place] = kept + h
        found[place] = (f() - here) / h
        x[place] = kept
    return found


def numerical_gradient(f: Callable[[], float], x: Array, h: float = 6e-6) -> Array:
    """Return ∂f/∂x, the mean of the slopes to the right and to the left: 2 calls of f per entry."""
    return (slopes(f, x, h) + slopes(f, x, -h)) / 2


def relative_error(a: Array, b: Array, floor: float = 1e-12) -> float:
    """max|a - b| / max(|a|, |b|, floor): one number per tensor, so that entries near zero do not divide by nothing."""
    return float(np.abs(a - b).max() / max(np.abs(a).max(), np.abs(b).max(), floor))


def check_gradients(model: Network, X: ArrayLike, y: ArrayLike, loss: Choice = None, h: float = 6e-6) -> float:
    """Return the largest relative error of backward against central differences, link by link of the chain rule.

    The loss is taken as `fit` takes it: in training mode, fused with the last activation where there is a fused pair,
    with the random numbers of dropout repeated. The model comes back as it was. Below 1e-7 is right; kinks (ReLU) may
    cost up to 1e-4; above 1e-2 is wrong.

    Through thirty sigmoid layers a gradient shrinks far below the last digit of the loss, and no difference of losses
    can tell its sign. So each link is checked at its own scale: first dy = ∂L/∂output against the loss, then, from the
    last layer to the first, what the layer makes of it, dx and the gradients of its parameters, against the slopes of
    Σ dy · f(x) with f the layer alone. If every link is right, so is the chain. A tensor's error is measured against
    its largest entry, after the rounding of the differences has been taken off.

    Raises
    ------
    ValueError
        Where the model is not float64: float32 keeps seven digits, too few to tell right from wrong.

    Warns
    -----
    RuntimeWarning
        Where a gradient is not 0 and yet below the rounding of its layer's differences: it cannot be judged.
    """
    if not isinstance(model, Network):
        raise ValueError(f"model must be a Sequential; got {model!r}")
    if model.dtype != np.float64:
        raise ValueError(f"check_gradients needs a model of dtype float64; got {model.dtype.name}")
    h = number("h", h, 0, open_low=True)
    with model._unbuilt_if_refused():
        x, target, objective = model._as_examples(X, y, loss)
    kept = model.rng.bit_generator.state, model.get_weights(), model.built().grads.copy()
    try:
        error = max(_errors(model, x, target, objective, h))
        if error > 1e-7:
            # Several kinks may meet exactly here, as where a blank patch goes through a convolution and ReLU. A hair's
            # breadth away they part; a wrong derivative is wrong there, too.
            rng = np.random.default_rng(0)
            x = x + 0.01 * max(x.std(), 1e-3) * rng.standard_normal(x.shape)
            model.built().params[...] += 0.01 * rng.standard_normal(len(model.built().params))
            error = min(error, max(_errors(model, x, target, objective, h)))
        return error
    finally:
        model.rng.bit_generator.state = kept[0]
        model.set_weights(kept[1])
        model.built().grads[...] = kept[2]


def _errors(model: Network, x: Array, y: Array, objective: Loss, h: float) -> Iterator[float]:
    """Yield the error of each link, from the loss back to the first layer."""
    random_states, inputs, fused = [], [x.copy()], model._fused(objective)
    for layer in model.layers:
        random_states.append(model.rng.bit_generator.state)
        inputs.append(layer.forward(inputs[-1], training=True).copy())

    def output_of(i: int) -> Array:
        """Return what layer i makes of its input, with the same random numbers each time; z where a is fused."""
        model.rng.bit_generator.state = random_states[i]
        a = model.layers[i].forward(inputs[i], training=True)
        return fused.z if fused is model.layers[i] else a

    output = model._output_for(objective, inputs[-1]).copy()
    dy = objective.mean_slope(inputs[-1], y)
    yield _error(dy, lambda: np.array(objective.mean(output, y)), np.array(1.0), output, h, "the output")

    model.rng.bit_generator.state = random_states[0]
    model.compute_gradients(x, y, objective)
    by_hand = [(layer, name, layer.grads[name].copy()) for layer, name, _ in model.built().slices]
    for i, layer in reversed(list(enumerate(model.layers))):
        f = partial(output_of, i)
        f()
        layer.skip_dx = False
        dx = fused.backward_z(dy) if fused is layer else layer.backward(dy)
        yield _error(dx, f, dy, inputs[i], h, f"the input of {layer!r}")
        for owner, name, gradient in by_hand:
            if owner in layer.walk():
                yield _error(gradient, f, dy, owner.params[name], h, f"{name} of {owner!r}")
        dy = dx


def _error(by_hand: Array, f: Callable[[], Array], dy: Array, x: Array, h: float, what: str) -> float:
    """Return the relative error of `by_hand` against the slopes of Σ dy · f() in the array x, which f reads."""
    right, left = (slopes(lambda: float(np.sum(dy * f())), x, d) for d in (h, -h))
    by_difference = (right + left) / 2
    size = max(np.abs(by_hand).max(), np.abs(by_difference).max())
    rounding = 20 * np.finfo(np.float64).eps * np.sum(np.abs(dy * f())) / h
    if 1e-13 * np.abs(dy).max() < np.abs(by_hand).max() < rounding:
        warnings.warn(
            f"the gradient of {what} cannot be judged: {size:.1e} is below the rounding of differences, {rounding:.1e}",
            RuntimeWarning,
            stacklevel=4,
        )
    # At a kink, such as a tie of zeros in max pooling, every slope between those of the two sides is right.
    kink = np.abs(right - left) > 1e-4 * size + rounding
    by_difference[kink] = np.clip(by_hand, np.minimum(left, right), np.maximum(left, right))[kink]
    error = max(np.abs(by_hand - by_difference).max() - rounding, 0.0) / max(size, 1e-300)
    # a gradient that is NaN is as wrong as can be, and max() overlooks NaN
    return float(error) if error < np.inf else np.inf

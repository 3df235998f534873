"""Is the derivative right? Compare it with what actually happens when a parameter is moved a little.

The central difference (L(θ + h) - L(θ - h)) / 2h is off by O(h²) for smooth L plus rounding, O(ε/h); h near the cube
root of the machine's ε balances the two and leaves about ten right digits in float64.
"""

import warnings
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Array
from .checks import number
from .layers import Activation, Layer
from .losses import Loss
from .model import Network


def numerical_gradient(f: Callable[[], float], x: Array, h: float = 6e-6) -> Array:
    """Return ∂f/∂x, one entry at a time, where f() reads the array x itself: 2 calls per entry; x is restored."""
    gradient = np.empty_like(x)
    for place in np.ndindex(x.shape):
        kept = x[place]
        x[place] = kept + h
        up = f()
        x[place] = kept - h
        down = f()
        x[place] = kept
        gradient[place] = (up - down) / (2 * h)
    return gradient


def relative_error(a: Array, b: Array, floor: float = 1e-12) -> float:
    """max|a - b| / max(|a|, |b|, floor): one number per tensor, so that entries near zero do not divide by nothing."""
    return float(np.abs(a - b).max() / max(np.abs(a).max(), np.abs(b).max(), floor))


def check_gradients(
    model: Network, X: ArrayLike, y: ArrayLike, loss: str | Loss | None = None, h: float = 6e-6
) -> float:
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
        return max(_errors(model, x, target, objective, h))
    finally:
        model.rng.bit_generator.state = kept[0]
        model.set_weights(kept[1])
        model.built().grads[...] = kept[2]


def _errors(model: Network, x: Array, y: Array, objective: Loss, h: float) -> Iterator[float]:
    """Yield the error of each link, from the loss back to the first layer."""
    random_states, inputs = [], [x]
    for layer in model.layers:
        random_states.append(model.rng.bit_generator.state)
        inputs.append(layer.forward(inputs[-1], training=True))
    output = model._output_for(objective, inputs[-1]).copy()
    dy = objective.mean_slope(inputs[-1], y)
    yield _error(dy, lambda: np.array(objective.mean(output, y)), np.array(1.0), output, h, "the output")

    model.rng.bit_generator.state = random_states[0]
    model.compute_gradients(x, y, objective)
    by_hand = [(layer, name, layer.grads[name].copy()) for layer, name, _ in model.built().slices]
    fused = model._fused(objective)
    for i, layer in reversed(list(enumerate(model.layers))):
        x = inputs[i].copy()

        def run(layer: Layer = layer, fused: Activation | None = fused, x: Array = x, i: int = i) -> Array:
            model.rng.bit_generator.state = random_states[i]
            out = layer.forward(x, training=True)
            return fused.z if fused else out

        run()
        layer.skip_dx = False
        dx = fused.backward_z(dy) if fused else layer.backward(dy)
        yield _error(dx, run, dy, x, h, f"the input of {layer!r}")
        for owner, name, gradient in by_hand:
            if any(owner is part for part in layer.walk()):
                yield _error(gradient, run, dy, owner.params[name], h, f"{name} of {owner!r}")
        dy, fused = dx, None


def _error(by_hand: Array, f: Callable[[], Array], dy: Array, x: Array, h: float, what: str) -> float:
    """Return the relative error of `by_hand` against the slopes of Σ dy · f() in the array x, which f reads."""
    scale = float(np.abs(dy).max())
    if scale == 0:  # nothing comes back from the layers after it, and nothing must be made of it
        return float(np.abs(by_hand).max(initial=0))
    weight = dy / scale
    by_difference = scale * numerical_gradient(lambda: float(np.sum(weight * f())), x, h)
    rounding = 20 * np.finfo(np.float64).eps * scale * float(np.sum(np.abs(weight * f()))) / h
    size = float(max(np.abs(by_hand).max(), np.abs(by_difference).max()))
    if 1e-13 * scale < np.abs(by_hand).max() < rounding:
        warnings.warn(
            f"the gradient of {what} cannot be judged: {size:.1e} is below the rounding of differences, {rounding:.1e}",
            RuntimeWarning,
            stacklevel=4,
        )
    return max(float(np.abs(by_hand - by_difference).max()) - rounding, 0.0) / max(size, 1e-300)

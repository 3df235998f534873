"""Is the derivative right? Compare it with what actually happens when a parameter is moved a little.

The central difference (L(θ + h) - L(θ - h)) / 2h is off by O(h²) for smooth L plus rounding, O(ε/h); h near the cube
root of the machine's ε balances the two and leaves about ten right digits in float64.
"""

import numpy as np

from . import losses
from .arrays import Array


def numerical_gradient(f, x: Array, h: float = 6e-6) -> Array:
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


def directional_derivative(f, x: Array, direction: Array, h: float = 6e-6) -> float:
    """Return the slope of f() along `direction` in x: 2 calls, however many entries x has; x is restored."""
    kept = x.copy()
    x[...] = kept + h * direction
    up = f()
    x[...] = kept - h * direction
    down = f()
    x[...] = kept
    return (up - down) / (2 * h)


def relative_error(a: Array, b: Array, floor: float = 1e-12) -> float:
    """max|a - b| / max(|a|, |b|, floor): one number per tensor, so that entries near zero do not divide by nothing."""
    return float(np.abs(a - b).max() / max(np.abs(a).max(), np.abs(b).max(), floor))


def check_gradients(model, X, y, loss, h: float = 6e-6) -> float:
    """Return the largest relative error, over all parameter tensors, of backward against central differences.

    The loss is taken as `fit` takes it: in training mode, fused with the last activation where there is a fused pair,
    with the random numbers of dropout repeated. Below 1e-7 is right; ReLU's kinks may cost up to 1e-4; above
    1e-2 is wrong. The model comes back as it was. A tensor is checked as a whole: the error is measured against its
    largest gradient, or against 1 % of the largest of the model where that is more: a bias in front of batch
    normalization has the gradient 0, and rounding alone would otherwise look like an error of 100 %.

    Raises
    ------
    ValueError
        Where the model is not float64: float32 keeps seven digits, too few to tell right from wrong.
    """
    if model.dtype != np.float64:
        raise ValueError(f"check_gradients needs a model of dtype float64; got {model.dtype.name}")
    X = model._as_input("X", X)
    y = model._as_target("y", y, len(X))
    losses.check_targets(losses.get(loss), y)
    objective = model.objective(loss)
    random_state, weights, grads = model.rng.bit_generator.state, model.get_weights(), model.grads.copy()

    def value() -> float:
        model.rng.bit_generator.state = random_state
        a = model.forward(X, training=True)
        return objective.value(model.layers[-1].z if objective.on_z else a, y)

    try:
        model.rng.bit_generator.state = random_state
        model.compute_gradients(X, y, objective)
        by_hand = model.grads.copy()
        floor = max(1e-2 * np.abs(by_hand).max(initial=0.0), 1e-12)
        errors = [
            relative_error(by_hand[place], numerical_gradient(value, model.params[place], h), floor)
            for _, _, place in model.flat.slices
        ]
    finally:
        model.rng.bit_generator.state = random_state
        model.set_weights(weights)
        model.grads[...] = grads
    return max(errors, default=0.0)

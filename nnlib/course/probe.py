"""How large the signal and its gradient are at every depth: the two curves that a good start keeps level."""

import numpy as np

from ..arrays import Array
from ..model import Network


def rms(x: Array) -> float:
    """√mean(x²), the root mean square: how large the entries of x are, whatever their signs."""
    return float(np.sqrt(np.mean(np.square(x))))


def sizes_by_layer(model: Network, x: Array, dy: Array) -> tuple[Array, Array]:
    """Return the size of the signal on the way forward and of the gradient on the way back.

    Parameters
    ----------
    model : Sequential
        Built for inputs of the shape of x. Its parameters stay as they are; its gradients are overwritten.
    x : array (rows, ...)
        A batch of inputs.
    dy : array (rows, outputs)
        ∂L/∂output, such as `loss.grad(y_pred, y_true)`, or random numbers to see what the layers alone do.

    Returns
    -------
    signal, gradient : array (layers + 1,)
        `signal[l]` is the root mean square of what comes out of layer l, `signal[0]` that of x. `gradient[l]` is the
        root mean square of ∂L/∂(that same array): `gradient[-1]` is that of dy, `gradient[0]` that of ∂L/∂x.
    """
    if not isinstance(model, Network):
        raise ValueError(f"model must be a Sequential; got {model!r}")
    output = model.predict(x)  # refuses an x that the model does not take
    x, dy = np.asarray(x), np.asarray(dy)
    if dy.shape != output.shape:
        raise ValueError(f"dy must have the shape of the output, {output.shape}; got {dy.shape}")
    for layer in model.layers:
        for part in layer.walk():
            part.skip_dx = False  # training leaves out ∂L/∂x of the first layer
    signal, gradient = [rms(x)], [rms(dy)]
    for layer in model.layers:
        x = layer.forward(x)
        signal.append(rms(x))
    for layer in reversed(model.layers):
        dy = layer.backward(dy)
        gradient.append(rms(dy))
    return np.array(signal), np.array(gradient[::-1])

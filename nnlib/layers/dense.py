"""Every input to every unit: the weighted sum, and the activation after it."""

import numpy as np

from .. import activations, initializers
from ..arrays import positive_integer, sum_rows
from .base import Layer


class Activation(Layer):
    """a = f(z), element by element (softmax: row by row).

    Parameters
    ----------
    activation : str or activations.Activation
        "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softmax", or any pair (f, vjp).
    """

    def __init__(self, activation):
        super().__init__()
        self.activation = activations.get(activation)

    def forward(self, x, training=False):
        self.z = x
        self.a = self.activation.f(x)
        return self.a

    def backward(self, dy):
        return self.backward_z(self.activation.vjp(dy, self.z, self.a))

    def backward_z(self, dz):
        """Go on from dz = ∂L/∂z, where a fused loss has already passed the activation."""
        return dz


class Dense(Activation):
    """a = f(z) with z = x W + b, where x is (batch, inputs), W is (inputs, units) and b is (units,).

    Column convention z = Wᵀx + b, transposed, so that each row of x is one example. Further axes before the last one
    are treated as batch: a sequence (batch, time, features) goes through the same W at every time.

    Parameters
    ----------
    units : int
        Number of outputs.
    activation : str or activations.Activation, optional
        f; None means linear.
    initializer, bias_initializer : str, dict or initializers.Initializer
        How W and b start.
    """

    def __init__(self, units, activation=None, initializer="glorot_uniform", bias_initializer="zeros"):
        super().__init__(activation)
        self.units = positive_integer("units", units)
        self.initializer = initializers.get(initializer)
        self.bias_initializer = initializers.get(bias_initializer)

    def build(self, input_shape, rng, dtype):
        inputs = input_shape[-1]
        self.add("W", self.initializer((inputs, self.units), rng, dtype))
        self.add("b", self.bias_initializer((self.units,), rng, dtype))
        return (*input_shape[:-1], self.units)

    def forward(self, x, training=False):
        self.x = x
        z = x @ self.params["W"]
        z += self.params["b"]
        return super().forward(z)

    def backward_z(self, dz):
        """Gradients: dW = xᵀ dz, db = Σ dz over the batch, dx = dz Wᵀ."""
        x, W = self.x, self.params["W"]
        rows, dz_rows = x.reshape(-1, x.shape[-1]), dz.reshape(-1, dz.shape[-1])
        np.matmul(rows.T, dz_rows, out=self.grads["W"])
        sum_rows(dz_rows, out=self.grads["b"])
        return None if self.skip_dx else dz @ W.T

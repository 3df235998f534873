"""Every input to every unit: the weighted sum, and the activation after it, given or learned."""

from functools import reduce

import numpy as np

from .. import activations, initializers
from ..arrays import Array, DType, Random, Shape, as_matrix, sum_rows, with_axes_of
from ..checks import positive_integer
from .base import NO_DX, Layer


class Activation(Layer):
    """a = f(z), element by element (softmax: row by row): an activation function as a layer of its own.

    Layers that end in an activation (`Dense`, `Conv2D`) are subclasses: they compute z and leave f and its derivative
    to this class, and their own derivative starts from dz in `backward_z`.

    Parameters
    ----------
    activation : str or activations.Activation
        "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softmax", or any pair (f, vjp).
    """

    def __init__(self, activation: activations.Choice) -> None:
        super().__init__()
        self.activation = activations.get(activation)

    def forward(self, x: Array, training: bool = False) -> Array:
        self.z = x
        self.a = self.activation.f(x)
        return self.a

    def backward(self, dy: Array) -> Array:
        return self.backward_z(self.activation.vjp(dy, self.z, self.a))

    def backward_z(self, dz: Array) -> Array:
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
    initializer : str, dict or initializers.Initializer
        How W starts; b starts at 0.
    """

    def __init__(
        self, units: int, activation: activations.Choice = None, initializer: initializers.Choice = "glorot_uniform"
    ) -> None:
        super().__init__(activation)
        self.units = positive_integer("units", units)
        self.initializer = initializers.get(initializer)

    def build(self, input_shape: Shape, rng: Random, dtype: DType) -> Shape:
        inputs = input_shape[-1]
        self.add("W", self.initializer((inputs, self.units), rng, dtype))
        self.add("b", np.zeros(self.units, dtype))
        return (*input_shape[:-1], self.units)

    def forward(self, x: Array, training: bool = False) -> Array:
        self.x = as_matrix(x)
        z = self.x.dot(self.params["W"])
        z += self.params["b"]
        return super().forward(with_axes_of(z, x))

    def backward_z(self, dz: Array) -> Array:
        """Gradients: dW = xᵀ dz, db = Σ dz over the batch, dx = dz Wᵀ."""
        rows = as_matrix(dz)
        self.x.T.dot(rows, out=self.grads["W"])
        sum_rows(rows, out=self.grads["b"])
        return NO_DX if self.skip_dx else with_axes_of(rows.dot(self.params["W"].T), dz)


class Maxout(Dense):
    """a = max over p of z_p with z_p = x W_p + b_p: each unit is the largest of `pieces` linear functions.

    The maximum of k lines can take the shape of any convex function of k pieces (ReLU and |z| among them), so the unit
    learns its own activation. W is (inputs, pieces · units), the columns of piece 0 first, then those of piece 1, ...;
    b is (pieces · units,). Further axes before the last one are treated as batch.

    Parameters
    ----------
    units : int
        Number of outputs.
    pieces : int
        k ≥ 1, the number of linear functions of each unit.
    initializer : str, dict or initializers.Initializer
        How W_p starts; each piece is drawn as a layer of its own, with the fans of `Dense(units)`. b_p starts at 0.

    References
    ----------
    Goodfellow et al. 2013, the dense variant. Where two pieces tie, the first one gets the gradient.
    """

    def __init__(self, units: int, pieces: int = 2, initializer: initializers.Choice = "glorot_uniform") -> None:
        super().__init__(units, initializer=initializer)
        self.pieces = positive_integer("pieces", pieces)

    def build(self, input_shape: Shape, rng: Random, dtype: DType) -> Shape:
        draws = [self.initializer((input_shape[-1], self.units), rng, dtype) for _ in range(self.pieces)]
        self.add("W", np.concatenate(draws, axis=1))
        self.add("b", np.zeros(self.pieces * self.units, dtype))
        return (*input_shape[:-1], self.units)

    def forward(self, x: Array, training: bool = False) -> Array:
        self.a = largest(self._of_piece(super().forward(x)))
        return self.a

    def backward(self, dy: Array) -> Array:
        """∂L/∂z_p = dy where piece p is the largest, else 0; from there on as in `Dense`."""
        dz = np.empty_like(self.z)
        to_largest(dy, self.a, self._of_piece(self.z), self._of_piece(dz))
        return self.backward_z(dz)

    def _of_piece(self, z: Array) -> list[Array]:
        """Return one view (..., units) per piece."""
        return [z[..., p * self.units : (p + 1) * self.units] for p in range(self.pieces)]


def largest(parts: list[Array]) -> Array:
    """Return the element-wise maximum of several arrays."""
    return reduce(np.maximum, parts)


def to_largest(da: Array, a: Array, parts: list[Array], d_parts: list[Array]) -> None:
    """Fill `d_parts` with the gradients of the parts of `a = largest(parts)`: the first part that holds a gets da."""
    for part, d_part in zip(parts[:-1], d_parts[:-1], strict=True):
        np.multiply(da, part == a, out=d_part)
        da = da - d_part  # exact: each entry is handed on whole or not at all
    d_parts[-1][...] = da

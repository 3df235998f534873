"""Layers that only rearrange: a detour that can be skipped, and a picture read as a list of numbers."""

from math import prod

from ..arrays import Array, DType, Random, Shape
from .base import Layer


class Flatten(Layer):
    """y = x with all axes but the first made one: (batch, height, width, channels) → (batch, h · w · c).

    The last axis runs fastest, as in NumPy and Keras. (PyTorch flattens in the same way, but its images are
    (batch, channels, height, width), so that weights after it are in another order.)
    """

    def build(self, input_shape: Shape, rng: Random, dtype: DType) -> Shape:
        return (prod(input_shape),)

    def forward(self, x: Array, training: bool = False) -> Array:
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy: Array) -> Array:
        return dy.reshape(self.shape)


class Residual(Layer):
    """y = x + f(x), where f is the given layers one after the other.

    The layers learn only what to add to x, and the gradient has a way around them: dx = dy + (∂f/∂x)ᵀ dy, which does
    not vanish however deep the stack. Output and input of f must be of one shape.

    Parameters
    ----------
    *layers : Layer
        At least one. Nothing follows the sum; put an `Activation` after the block for the form of the 2015 paper.

    References
    ----------
    He et al. 2015, "Deep Residual Learning for Image Recognition"; He et al. 2016, "Identity Mappings in Deep Residual
    Networks", whose clean path this is.
    """

    def __init__(self, *layers: Layer) -> None:
        super().__init__()
        if not layers:
            raise ValueError("layers must hold at least one layer; got none")
        for layer in layers:
            if not isinstance(layer, Layer):
                raise ValueError(f"layers must hold nnlib layers; got {layer!r}")
        self.layers = self.children = list(layers)

    def build(self, input_shape: Shape, rng: Random, dtype: DType) -> Shape:
        shape = input_shape
        for layer in self.layers:
            layer.output_shape = shape = layer.build(shape, rng, dtype)
        if shape != input_shape:
            raise ValueError(f"Residual adds x to f(x), which must have the shape of x, {input_shape}; got {shape}")
        return shape

    def forward(self, x: Array, training: bool = False) -> Array:
        y = x
        for layer in self.layers:
            y = layer.forward(y, training)
        return x + y

    def backward(self, dy: Array) -> Array:
        dx = dy
        for layer in reversed(self.layers):
            dx = layer.backward(dx)
        return dx + dy
